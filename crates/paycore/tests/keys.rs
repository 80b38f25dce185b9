//! SM2 and the legacy RSA scheme against the standard's example and against signatures other programs made.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::native::NativeKeyring;
use paycore::crypto::{KeyError, Keyring, Scheme, Signer, Verifier};
use paycore::secret::Secret;

/// The example of GB/T 32918.5, annex A: key, message and signature over the recommended curve.
const D: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const P: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                 ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
const STANDARD_SIGNATURE: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                                  b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

/// Signatures of the Python package gmssl with the standard's key: usual name raw and DER, then another name.
const GMSSL_MESSAGE: &str = "金额=1.00&订单=一号";
const GMSSL_RAW: &str = "3611e3a203dc8921279d4db43fdb0305dbe603635f15d05bb6240a7c96481e0b\
                         6032bdc31fd59a6bcebb91fa3193dc9c14ce964a5a4834c72873da5f131ec85e";
const GMSSL_DER: &str =
    "MEQCIDYR46ID3IkhJ51NtD/bAwXb5gNjXxXQW7YkCnyWSB4LAiBgMr3DH9Waa867kfoxk9ycFM6WSlpINMcoc9pfEx7IXg==";
const GMSSL_NAMED: &str = "8915881e4524a11bca8d3e4a4abc8388478a72990caa9d896375b1f395c78f0c\
                           022b2229dc85bc4beced4a8efd358736b57f663e50bd5b1b212d79cd57f041bb";

/// Keys and a signature over "message digest" by OpenSSL.
const OPENSSL_PKCS8: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQgyR3y9SWR/DvzkE8O
0T+CFcnCcalIdLPQDxFTpCQYxF6hRANCAAQ/kN8ZQKgASVOLpfh+7ICveLvGQ+Hq
XvfeAJFM9SHNYoT/9JFXhOrWAXZvuCEEulfTJyauyLC8fPtChXW1k27+
-----END PRIVATE KEY-----";
const OPENSSL_SEC1: &str = "\
-----BEGIN SM2 PRIVATE KEY-----
MHcCAQEEIMkd8vUlkfw785BPDtE/ghXJwnGpSHSz0A8RU6QkGMReoAoGCCqBHM9V
AYItoUQDQgAEP5DfGUCoAElTi6X4fuyAr3i7xkPh6l733gCRTPUhzWKE//SRV4Tq
1gF2b7ghBLpX0ycmrsiwvHz7QoV1tZNu/g==
-----END SM2 PRIVATE KEY-----";
const OPENSSL_SPKI: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEP5DfGUCoAElTi6X4fuyAr3i7xkPh
6l733gCRTPUhzWKE//SRV4Tq1gF2b7ghBLpX0ycmrsiwvHz7QoV1tZNu/g==
-----END PUBLIC KEY-----";
const OPENSSL_SIGNATURE: &str =
    "MEUCIC08Q05TlxVqPM7pqJKnd0CsAeVkkry/uberONb2XEYdAiEAmZXGKndWRgxk96RGPp8B8X6+71krH88bxRBOKHk47xE=";

