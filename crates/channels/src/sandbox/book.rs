//! Orders as a provider keeps them, and what is scripted for their amounts.

use std::time::Duration;

use paycore::channel::simulator::BookLine;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Record, Records};

/// All orders of one merchant.
#[derive(Debug, Default)]
pub(crate) struct Book {
    orders: Records<Order>,
    news: Vec<News>,
}

/// One order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The merchant's number.
    pub(crate) reference: String,
    /// The provider's number.
    pub(crate) id: String,
    /// In the provider's word: whose wallet pays it.
    pub(crate) wallet: String,
    /// In the provider's word: how the payer gets to it.
    pub(crate) kind: String,
    /// Charged at once, without a page for the payer.
    pub(crate) direct: bool,
    pub(crate) subject: String,
    /// In minor units.
    pub(crate) fen: i64,
    /// Of an order that is not in CNY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    pub(crate) notify_url: Option<String>,
    /// Where the payer's browser returns to.
    pub(crate) return_url: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    /// When it is paid without anybody doing anything more.
    pub(crate) pays_at: Option<Timestamp>,
    pub(crate) paid: Option<Timestamp>,
    pub(crate) closed: Option<Timestamp>,
    /// A direct charge that was refused for lack of funds.
    pub(crate) failed: bool,
    /// The merchant's number of what ended it with the money, where that has one.
    pub(crate) reversal: Option<String>,
    pub(crate) refunds: Vec<Refund>,
}

/// Money given back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    /// The merchant's number.
    pub(crate) reference: String,
    /// The provider's number.
    pub(crate) id: String,
    pub(crate) fen: i64,
    pub(crate) at: Timestamp,
    pub(crate) notify_url: Option<String>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The payer may still decide.
    Open,
    /// On its way without the payer.
    Paying,
    Paid,
    Closed,
    Failed,
}

/// How the creation of an order is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// By the order as it stands.
    Known,
    /// By a refusal for lack of funds.
    Poor,
    /// By a failure of the provider's system, although it was carried out.
    Unknown,
    /// Not at all, although it was carried out.
    Silent,
}

/// How a refund that was carried out is answered.
#[derive(Debug)]
pub(crate) enum Given {
    Known(Refund),
    /// By a failure of the provider's system.
    Unknown,
}

/// Why money is not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NoOrder,
    Unpaid,
    TooMuch,
    /// The number belongs to another refund.
    Used,
    /// The merchant has not enough money.
    Poor,
}

/// Something the merchant may be told.
#[derive(Debug)]
pub(super) struct News {
    pub(super) reference: String,
    pub(super) refund: Option<String>,
    pub(super) at: Timestamp,
}

impl Order {
    /// What is scripted for this amount.
    pub(super) fn script(&self) -> i64 {
        self.fen % 10_000
    }

    pub(crate) fn state(&self) -> State {
        match (self.paid, self.closed) {
            (Some(_), _) => State::Paid,
            (None, Some(_)) => State::Closed,
            _ if self.failed => State::Failed,
            _ if self.direct || self.pays_at.is_some() => State::Paying,
            _ => State::Open,
        }
    }

    pub(crate) fn currency(&self) -> Currency {
        self.currency.unwrap_or(Currency::CNY)
    }

    /// What was given back so far.
    pub(crate) fn given(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.fen).sum()
    }

    pub(crate) fn refund(&self, reference: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.reference == reference)
    }

    /// Whether it may still be closed: not decided yet, and nobody else is at it.
    fn undecided(&self) -> bool {
        matches!(self.state(), State::Open)
    }
}

impl Record for Order {
    fn key(&self) -> &str {
        &self.reference
    }

    fn alarms(&self) -> [Option<Timestamp>; 2] {
        [self.expires.filter(|_| self.paid.is_none() && self.closed.is_none()), self.pays_at]
    }
}

impl Book {
    pub(crate) fn get(&self, reference: &str) -> Option<&Order> {
        self.orders.get(reference)
    }

