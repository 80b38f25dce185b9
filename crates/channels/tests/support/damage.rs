//! Damaged messages: bits flipped, ends cut off, times that have passed.

use super::*;

/// The same bytes with one bit flipped, for each bit, with its number.
pub fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(move |bit| {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        (bit, damaged)
    })
}

fn with_body<T>(good: &T, body: Vec<u8>, of: fn(&mut T) -> &mut Bytes) -> T
where
    T: Clone,
{
    let mut changed = good.clone();
    *of(&mut changed) = body.into();
    changed
}

/// Asserts that a notification is not believed any more when one bit of its body is flipped (every `step`th is tried),
/// or one of the headers whose names begin in one of these ways.
pub fn assert_flips_refused(channel: &dyn Channel, good: &Notice, step: usize, headers: &[&str]) {
    let cx = context(NOW);
    assert!(channel.verify(good, &cx).is_ok());
    for (bit, damaged) in flips(good.body()).step_by(step) {
        let changed = with_body(good, damaged, Notice::body_mut);
        assert!(channel.verify(&changed, &cx).is_err(), "bit {bit} of the body");
    }
    for start in headers {
        let mut signed =
            good.headers().iter().filter(|(name, _)| name.as_str().starts_with(start)).peekable();
        assert!(signed.peek().is_some(), "no header {start}");
        for (header, value) in signed {
            for (bit, damaged) in flips(value.as_bytes()) {
                let Ok(damaged) = HeaderValue::from_bytes(&damaged) else { continue };
                let mut changed = good.clone();
                changed.headers_mut().insert(header, damaged);
                assert!(channel.verify(&changed, &cx).is_err(), "bit {bit} of {header}");
            }
        }
    }
}

/// Asserts that no beginning of a notification is believed; every `step`th is tried.
pub fn assert_cuts_refused(channel: &dyn Channel, good: &Notice, step: usize) {
    for length in (0..good.body().len()).step_by(step) {
        let changed = with_body(good, good.body()[..length].to_vec(), Notice::body_mut);
        assert!(channel.verify(&changed, &context(NOW)).is_err(), "the first {length} bytes");
    }
}

/// Asserts that a notification counts only whole, unchanged and posted.
pub fn assert_damaged_notice_refused(good: &Notice) {
    let adapter = adapter();
    assert_flips_refused(&*adapter, good, 1, &[]);
    assert_cuts_refused(&*adapter, good, 1);
    let mut read = good.clone();
    *read.method_mut() = http::Method::GET;
    assert!(adapter.verify(&read, &context(NOW)).is_err());
}

/// Asserts that each of these recorded replies is a fault when one bit of it is flipped, or its end is missing.
pub fn assert_damaged_replies_are_faults<const N: usize>(replies: [(&str, Operation); N]) {
    assert_damaged_replies_are_faults_but(|_, _| false, replies);
}

/// The same, but for the bytes that may as well be these others.
pub fn assert_damaged_replies_are_faults_but<const N: usize>(
    harmless: fn(&u8, &u8) -> bool,
    replies: [(&str, Operation); N],
) {
    let (adapter, cx) = (adapter(), context(NOW));
    for (name, operation) in replies {
        let good = reply(name);
        assert!(adapter.decode(&operation, 0, &good, &cx).is_ok(), "{name}");
        let check = |body: Vec<u8>, what: String| {
            let read = adapter.decode(&operation, 0, &with_body(&good, body, Reply::body_mut), &cx);
            assert!(read.is_err(), "{what} of {name}: {read:?}");
        };
        for (bit, damaged) in flips(good.body()) {
            if !harmless(&good.body()[bit / 8], &damaged[bit / 8]) {
                check(damaged, format!("bit {bit}"));
            }
        }
        for length in 0..good.body().len() {
            check(good.body()[..length].to_vec(), format!("the first {length} bytes"));
        }
    }
}

/// Asserts that a recorded reply is a fault or says what it said, whichever of its bits is flipped.
pub fn assert_changed_reply_says_nothing_else(name: &str, operation: &Operation) {
    let (adapter, cx, good) = (adapter(), context(NOW), reply(name));
    let truth = format!("{:?}", adapter.decode(operation, 0, &good, &cx));
    for (bit, damaged) in flips(good.body()).step_by(3) {
        let said = adapter.decode(operation, 0, &Reply::new(damaged.into()), &cx);
        assert!(said.is_err() || format!("{said:?}") == truth, "bit {bit}");
    }
}

/// Asserts that the recorded notification `paid` and this reply are believed for less than 300 seconds from when they
/// were signed, to both sides.
pub fn assert_window_of_300_seconds(operation: &Operation, name: &str) {
    let sent = NOW.minus(Duration::from_secs(5));
    for (seconds, believed) in [(0, true), (299, true), (300, false), (86_400, false)] {
        let span = Duration::from_secs(seconds);
        for now in [sent.plus(span), sent.minus(span)] {
            let noticed = adapter().verify(&notice("paid"), &context(now));
            let read = adapter().decode(operation, 0, &reply(name), &context(now));
            assert_eq!((noticed.is_ok(), read.is_ok()), (believed, believed), "{seconds}");
        }
    }
}
