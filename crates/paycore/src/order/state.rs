//! The two state machines of a payment, each one pure function over one match table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $text:literal $zh:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value, in order of life.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            /// The word used in the API and the database.
            pub fn text(self) -> &'static str { match self { $($name::$variant => $text,)* } }
            /// The Chinese word.
            pub fn text_zh(self) -> &'static str { match self { $($name::$variant => $zh,)* } }
            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)* _ => None } }
        }
    };
}

words! {
    /// Where an order stands.
    OrderStatus {
        /// Waits for the payer.
        Pending "pending" "待支付",
        /// With the channel; the outcome is open or not known.
        Processing "processing" "处理中",
        /// Reserved, waits for capture.
        Authorized "authorized" "已授权",
        /// Paid.
        Succeeded "succeeded" "支付成功",
        /// Declined, with no other method left.
        Failed "failed" "支付失败",
        /// Closed, expired or voided without payment.
        Closed "closed" "已关闭",
        /// Part of the money was given back.
        PartiallyRefunded "partially_refunded" "部分退款",
        /// All of the money was given back.
        Refunded "refunded" "已退款",
    }
}

words! {
    /// Where an attempt stands.
    AttemptStatus {
        /// Durable before the request goes out; the reply is not seen yet.
        Sending "sending" "发送中",
        /// The request may have had its effect and the answer is not understood. Only a query leads on.
        Unknown "unknown" "结果未知",
        /// The payer has something to do.
        Awaiting "awaiting" "等待付款",
        /// The channel works on it.
        Pending "pending" "渠道处理中",
        /// Reserved at the channel.
        Authorized "authorized" "已授权",
        /// A capture was asked for; the answer is not seen yet.
        Capturing "capturing" "请款中",
        /// A void was asked for; the answer is not seen yet.
        Voiding "voiding" "撤销中",
        /// A close was asked for; the answer is not seen yet.
        Closing "closing" "关闭中",
        /// The money is taken.
        Succeeded "succeeded" "成功",
        /// A definite no.
        Declined "declined" "已拒绝",
        /// Closed or voided at the channel.
        Closed "closed" "已关闭",
    }
}

words! {
    /// What can happen to an order.
    OrderEvent {
        /// An attempt is sent to a channel.
        Start "start" "发起支付",
        /// The channel waits for the payer.
        Await "await" "等待付款",
        /// The channel works on it, or its answer is not understood.
        Process "process" "处理中",
        /// The money is reserved.
        Authorize "authorize" "授权成功",
        /// The money is taken.
        Pay "pay" "支付成功",
        /// The attempt was declined and another method may be tried.
        Reopen "reopen" "可换方式重试",
        /// The attempt was declined and no other method is left.
        Fail "fail" "支付失败",
        /// Closed, expired or voided.
        Close "close" "关闭",
        /// Part of the money was given back.
        RefundPart "refund_part" "部分退款",
        /// All of the money was given back.
        RefundAll "refund_all" "全额退款",
    }
}

words! {
    /// What can happen to an attempt.
    AttemptEvent {
        /// The channel waits for the payer.
        Await "await" "等待付款",
        /// The channel works on it.
        Pend "pend" "处理中",
        /// No answer, or one that is not understood.
        Lose "lose" "结果未知",
        /// The money is reserved.
        Authorize "authorize" "授权成功",
        /// The money is taken.
        Succeed "succeed" "成功",
        /// A definite no.
        Decline "decline" "拒绝",
        /// Closed or voided at the channel.
        Close "close" "关闭",
        /// A capture is about to be sent.
        StartCapture "start_capture" "发起请款",
        /// A void is about to be sent.
        StartVoid "start_void" "发起撤销",
        /// A close is about to be sent.
        StartClose "start_close" "发起关闭",
    }
}

/// A pair of state and event that must not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` cannot happen to what is `{state}`")]
pub struct Illegal {
    /// The state's word.
    pub state: &'static str,
    /// The event's word.
    pub event: &'static str,
}

