//! Cases that need no payment: what a channel says of itself, what it refuses, and what it must not show.

use std::collections::BTreeSet;

use super::stand::{
    BASE_URL, Failure, Stand, Trouble, currency, method, payment, query, query_mandate, query_refund, refund,
    sign_mandate,
};
use crate::channel::{
    AccountKind, Capability, Capture, CaptureMode, Close, Currencies, Device, Effect, Identify, Operation,
    Pay, Payment, Profile, QueryReturn, QueryShare, QueryTransfer, Receiver, Refusal, Release, ReturnShare,
    RevokeMandate, Settings, Share, SignIn, Statement, StatementKind, Step, Transfer, Verb, Void,
};
use crate::currency::Currency;
use crate::money::Money;
use crate::time::Timestamp;

/// Length of the references the engine makes.
const OUR_REFERENCE: usize = 26;

pub(super) fn profile(profile: &Profile) -> Result<usize, Failure> {
    let mut faults = Vec::new();
    let mut checks = 0;
    let mut check = |holds: bool, what: String| {
        checks += 1;
        if !holds {
            faults.push(what);
        }
    };
    check(is_word(profile.id), format!("id {:?} is not a lower-case word", profile.id));
    check(!profile.name.is_empty() && !has_han(profile.name), "the English name".to_owned());
    check(has_han(profile.name_zh), "the Chinese name".to_owned());
    let sources =
        !profile.sources.is_empty() && profile.sources.iter().all(|url| url.starts_with("https://"));
    check(sources, "sources are https addresses, at least one".to_owned());
    let references = profile.references;
    let fits = references.min >= 1 && (references.min..=references.max).contains(&OUR_REFERENCE);
    check(fits, format!("references of {OUR_REFERENCE} characters do not fit {references:?}"));
    let mut keys = BTreeSet::new();
    for field in profile.fields {
        let key = field.key;
        check(is_word(key) && keys.insert(key), format!("field key {key:?} is not a word of its own"));
        let english = [field.label, field.help].iter().all(|text| !text.is_empty());
        let chinese =
            [field.label_zh, field.help_zh].iter().all(|text| !text.is_empty() && *text != field.help);
        check(english && chinese && has_han(field.help_zh), format!("texts of field {key}"));
    }
    check(!profile.fields.is_empty(), "there are no fields".to_owned());
    let mut methods = BTreeSet::new();
    for row in profile.capabilities {
        let name = format!("{}.{}", row.brand, row.scene);
        check(
            method(row).is_ok() && methods.insert(name.clone()),
            format!("{name} is no method or stands twice"),
        );
        for what in inconsistencies(row) {
            check(false, format!("{name}: {what}"));
        }
    }
    check(!methods.is_empty(), "there are no capabilities".to_owned());
    if faults.is_empty() { Ok(checks) } else { Err(Failure::Broken(faults.join("; "))) }
}

