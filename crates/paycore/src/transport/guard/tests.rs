//! Every spelling of an address that must not be called, and a few that may.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::network::is_public;
use super::{Blocked, GuardPolicy, Network};

/// A policy that permits plain http, so that only the host decides.
fn sandbox() -> GuardPolicy {
    GuardPolicy { http: true, ..GuardPolicy::default() }
}

/// The way a text becomes a connection: first the value a channel or delivery makes, then the guard.
fn judge(policy: &GuardPolicy, text: &str) -> Result<String, Blocked> {
    let uri: http::Uri = text.parse().map_err(|_| Blocked::Malformed)?;
    policy.admit(&uri).map(|url| url.to_string())
}

/// Addresses that lead inside, as hosts of URLs.
const INSIDE: &[&str] = &[
    // Loopback and its shorter, decimal, octal and hexadecimal spellings.
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.00.000.01",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.0.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "0000000000000000000000177.0.0.1",
    "127.0.0.0x1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    // This network.
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "0.1.2.3",
    "0.0.0.1",
    "0x0.0x0.0",
    "000.000.000.000",
    // Private networks.
    "10.0.0.1",
    "10.255.255.255",
    "0xa.0.0.1",
    "012.0.0.1",
    "167772161",
    "10.1",
    "0x0a000001",
    "172.16.0.1",
    "172.31.255.255",
    "2886729729",
    "0xac.0x10.0.1",
    "0254.020.0.1",
    "192.168.0.1",
    "192.168.1.254",
    "192.168.257",
    "3232235521",
    "0xc0a80001",
    "0300.0250.0.1",
    "0xc0.0xa8.1",
    // Link-local with the metadata services of clouds.
    "169.254.169.254",
    "169.254.170.2",
    "169.254.1.1",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "0251.254.169.254",
    // Carrier-grade NAT, with the metadata service of another cloud, and protocol assignments.
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "1681915904",
    "192.0.0.1",
    "192.0.0.192",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.175.48.1",
    // Documentation and benchmarking.
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "198.19.255.255",
    // Multicast, reserved, broadcast.
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "254.1.2.3",
    "255.255.255.255",
    "4294967295",
    "0xffffffff",
    "037777777777",
    // IPv6: unspecified, loopback, link-local, site-local, unique local, multicast.
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0.0.0.1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fdff::1]",
    "[ff02::1]",
    "[ff0e::1]",
    // IPv6 with an IPv4 address inside: mapped, compatible, translated, 6to4, Teredo, NAT64.
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:10.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::169.254.169.254]",
    "[::8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2002:c0a8:101::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::a00:1]",
    // IPv6: documentation, benchmarking, overlay hashes, discard, segment routing, nothing yet.
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[100::1]",
    "[5f00::1]",
    "[4000::1]",
    "[1fff::1]",
];

/// Texts that are refused for what they are, whatever the host.
const REFUSED: &[(&str, Blocked)] = &[
    ("ftp://example.com/", Blocked::Scheme),
    ("gopher://example.com:70/_x", Blocked::Scheme),
    ("ws://example.com/", Blocked::Scheme),
    ("dict://example.com:11211/stat", Blocked::Scheme),
    ("ldap://example.com/", Blocked::Scheme),
    ("https+unix://example.com/", Blocked::Scheme),
    ("file://example.com/etc/passwd", Blocked::Scheme),
    ("file:///etc/passwd", Blocked::Malformed),
    ("javascript:alert(1)", Blocked::Scheme),
    ("data:text/plain,x", Blocked::Malformed),
    ("/relative", Blocked::Malformed),
    ("//example.com/", Blocked::Malformed),
    ("example.com", Blocked::Malformed),
    ("", Blocked::Malformed),
    ("https://", Blocked::Malformed),
    ("https:///path", Blocked::Malformed),
    ("https://./", Blocked::Malformed),
    ("https://../", Blocked::Malformed),
    ("https://user@example.com/", Blocked::UserInfo),
    ("https://user:password@example.com/", Blocked::UserInfo),
    ("https://:password@example.com/", Blocked::UserInfo),
    ("https://example.com@127.0.0.1/", Blocked::UserInfo),
    ("https://127.0.0.1@example.com/", Blocked::UserInfo),
    ("https://example.com%40127.0.0.1/", Blocked::Malformed),
    ("https://example.com:0/", Blocked::Port),
    ("https://example.com:65536/", Blocked::Malformed),
    ("https://example.com:x/", Blocked::Malformed),
    ("https://example.com\\@127.0.0.1/", Blocked::Malformed),
    ("https://example.com\t/", Blocked::Malformed),
    ("https://exa mple.com/", Blocked::Malformed),
    ("https://example.com%00.internal/", Blocked::Malformed),
    ("https://[fe80::1%25eth0]/", Blocked::Malformed),
    ("https://[::1/", Blocked::Malformed),
    ("https://[v1.fe]/", Blocked::Malformed),
    ("https://256.256.256.256/", Blocked::Malformed),
    ("https://127.0.0.0.1/", Blocked::Malformed),
    ("https://4294967296/", Blocked::Malformed),
    ("https://0x100000000/", Blocked::Malformed),
    ("https://1.2.3.09/", Blocked::Malformed),
    ("https://xn--/", Blocked::Malformed),
    ("https://a<b>.com/", Blocked::Malformed),
];

#[test]
fn no_spelling_of_an_inside_address_is_admitted() {
    for host in INSIDE {
        for text in [format!("http://{host}/hook"), format!("https://{host}:8443/hook?a=b")] {
            // Some spellings are no host at all for the URL parser; that is refusal enough.
            let got = judge(&sandbox(), &text);
            assert!(matches!(got, Err(Blocked::Address | Blocked::Malformed)), "{text} gives {got:?}");
        }
    }
    assert!(INSIDE.len() + REFUSED.len() >= 120, "{}", INSIDE.len() + REFUSED.len());
}