const RSA_PRIVATE: &str = "MIIEuwIBADANBgkqhkiG9w0BAQEFAASCBKUwggShAgEAAoIBAQDNHy/6F+GXCcZOhWPSDJlHwjx6C2r1/k4azwiH5W4D7smhcrwsBbcw3+WwFo1SKlakrIBAmhekfPYFKXGU1JgPd4YiEFg1+9bEEgGnf78R7lpykYuEdMtMvaHW9erYNEVmNRm/ekHgeG5J5CxD5yLIhzaZbmrPMuXuhp3HeOli7GxZaSHZpk5pSWZliNh9Zgq+Gk5gSsAQ4wstDonB0enR820o9F/p4TKCAMwn9xKsj/zQpu6/Lw2NPJ9SMF211mHIe+nKV/xl68vGq3lcmakc6k9qcw+lZO+6UjticAJvs6KCc0hoa3KW7MQd4m4JTKd1sUdsThKcTeIoI1Yy2HTZAgMBAAECgf8A2SqujTYpVfTOEY3uN4P3qBR63ApXiBI1sqScSsSG7iPxqfab8xAtWsdu7ikLdEa5k1ZkWHU85nKwv6vhIfvhuMxLMdOniBD/JJ3K3jx2suN3L4s63Nl8hem6/tuI6oIWB9qH+j61RB3NBKYdXFDwop7ZFoStgQetu+AqkHTJBkHqhOwkJPJMBZUabxOr+aw2JNo92RAxtx8PSobhdHoKjMnZYbogHHVZhrStLN8tH1rIMj34zMF0qNnaPXVrwYipsJr9z1rhGYTH+5f2LijT/RTq0bwqUHVCtVBEQZN/71rrMMw+4h+xu+gF/pXYV3yqtjRTwYAZNmFqZtMPFSECgYEA80WwXUEi4tGmwyqb/3LVzbUV9kQzha5BSLr7aFGgSr2vrZYuSKPJ5jxoXFZQ6i5MBsK4WwQU9SPW9uMShfihPBqqKoV680b3ddBjUEMX/KUv7V4TV2D4xvfmxL8Bo8KsJzk9dltt2OKoO1C2OTx84zjTAdU027sggbW0Qey5fKkCgYEA19qGL3inSBLoRQZgOL604fMbbsAQjCAj35fNH4O53wjLt2ocWVAPqnNa+n+4GtQ/h+OVdQEud4ydrXmrdpOKBnStU9XOwtJQJWQQA9wngKb/qpqkpkzZwieBBR055ph1qwWNAYout2jmdrpwhuYIbxF7KpKgyIL5VMgPBV31pLECgYEAvdO8WhhQo5MawKIIFl3CTgEnAQKY/ZBK6vjU4sMHBCtd4WMV/KKqEhlDCgJko0e7FW9uMb9OpzbvL7lio92t2tunuwRrO1g+EtWoGWIxXnh7nIpTJ1TI62FX1mCBZAqtEPJOboPLhHjg81/4wVLc1OVrabu3wloTdIOYA/U3i/kCgYAd9/YHYz3+cLmU08TKPBgLAuC9KKdjfRbd9UqCZJyKzcLS7UWQVOBH7wojm1XpS6yiZkOa4hYcfQZrTmgy51sTeGGUMSwqul5sQo9Cqe9GGmmGuz++4w6cuTVdi2g9js9Pdk7UduXzivnsZAg5gniLSycJiyANlrmdPsVvHlN7kQKBgCEap5AsfIKRKjct7TdaPjNg7unERU/3TYtGR03GMbncaLhyE4TfhW6ptPwPolCTJKvpA2j4hLhDMWsZC2U7mdvlagNf/PfYDo9US7QPfyXYDAXhMJjZY6/2+rUCK/eLcr+BJN5SnIYaCOlQmU5fbvCfgfA2ynhEQ5sItd7+ngnN";
const RSA_PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzR8v+hfhlwnGToVj0gyZR8I8egtq9f5OGs8Ih+VuA+7JoXK8LAW3MN/lsBaNUipWpKyAQJoXpHz2BSlxlNSYD3eGIhBYNfvWxBIBp3+/Ee5acpGLhHTLTL2h1vXq2DRFZjUZv3pB4HhuSeQsQ+ciyIc2mW5qzzLl7oadx3jpYuxsWWkh2aZOaUlmZYjYfWYKvhpOYErAEOMLLQ6JwdHp0fNtKPRf6eEyggDMJ/cSrI/80Kbuvy8NjTyfUjBdtdZhyHvpylf8ZevLxqt5XJmpHOpPanMPpWTvulI7YnACb7OignNIaGtyluzEHeJuCUyndbFHbE4SnE3iKCNWMth02QIDAQAB";
const RSA_SHA1_SIGNATURE: &str = "WHKT1cOpqjlwwdejQfDooUlVsaiI9FNZVwvzLFc/QM51AmUkUfqpsgmJxT4cGAtYnf/9mQlJ86qJutGFl3HfKOIyliEKrU5Ih/VNeozHfQxNxhfu8nCEUmGM+XnEzPr5ysUo4dz3k08nWmsMRCrOVKeNCYHROrbNY/lsFBFN8l/CFP6rZwpUaZbwZlVv83/f0XNO3QTIqBpnd1yftf9tPnGFNEDys/pGuQQtiiz99ED6EI/2iDGWc0yZ8pI9UF1BI513noIJs3xIYNBKIZkVs92MpIUbrQHH6OFn/OxBNwf/FQ3pXUjKTMz2Cp81wBrOtf0t5HQ55Kugjgej6fjwpw==";
const RSA_1024_PRIVATE: &str = "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMDpGpPeMeZyaFnjetMrc/9KCNLIJtiCRyNp190Ur9Nbc1iCUvWw7kw9ZQ3RPWq6dPhvawGkILmpfmBhHJMtGP9J6jDUFO52nnkT1+Ami4ENNuTUeuntIOAlyDOrBtXlIQzLSVeefCECrFjO3QSNvQz/BaMLPJNonqYbUd1a9mDXAgMBAAECgYAiuNJD0zaAGA+YPk2ZPLUAOj8kUUpMpgZP5XkpHdQX4tn8EFkGR/ZcWqCZwBOh5jWvkb5c6UHKqStKBbCy/OcGm8zlHQoYO9t9cVBRSp6JIC+cOZl5M7flxapqBZ3UUbRFBFPz9ryX+k4WKNU2jpO94E58AVr1MqVJ0NVc9/6HQQJBAPWfzIhq/NbWLM7aV8BB7qX6CgJm3u+UJnP/UeFT/L6VEYXHsqyGRUbfsNxKfqmI0fg3JQvUXSQAvtkW2vJKrE8CQQDJD0FE/ympE7TxnY1e6ZEKxSLYjVdbR5fOFJYW9kHEAXZEW1rs6dHce05MFg1RcmBEQnZcqZxSGuX/UYpoxLj5AkAJ5eunH7Cas7zQhSn+HGoSlDXtDNo1C2JVUFerXegUggtXuclwfGS0S3VkGzhpepMDjq1WgbNTLRiDxREDrJCvAkEAuF+W2PCsgXGi4lY6R6kj6p5wn+itDPWQDdju8cuM73LvwyuLK+oXGnqwiDFIsUGTacUQyVR4Fwq3kvRxWjXb8QJBAPNtc/sbKa1ul1kl695a7yWf3BVNAREhahZaYAtffsR2bUnyMU8AILWDC9SQfZbAGUiNgbc7uxP15RiO2JjN34E=";
const RSA_1024_PUBLIC: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDA6RqT3jHmcmhZ43rTK3P/SgjSyCbYgkcjadfdFK/TW3NYglL1sO5MPWUN0T1qunT4b2sBpCC5qX5gYRyTLRj/Seow1BTudp55E9fgJouBDTbk1Hrp7SDgJcgzqwbV5SEMy0lXnnwhAqxYzt0Ejb0M/wWjCzyTaJ6mG1HdWvZg1wIDAQAB";
const RSA_1024_SHA1_SIGNATURE: &str = "TQlqUF9PqLgtZRC1P3xDKKrCeIYkJv74+AUcsOpNe6be5ea0w07xgqaSDtK7VFDiQTatejBFK+URzjoce7JzOzEjQaGGF0gI2JSv1yzWluv/UszQKXPQz7cALZvOj5H6xcVG+g3baxHW3b3HGEsI+NUSAdfbMzrIVJMWU9ff9I0=";
const RSA_1024_SHA256_SIGNATURE: &str = "q+XgWVSJbwicvyDcFh3LxQ95lYuyVkTtSOiBzzNeoXHcLOst8ixKjw958aqEAT7ZFYSN7GLZy5JCDpkwGCU2mzD/7KetpVCzFN1KF+/VOXQDlb0Tfj7/NEWcokfwvDLZplVFi6C/lMieQCbHcDUx871KHAF1MTYCvh0HpH6B1ck=";

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn rings() -> Vec<Box<dyn Keyring>> {
    vec![
        Box::new(NativeKeyring),
        #[cfg(feature = "portable-crypto")]
        Box::new(paycore::crypto::portable::PortableKeyring::new(std::sync::Arc::new(Counting::default()))),
    ]
}

