//! Rows to store: plausible, with every optional field filled where that is easy, and told apart by a number.

use crate::account::ChannelAccount;
use crate::audit::Audit;
use crate::channel::{Action, CaptureMode, CardFace, Decline, DeclineReason, Method, Payer};
use crate::currency::Currency;
use crate::document;
use crate::epay::{EpayKey, Origin, Protocol};
use crate::event::{Event, EventKind, Movement};
use crate::exception::{Exception, ExceptionKind};
use crate::id::{
    ApiKeyId, AttemptId, AuditId, CardTokenId, ChannelAccountId, DeliveryId, EndpointId, EpayKeyId, EventId,
    ExceptionId, LinkId, MandateId, MerchantId, OrderId, RefundId, TransactionId,
};
use crate::idempotency::{Answer, Claim, Record};
use crate::ledger::{AccountTerms, Books, Entry, Side, Transaction};
use crate::link::{Link, LinkDetails};
use crate::merchant::{ApiKey, Merchant, Scope};
use crate::money::Money;
use crate::order::{
    Attempt, AttemptCard, AttemptStatus, ClientSecret, LineItem, Order, OrderDetails, OrderMandate,
    OrderStatus,
};
use crate::refund::{Refund, RefundStatus};
use crate::sandbox::SandboxRecord;
use crate::store::{Changes, Put};
use crate::time::{SeededRng, Timestamp};
use crate::webhook::{Delivery, DeliveryStatus, Endpoint, Try};

/// The merchant of [`every_kind_of_change`].
pub const TENANT: MerchantId = MerchantId::from_bits(7);

/// 22 November 2026.
pub const NOW: Timestamp = Timestamp::from_secs(1_795_305_600);

/// Renminbi.
///
/// # Panics
/// Never: the code is in the table.
pub fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::parse("CNY").expect("CNY is a currency"))
}

/// A pending order of 100 yuan; in no queue.
///
/// # Panics
/// Never: the method is one.
pub fn order(number: u128) -> Order {
    Order {
        id: OrderId::from_bits(number),
        version: 0,
        number: format!("A-{number}"),
        status: OrderStatus::Pending,
        money: cny(10_000),
        authorized: 0,
        captured: 0,
        refunded: 0,
        refunding: 0,
        charged_back: 0,
        closing: false,
        methods: vec![method("alipay.qr"), method("wechatpay.qr")],
        capture: CaptureMode::Automatic,
        attempt_id: None,
        next_action: None,
        decline: None,
        details: OrderDetails {
            subject: "Tea, two boxes 茶两盒".into(),
            description: Some("with a \"quoted\" word and a \\".into()),
            line_items: vec![LineItem { name: "茶".into(), quantity: 2, unit_amount: 5_000 }],
            notify_url: Some("https://shop.example/notify".into()),
            return_url: None,
            cancel_url: None,
            metadata: [("table".to_owned(), "12".to_owned())].into(),
            payer: Payer { ip: Some("203.0.113.7".into()), ..Payer::default() },
            epay: Some(Origin {
                pid: "100000001".into(),
                token: "0011".into(),
                kind: "alipay".into(),
                param: "a=b&c".into(),
                notify_url: "https://shop.example/epay".into(),
                return_url: String::new(),
            }),
            split: None,
            agent_id: None,
            customer: None,
            mandate: Some(Box::new(OrderMandate {
                id: MandateId::from_bits(number),
                account_id: ChannelAccountId::from_bits(number),
                channel_id: "Wx20261123000000000001".into(),
            })),
            client_secret: Some(ClientSecret::new(
                OrderId::from_bits(number),
                TENANT,
                false,
                &SeededRng::new(1),
            )),
            checkout_url: Some("https://pay.example/pay/1".into()),
        },
        expires_at: NOW,
        created_at: NOW,
        updated_at: NOW,
        paid_at: None,
        sequence: 1,
        due_at: Timestamp::ZERO,
    }
}