/// What a row of the capability table cannot claim together.
fn inconsistencies(row: &Capability) -> Vec<&'static str> {
    let can = |verb| row.verbs.contains(&verb);
    let manual = row.captures.contains(&CaptureMode::Manual);
    let country = |code: &&str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    let rules = [
        (can(Verb::Pay) && can(Verb::Query), "it has to pay and to answer queries"),
        (!can(Verb::Refund) || can(Verb::QueryRefund), "refunds need refund queries"),
        (!row.captures.is_empty(), "there is no capture mode"),
        (manual == (can(Verb::Capture) && can(Verb::Void)), "manual capture goes with capture and void"),
        (row.countries.iter().all(country), "countries are ISO 3166 alpha-2"),
        (!matches!(row.currencies, Currencies::Only([])), "there is no currency"),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

pub(super) fn readme(profile: &Profile, text: &str) -> Result<usize, Failure> {
    if !has_han(text) || text.split_whitespace().count() < 50 {
        return Err(Failure::Broken("it is missing, too short or has no Chinese".to_owned()));
    }
    for row in profile.capabilities {
        let name = format!("{}.{}", row.brand, row.scene);
        if !text.contains(&name) {
            return Err(Failure::Broken(format!("it does not mention {name}")));
        }
    }
    if let Some(field) = profile.fields.iter().find(|field| !text.contains(field.key)) {
        return Err(Failure::Broken(format!("it does not mention the setting {}", field.key)));
    }
    Ok(2 + profile.capabilities.len() + profile.fields.len())
}

pub(super) fn settings(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for field in stand.profile().fields.iter().filter(|field| field.required) {
        for blank in ["", " ", "\t\n"] {
            let mut settings = stand.settings().clone();
            settings.set(field.key, blank);
            let refused = stand.open(&settings).err().map(|error| error.field);
            stand.same("blank setting", refused.as_deref(), Some(field.key))?;
        }
        let others = stand.settings().names().filter(|name| *name != field.key);
        let value =
            |name: &str| stand.settings().value(name).map(|v| v.expose().to_owned()).unwrap_or_default();
        let without: Vec<(String, String)> = others.map(|name| (name.to_owned(), value(name))).collect();
        let refused = stand.open(&Settings::from_pairs(without)).err().map(|error| error.field);
        stand.same("missing setting", refused.as_deref(), Some(field.key))?;
    }
    Ok(())
}

pub(super) fn references(stand: &mut Stand<'_>) -> Result<(), Failure> {
    let row = first_row(stand)?;
    let rule = stand.profile().references;
    let bad = ["a-b", "a/b", "a b", "a&b", "a\nb", "a\u{0}b", "引用", "é", "a.b", "a%41", "a\"b"];
    let padded = |text: &&str| format!("{text}{}", "a".repeat(rule.min));
    let too_long = "a".repeat(rule.max + 1);
    let too_short = "a".repeat(rule.min - 1);
    for reference in bad.iter().map(padded).chain([too_long, too_short]) {
        for operation in operations(stand, row, &reference)? {
            let verb = operation.verb();
            let refused =
                matches!(stand.channel.encode(&operation, &stand.cx()), Err(Refusal::Parameter { .. }));
            stand.ensure(refused, || format!("{verb:?} takes the reference {reference:?}"))?;
        }
    }
    for reference in ["Z9".repeat(rule.max / 2 + 1), "a".repeat(rule.min)] {
        let reference = &reference[..reference.len().min(rule.max)];
        for operation in operations(stand, row, reference)? {
            let refused = stand.channel.encode(&operation, &stand.cx()).err();
            stand.same(&format!("{:?} with reference {reference}", operation.verb()), refused, None)?;
        }
    }
    Ok(())
}

pub(super) fn unclaimed(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for row in stand.profile().capabilities {
        let money = Money::new(100, currency(row));
        let pay = stand.pay(row, money)?;
        for name in [format!("{}.no_such_scene", row.brand), format!("no_such_brand.{}", row.scene)] {
            let method = name.parse().map_err(|_| format!("{name} is not a method"))?;
            unsupported(stand, &Operation::Pay(Pay { method, ..pay.clone() }))?;
        }
        for mode in [CaptureMode::Automatic, CaptureMode::Manual] {
            if !row.captures.contains(&mode) {
                unsupported(stand, &Operation::Pay(Pay { capture: mode, ..pay.clone() }))?;
            }
        }
        for other in Currency::all().filter(|other| !row.currencies.contains(*other)) {
            let pay = Operation::Pay(Pay { money: Money::new(100, other), ..pay.clone() });
            let encoded = stand.channel.encode(&pay, &stand.cx());
            let refused = matches!(encoded, Err(Refusal::Unsupported(_) | Refusal::Amount(_)));
            stand.ensure(refused, || format!("{other} is not claimed: {encoded:?}"))?;
        }
    }
    let row = first_row(stand)?;
    let reference = stand.reference();
    let profile = stand.profile();
    for operation in every_operation(stand, row, &reference)? {
        let claimed = match &operation {
            Operation::Statement(statement) => profile.statements.contains(&statement.kind),
            other => {
                let verb = other.verb();
                profile.verbs.contains(&verb)
                    || profile.capabilities.iter().any(|row| row.verbs.contains(&verb))
            }
        };
        if !claimed {
            unsupported(stand, &operation)?;
        }
    }
    Ok(())
}

fn unsupported(stand: &mut Stand<'_>, operation: &Operation) -> Result<(), Failure> {
    let encoded = stand.channel.encode(operation, &stand.cx());
    let refused = matches!(encoded, Err(Refusal::Unsupported(_)));
    stand.ensure(refused, || format!("{operation:?}: {encoded:?}"))
}

pub(super) fn amounts(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for row in stand.profile().capabilities {
        for minor in [0, -1, i64::MIN] {
            let pay = stand.pay(row, Money::new(minor, currency(row)))?;
            let good = stand.pay(row, Money::new(100, currency(row)))?;
            let mut operations = vec![Operation::Pay(pay)];
            if row.verbs.contains(&Verb::Refund) {
                operations.push(Operation::Refund(refund(&good, "RF1".to_owned(), minor)));
            }
            for operation in operations {
                let refused = matches!(stand.perform(&operation), Err(Trouble::Refused(_)));
                stand.ensure(refused, || format!("{:?} of {minor} is taken", operation.verb()))?;
            }
        }
    }
    Ok(())
}

pub(super) fn effects(stand: &mut Stand<'_>) -> Result<(), Failure> {
    let row = first_row(stand)?;
    let reference = stand.reference();
    for mut operation in operations(stand, row, &reference)? {
        // Without the provider's number of the payment a channel may have to ask for it first.
        if let Operation::Refund(refund) = &mut operation {
            refund.payment.channel_id = Some("261123112233445566778".to_owned());
        }
        let Ok(Step::Send(call)) = stand.channel.encode(&operation, &stand.cx()) else { continue };
        let wanted = match operation.verb() {
            Verb::Query | Verb::QueryRefund => Some(Effect::None),
            Verb::Pay | Verb::Capture | Verb::Refund => Some(Effect::Money),
            _ => None,
        };
        if let Some(wanted) = wanted {
            stand.same(&format!("effect of {:?}", operation.verb()), call.effect, wanted)?;
        }
        let uri = call.request.uri().to_string();
        stand.ensure(uri.starts_with(BASE_URL), || format!("{uri} is not below the base URL"))?;
        let seconds = call.timeout.as_secs();
        stand.ensure((1..=60).contains(&seconds), || format!("a timeout of {seconds} seconds"))?;
    }
    Ok(())
}

pub(super) fn secrets(stand: &mut Stand<'_>) -> Result<(), Failure> {
    let row = first_row(stand)?;
    let fields = stand.profile().fields.iter().filter(|field| field.secret());
    let secret = |key: &str| stand.settings().value(key).map(|value| value.expose().to_owned());
    let secrets: Vec<String> = fields.filter_map(|field| secret(field.key)).collect();
    let mut shown = vec![format!("{:?}", stand.settings())];
    for field in stand.profile().fields {
        // An error about any field, made by a value that contains the secrets.
        let mut settings = stand.settings().clone();
        settings.set(field.key, format!("{}\u{1}", secrets.concat()));
        shown.extend(stand.open(&settings).err().map(|error| format!("{error:?} {error}")));
    }
    let reference = stand.reference();
    for operation in operations(stand, row, &reference)? {
        let step = stand.channel.encode(&operation, &stand.cx());
        shown.push(format!("{step:?}"));
        if let Ok(Step::Send(call)) = step {
            let headers = call.request.headers().values();
            shown.extend(headers.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()));
            shown.push(String::from_utf8_lossy(call.request.body()).into_owned());
            let broken = http::Response::new(bytes::Bytes::from_static(b"{}"));
            shown.push(format!("{:?}", stand.channel.decode(&operation, call.stage, &broken, &stand.cx())));
        }
    }
    stand.ensure(!secrets.is_empty(), || "the account has no secret".to_owned())?;
    for secret in &secrets {
        // A part is as bad as the whole.
        let part = &secret[secret.len() / 4..secret.len() / 4 + secret.len().min(48) / 2];
        let leak = shown.iter().find(|text| text.contains(part));
        stand.ensure(leak.is_none(), || format!("a secret shows in {leak:?}"))?;
    }
    Ok(())
}