impl OrderStatus {
    /// The state after an event. A payment that arrives for a closed or failed order leaves the state as it is:
    /// the money is recorded on the order and given back (see `rules`), and the merchant's view never flips
    /// from closed to paid.
    pub fn apply(self, event: OrderEvent) -> Result<OrderStatus, Illegal> {
        use OrderEvent as E;
        use OrderStatus as S;
        match (self, event) {
            (S::Pending, E::Start | E::Process) => Ok(S::Processing),
            (S::Pending | S::Processing, E::Await | E::Reopen) => Ok(S::Pending),
            (S::Processing, E::Process) => Ok(S::Processing),
            (S::Pending | S::Processing | S::Authorized, E::Authorize) => Ok(S::Authorized),
            (S::Pending | S::Processing | S::Authorized, E::Pay) => Ok(S::Succeeded),
            (S::Pending | S::Processing, E::Fail) => Ok(S::Failed),
            (S::Pending | S::Processing | S::Authorized, E::Close) => Ok(S::Closed),
            (S::Closed | S::Failed, E::Pay | E::RefundPart | E::RefundAll) => Ok(self),
            (S::Succeeded | S::PartiallyRefunded, E::RefundPart) => Ok(S::PartiallyRefunded),
            (S::Succeeded | S::PartiallyRefunded, E::RefundAll) => Ok(S::Refunded),
            (state, event) => Err(Illegal { state: state.text(), event: event.text() }),
        }
    }

    /// Whether nothing the payer does can change it any more.
    pub fn is_final(self) -> bool {
        !matches!(self, OrderStatus::Pending | OrderStatus::Processing | OrderStatus::Authorized)
    }
}

impl AttemptStatus {
    /// The state after an event. `Lose` only makes the outcome unknown where money may have moved because of
    /// the lost call; a query that fails leaves everything as it was. A success is believed from every state but
    /// is late after `Declined` and `Closed`: the order's rules give it back.
    pub fn apply(self, event: AttemptEvent) -> Result<AttemptStatus, Illegal> {
        use AttemptEvent as E;
        use AttemptStatus as S;
        match (self, event) {
            (_, E::Succeed) => Ok(S::Succeeded),
            (S::Succeeded, E::Await | E::Pend | E::Lose | E::Authorize | E::Close) => Ok(S::Succeeded),
            (S::Declined | S::Closed, E::Await | E::Pend | E::Lose | E::Decline | E::Close) => Ok(self),
            (S::Sending | S::Unknown, E::Lose) => Ok(S::Unknown),
            (_, E::Lose) => Ok(self),
            (S::Capturing | S::Voiding, E::Authorize | E::Await | E::Pend) => Ok(self),
            (S::Capturing | S::Voiding, E::Decline) => Ok(S::Authorized),
            (S::Authorized, E::Await | E::Pend) => Ok(S::Authorized),
            (S::Closing, E::Await | E::Pend) => Ok(S::Closing),
            (S::Sending | S::Unknown | S::Awaiting | S::Pending, E::Await) => Ok(S::Awaiting),
            (S::Awaiting, E::Pend) => Ok(S::Awaiting),
            (S::Sending | S::Unknown | S::Pending, E::Pend) => Ok(S::Pending),
            (
                S::Sending | S::Unknown | S::Awaiting | S::Pending | S::Closing | S::Authorized,
                E::Authorize,
            ) => Ok(S::Authorized),
            (S::Sending | S::Unknown | S::Awaiting | S::Pending | S::Closing, E::Decline) => Ok(S::Declined),
            (_, E::Close) => Ok(S::Closed),
            (S::Authorized | S::Capturing, E::StartCapture) => Ok(S::Capturing),
            (S::Authorized | S::Voiding, E::StartVoid) => Ok(S::Voiding),
            (S::Awaiting | S::Pending | S::Closing, E::StartClose) => Ok(S::Closing),
            (state, event) => Err(Illegal { state: state.text(), event: event.text() }),
        }
    }

    /// Whether the channel may still change it, so that no other attempt may start.
    pub fn is_open(self) -> bool {
        !matches!(self, AttemptStatus::Succeeded | AttemptStatus::Declined | AttemptStatus::Closed)
    }
}

/// Both state machines as Mermaid text, made from the tables themselves.
pub fn diagram() -> String {
    let mut text = String::from(
        "# Order states\n\nGenerated from `crates/paycore/src/order/state.rs` by `cargo xtask gen`; do not edit.\n\n## Order\n\n```mermaid\nstateDiagram-v2\n    [*] --> pending\n",
    );
    for (from, event, to) in order_edges() {
        text.push_str(&format!("    {from} --> {to}: {event}\n"));
    }
    text.push_str("```\n\n## Attempt\n\n```mermaid\nstateDiagram-v2\n    [*] --> sending\n");
    for (from, event, to) in attempt_edges() {
        text.push_str(&format!("    {from} --> {to}: {event}\n"));
    }
    text.push_str("```\n\n## Words\n\n| order | 中文 |\n|---|---|\n");
    for status in OrderStatus::ALL {
        text.push_str(&format!("| `{}` | {} |\n", status.text(), status.text_zh()));
    }
    text.push_str("\n| attempt | 中文 |\n|---|---|\n");
    for status in AttemptStatus::ALL {
        text.push_str(&format!("| `{}` | {} |\n", status.text(), status.text_zh()));
    }
    text
}

