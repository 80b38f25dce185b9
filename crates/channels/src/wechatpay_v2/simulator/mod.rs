//! WeChat Pay's side of the wire, of what only v2 has: payments by face, red packets with the page where a person opens them,
//! and the daily bill. Written from the same public documents as the adapter but sharing no code with it beyond the crypto
//! primitives, so that a mistake in one shows against the other. What it does differently from the real one is in the
//! README.

mod api;
mod packet;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring};
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

use crate::sandbox::v2::Merchant;
use crate::sandbox::wechat_login::Logins;
use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};
use packet::Packets;

/// Makes simulated WeChat Pay platforms that speak v2, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, _: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
        let both = [
            ("mch_id", drawn("16", "0123456789", 8, rng)),
            ("appid", drawn("wx", "0123456789abcdef", 16, rng)),
            ("key", drawn("", letters, 32, rng)),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both.clone()), Settings::from_pairs(both));
        ours.set("send_name", "沙箱商户");
        ours.set("gateway", base_url);
        theirs.set("base_url", base_url);
        Logins::provision(&mut ours, &mut theirs, base_url, rng);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, _: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        let text = |field: &str| Ok(theirs.value(field).ok_or(KeyError::Empty)?.expose().to_owned());
        let merchant = Merchant {
            mch_id: text("mch_id")?,
            appid: text("appid")?,
            key: text("key")?,
            sub: text("sub_mch_id").ok().map(|mch_id| (mch_id, text("sub_appid").ok())),
        };
        let (packets, logins) = (Packets::new(merchant.clone()), Logins::open(theirs, &merchant.appid));
        let orders = Platform::new(merchant.clone());
        Ok(Box::new(WechatPay { merchant, orders, packets, logins }))
    }
}

/// The platform as one merchant sees it: orders, and red packets beside them.
struct WechatPay {
    merchant: Merchant,
    orders: Platform<Merchant>,
    packets: Packets,
    logins: Logins,
}

impl Provider for Merchant {
    const NAMES: [&'static str; 2] = ["微信支付", "WeChat Pay"];
    const COLOUR: &'static str = "#07873f";
    const RETRIES: &'static [u64] = &[];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    /// Nothing is told: faces are charged or refused at once.
    fn news(&self, _: &Order, _: Option<&Refund>) -> Value {
        Value::Null
    }

    fn request(&self, _: &Note, _: Timestamp) -> Option<Request<Bytes>> {
        None
    }

    fn heard(&self, _: &Response<Bytes>) -> bool {
        true
    }
}

impl Simulator for WechatPay {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        if let Some(answer) = self.logins.handle(request, now) {
            return Answer::Reply(answer);
        }
        let answer = self.packets.handle(request, now);
        answer.unwrap_or_else(|| self.orders.handle(request, now))
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.orders.due(now)
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        self.orders.notified(id, response, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let mut records = self.orders.changed();
        records.extend(self.packets.changed());
        records
    }

    fn restore(&mut self, key: &str, value: &str) {
        if !self.packets.restore(key, value) {
            self.orders.restore(key, value);
        }
    }

    fn book(&self) -> Vec<BookLine> {
        self.orders.book()
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        Some(self.merchant.bill(self.orders.orders(), from, until).into())
    }
}