#[cfg(feature = "portable-crypto")]
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU64);

#[cfg(feature = "portable-crypto")]
impl paycore::time::Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        use sha2::{Digest as _, Sha256};
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            chunk.copy_from_slice(&Sha256::digest(count.to_be_bytes())[..chunk.len()]);
        }
    }
}

fn signer(ring: &dyn Keyring, key: &str) -> Box<dyn Signer> {
    ring.signer(&Secret::new(key)).unwrap()
}

fn verifier(ring: &dyn Keyring, key: &str) -> Box<dyn Verifier> {
    ring.verifier(key).unwrap()
}

#[test]
fn the_example_of_the_standard_verifies_and_no_flipped_bit_does() {
    for ring in rings() {
        let verifier = verifier(&*ring, P);
        let signature = unhex(STANDARD_SIGNATURE);
        assert!(verifier.verify(Scheme::Sm2Sm3, b"message digest", &signature));
        assert!(!verifier.verify(Scheme::Sm2Sm3, b"message digesT", &signature));
        for bit in (0..512).step_by(7) {
            let mut other = signature.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!verifier.verify(Scheme::Sm2Sm3, b"message digest", &other), "bit {bit}");
        }
    }
}

#[test]
fn signatures_of_gmssl_verify_in_both_forms_and_under_their_name_only() {
    for ring in rings() {
        let verifier = verifier(&*ring, &format!("04{P}").to_uppercase());
        let message = GMSSL_MESSAGE.as_bytes();
        let (raw, named) = (unhex(GMSSL_RAW), unhex(GMSSL_NAMED));
        let der = STANDARD.decode(GMSSL_DER).unwrap();
        assert!(verifier.verify(Scheme::Sm2Sm3, message, &raw));
        assert!(verifier.verify(Scheme::Sm2Sm3Der, message, &der));
        assert!(!verifier.verify(Scheme::Sm2Sm3Der, message, &raw));
        assert!(!verifier.verify(Scheme::Sm2Sm3, message, &der));
        assert!(verifier.verify_as(Scheme::Sm2Sm3, "00000003", message, &named));
        assert!(!verifier.verify(Scheme::Sm2Sm3, message, &named));
        assert!(!verifier.verify_as(Scheme::Sm2Sm3, "00000003", message, &raw));
    }
}