type Edge = (&'static str, &'static str, &'static str);

fn order_edges() -> impl Iterator<Item = Edge> {
    OrderStatus::ALL.iter().flat_map(|from| {
        OrderEvent::ALL
            .iter()
            .filter_map(move |event| from.apply(*event).ok().map(|to| (from.text(), event.text(), to.text())))
    })
}

fn attempt_edges() -> impl Iterator<Item = Edge> {
    AttemptStatus::ALL.iter().flat_map(|from| {
        AttemptEvent::ALL.iter().filter_map(move |event| {
            let to = from.apply(*event).ok()?;
            // Old news that changes nothing would only clutter the picture.
            (to != *from).then(|| (from.text(), event.text(), to.text()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order table written a second time, as a person reads it: for each state, where each event leads.
    /// Columns: start await process authorize pay reopen fail close refund_part refund_all; `-` is refused.
    const ORDER: &[(&str, &str)] = &[
        ("pending", "processing pending processing authorized succeeded pending failed closed - -"),
        ("processing", "- pending processing authorized succeeded pending failed closed - -"),
        ("authorized", "- - - authorized succeeded - - closed - -"),
        ("succeeded", "- - - - - - - - partially_refunded refunded"),
        ("failed", "- - - - failed - - - failed failed"),
        ("closed", "- - - - closed - - - closed closed"),
        ("partially_refunded", "- - - - - - - - partially_refunded refunded"),
        ("refunded", "- - - - - - - - - -"),
    ];

    /// Columns: await pend lose authorize succeed decline close start_capture start_void start_close.
    const ATTEMPT: &[(&str, &str)] = &[
        ("sending", "awaiting pending unknown authorized succeeded declined closed - - -"),
        ("unknown", "awaiting pending unknown authorized succeeded declined closed - - -"),
        ("awaiting", "awaiting awaiting awaiting authorized succeeded declined closed - - closing"),
        ("pending", "awaiting pending pending authorized succeeded declined closed - - closing"),
        ("authorized", "authorized authorized authorized authorized succeeded - closed capturing voiding -"),
        ("capturing", "capturing capturing capturing capturing succeeded authorized closed capturing - -"),
        ("voiding", "voiding voiding voiding voiding succeeded authorized closed - voiding -"),
        ("closing", "closing closing closing authorized succeeded declined closed - - closing"),
        ("succeeded", "succeeded succeeded succeeded succeeded succeeded - succeeded - - -"),
        ("declined", "declined declined declined - succeeded declined declined - - -"),
        ("closed", "closed closed closed - succeeded closed closed - - -"),
    ];

    #[test]
    fn every_pair_of_order_state_and_event_leads_where_the_table_says() {
        assert_eq!(ORDER.len(), OrderStatus::ALL.len());
        for (from, row) in ORDER {
            let from = OrderStatus::parse(from).unwrap();
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), OrderEvent::ALL.len());
            for (event, cell) in OrderEvent::ALL.iter().zip(cells) {
                let got = from.apply(*event).map_or("-", OrderStatus::text);
                assert_eq!(got, cell, "{} + {}", from.text(), event.text());
            }
        }
    }

    #[test]
    fn every_pair_of_attempt_state_and_event_leads_where_the_table_says() {
        assert_eq!(ATTEMPT.len(), AttemptStatus::ALL.len());
        for (from, row) in ATTEMPT {
            let from = AttemptStatus::parse(from).unwrap();
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), AttemptEvent::ALL.len());
            for (event, cell) in AttemptEvent::ALL.iter().zip(cells) {
                let got = from.apply(*event).map_or("-", AttemptStatus::text);
                assert_eq!(got, cell, "{} + {}", from.text(), event.text());
            }
        }
    }

    #[test]
    fn the_diagram_names_every_state() {
        let text = diagram();
        for status in OrderStatus::ALL {
            assert!(text.contains(status.text()));
        }
    }
}