    /// All of them, by reference.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    pub(crate) fn find_id(&self, id: &str) -> Option<&Order> {
        self.orders.values().find(|order| order.id == id)
    }

    pub(crate) fn find_refund(&self, reference: &str) -> Option<(&Order, &Refund)> {
        self.orders.values().find_map(|order| Some((order, order.refund(reference)?)))
    }

    pub(crate) fn find_reversal(&self, number: &str) -> Option<&Order> {
        self.orders.values().find(|order| order.reversal.as_deref() == Some(number))
    }

    /// The number of the next order, from 1.
    pub(crate) fn next_order(&self) -> usize {
        self.orders.len() + 1
    }

    /// The number of the next refund, from 1.
    pub(crate) fn next_refund(&self) -> usize {
        self.orders.values().map(|order| order.refunds.len()).sum::<usize>() + 1
    }

    /// Takes in an order whose reference is new.
    pub(crate) fn start(&mut self, order: Order, now: Timestamp) -> Started {
        let (key, script, direct) = (order.reference.clone(), order.script(), order.direct);
        self.orders.add(order);
        self.orders.change(&key, |order| order.failed = direct && script == 9001);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9001 if direct => return Started::Poor,
            9002 if direct => self.pay_later(&key, now.plus(Duration::from_secs(30))),
            9003 => {
                self.pay(&key, now, now);
                return Started::Silent;
            }
            _ if direct => self.pay(&key, now, now),
            _ => {}
        }
        if script == 9007 { Started::Unknown } else { Started::Known }
    }

    /// What a press of the payer's button does; false when the payer has not enough money.
    pub(super) fn press(&mut self, key: &str, now: Timestamp) -> bool {
        let Some(order) = self.orders.get(key).filter(|order| order.undecided()) else { return true };
        match order.script() {
            9001 => return false,
            9002 => self.pay_later(key, now.plus(Duration::from_secs(30))),
            _ => self.pay(key, now, now),
        }
        true
    }

    /// Where the payer's browser returns to.
    pub(super) fn returns_to(&mut self, key: &str, url: String) {
        self.orders.change(key, |order| order.return_url = Some(url));
    }

    /// Closes an order that is open.
    pub(crate) fn close(&mut self, key: &str, now: Timestamp) {
        self.orders.change(key, |order| order.closed = Some(now));
        if self.orders.get(key).is_some_and(|order| order.script() == 9006 && !order.direct) {
            self.pay_later(key, now.plus(Duration::from_secs(5)));
        }
    }

    /// Ends an order, with the money if it was taken.
    pub(crate) fn reverse(&mut self, key: &str, number: Option<String>, now: Timestamp) {
        self.orders.change(key, |order| {
            (order.paid, order.pays_at, order.closed) = (None, None, Some(now));
            order.reversal = number;
        });
    }

    /// Gives money back. A number that was used before gives nothing more.
    pub(crate) fn give_back(&mut self, key: &str, refund: Refund) -> Result<Given, Refused> {
        let order = self.orders.get(key).ok_or(Refused::NoOrder)?;
        if let Some((of, before)) = self.find_refund(&refund.reference) {
            let same = of.reference == key && before.fen == refund.fen;
            return if same { Ok(Given::Known(before.clone())) } else { Err(Refused::Used) };
        }
        if order.paid.is_none() {
            return Err(Refused::Unpaid);
        }
        if order.given() + refund.fen > order.fen {
            return Err(Refused::TooMuch);
        }
        let script = order.script();
        if script == 9010 {
            return Err(Refused::Poor);
        }
        self.orders.change(key, |order| order.refunds.push(refund.clone()));
        let number = Some(refund.reference.clone());
        self.news.push(News { reference: key.to_owned(), refund: number, at: refund.at });
        Ok(if script == 9009 { Given::Unknown } else { Given::Known(refund) })
    }

    /// Lets everything happen that is due by `now`.
    pub(super) fn advance(&mut self, now: Timestamp) {
        for (at, key) in self.orders.take_due(now) {
            let Some(order) = self.orders.get(&key) else { continue };
            if order.pays_at == Some(at) {
                // The script "paid after close" reports a payment from just before the close.
                let paid = order.closed.map_or(at, |closed| closed.minus(Duration::from_secs(1)));
                self.pay(&key, paid, at);
            } else if order.expires == Some(at) && order.undecided() {
                self.orders.change(&key, |order| order.closed = Some(at));
            }
        }
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due()
    }

    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Records to be kept, by key.
    pub(super) fn changed(&mut self) -> Vec<(String, String)> {
        self.orders.changed("order")
    }

    pub(super) fn restore(&mut self, text: &str) {
        self.orders.restore(text);
    }

    pub(super) fn lines(&self) -> Vec<BookLine> {
        let line = |order: &Order, refund: Option<&str>, fen, at| {
            let (reference, refund) = (order.reference.clone(), refund.map(str::to_owned));
            BookLine { reference, refund, money: Money::new(fen, order.currency()), at }
        };
        let lines = |order: &Order| {
            let given = order.refunds.iter().map(|r| line(order, Some(&r.reference), r.fen, r.at));
            order.paid.map(|at| line(order, None, order.fen, at)).into_iter().chain(given).collect::<Vec<_>>()
        };
        self.orders.values().flat_map(lines).collect()
    }

    fn pay(&mut self, key: &str, paid: Timestamp, now: Timestamp) {
        self.orders.change(key, |order| (order.paid, order.pays_at, order.closed) = (Some(paid), None, None));
        self.news.push(News { reference: key.to_owned(), refund: None, at: now });
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.orders.change(key, |order| order.pays_at = Some(at));
        self.orders.wake(key, at);
    }
}
