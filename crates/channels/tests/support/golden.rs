//! Requests byte for byte, and what a reply means in one line.

use std::borrow::Borrow;

use super::*;

/// A request as it leaves, or what a payer's browser is told to send.
pub struct Sent {
    pub text: String,
    pub effect: Effect,
    /// Whether a client certificate is shown.
    pub identified: bool,
}

/// Without the name of our software, which changes with every release.
pub fn request(step: Step) -> Sent {
    match step {
        Step::Send(call) => {
            let (effect, identified) = (call.effect, call.identity.is_some());
            let (head, body) = call.request.into_parts();
            let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.uri);
            for (name, value) in head.headers.iter().filter(|(name, _)| *name != "user-agent") {
                text += &format!("{name}: {}\r\n", value.to_str().unwrap());
            }
            let text = format!("{text}\r\n{}", String::from_utf8(body.to_vec()).unwrap());
            Sent { text, effect, identified }
        }
        Step::Done(Outcome { verdict: Verdict::Awaiting(action), .. }) => {
            Sent { text: browsed(action), effect: Effect::None, identified: false }
        }
        other => panic!("{other:?}"),
    }
}

fn browsed(action: Action) -> String {
    match action {
        Action::Redirect { url } => format!("GET {url} HTTP/1.1\r\n\r\n"),
        Action::Form { url, fields } => {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            format!("POST {url} HTTP/1.1\r\n\r\n{body}")
        }
        other => panic!("{other:?}"),
    }
}

/// Holds a request against the recorded `request_<name>`. With `PAYCORE_BLESS=1` it is recorded anew; check it with
/// another implementation before a commit.
pub fn assert_recorded(name: &str, text: &str) {
    let file = format!("request_{name}.http");
    if std::env::var_os("PAYCORE_BLESS").is_some() {
        std::fs::write(path(&file), text).unwrap();
    }
    assert_eq!(text, self::text(&file), "{name}");
}

pub fn assert_sent(name: &str, step: Step, effect: Effect) {
    let sent = request(step);
    assert_eq!(sent.effect, effect, "{name}");
    assert_recorded(name, &sent.text);
}

/// A call under the name that the provider's documents have for it.
pub fn call_named(call: &Call, name: &str) -> String {
    format!("stage {} {:?} {name}", call.stage, call.effect)
}

pub fn call_by_path(call: &Call) -> String {
    call_named(call, &format!("{} {}", call.request.method(), call.request.uri().path()))
}

pub fn call_by_last_segment(call: &Call) -> String {
    call_named(call, call.request.uri().path().rsplit('/').next().unwrap_or_default())
}

/// An outcome, a call, a file or a fault in one line.
pub fn line(result: Result<Step, Fault>, named: fn(&Call) -> String) -> String {
    match result {
        Ok(Step::Done(Outcome { verdict, channel_id, money, at, .. })) => {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            let money = or_dash(money.map(|money| money.to_string()));
            format!("{verdict:?} {} {money} {}", or_dash(channel_id), or_dash(at.map(|at| at.to_string())))
        }
        Ok(Step::Send(call)) => named(&call),
        Ok(Step::File(file)) => format!("file of {} bytes", file.len()),
        Err(fault) => format!("{fault:?}"),
    }
}

/// What each recorded reply means, as the reply to the call of this stage of the operation.
pub fn assert_read<O: Borrow<Operation>>(
    channel: &dyn Channel,
    named: fn(&Call) -> String,
    rows: impl IntoIterator<Item = (&'static str, O, Stage, String)>,
) {
    for (name, operation, stage, expected) in rows {
        let operation: &Operation = operation.borrow();
        let result = channel.decode(operation, stage, &reply(name), &context(NOW));
        assert_eq!(line(result, named), expected, "{name} at stage {stage} of {operation:?}");
    }
}

/// What the wallet's own client is handed.
pub fn client_parameters(operation: &Operation, name: &str) -> Vec<(String, String)> {
    let step = adapter().decode(operation, 0, &reply(name), &context(NOW)).unwrap();
    match step {
        Step::Done(Outcome { verdict: Verdict::Awaiting(Action::Client { parameters }), .. }) => parameters,
        other => panic!("{other:?}"),
    }
}

/// Why nothing is sent for this payment once it is changed.
pub fn refused(mut pay: Pay, change: impl FnOnce(&mut Pay)) -> Option<Refusal> {
    change(&mut pay);
    adapter().encode(&Operation::Pay(pay), &context(NOW)).err()
}

/// Nothing, less than nothing, and more than the channel takes.
pub fn assert_amounts_refused(pay: &Pay, too_much: i64) {
    for minor in [0, -1, too_much, i64::MAX, i64::MIN] {
        let money = Money::new(minor, pay.money.currency());
        let refusal = refused(pay.clone(), |pay| pay.money = money);
        assert!(matches!(refusal, Some(Refusal::Amount(_))), "{minor}: {refusal:?}");
    }
}

/// Asserts that nothing is sent because of this parameter.
pub fn assert_parameter(refusal: Option<Refusal>, param: &str) {
    assert!(
        matches!(&refusal, Some(Refusal::Parameter { param: p, .. }) if *p == param),
        "{param}: {refusal:?}"
    );
}
