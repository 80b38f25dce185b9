//! What concerns funds rather than trades: pre-authorizations, shares, transfers.

use std::time::Duration;

use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::door::{Asked, Content, Error, INVALID, Result, Said, UNKNOWN, failed, refuse};
use super::trade::charged;
use super::wire::{Parameters, fen, texts, yuan};
use super::{Gateway, Trade};

/// Money that is frozen where the payer has it. Its trade begins when it is converted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Hold {
    request_no: String,
    pub(super) auth_no: String,
    pub(super) fen: i64,
    pub(super) frozen: Option<Timestamp>,
    released: bool,
}

impl Hold {
    fn status(&self, trade: &Trade) -> &'static str {
        match (self.frozen, trade.closed) {
            (None, None) => "INIT",
            (None, Some(_)) => "CLOSED",
            (Some(_), _) if self.released || trade.paid.is_some() => "FINISH",
            (Some(_), _) => "AUTHORIZED",
        }
    }
}

/// One division of a trade's money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Share {
    request_no: String,
    pub(super) settle_no: String,
    pub(super) parts: Vec<(String, i64)>,
    pub(super) at: Timestamp,
    #[serde(default)]
    pub(super) returns: Vec<Return>,
}

/// One part of a share that came back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Return {
    request_no: String,
    pub(super) account: String,
    pub(super) fen: i64,
    pub(super) at: Timestamp,
}

impl Share {
    /// What somebody has of it.
    fn left(&self, account: &str) -> i64 {
        let given = self.parts.iter().filter(|(of, _)| of == account).map(|(_, fen)| *fen);
        let back = self.returns.iter().filter(|back| back.account == account).map(|back| -back.fen);
        given.chain(back).sum()
    }
}

/// Money sent to somebody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transfer {
    pub(super) out_biz_no: String,
    pub(super) order_id: String,
    pub(super) fen: i64,
    pub(super) title: String,
    pub(super) at: Timestamp,
    /// When it arrives.
    arrives: Timestamp,
}

const NO_HOLD: Error = failed("AUTH_ORDER_NOT_EXIST", "支付宝资金授权订单不存在");

/// Pre-authorizations.
impl Gateway {
    pub(super) fn freeze(&mut self, ask: &Asked, now: Timestamp) -> Result {
        let content = &ask.content;
        let (key, title) = (content.required("out_order_no")?, content.required("order_title")?);
        let fen = fen(&content.required("amount")?).ok_or(INVALID)?;
        let code = content.text("auth_code");
        let product = if ask.method.contains(".app.") { "PRE_AUTH_ONLINE" } else { "PRE_AUTH" };
        let payee = [content.text("payee_user_id"), content.text("payee_logon_id")];
        refuse([
            (!plain(&key) || content.text("product_code").as_deref() != Some(product), INVALID),
            (product == "PRE_AUTH_ONLINE" && payee == [None, None], INVALID),
            (
                code.as_deref().is_some_and(|code| !barcode(code)),
                failed("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效"),
            ),
        ])?;
        if let Some(known) = self.trades.get(&key) {
            let same = known.hold.as_ref().is_some_and(|hold| hold.fen == fen);
            refuse([
                (!same, failed("REQUEST_AMOUNT_EXCEED", "请求内容不一致")),
                (known.closed.is_some(), failed("ORDER_ALREADY_CLOSED", "授权订单已关闭")),
            ])?;
            return Ok(self.answer_of_freeze(&key, code.is_some()));
        }
        let minutes = content.text("timeout_express").and_then(|text| text.strip_suffix('m')?.parse().ok());
        let hold = Hold {
            request_no: content.required("out_request_no")?,
            auth_no: self.number("30001", now),
            fen,
            frozen: None,
            released: false,
        };
        self.keep(Trade {
            trade_no: self.number("22001", now),
            out_trade_no: key.clone(),
            subject: title,
            fen,
            notify_url: ask.notify_url.clone(),
            expires: minutes.map(|minutes: u64| now.plus(Duration::from_secs(minutes * 60))),
            hold: Some(hold),
            ..Trade::new(now)
        });
        if code.is_some() {
            refuse([(fen % 10_000 == 9001, failed("PAYER_PAYMENT_ABILITY_NOT_ENOUGH", "付款方余额不足"))])?;
            self.pay(&key, now, now);
        }
        Ok(self.answer_of_freeze(&key, code.is_some()))
    }

