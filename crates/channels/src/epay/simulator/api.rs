//! What the panel checks and answers, in both versions.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use paycore::channel::simulator::Answer;
use paycore::secret::same;
use paycore::time::Timestamp;
use serde_json::{Map, Value, json};

use super::wire::{Parameters, fen, parameters};
use super::{Order, Panel, Refund, Version, payer};
use crate::sandbox::bill::yuan;

/// How far a request's timestamp may be from now.
const CLOCKS: Duration = Duration::from_secs(300);

/// Why a request is not carried out.
pub(super) struct Error(pub(super) &'static str);

/// What a request came to; `None` when it was carried out and nobody shall hear of it.
pub(super) type Result<T = Option<Value>> = std::result::Result<T, Error>;

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, &'static str); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, text)| Err(Error(text)))
}

const BUSY: Error = Error("系统繁忙，请稍后再试");
const NO_ORDER: Error = Error("订单号不存在");

impl Panel {
    pub(super) fn api(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let path = request.uri().path();
        let version = if path.starts_with("/api/") { Version::V2 } else { Version::V1 };
        let Some(all) = parameters(request) else {
            return Answer::Reply(payer::trouble("参数重复 · A parameter twice"));
        };
        let page = matches!(path, "/submit.php" | "/api/pay/submit");
        let authentic = self.authenticate(path, version, &all, now);
        let signed = authentic.is_ok();
        let (code, members) = match authentic.and_then(|()| self.carry_out(path, version, &all, now)) {
            Ok(None) => return Answer::Silence,
            Ok(Some(_)) if page => {
                let key = all.get("out_trade_no").map_or("", String::as_str);
                return Answer::Reply(payer::go(302, &format!("{}/payer/{key}", self.base_url)));
            }
            Ok(Some(members)) => (i64::from(version == Version::V1), members),
            Err(Error(text)) if page => return Answer::Reply(payer::trouble(text)),
            Err(Error(text)) => (-1, json!({ "msg": text })),
        };
        let Value::Object(mut members) = members else { return Answer::Silence };
        members.insert("code".to_owned(), code.into());
        members.entry("msg").or_insert_with(|| "succ".into());
        Answer::Reply(self.json(version, signed, members, now))
    }

    /// Version 2 wants a signature and the time; version 1 a signature, or for `api.php` the key itself.
    fn authenticate(&self, path: &str, version: Version, all: &Parameters, now: Timestamp) -> Result<()> {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let by_key = path == "/api.php"
            && !given("key").is_empty()
            && same(given("key").as_bytes(), self.key.expose().as_bytes());
        let sent = given("timestamp").parse().map(Timestamp::from_secs);
        let in_time = sent.is_ok_and(|at| (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&at));
        refuse([
            (given("pid") != self.pid, "商户不存在"),
            (!by_key && !self.merchant_signed(version, all), "签名校验失败"),
            (version == Version::V2 && !in_time, "时间戳已过期"),
        ])
    }

    fn carry_out(&mut self, path: &str, version: Version, all: &Parameters, now: Timestamp) -> Result {
        let act = all.get("act").map_or("", String::as_str);
        match (path, act) {
            ("/submit.php" | "/mapi.php" | "/api/pay/submit" | "/api/pay/create", _) => {
                self.start(path, version, all, now)
            }
            ("/api.php", "order") | ("/api/pay/query", _) => Ok(Some(self.shown(self.find(all)?, version))),
            ("/api.php", "refund") | ("/api/pay/refund", _) => self.refund(version, all, now),
            ("/api/pay/refundquery", _) => self.query_refund(all),
            ("/api/pay/close", _) => self.shut(all, now),
            ("/api.php", "query") | ("/api/merchant/info", _) => Ok(Some(self.info(now))),
            ("/api.php", "orders") | ("/api/merchant/orders", _) => Ok(Some(self.list(version, all))),
            _ => Err(Error("No Act!")),
        }
    }

