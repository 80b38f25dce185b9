//! Trades: begun by a code, a page or a barcode, asked for, closed, reversed and given back.

use std::time::Duration;

use paycore::time::Timestamp;
use serde_json::Value;

use super::door::{Asked, Content, INVALID, Result, Said, UNKNOWN, failed, refuse};
use super::fund::{barcode, plain};
use super::wire::{Members, fen, texts, yuan};
use super::{Gateway, Refund, Trade};

impl Gateway {
    /// Creates the trade, or finds the one that the same request created before.
    pub(super) fn start(&mut self, ask: &Asked, now: Timestamp) -> Result {
        let trade = self.new_trade(ask, now)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        let precreate = ask.method == "alipay.trade.precreate";
        if let Some(known) = self.trades.get(&key) {
            self.same_trade(known, &trade)?;
            refuse([(known.paid.is_some(), failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"))])?;
            return Ok(Said::Done(self.begun(&known.clone(), precreate)));
        }
        let done = self.begun(&trade, precreate);
        self.keep(trade);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9003 => {
                self.pay(&key, now, now);
                return Ok(Said::Nothing);
            }
            9007 => return Err(UNKNOWN),
            _ => {}
        }
        Ok(Said::Done(done))
    }

    fn begun(&self, trade: &Trade, precreate: bool) -> Members {
        let key = trade.out_trade_no.clone();
        if precreate {
            let qr_code = format!("{}/payer/{key}", self.base_url);
            return texts([("out_trade_no", key), ("qr_code", qr_code)]);
        }
        texts([("out_trade_no", key), ("trade_no", trade.trade_no.clone())])
    }

    fn same_trade(&self, known: &Trade, trade: &Trade) -> Result<()> {
        let differs = known.fen != trade.fen || known.subject != trade.subject;
        refuse([
            (differs, failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")),
            (known.closed.is_some() && known.paid.is_none(), failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
        ])
    }

    fn new_trade(&self, ask: &Asked, now: Timestamp) -> Result<Trade> {
        let content = &ask.content;
        let out_trade_no = content.required("out_trade_no")?;
        let subject = content.required("subject")?;
        let fen = fen(&content.required("total_amount")?).ok_or(INVALID)?;
        let product = content.text("product_code").unwrap_or_default();
        let fits = match ask.method.as_str() {
            "alipay.trade.page.pay" => product == "FAST_INSTANT_TRADE_PAY",
            "alipay.trade.wap.pay" => product.starts_with("QUICK_WAP_"),
            "alipay.trade.app.pay" => product == "QUICK_MSECURITY_PAY",
            "alipay.trade.create" => {
                let payer = ["buyer_id", "buyer_open_id", "op_buyer_open_id"];
                let payer = payer.into_iter().any(|name| content.text(name).is_some());
                payer && (product != "JSAPI_PAY" || content.text("op_app_id").is_some())
            }
            _ => true,
        };
        let chars = |text: &str| text.chars().count();
        refuse([
            (!fits || !plain(&out_trade_no), INVALID),
            (chars(&subject) > 256 || subject.contains(['/', '=', '&']), INVALID),
            (content.text("body").is_some_and(|body| chars(&body) > 128), INVALID),
            (content.text("seller_id").is_some_and(|id| id != self.seller_id), INVALID),
        ])?;
        let expires = match content.text("time_expire").map(|text| Timestamp::parse_beijing(&text)) {
            Some(Ok(at)) if at > now => Some(at),
            Some(_) => return Err(INVALID),
            None => None,
        };
        // A code's trade begins when somebody scans it; a scripted payer scans at once.
        let scanned = ask.method != "alipay.trade.precreate" || matches!(fen % 10_000, 9000 | 9003 | 9007);
        Ok(Trade {
            trade_no: self.number("22001", now),
            out_trade_no,
            subject,
            fen,
            notify_url: ask.notify_url.clone(),
            return_url: ask.return_url.clone(),
            expires,
            begun: scanned,
            ..Trade::new(now)
        })
    }

    /// 28 digits: the day, a fixed part, part of the seller's number and a running number.
    pub(super) fn number(&self, part: &str, now: Timestamp) -> String {
        let (day, seller) = (now.beijing_compact(), self.seller_id.get(11..).unwrap_or_default());
        format!("{}{part}{seller}{:010}", &day[..8], self.trades.len() + self.transfers.len() + 1)
    }

    /// Charges the payer whose barcode was scanned.
    pub(super) fn charge(&mut self, ask: &Asked, now: Timestamp) -> Result {
        let trade = self.new_trade(ask, now)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        if let Some(known) = self.trades.get(&key) {
            self.same_trade(known, &trade)?;
            return Ok(charged(known));
        }
        let code = ask.content.required("auth_code")?;
        refuse([
            (!barcode(&code), failed("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败")),
            (script == 9001, failed("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")),
        ])?;
        self.keep(trade);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9002 => self.pay_later(&key, now.plus(Duration::from_secs(30))),
            _ => self.pay(&key, now, now),
        }
        match script {
            9003 => Ok(Said::Nothing),
            9007 => Err(UNKNOWN),
            _ => Ok(charged(&self.trades[&key])),
        }
    }

    pub(super) fn query(&self, content: &Content) -> Result {
        let trade = self.find(content)?;
        let mut members = parties(trade);
        members.extend(texts([
            ("receipt_amount", yuan(trade.paid.map_or(0, |_| trade.fen))),
            ("total_amount", yuan(trade.fen)),
            ("trade_status", trade.status().to_owned()),
        ]));
        members.extend(trade.paid.map(|at| ("send_pay_date", at.beijing().into())));
        Ok(Said::Done(members))
    }

    pub(super) fn shut(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        let closed = trade.paid.is_none() && trade.closed.is_some();
        refuse([
            (closed, failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
            (!trade.waits() || trade.pays_at.is_some(), failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")),
        ])?;
        let members = texts([("out_trade_no", key.clone()), ("trade_no", trade.trade_no.clone())]);
        self.close(&key, now);
        if script == 9006 {
            self.pay_later(&key, now.plus(Duration::from_secs(5)));
        }
        Ok(Said::Done(members))
    }

    /// Reverses: closes what waits, gives back what was paid.
    pub(super) fn cancel(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?.clone();
        let rest = trade.paid.map_or(0, |_| trade.fen - trade.refunded());
        let action = if rest > 0 { "refund" } else { "close" };
        self.change(&trade.out_trade_no, |trade| {
            trade.pays_at = None;
            trade.closed = Some(now);
            let request_no = trade.out_trade_no.clone();
            trade.refunds.extend((rest > 0).then_some(Refund { request_no, fen: rest, at: now }));
        });
        Ok(Said::Done(texts([
            ("out_trade_no", trade.out_trade_no),
            ("trade_no", trade.trade_no),
            ("retry_flag", "N".to_owned()),
            ("action", action.to_owned()),
        ])))
    }

    pub(super) fn refund(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let fen = fen(&content.required("refund_amount")?).ok_or(INVALID)?;
        let key = trade.out_trade_no.clone();
        let request_no = content.text("out_request_no").unwrap_or_else(|| key.clone());
        if let Some(before) = trade.refunds.iter().find(|refund| refund.request_no == request_no) {
            refuse([(before.fen != fen, failed("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"))])?;
            return Ok(Said::Done(refund_members(trade, "N")));
        }
        let script = trade.script();
        refuse([
            (trade.paid.is_none(), failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")),
            (trade.refunded() == trade.fen, failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
            (trade.refunded() + fen > trade.fen, failed("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")),
            (script == 9010, failed("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")),
        ])?;
        let refund = Refund { request_no: request_no.clone(), fen, at: now };
        self.change(&key, |trade| trade.refunds.push(refund));
        self.notify(&key, Some(&request_no), now);
        if script == 9009 {
            return Err(UNKNOWN);
        }
        Ok(Said::Done(refund_members(self.find(content)?, "Y")))
    }

    pub(super) fn query_refund(&self, content: &Content) -> Result {
        let trade = self.find(content)?;
        let request_no = content.required("out_request_no")?;
        let Some(refund) = trade.refunds.iter().find(|refund| refund.request_no == request_no) else {
            return Ok(Said::Done(Vec::new()));
        };
        let mut members = parties(trade);
        members.extend(texts([
            ("out_request_no", refund.request_no.clone()),
            ("refund_amount", yuan(refund.fen)),
            ("refund_status", "REFUND_SUCCESS".to_owned()),
            ("total_amount", yuan(trade.fen)),
        ]));
        let options = content.0.get("query_options").and_then(Value::as_array);
        if options.is_some_and(|options| options.iter().any(|option| option == "gmt_refund_pay")) {
            members.push(("gmt_refund_pay", refund.at.beijing().into()));
        }
        Ok(Said::Done(members))
    }

    /// A trade that has begun, by either number.
    pub(super) fn find(&self, content: &Content) -> Result<&Trade> {
        let trade = match content.text("trade_no") {
            Some(number) => self.trades.values().find(|trade| trade.trade_no == number),
            None => self.trades.get(&content.required("out_trade_no")?),
        };
        trade.filter(|trade| trade.begun).ok_or(failed("ACQ.TRADE_NOT_EXIST", "交易不存在"))
    }
}

/// What is said of a barcode's trade.
pub(super) fn charged(trade: &Trade) -> Said {
    let mut members = parties(trade);
    members.push(("total_amount", yuan(trade.fen).into()));
    match trade.paid {
        Some(at) => {
            members.push(("gmt_payment", at.beijing().into()));
            Said::Done(members)
        }
        None => Said::Waiting(members),
    }
}

fn parties(trade: &Trade) -> Members {
    texts([
        ("buyer_logon_id", "159****5620".to_owned()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("trade_no", trade.trade_no.clone()),
    ])
}

fn refund_members(trade: &Trade, fund_change: &str) -> Members {
    let mut members = parties(trade);
    members.extend(texts([("fund_change", fund_change.to_owned()), ("refund_fee", yuan(trade.refunded()))]));
    members.extend(trade.refunds.last().map(|refund| ("gmt_refund_pay", refund.at.beijing().into())));
    members
}