/// An order that was paid in full.
pub fn paid_order(number: u128) -> Order {
    let order = order(number);
    let amount = order.money.minor();
    Order {
        status: OrderStatus::Succeeded,
        authorized: amount,
        captured: amount,
        paid_at: Some(NOW),
        ..order
    }
}

/// A method.
///
/// # Panics
/// Where the text is none.
pub fn method(text: &str) -> Method {
    text.parse().expect("the text is a method")
}

/// A refusal of a channel.
pub fn decline() -> Decline {
    Decline {
        reason: DeclineReason::InsufficientFunds, code: "BALANCE".into(), message: "余额不足".into()
    }
}

/// An attempt to pay the order; in no queue.
pub fn attempt(number: u128, order: &Order) -> Attempt {
    Attempt {
        id: AttemptId::from_bits(number),
        version: 0,
        order_id: order.id,
        channel: "alipay".into(),
        account_id: ChannelAccountId::from_bits(1),
        reference: format!("R{number}"),
        method: method("alipay.qr"),
        status: AttemptStatus::Sending,
        money: order.money,
        capturing: 0,
        ending_at: Some(NOW),
        card: Some(AttemptCard {
            token_id: Some(CardTokenId::from_bits(number)),
            card_id: None,
            initiator: None,
            face: CardFace { brand: Some("visa".into()), last4: "4242".into() },
        }),
        channel_id: None,
        decline: None,
        fault: None,
        queries: 0,
        created_at: NOW,
        updated_at: NOW,
        due_at: Timestamp::ZERO,
    }
}

/// A refund of part of the order; in no queue.
pub fn refund(number: u128, attempt: &Attempt, amount: i64) -> Refund {
    Refund {
        id: RefundId::from_bits(number),
        version: 0,
        order_id: attempt.order_id,
        attempt_id: attempt.id,
        number: format!("B-{number}"),
        reference: format!("F{number}"),
        status: RefundStatus::Sending,
        money: cny(amount),
        reason: Some("broken box".into()),
        metadata: [("by".to_owned(), "小王".to_owned())].into(),
        channel_id: None,
        decline: None,
        fault: None,
        queries: 0,
        created_at: NOW,
        updated_at: NOW,
        sequence: 1,
        due_at: Timestamp::ZERO,
    }
}

/// An event; in no queue.
pub fn event(number: u128, object_id: impl ToString, sequence: i64) -> Event {
    Event {
        id: EventId::from_bits(number),
        kind: EventKind::OrderCreated,
        object_id: object_id.to_string(),
        sequence,
        body: format!("{{\"n\": {number}}}"),
        notify_url: Some("https://shop.example/notify".into()),
        booking: None,
        created_at: NOW,
        position: 0,
        due_at: Timestamp::ZERO,
    }
}

/// A payment of this amount through a channel; it books the event of the same number.
pub fn transaction(number: u128, amount: Money) -> Transaction {
    let entry = |account: &str, side| Entry { account: account.to_owned(), side, money: amount };
    Transaction {
        id: TransactionId::from_bits(number),
        kind: Movement::Payment,
        event_id: EventId::from_bits(number),
        order_id: Some(OrderId::from_bits(number)),
        refund_id: None,
        money: amount,
        created_at: NOW,
        effective_at: NOW,
        reverses: None,
        entries: vec![
            entry("channel_receivable:alipay", Side::Debit),
            entry("merchant_pending", Side::Credit),
        ],
    }
}

/// A live merchant.
pub fn merchant(id: MerchantId) -> Merchant {
    Merchant {
        id,
        version: 0,
        name: "Tea House 茶馆".into(),
        livemode: true,
        twin_id: Some(MerchantId::from_bits(9)),
        active: true,
        sealed_secret: "sealed:1:abc".into(),
        clock_offset: 0,
        created_at: NOW,
    }
}

