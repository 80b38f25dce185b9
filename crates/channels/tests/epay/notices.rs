//! Notifications: what is believed, and what is not although it is authentic, stale, forged or damaged.

use http::Method;

use super::*;

fn verify(version: u8, notice: &Notice) -> Result<Report, Fault> {
    let mut verified = adapter(version).verify(notice, &context(NOW))?;
    assert_eq!(verified.reply.body().as_ref(), b"success");
    assert_eq!(verified.reports.len(), 1);
    Ok(verified.reports.remove(0))
}

fn paid(fen: i64, at: Option<Timestamp>) -> Report {
    let outcome = Outcome::new(Verdict::Succeeded).channel_id(TRADE_NO).money(cny(fen));
    Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome: Outcome { at, ..outcome } }
}

#[test]
fn notifications_signed_by_another_implementation_are_believed_by_get_and_by_post() {
    let at = Some(NOW.minus(std::time::Duration::from_secs(538)));
    assert_eq!(verify(1, &notice("v1")), Ok(paid(8888, None)));
    assert_eq!(verify(1, &notice("v1_post")), Ok(paid(8890, None)), "88.9 is 88.90");
    assert_eq!(verify(2, &notice("v2")), Ok(paid(8888, at)));
    assert_eq!(verify(2, &notice("v2_post")), Ok(paid(8888, at)));
}

#[test]
fn neither_version_believes_the_signatures_of_the_other() {
    for (version, name) in [
        (2, "v1"),
        (2, "v2_md5"),
        (2, "v2_md5_called_rsa"),
        (2, "v2_merchant_key"),
        (1, "v1_rsa"),
        (1, "v2"),
        (1, "v2_md5_called_rsa"),
    ] {
        assert_eq!(verify(version, &notice(name)), Err(Fault::Signature), "{name} for version {version}");
    }
    // A key that is set beside version 2 opens no second door.
    let mut both = settings("ours_v2.json");
    both.set("key", settings("ours_v1.json").text("key", ""));
    let refused = open(&both).verify(&notice("v2_md5"), &context(NOW)).map(|_| ());
    assert_eq!(refused, Err(Fault::Signature));
}

#[test]
fn authentic_notifications_of_something_else_are_refused() {
    for version in [1_u8, 2] {
        for what in ["pid", "money", "free", "status", "smuggled"] {
            let name = format!("v{version}_bad_{what}");
            let refused = verify(version, &notice(&name));
            assert!(
                matches!(refused, Err(Fault::Unacceptable(_) | Fault::Unexpected(_))),
                "{name}: {refused:?}"
            );
        }
    }
    for name in ["v2_stale", "v2_no_time"] {
        assert!(matches!(verify(2, &notice(name)), Err(Fault::Unacceptable(_))), "{name}");
    }
}

#[test]
fn no_bit_of_a_notification_can_be_changed() {
    for version in [1_u8, 2] {
        let (channel, now) = (adapter(version), context(NOW));
        let true_notice = notice(&format!("v{version}"));
        let query = true_notice.uri().query().unwrap().as_bytes().to_vec();
        let mut tried = 0;
        for bit in 0..query.len() * 8 {
            let mut damaged = query.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(damaged.clone()) else { continue };
            let posted = http::Request::post("/notify/cha_1").body(Bytes::from(damaged)).unwrap();
            assert!(channel.verify(&posted, &now).is_err(), "posted, bit {bit}");
            let Ok(uri) = format!("/notify/cha_1?{text}").parse::<http::Uri>() else { continue };
            let asked = http::Request::get(uri).body(Bytes::new()).unwrap();
            assert!(channel.verify(&asked, &now).is_err(), "bit {bit}: {text}");
            tried += 1;
        }
        assert!(tried > 1_000, "{tried}");
    }
}

#[test]
fn the_fields_stand_in_one_place_only() {
    let name = "v1";
    let query = notice(name).uri().query().unwrap().to_owned();
    let with = |method: Method, uri: String, body: &str| {
        http::Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned())).unwrap()
    };
    assert!(verify(1, &with(Method::POST, "/notify/cha_1".into(), &query)).is_ok());
    for notice in [
        with(Method::POST, format!("/notify/cha_1?{query}"), ""),
        with(Method::POST, format!("/notify/cha_1?{query}"), &query),
        with(Method::POST, "/notify/cha_1?money=1".into(), &query),
        with(Method::GET, format!("/notify/cha_1?{query}"), &query),
        with(Method::GET, "/notify/cha_1".into(), &query),
        with(Method::PUT, "/notify/cha_1".into(), &query),
        with(Method::GET, format!("/notify/cha_1?{query}&money=88.88"), ""),
        with(Method::GET, format!("/notify/cha_1?money=88.88&{query}"), ""),
        with(Method::GET, format!("/notify/cha_1?{}", query.to_uppercase()), ""),
        with(Method::GET, format!("/notify/cha_1?{}", query.replace("sign=", "sign[]=")), ""),
        with(Method::GET, "/notify/cha_1?sign=&sign_type=MD5".into(), ""),
        with(Method::GET, "/notify/cha_1?sign=d41d8cd98f00b204e9800998ecf8427e".into(), ""),
    ] {
        assert!(verify(1, &notice).is_err(), "{} {}", notice.method(), notice.uri());
    }
}

#[test]
fn hostile_bodies_are_refused_quickly() {
    let (channels, now) = ([adapter(1), adapter(2)], context(NOW));
    let started = std::time::Instant::now();
    for body in ["a=1&".repeat(200_000), format!("pid={}", "%41".repeat(300_000)), "=".repeat(1 << 20)] {
        let request = http::Request::post("/notify/cha_1").body(Bytes::from(body)).unwrap();
        assert!(channels.iter().all(|channel| channel.verify(&request, &now).is_err()));
    }
    let replies =
        ["[".repeat(1 << 20), "{\"a\":".repeat(200_000), format!("{{\"code\":{}}}", "9".repeat(1 << 20))];
    for body in replies {
        let reply = http::Response::new(Bytes::from(body));
        assert!(channels.iter().all(|channel| channel.decode(&query(), 0, &reply, &now).is_err()));
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