    /// The answer to a freeze: done at once with a barcode, else a code to be scanned.
    fn answer_of_freeze(&self, key: &str, at_once: bool) -> Said {
        let trade = &self.trades[key];
        let Some(hold) = &trade.hold else { return Said::Done(Vec::new()) };
        let mut members = texts([
            ("out_order_no", key.to_owned()),
            ("out_request_no", hold.request_no.clone()),
            ("amount", yuan(hold.fen)),
        ]);
        if at_once {
            members.extend(texts([
                ("auth_no", hold.auth_no.clone()),
                ("status", if hold.frozen.is_some() { "SUCCESS" } else { "INIT" }.to_owned()),
            ]));
            members.extend(hold.frozen.map(|at| ("gmt_trans", at.beijing().into())));
        } else {
            let address = format!("{}/payer/{key}", self.base_url);
            members.extend(texts([("code_type", "qr_code".to_owned()), ("code_value", address)]));
        }
        Said::Done(members)
    }

    /// What is said of a pre-authorization.
    pub(super) fn hold_fields(&self, trade: &Trade, hold: &Hold) -> Parameters {
        let at = hold.frozen.or(trade.closed).unwrap_or(trade.created).beijing();
        let fields = [
            ("app_id", self.app_id.clone()),
            ("amount", yuan(hold.fen)),
            ("auth_no", hold.auth_no.clone()),
            ("charset", "utf-8".to_owned()),
            ("gmt_create", trade.created.beijing()),
            ("gmt_trans", at),
            ("notify_id", format!("{}freeze", hold.auth_no)),
            ("notify_type", "fund_auth_freeze".to_owned()),
            ("operation_type", "FREEZE".to_owned()),
            ("out_order_no", trade.out_trade_no.clone()),
            ("payee_user_id", self.seller_id.clone()),
            ("status", if hold.frozen.is_some() { "SUCCESS" } else { "CLOSED" }.to_owned()),
            ("version", "1.0".to_owned()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn hold_of(&self, content: &Content) -> Result<(&Trade, &Hold)> {
        let by_auth = |auth_no: String| {
            self.trades.values().find(|t| t.hold.as_ref().is_some_and(|h| h.auth_no == auth_no))
        };
        let trade = match content.text("auth_no") {
            Some(auth_no) => by_auth(auth_no),
            None => self.trades.get(&content.required("out_order_no")?),
        };
        trade.and_then(|trade| Some((trade, trade.hold.as_ref()?))).ok_or(NO_HOLD)
    }

    pub(super) fn query_hold(&self, content: &Content) -> Result {
        let (trade, hold) = self.hold_of(content)?;
        let paid = trade.paid.map_or(0, |_| trade.fen);
        let status = hold.status(trade);
        let rest = if status == "AUTHORIZED" { hold.fen } else { 0 };
        let mut members = texts([
            ("auth_no", hold.auth_no.clone()),
            ("out_order_no", trade.out_trade_no.clone()),
            ("out_request_no", hold.request_no.clone()),
            ("order_title", trade.subject.clone()),
            ("amount", yuan(hold.fen)),
            ("operation_type", "FREEZE".to_owned()),
            ("order_status", status.to_owned()),
            ("rest_amount", yuan(rest)),
            ("total_pay_amount", yuan(paid)),
        ]);
        members.extend(hold.frozen.map(|at| ("gmt_trans", at.beijing().into())));
        Ok(Said::Done(members))
    }

    /// Ends a pre-authorization that the payer has not agreed to.
    pub(super) fn drop_hold(&mut self, content: &Content, now: Timestamp) -> Result {
        let (trade, hold) = self.hold_of(content)?;
        refuse([(hold.frozen.is_some(), failed("ORDER_STATUS_NOT_SUPPORT", "授权订单状态不支持"))])?;
        let (key, auth_no) = (trade.out_trade_no.clone(), hold.auth_no.clone());
        self.close(&key, now);
        Ok(Said::Done(texts([("out_order_no", key), ("auth_no", auth_no), ("action", "close".to_owned())])))
    }

    pub(super) fn unfreeze(&mut self, content: &Content, now: Timestamp) -> Result {
        let (trade, hold) = self.hold_of(content)?;
        let fen = fen(&content.required("amount")?);
        refuse([(hold.status(trade) != "AUTHORIZED" || fen != Some(hold.fen), INVALID)])?;
        let (key, auth_no) = (trade.out_trade_no.clone(), hold.auth_no.clone());
        self.change(&key, |trade| {
            if let Some(hold) = &mut trade.hold {
                hold.released = true;
            }
            trade.closed = Some(now);
        });
        Ok(Said::Done(texts([
            ("auth_no", auth_no),
            ("out_order_no", key),
            ("out_request_no", content.required("out_request_no")?),
            ("status", "SUCCESS".to_owned()),
            ("gmt_trans", now.beijing()),
        ])))
    }

    /// Takes what is frozen, or part of it; the rest is free again.
    pub(super) fn convert(&mut self, ask: &Asked, now: Timestamp) -> Result {
        let (trade, hold) = self.hold_of(&ask.content)?;
        let (key, held, status) = (trade.out_trade_no.clone(), hold.fen, hold.status(trade));
        let fen = fen(&ask.content.required("total_amount")?).ok_or(INVALID)?;
        if trade.paid.is_some() {
            refuse([(trade.fen != fen, failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"))])?;
            return Ok(charged(trade));
        }
        let known = ask.content.text("out_trade_no").as_ref() == Some(&key);
        let complete = ask.content.text("auth_confirm_mode").as_deref() == Some("COMPLETE");
        refuse([
            (!known || !complete || fen > held, INVALID),
            (status != "AUTHORIZED", failed("ORDER_ALREADY_CLOSED", "授权订单已关闭")),
        ])?;
        let notify_url = ask.notify_url.clone();
        self.change(&key, |trade| {
            (trade.fen, trade.begun, trade.paid) = (fen, true, Some(now));
            trade.notify_url = notify_url.or(trade.notify_url.take());
        });
        self.notify(&key, None, now);
        Ok(charged(&self.trades[&key]))
    }
}

/// Shares.
impl Gateway {
    pub(super) fn relate(&mut self, content: &Content, bind: bool) -> Result {
        let receivers = content.list("receiver_list");
        refuse([(
            receivers.is_empty() || receivers.len() > 20 || content.text("out_request_no").is_none(),
            INVALID,
        )])?;
        for receiver in receivers {
            let account = receiver.required("account")?;
            let kind = receiver.required("type")?;
            refuse([(!["userId", "loginName", "openId"].contains(&kind.as_str()), INVALID)])?;
            if bind {
                self.receivers.insert(account);
            } else {
                self.receivers.remove(&account);
            }
        }
        self.changed.insert("receivers/all".to_owned());
        Ok(Said::Done(texts([("result_code", "SUCCESS".to_owned())])))
    }

    pub(super) fn settle(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let (key, number) = (trade.out_trade_no.clone(), trade.trade_no.clone());
        let request_no = content.required("out_request_no")?;
        let answer = |settle_no: &str| {
            Ok(Said::Done(texts([("trade_no", number.clone()), ("settle_no", settle_no.to_owned())])))
        };
        if let Some(known) = trade.shares.iter().find(|share| share.request_no == request_no) {
            return answer(&known.settle_no);
        }
        let (mut parts, mut strangers) = (Vec::new(), false);
        for part in content.list("royalty_parameters") {
            let account = part.required("trans_in")?;
            strangers |= !self.receivers.contains(&account);
            parts.push((account, fen(&part.required("amount")?).ok_or(INVALID)?));
        }
        let back = trade.shares.iter().flat_map(|share| &share.returns).map(|back| -back.fen);
        let given = trade.shares.iter().flat_map(|share| &share.parts).map(|(_, fen)| *fen);
        let shared: i64 = given.chain(back).sum();
        let asked: i64 = parts.iter().map(|(_, fen)| fen).sum();
        refuse([
            (trade.paid.is_none(), failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")),
            (strangers, failed("ACQ.ROYALTY_RECEIVER_INVALID", "分账收款方不合法")),
            (
                shared + asked + trade.refunded() > trade.fen,
                failed("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", "分账金额超限"),
            ),
        ])?;
        let settle_no = format!("{number}{:03}", trade.shares.len() + 1);
        let share = Share { request_no, settle_no: settle_no.clone(), parts, at: now, returns: Vec::new() };
        self.change(&key, |trade| trade.shares.push(share));
        answer(&settle_no)
    }

    /// A refund, or, where nothing goes back to the payer, the return of a share alone.
    pub(super) fn give_back(&mut self, content: &Content, now: Timestamp) -> Result {
        let parts = content.list("refund_royalty_parameters");
        let [part] = parts.as_slice() else { return self.refund(content, now) };
        let nothing = ["0", "0.00"].contains(&content.required("refund_amount")?.as_str());
        let trade = self.find(content)?;
        let (key, number) = (trade.out_trade_no.clone(), trade.trade_no.clone());
        let (account, fen) = (part.required("trans_out")?, fen(&part.required("amount")?).ok_or(INVALID)?);
        let request_no = content.required("out_request_no")?;
        let said = texts([
            ("trade_no", number),
            ("out_trade_no", key.clone()),
            ("refund_fee", yuan(trade.refunded())),
            ("fund_change", "N".to_owned()),
        ]);
        let mut before = trade.shares.iter().flat_map(|share| &share.returns);
        if let Some(known) = before.find(|back| back.request_no == request_no) {
            let same = known.fen == fen && known.account == account;
            refuse([(!same, failed("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"))])?;
            return Ok(Said::Done(said));
        }
        let of = trade.shares.iter().position(|share| share.left(&account) >= fen);
        refuse([
            (!nothing, INVALID),
            (of.is_none(), failed("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", "分账金额超限")),
        ])?;
        let back = Return { request_no, account, fen, at: now };
        self.change(&key, |trade| {
            trade.shares[of.unwrap_or_default()].returns.push(back);
        });
        Ok(Said::Done(said))
    }

    pub(super) fn query_settle(&self, content: &Content) -> Result {
        if let Some(request_no) = content.text("out_request_no")
            && let Ok(trade) = self.find(content)
            && let Some(back) = trade
                .shares
                .iter()
                .flat_map(|share| &share.returns)
                .find(|back| back.request_no == request_no)
        {
            let mut members = texts([("out_request_no", request_no), ("operation_dt", back.at.beijing())]);
            let part = json!([{
                "operation_type": "transfer_refund", "execute_dt": back.at.beijing(), "trans_out": back.account,
                "trans_in": self.seller_id, "amount": yuan(back.fen), "state": "SUCCESS",
            }]);
            members.push(("royalty_detail_list", part));
            return Ok(Said::Done(members));
        }
        let by_number = |number: String| {
            let is = |share: &&Share| share.settle_no == number;
            self.trades.values().find_map(|trade| trade.shares.iter().find(is))
        };
        let share = match content.text("settle_no") {
            Some(number) => by_number(number),
            None => {
                let request_no = content.required("out_request_no")?;
                self.find(content)?.shares.iter().find(|share| share.request_no == request_no)
            }
        };
        let Some(share) = share else { return Ok(Said::Done(Vec::new())) };
        let part = |(account, fen): &(String, i64)| {
            json!({
                "operation_type": "transfer", "execute_dt": share.at.beijing(), "trans_out": self.seller_id,
                "trans_in": account, "amount": yuan(*fen), "state": "SUCCESS",
            })
        };
        let mut members =
            texts([("out_request_no", share.request_no.clone()), ("operation_dt", share.at.beijing())]);
        members.push(("royalty_detail_list", share.parts.iter().map(part).collect::<Value>()));
        Ok(Said::Done(members))
    }
}

/// Transfers.
impl Gateway {
    pub(super) fn transfer(&mut self, content: &Content, now: Timestamp) -> Result {
        let (key, title) = (content.required("out_biz_no")?, content.required("order_title")?);
        let fen = fen(&content.required("trans_amount")?).ok_or(INVALID)?;
        let payee = Content::object(content.0.get("payee_info"));
        let (identity, kind) = (payee.required("identity")?, payee.required("identity_type")?);
        let product = content.text("product_code").as_deref() == Some("TRANS_ACCOUNT_NO_PWD");
        let nobody = kind == "ALIPAY_USER_ID" && !identity.starts_with("2088");
        refuse([
            (!product || !plain(&key), failed("INVALID_PARAMETER", "参数有误")),
            (self.transfers.get(&key).is_some_and(|t| t.fen != fen), failed("INVALID_PARAMETER", "参数有误")),
            (nobody, failed("PAYEE_NOT_EXIST", "收款账号不存在或姓名有误")),
            (fen % 10_000 == 9001, failed("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足")),
        ])?;
        if !self.transfers.contains_key(&key) {
            let late = if fen % 10_000 == 9002 { 30 } else { 0 };
            let (order_id, arrives) = (self.number("11007", now), now.plus(Duration::from_secs(late)));
            let out_biz_no = key.clone();
            self.transfers
                .insert(key.clone(), Transfer { out_biz_no, order_id, fen, title, at: now, arrives });
            self.changed.insert(format!("transfer/{key}"));
            match fen % 10_000 {
                9003 => return Ok(Said::Nothing),
                9007 => return Err(UNKNOWN),
                _ => {}
            }
        }
        self.query_transfer(content, now)
    }

    pub(super) fn query_transfer(&self, content: &Content, now: Timestamp) -> Result {
        let known = self.transfers.get(&content.required("out_biz_no")?);
        let transfer = known.ok_or(failed("ORDER_NOT_EXIST", "转账订单不存在"))?;
        let status = if transfer.arrives <= now { "SUCCESS" } else { "DEALING" };
        Ok(Said::Done(texts([
            ("out_biz_no", transfer.out_biz_no.clone()),
            ("order_id", transfer.order_id.clone()),
            ("trans_amount", yuan(transfer.fen)),
            ("status", status.to_owned()),
            ("pay_date", transfer.at.beijing()),
        ])))
    }
}

/// Whether a number is one that merchants may give.
pub(super) fn plain(number: &str) -> bool {
    number.len() <= 64 && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether it may be what a wallet shows to a scanner.
pub(super) fn barcode(code: &str) -> bool {
    let digits = (16..=24).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    digits && matches!(&code[..2], "25" | "26" | "27" | "28" | "29" | "30")
}
