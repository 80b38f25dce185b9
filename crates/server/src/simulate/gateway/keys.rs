//! Keys in the forms that clients ask for: some want PEM, some the bare base64, some PKCS#8, some PKCS#1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::FieldKind;
use paycore::secret::Secret;
use serde_json::{Value, json};

/// `rsaEncryption`, as it stands in DER.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The forms of a key by name. What is not base64 DER is handed on as it is.
pub(super) fn forms(kind: FieldKind, key: &Secret) -> Value {
    let text = key.expose();
    // An ASN.1 sequence, or not DER at all.
    let der = STANDARD.decode(text.trim()).ok().filter(|der| der.first() == Some(&0x30));
    let Some(der) = der else { return json!({"text": text}) };
    if kind == FieldKind::PublicKey {
        return json!({"pem": pem("PUBLIC KEY", &der), "base64": text});
    }
    let mut forms = json!({"pem": pem("PRIVATE KEY", &der), "base64": text});
    if let Some(inner) = pkcs1(&der) {
        forms["pkcs1_pem"] = pem("RSA PRIVATE KEY", inner).into();
        forms["pkcs1_base64"] = STANDARD.encode(inner).into();
    }
    forms
}

/// A key as people paste it.
pub(super) fn shown(kind: FieldKind, key: &Secret) -> String {
    let forms = forms(kind, key);
    let text = forms["pem"].as_str().unwrap_or_else(|| key.expose());
    format!("\n{}", text.trim_end())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The RSA key inside PKCS#8: a sequence of a version, an algorithm and an octet string, which holds it.
fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    let (0x30, whole, _) = element(pkcs8)? else { return None };
    let (0x02, _, rest) = element(whole)? else { return None };
    let (0x30, algorithm, rest) = element(rest)? else { return None };
    let (0x04, key, _) = element(rest)? else { return None };
    algorithm.starts_with(RSA).then_some(key)
}

/// The first element of DER: its tag, its content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
            if bytes.len() > 4 {
                return None;
            }
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use paycore::crypto::Keyring as _;
    use paycore::crypto::native::NativeKeyring;

    use super::*;

    #[test]
    fn every_form_of_a_private_key_opens() {
        let pair = NativeKeyring.generate().unwrap();
        let forms = forms(FieldKind::PrivateKey, &pair.private);
        for name in ["pem", "base64", "pkcs1_pem", "pkcs1_base64"] {
            let form = Secret::new(forms[name].as_str().unwrap());
            assert!(NativeKeyring.signer(&form).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_public_key_becomes_pem_and_another_text_stays_as_it_is() {
        let pair = NativeKeyring.generate().unwrap();
        let forms = super::forms(FieldKind::PublicKey, &Secret::new(pair.public.as_str()));
        assert!(NativeKeyring.verifier(forms["pem"].as_str().unwrap()).is_ok());
        let certificate = "-----BEGIN CERTIFICATE-----\n";
        assert_eq!(super::forms(FieldKind::PublicKey, &Secret::new(certificate))["text"], certificate);
    }

    #[test]
    fn cut_der_is_no_key() {
        let pair = NativeKeyring.generate().unwrap();
        let der = STANDARD.decode(pair.private.expose()).unwrap();
        assert!((0..der.len()).all(|end| pkcs1(&der[..end]).is_none()));
    }
}