fn first_row(stand: &Stand<'_>) -> Result<&'static Capability, Failure> {
    stand.profile().capabilities.first().ok_or(Failure::NotClaimed)
}

/// One operation of every verb that the capability claims.
pub(super) fn operations(
    stand: &mut Stand<'_>,
    row: &Capability,
    reference: &str,
) -> Result<Vec<Operation>, Failure> {
    let every = every_operation(stand, row, reference)?;
    Ok(every.into_iter().filter(|operation| row.verbs.contains(&operation.verb())).collect())
}

/// One operation of every kind, claimed or not.
pub(super) fn every_operation(
    stand: &mut Stand<'_>,
    row: &Capability,
    reference: &str,
) -> Result<Vec<Operation>, Failure> {
    let money = Money::new(100, currency(row));
    let mut pay = stand.pay(row, money)?;
    reference.clone_into(&mut pay.reference);
    let refund = refund(&pay, reference.to_owned(), 100);
    let (reference, payment, day) = (reference.to_owned(), payment(&pay), pay.started_at);
    let mandate = reference.clone();
    let ended = Payment { ending_at: Some(day), ..payment.clone() };
    let account = "receiver".to_owned();
    let receiver = Receiver { kind: AccountKind::Merchant, account, name: None, relation: None };
    let mut operations = vec![
        query(&pay),
        query_refund(&refund),
        Operation::Refund(refund),
        Operation::Close(Close { payment: payment.clone() }),
        Operation::Capture(Capture { payment: ended.clone(), money }),
        Operation::Void(Void { payment: ended }),
        Operation::Pay(pay),
    ];
    operations.extend(operations_on_shares(&reference, &payment, &receiver, money));
    operations.extend([
        Operation::BindReceiver(receiver.clone()),
        Operation::UnbindReceiver(receiver.clone()),
        Operation::Transfer(Transfer {
            reference: reference.clone(),
            started_at: day,
            payee: receiver,
            money,
            title: "transfer".to_owned(),
            purpose: None,
            facts: Vec::new(),
        }),
        Operation::QueryTransfer(QueryTransfer { reference, channel_id: None, started_at: day, money }),
        Operation::SignIn(SignIn { return_url: "https://shop.example/".to_owned(), state: "1".to_owned() }),
        Operation::Identify(Identify { code: "1".to_owned() }),
        Operation::AuthorizeDevice(Device {
            store: "1".to_owned(),
            store_name: "shop".to_owned(),
            device: "1".to_owned(),
            challenge: "1".to_owned(),
        }),
    ]);
    operations.extend(operations_on_mandates(row, &mandate, day)?);
    let kinds = [StatementKind::Trade, StatementKind::Funds];
    operations.extend(kinds.map(|kind| Operation::Statement(Statement { kind, day })));
    Ok(operations)
}

fn operations_on_mandates(
    row: &Capability,
    reference: &str,
    started_at: Timestamp,
) -> Result<[Operation; 3], Failure> {
    let sign = sign_mandate(row, reference.to_owned(), started_at)?;
    let revoke = RevokeMandate {
        reference: reference.to_owned(),
        channel_id: None,
        method: sign.method.clone(),
        started_at,
        reason: "no longer wanted".to_owned(),
    };
    Ok([query_mandate(&sign), Operation::RevokeMandate(revoke), Operation::SignMandate(sign)])
}

fn operations_on_shares(
    reference: &str,
    payment: &Payment,
    receiver: &Receiver,
    money: Money,
) -> [Operation; 5] {
    let (reference, payment) = (reference.to_owned(), payment.clone());
    let description = "share".to_owned();
    [
        Operation::Share(Share {
            reference: reference.clone(),
            payment: payment.clone(),
            shares: vec![(receiver.clone(), money)],
            description: description.clone(),
            last: true,
        }),
        Operation::QueryShare(QueryShare {
            reference: reference.clone(),
            channel_id: None,
            payment: payment.clone(),
        }),
        Operation::Release(Release {
            reference: reference.clone(),
            payment: payment.clone(),
            description: description.clone(),
        }),
        Operation::ReturnShare(ReturnShare {
            reference: reference.clone(),
            share: reference.clone(),
            payment: payment.clone(),
            receiver: receiver.clone(),
            money,
            description: description.clone(),
        }),
        Operation::QueryReturn(QueryReturn {
            reference: reference.clone(),
            share: reference,
            payment,
            money,
        }),
    ]
}

fn is_word(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    text.bytes().all(letter) && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
}

fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}