#[test]
fn the_same_key_is_read_from_every_form_and_signs_alike() {
    for ring in rings() {
        let bare: String = OPENSSL_PKCS8.lines().filter(|line| !line.starts_with('-')).collect();
        let hex: String =
            STANDARD.decode(&bare).unwrap()[36..68].iter().map(|byte| format!("{byte:02x}")).collect();
        let first = signer(&*ring, OPENSSL_PKCS8).sign(Scheme::Sm2Sm3, b"one").unwrap();
        for form in [OPENSSL_SEC1, &bare, &hex] {
            assert_eq!(signer(&*ring, form).sign(Scheme::Sm2Sm3, b"one").unwrap(), first, "{form}");
        }
        let verifier = verifier(&*ring, OPENSSL_SPKI);
        assert!(verifier.verify(Scheme::Sm2Sm3, b"one", &first));
        let theirs = STANDARD.decode(OPENSSL_SIGNATURE).unwrap();
        assert!(verifier.verify(Scheme::Sm2Sm3Der, b"message digest", &theirs));
        let ours = signer(&*ring, &hex).sign(Scheme::Sm2Sm3Der, b"one").unwrap();
        assert!(verifier.verify(Scheme::Sm2Sm3Der, b"one", &ours));
        let mut longer = ours.clone();
        longer.push(0);
        assert!(!verifier.verify(Scheme::Sm2Sm3Der, b"one", &longer));
    }
}