/// A key; its hash is unique per merchant and number.
pub fn api_key(tenant: MerchantId, number: u128) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_bits(number),
        version: 0,
        name: "till".into(),
        hash: format!("hash-{tenant}-{number}"),
        hint: "sk_test_…x7Kq".into(),
        scopes: vec![Scope::OrdersRead, Scope::RefundsWrite],
        expires_at: None,
        created_at: NOW,
    }
}

/// An epay key; its number on the wire is unique per merchant and number.
pub fn epay_key(tenant: MerchantId, number: u128) -> EpayKey {
    EpayKey {
        id: EpayKeyId::from_bits(number),
        version: 0,
        pid: format!("pid-{tenant}-{number}"),
        name: "old shop".into(),
        protocol: Protocol::V2,
        sealed_key: "sealed:1:def".into(),
        platform_public_key: Some("MIIB".into()),
        shop_public_key: None,
        revoked_at: None,
        created_at: NOW,
    }
}

/// The id of a merchant's channel account of this number; unlike other ids it is unique over all merchants.
pub fn account_id(tenant: MerchantId, number: u128) -> ChannelAccountId {
    ChannelAccountId::from_bits(own(tenant, number))
}

/// The bits of an id that is unique over all merchants.
fn own(tenant: MerchantId, number: u128) -> u128 {
    let owner = tenant.to_string().bytes().fold(0u128, |sum, byte| (sum * 33 + u128::from(byte)) % (1 << 80));
    (owner << 32) + number
}