#[test]
fn spellings_that_are_read_as_an_address_are_refused_as_an_address() {
    // The list above would prove little if the parser simply knew none of these.
    for host in ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:7f00:1]", "127.0.0.1.", "0"] {
        assert_eq!(judge(&sandbox(), &format!("https://{host}/")), Err(Blocked::Address), "{host}");
    }
}

#[test]
fn every_refusal_has_its_reason() {
    let wrong: Vec<_> = REFUSED
        .iter()
        .map(|(text, reason)| (text, judge(&sandbox(), text), Err(*reason)))
        .filter(|(_, got, wanted)| got != wanted)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn full_width_digits_are_digits() {
    // `http::Uri` takes only ASCII hosts, so the spelling never even arrives; the URL parser would fold it.
    assert_eq!(judge(&sandbox(), "https://１２７.0.0.1/"), Err(Blocked::Malformed));
    let url = url::Url::parse("https://１２７。0。0。1/").unwrap();
    assert_eq!(sandbox().check_url(&url), Err(Blocked::Address));
}

#[test]
fn public_addresses_and_names_are_admitted_as_they_will_be_called() {
    for (text, called) in [
        ("https://example.com/", "https://example.com/"),
        ("https://example.com:8443/a?b=c", "https://example.com:8443/a?b=c"),
        ("https://EXAMPLE.com:443", "https://example.com/"),
        ("https://xn--fiq228c.example/", "https://xn--fiq228c.example/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://100.63.255.255/", "https://100.63.255.255/"),
        ("https://100.128.0.1/", "https://100.128.0.1/"),
        ("https://172.15.0.1/", "https://172.15.0.1/"),
        ("https://172.32.0.1/", "https://172.32.0.1/"),
        ("https://223.255.255.254/", "https://223.255.255.254/"),
        ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
        ("https://[240e::1]:22/", "https://[240e::1]:22/"),
        // A name may look like anything; where it leads is judged when it is resolved.
        ("https://localhost/", "https://localhost/"),
        ("https://127.0.0.1.nip.io/", "https://127.0.0.1.nip.io/"),
    ] {
        assert_eq!(judge(&sandbox(), text).as_deref(), Ok(called), "{text}");
    }
}

#[test]
fn plain_http_needs_a_policy_that_says_so() {
    let strict = GuardPolicy::default();
    assert_eq!(judge(&strict, "http://example.com/"), Err(Blocked::Plain));
    assert!(judge(&strict, "https://example.com/").is_ok());
    assert!(judge(&sandbox(), "http://example.com/").is_ok());
}

#[test]
fn the_operator_may_open_a_network_and_only_that() {
    let policy = GuardPolicy { allow: vec!["10.1.0.0/16".parse().unwrap()], http: true };
    assert!(judge(&policy, "http://10.1.2.3/").is_ok());
    assert!(judge(&policy, "http://0xa.0x1.2.3/").is_ok(), "the same address in other words");
    assert_eq!(judge(&policy, "http://10.2.0.1/"), Err(Blocked::Address));
    assert_eq!(judge(&policy, "http://[::ffff:10.1.2.3]/"), Err(Blocked::Address));
}

#[test]
fn of_the_addresses_of_a_name_only_the_permitted_are_left() {
    let policy = GuardPolicy::default();
    let at = |text: &str| format!("{text}:0").parse().unwrap();
    assert_eq!(policy.permitted(vec![at("10.0.0.1"), at("8.8.8.8")]), Ok(vec![at("8.8.8.8")]));
    assert_eq!(policy.permitted(vec![at("10.0.0.1"), at("[::1]")]), Err(Blocked::Address));
    assert_eq!(policy.permitted(vec![]), Ok(vec![]));
}

#[test]
fn a_network_is_read_strictly() {
    for good in ["10.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0", "::/0", "fd00::/8", "2001:db8::1/128"] {
        assert_eq!(good.parse::<Network>().unwrap().to_string(), good);
    }
    assert_eq!("10.1.2.3".parse::<Network>().unwrap().to_string(), "10.1.2.3/32");
    for bad in [
        "",
        "/",
        "10.0.0.0/",
        "/8",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "::/129",
        "fd00::1/8",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0/8",
        "10.0.0.0/256",
        "localhost/8",
        " 10.0.0.0/8",
        "10.0.0.0/ 8",
        "010.0.0.0/8",
    ] {
        assert!(bad.parse::<Network>().is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn a_network_holds_exactly_the_addresses_with_its_prefix(base: u32, bits in 0u8..=32, other: u32) {
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        let network: Network = format!("{}/{bits}", Ipv4Addr::from(base & mask)).parse().unwrap();
        prop_assert_eq!(network.contains(Ipv4Addr::from(other).into()), other & mask == base & mask);
        prop_assert!(network.contains(Ipv4Addr::from(base).into()));
    }

    #[test]
    fn whatever_the_standard_library_calls_special_is_not_public(bits: u32) {
        let address = Ipv4Addr::from(bits);
        let special = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_broadcast() || address.is_documentation() || address.is_multicast()
            || address.is_unspecified();
        prop_assert!(!(special && is_public(IpAddr::V4(address))), "{}", address);
    }

    #[test]
    fn an_address_that_hides_an_ipv4_one_is_never_public(bits: u32) {
        let v4 = Ipv4Addr::from(bits);
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        for hidden in [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        ] {
            prop_assert!(!is_public(hidden.into()), "{}", hidden);
        }
    }
}