    /// Creates the order, or finds the one that the same request created before.
    fn start(&mut self, path: &str, version: Version, all: &Parameters, now: Timestamp) -> Result {
        let order = self.new_order(path, version, all, now)?;
        let (key, script) = (order.out_trade_no.clone(), order.script());
        let mobile = all.get("device").is_some_and(|device| device == "mobile");
        let members = self.to_pay(&order, version, mobile);
        if let Some(known) = self.orders.get(&key) {
            refuse([
                (known.fen != order.fen || known.name != order.name, "订单号重复，且订单信息不一致"),
                (known.paid.is_some(), "该订单已支付完成，请勿重复支付"),
                (known.closed.is_some(), "该订单已关闭"),
            ])?;
            return Ok(Some(self.to_pay(known, version, mobile)));
        }
        self.orders.add(order);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9003 => {
                self.pay(&key, now, now);
                return Ok(None);
            }
            9007 => return Err(BUSY),
            _ => {}
        }
        Ok(Some(members))
    }

    fn new_order(&self, path: &str, version: Version, all: &Parameters, now: Timestamp) -> Result<Order> {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let (out_trade_no, kind) = (given("out_trade_no"), given("type"));
        let in_number = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.|".contains(&byte);
        let api = matches!(path, "/mapi.php" | "/api/pay/create");
        let fen = fen(given("money")).ok_or(Error("金额不合法"))?;
        refuse([
            (out_trade_no.is_empty() || out_trade_no.len() > 64, "订单号不能为空"),
            (!out_trade_no.bytes().all(in_number), "订单号格式不正确"),
            (given("notify_url").is_empty(), "通知地址(notify_url)不能为空"),
            (!api && given("return_url").is_empty(), "回调地址(return_url)不能为空"),
            (given("name").is_empty(), "商品名称(name)不能为空"),
            (
                !matches!(kind, "alipay" | "wxpay" | "qqpay" | "bank") && (api || !kind.is_empty()),
                "支付方式不存在",
            ),
            (api && given("clientip").is_empty(), "用户IP地址(clientip)不能为空"),
            (path == "/api/pay/create" && given("method") != "web", "接口类型不支持"),
        ])?;
        let mut name = given("name").to_owned();
        while name.len() > 127 {
            name.pop();
        }
        let trade_no = format!("{}{:05}", now.beijing_compact(), self.orders.len() + 1);
        Ok(Order {
            out_trade_no: out_trade_no.to_owned(),
            trade_no,
            version,
            kind: kind.to_owned(),
            name,
            fen,
            param: given("param").to_owned(),
            notify_url: given("notify_url").to_owned(),
            return_url: Some(given("return_url").to_owned()).filter(|url| !url.is_empty()),
            created: now,
            pays_at: None,
            paid: None,
            closed: None,
            refunds: Vec::new(),
        })
    }

    /// Where the payer goes. QR codes for the wallets on a desktop, pages for everything else.
    fn to_pay(&self, order: &Order, version: Version, mobile: bool) -> Value {
        let url = format!("{}/payer/{}", self.base_url, order.out_trade_no);
        let (v1, v2) = if mobile || order.kind == "bank" { ("payurl", "jump") } else { ("qrcode", "qrcode") };
        match version {
            Version::V1 => {
                let mut members = json!({ "trade_no": order.trade_no });
                members[v1] = url.into();
                members
            }
            Version::V2 => json!({ "trade_no": order.trade_no, "pay_type": v2, "pay_info": url }),
        }
    }

    /// An order as queries show it.
    pub(super) fn shown(&self, order: &Order, version: Version) -> Value {
        let mut members = json!({
            "trade_no": order.trade_no,
            "out_trade_no": order.out_trade_no,
            "api_trade_no": format!("4200{}", order.trade_no),
            "type": order.kind,
            "pid": self.pid.parse::<i64>().unwrap_or_default(),
            "addtime": order.created.beijing(),
            "endtime": order.paid.map(|at| at.beijing()).unwrap_or_default(),
            "name": order.name,
            "money": yuan(order.fen),
            "status": order.status(),
            "param": order.param,
            "buyer": "",
        });
        let state = match order.status() {
            0 if order.closed.is_some() => "TRADE_CLOSED",
            0 => "WAIT_BUYER_PAY",
            _ => "TRADE_SUCCESS",
        };
        // The number is the protocol's; the word is what some forks add and some clients read.
        members["trade_status"] = state.into();
        if version == Version::V2 {
            members["refundmoney"] = yuan(order.refunded()).into();
        }
        members
    }

    fn shut(&mut self, all: &Parameters, now: Timestamp) -> Result {
        let order = self.find(all)?;
        let (key, script) = (order.out_trade_no.clone(), order.script());
        refuse([
            (order.paid.is_none() && order.closed.is_some(), "该订单已关闭"),
            (!order.waits() || order.pays_at.is_some(), "该订单已支付完成，不能关闭"),
        ])?;
        self.close(&key, now);
        if script == 9006 {
            self.pay_later(&key, now.plus(Duration::from_secs(5)));
        }
        Ok(Some(json!({})))
    }

    fn refund(&mut self, version: Version, all: &Parameters, now: Timestamp) -> Result {
        let order = self.find(all)?;
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let fen = fen(given("money")).ok_or(Error("退款金额不合法"))?;
        let key = order.out_trade_no.clone();
        let out_refund_no = given("out_refund_no").to_owned();
        let before = order.refunds.iter().find(|refund| refund.out_refund_no == out_refund_no);
        if let Some(before) = before.filter(|_| !out_refund_no.is_empty()) {
            refuse([(before.fen != fen, "退款单号重复，且退款金额不一致")])?;
            return Ok(Some(refund_shown(order, before, version)));
        }
        let script = order.script();
        refuse([
            (order.paid.is_none(), "订单未支付，不能退款"),
            (order.refunded() + fen > order.fen, "退款金额不能大于订单剩余金额"),
            (script == 9010, "商户余额不足，无法退款"),
        ])?;
        let refund_no = format!("R{}{:02}", order.trade_no, order.refunds.len() + 1);
        let refund = Refund { refund_no, out_refund_no, fen, at: now };
        let answer = refund_shown(order, &refund, version);
        self.orders.change(&key, |order| order.refunds.push(refund));
        if script == 9009 { Err(BUSY) } else { Ok(Some(answer)) }
    }

    fn query_refund(&self, all: &Parameters) -> Result {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let (ours, theirs) = (given("out_refund_no"), given("refund_no"));
        let is = |refund: &Refund| match theirs {
            "" => !ours.is_empty() && refund.out_refund_no == ours,
            number => refund.refund_no == number,
        };
        let mut all =
            self.orders.values().flat_map(|order| order.refunds.iter().map(move |refund| (order, refund)));
        let (order, refund) = all.find(|(_, refund)| is(refund)).ok_or(Error("退款记录不存在"))?;
        let mut members = refund_shown(order, refund, Version::V2);
        members["status"] = 1.into();
        members["addtime"] = refund.at.beijing().into();
        Ok(Some(members))
    }

    fn find(&self, all: &Parameters) -> Result<&Order> {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let (ours, theirs) = (given("out_trade_no"), given("trade_no"));
        let found = match theirs {
            "" => self.orders.get(ours),
            number => self.orders.values().find(|order| order.trade_no == number),
        };
        found.ok_or(NO_ORDER)
    }
}

fn refund_shown(order: &Order, refund: &Refund, version: Version) -> Value {
    let mut members = Map::new();
    if version == Version::V1 {
        members.insert("msg".to_owned(), format!("退款成功！退款金额¥{}", yuan(refund.fen)).into());
        return Value::Object(members);
    }
    for (name, value) in [
        ("refund_no", refund.refund_no.clone()),
        ("out_refund_no", refund.out_refund_no.clone()),
        ("trade_no", order.trade_no.clone()),
        ("out_trade_no", order.out_trade_no.clone()),
        ("money", yuan(refund.fen)),
        ("reducemoney", yuan(refund.fen)),
    ] {
        members.insert(name.to_owned(), value.into());
    }
    Value::Object(members)
}
