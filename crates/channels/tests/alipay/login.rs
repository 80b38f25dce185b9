//! Signing in inside Alipay, in every protocol and mode.

use super::sandbox::at_the_sandbox;

use super::*;

fn sign_in(return_url: &str, state: &str) -> Operation {
    Operation::SignIn(SignIn { return_url: return_url.into(), state: state.into() })
}

fn identify(code: &str) -> Operation {
    Operation::Identify(Identify { code: code.into() })
}

/// The code of a browser that went to Alipay and came back.
fn code(wire: &mut Wire) -> String {
    let ask = sign_in("https://shop.example/pay?order=7", "abc");
    let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&ask) else { panic!() };
    let back = wire.browse("GET", &url);
    assert_eq!(back.status(), 302, "{url}");
    let back = back.headers()["location"].to_str().unwrap();
    assert!(
        back.starts_with("https://shop.example/pay?order=7&app_id=") && back.ends_with("&state=abc"),
        "{back}"
    );
    back.split("auth_code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned()
}

fn is_spent(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Declined(no) if no.reason == DeclineReason::Expired && no.code.ends_with("code-invalid"))
}

#[test]
fn a_code_tells_who_it_is_once_and_for_a_day_in_every_protocol() {
    for (mode, protocol, sealed) in [
        ("certificates", "v2", false),
        ("keys", "v2", true),
        ("certificates", "v3", false),
        ("keys", "v3", true),
    ] {
        let mut wire = Wire::with(|ours, theirs| {
            ours.set("mode", mode);
            ours.set("protocol", protocol);
            if sealed {
                ours.set("encrypt_key", theirs.text("aes_key", ""));
            }
        });
        let (first, second) = (code(&mut wire), code(&mut wire));
        let told = wire.perform(&identify(&first)).unwrap();
        assert_eq!(
            (told.verdict, told.channel_id.map(|id| id.len())),
            (Verdict::Succeeded, Some(47)),
            "{protocol}"
        );
        assert!(is_spent(&wire.verdict(&identify(&first))), "{protocol}: it is spent");
        assert!(is_spent(&wire.verdict(&identify("0a1B2c"))), "{protocol}: nobody gave it");
        wire.wait(86_400);
        assert!(is_spent(&wire.verdict(&identify(&second))), "{protocol}: it is too old");
    }
}

#[test]
fn an_answer_that_was_changed_tells_nothing() {
    for protocol in ["v2", "v3"] {
        let mut wire = Wire::with(|ours, _| ours.set("protocol", protocol));
        for code in [code(&mut wire), "0a1B2c".to_owned()] {
            let operation = identify(&code);
            let Step::Send(call) = wire.channel.encode(&operation, &context(NOW)).unwrap() else { panic!() };
            let Answer::Reply(good) = wire.answer(call.request) else { panic!() };
            let read = |reply: &Reply| wire.channel.decode(&operation, call.stage, reply, &context(NOW));
            assert!(read(&good).is_ok());
            for bit in 0..good.body().len() * 8 {
                let mut damaged = good.body().to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                let mut reply = good.clone();
                *reply.body_mut() = damaged.into();
                let told = read(&reply);
                // The frame of v2 is not signed, so a change in it may be overlooked, but never believed as another.
                let same = matches!((&told, read(&good)), (Ok(Step::Done(a)), Ok(Step::Done(b))) if *a == b);
                assert!(told.is_err() || same, "{protocol}: bit {bit}: {told:?}");
            }
        }
    }
}

#[test]
fn nobody_is_sent_to_sign_in_without_an_address_or_with_what_would_be_ambiguous() {
    let refused = |channel: &dyn Channel, operation| match channel.encode(&operation, &context(NOW)) {
        Err(Refusal::Parameter { param, .. }) => param,
        Err(Refusal::Unsupported(_)) => "unsupported",
        other => panic!("{other:?}"),
    };
    let plain = open(&at_the_sandbox(settings("ours.json")));
    assert_eq!(refused(plain.as_ref(), sign_in("https://shop.example/", "s")), "unsupported");
    assert_eq!(refused(plain.as_ref(), identify("0a1B2c")), "unsupported");
    let asking = Wire::new().channel;
    for (param, operation) in [
        ("return_url", sign_in("https://shop.example/?a=1&auth_code=2", "s")),
        ("return_url", sign_in("javascript:alert(1)", "s")),
        ("state", sign_in("https://shop.example/", "a&b")),
        ("state", sign_in("https://shop.example/", "")),
        ("code", identify("a&grant_type=refresh_token")),
        ("code", identify("")),
    ] {
        assert_eq!(refused(asking.as_ref(), operation), param);
    }
    let mut wrong = settings("ours.json");
    wrong.set("login_gateway", "openauth");
    assert!(Alipay.open(&wrong, &NativeKeyring).is_err());
}

#[test]
fn the_page_refuses_another_app() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&sign_in("https://shop.example/", "s"))
    else {
        panic!()
    };
    for (from, to) in [("app_id=2021", "app_id=2088"), ("auth_base", "auth_user"), ("https%3A", "ftp%3A")] {
        assert_eq!(wire.browse("GET", &url.replace(from, to)).status(), 400, "{to}");
    }
    let fault = wire.perform(&Operation::Identify(Identify { code: "x".repeat(128) }));
    assert!(!matches!(fault, Err(Fault::Signature)), "{fault:?}");
}