/// A channel account.
pub fn channel_account(tenant: MerchantId, number: u128) -> ChannelAccount {
    ChannelAccount {
        id: account_id(tenant, number),
        version: 0,
        channel: "alipay".into(),
        name: "main".into(),
        enabled: true,
        priority: 1,
        sealed_settings: "sealed:1:settings".into(),
        sealed_simulator: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A webhook endpoint.
pub fn endpoint(number: u128) -> Endpoint {
    Endpoint {
        id: EndpointId::from_bits(number),
        version: 0,
        url: "https://shop.example/hook".into(),
        sealed_secret: "sealed:1:new".into(),
        sealed_previous: Some("sealed:1:old".into()),
        previous_until: Some(NOW),
        events: vec!["order.succeeded".into()],
        enabled: true,
        created_at: NOW,
    }
}

/// A payment link whose amount the payer types, and one with a price for odd numbers.
pub fn link(tenant: MerchantId, number: u128) -> Link {
    Link {
        id: LinkId::from_bits(own(tenant, number)),
        version: 0,
        amount: (number % 2 == 1).then_some(500),
        currency: Currency::CNY,
        enabled: true,
        details: LinkDetails {
            subject: "Counter 柜台".into(),
            single_use: true,
            amount_max: Some(10_000),
            methods: vec!["alipay.qr".parse().expect("a method")],
            notify_url: Some("https://shop.example/notify".into()),
            return_url: Some("https://shop.example/thanks".into()),
            metadata: [("till".to_owned(), "3".to_owned())].into(),
        },
        expires_at: Some(NOW),
        created_at: NOW,
    }
}

/// A document with every field filled; in no queue.
pub fn document(number: u128) -> document::Record {
    document::Record {
        kind: "payout".into(),
        id: format!("pyt_{number:026}"),
        version: 0,
        number: Some(format!("D-{number}")),
        parent: Some("stl_1".into()),
        status: "draft".into(),
        at: NOW,
        due_at: Timestamp::ZERO,
        body: r#"{"amount": 5, "memo": "货款"}"#.into(),
    }
}

/// A delivery of an event; in no queue.
pub fn delivery(number: u128, event: EventId) -> Delivery {
    Delivery {
        id: DeliveryId::from_bits(number),
        version: 0,
        event_id: event,
        endpoint_id: Some(EndpointId::from_bits(1)),
        url: "https://shop.example/hook".into(),
        status: DeliveryStatus::Pending,
        tries: vec![
            Try { at: NOW, status: Some(500), error: None, latency_ms: 12 },
            Try { at: NOW, status: None, error: Some("timed out".into()), latency_ms: 10_000 },
        ],
        created_at: NOW,
        due_at: Timestamp::ZERO,
    }
}

/// An open exception about an object.
pub fn exception(number: u128, object_id: &str) -> Exception {
    Exception {
        id: ExceptionId::from_bits(number),
        version: 0,
        kind: ExceptionKind::AmountMismatch,
        object_id: object_id.to_owned(),
        detail: "asked for 100.00, the channel says 99.00".into(),
        resolved_at: None,
        resolution: None,
        created_at: NOW,
    }
}

/// A row of the trail.
pub fn audit(number: u128) -> Audit {
    Audit {
        id: AuditId::from_bits(number),
        actor: "channel:alipay".into(),
        action: "notice.refused".into(),
        object_id: Some(OrderId::from_bits(number).to_string()),
        detail: "the signature is wrong".into(),
        created_at: NOW,
    }
}

/// What is remembered of a request that is running.
pub fn record(key: &str) -> Record {
    Record {
        key: key.to_owned(),
        operation: "orders.create".into(),
        request_hash: "9f86d081".into(),
        object_id: OrderId::from_bits(1).to_string(),
        answer: None,
        created_at: NOW,
    }
}

/// An answer.
pub fn answer(body: &str) -> Answer {
    Answer { status: 200, body: body.to_owned() }
}

/// A simulator's record.
pub fn sandbox_record(account_id: ChannelAccountId, key: &str, value: &str) -> SandboxRecord {
    SandboxRecord { account_id, key: key.to_owned(), value: value.to_owned() }
}

/// One commit of [`TENANT`] with every kind of change, each object new and then changed. It can be committed to
/// an empty store.
pub fn every_kind_of_change() -> Changes {
    let waiting = Event { due_at: NOW, ..event(1, "ord_1", 1) };
    let mut changes = Changes {
        claim: Some(Claim::Open(record("key-1"))),
        transactions: vec![transaction(1, cny(10_000))],
        events: vec![waiting, event(2, "ord_1", 2)],
        audit: vec![audit(1)],
        ..Changes::new()
    };
    for version in [0, 1] {
        changes.puts.extend(every_object(version));
    }
    changes.put(Put::HastenDue(1_000));
    let (account, currency) = ("merchant_available".to_owned(), Currency::CNY);
    let terms = AccountTerms { account, currency, version: 0, overdraft: Some(5), frozen: false };
    changes.put(Put::AccountTerms(terms));
    changes.put(Put::Books(Books { version: 0, closed_until: Timestamp::from_secs(1) }));
    changes
}

/// Every kind of object, with this version.
pub fn every_object(version: i64) -> Vec<Put> {
    let account = channel_account(TENANT, 1).id;
    let action = Some(Action::Qr { content: "https://qr.example/1".into() });
    let order = Order { version, next_action: action, decline: Some(decline()), ..paid_order(1) };
    let attempt = Attempt { version, due_at: NOW, decline: Some(decline()), ..attempt(1, &order) };
    vec![
        Put::Order(order),
        Put::Refund(Refund { version, due_at: NOW, ..refund(1, &attempt, 500) }),
        Put::Attempt(attempt),
        Put::Merchant(Merchant { version, ..merchant(TENANT) }),
        Put::ApiKey(ApiKey { version, ..api_key(TENANT, 1) }),
        Put::EpayKey(EpayKey { version, ..epay_key(TENANT, 1) }),
        Put::ChannelAccount(ChannelAccount { version, ..channel_account(TENANT, 1) }),
        Put::Endpoint(Endpoint { version, ..endpoint(1) }),
        Put::Delivery(Delivery { version, due_at: NOW, ..delivery(1, EventId::from_bits(1)) }),
        Put::Exception(Exception { version, ..exception(1, "ord_1") }),
        Put::Link(Link { version, ..link(TENANT, 1) }),
        Put::Document(document::Record { version, due_at: NOW, ..document(1) }),
        Put::Sandbox(sandbox_record(account, "payment", "{}")),
    ]
}