#[test]
fn a_key_of_one_algorithm_neither_signs_nor_verifies_for_another() {
    for ring in rings() {
        let (sm2, rsa) = (signer(&*ring, D), signer(&*ring, RSA_PRIVATE));
        assert_eq!(sm2.sign(Scheme::RsaSha256, b"one"), Err(KeyError::Sign));
        assert_eq!(rsa.sign(Scheme::Sm2Sm3, b"one"), Err(KeyError::Sign));
        let signature = sm2.sign(Scheme::Sm2Sm3, b"one").unwrap();
        assert!(verifier(&*ring, P).verify(Scheme::Sm2Sm3, b"one", &signature));
        assert!(!verifier(&*ring, P).verify(Scheme::RsaSha256, b"one", &signature));
        assert!(!verifier(&*ring, RSA_PUBLIC).verify(Scheme::Sm2Sm3, b"one", &signature));
    }
}

#[test]
fn hostile_keys_and_signatures_are_refused() {
    for ring in rings() {
        let refused = |key: &str| ring.signer(&Secret::new(key)).is_err();
        assert!(refused(&"0".repeat(64)));
        assert!(refused(&"f".repeat(64)), "beyond the order of the curve");
        assert!(refused(&D[..62]));
        assert!(ring.verifier(&"1".repeat(128)).is_err(), "not on the curve");
        assert!(ring.verifier(&format!("05{P}")).is_err());
        let verifier = verifier(&*ring, P);
        let order = unhex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
        for (r, s) in [(vec![0; 32], vec![1; 32]), (vec![1; 32], vec![0; 32]), (order.clone(), order)] {
            assert!(!verifier.verify(Scheme::Sm2Sm3, b"one", &[r, s].concat()));
        }
        for length in [0, 1, 63, 65, 4096] {
            assert!(!verifier.verify(Scheme::Sm2Sm3, b"one", &vec![0x30; length]));
            assert!(!verifier.verify(Scheme::Sm2Sm3Der, b"one", &vec![0x30; length]));
        }
    }
}

#[test]
fn fresh_sm2_pairs_work_and_differ() {
    for ring in rings() {
        let (one, two) = (ring.generate_sm2().unwrap(), ring.generate_sm2().unwrap());
        assert_ne!(one.public, two.public);
        let signature = signer(&*ring, one.private.expose()).sign(Scheme::Sm2Sm3, b"one").unwrap();
        assert!(verifier(&*ring, &one.public).verify(Scheme::Sm2Sm3, b"one", &signature));
        assert!(!verifier(&*ring, &two.public).verify(Scheme::Sm2Sm3, b"one", &signature));
    }
}

#[test]
fn sha1_signatures_equal_those_of_openssl_and_do_not_pass_for_sha256() {
    for ring in rings() {
        let signature = signer(&*ring, RSA_PRIVATE).sign(Scheme::RsaSha1, b"message digest").unwrap();
        assert_eq!(STANDARD.encode(&signature), RSA_SHA1_SIGNATURE);
        let verifier = verifier(&*ring, RSA_PUBLIC);
        assert!(verifier.verify(Scheme::RsaSha1, b"message digest", &signature));
        assert!(!verifier.verify(Scheme::RsaSha256, b"message digest", &signature));
        assert!(!verifier.verify(Scheme::RsaSha1, b"message digesT", &signature));
    }
}

#[test]
fn a_key_of_1024_bits_verifies_sha1_where_asked_for_and_nothing_else() {
    for ring in rings() {
        assert_eq!(ring.verifier(RSA_1024_PUBLIC).err(), Some(KeyError::Weak));
        assert!(ring.signer(&Secret::new(RSA_1024_PRIVATE)).is_err());
        let legacy = ring.legacy_verifier(RSA_1024_PUBLIC).unwrap();
        let (sha1, sha256) = (
            STANDARD.decode(RSA_1024_SHA1_SIGNATURE).unwrap(),
            STANDARD.decode(RSA_1024_SHA256_SIGNATURE).unwrap(),
        );
        assert!(legacy.verify(Scheme::RsaSha1, b"message digest", &sha1));
        assert!(!legacy.verify(Scheme::RsaSha256, b"message digest", &sha256));
        assert!(ring.legacy_verifier(P).is_err());
    }
}
