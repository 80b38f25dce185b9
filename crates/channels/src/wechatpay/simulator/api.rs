//! The v3 interface: what WeChat Pay checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::{Order, Platform, Refund};
use crate::sandbox::respond;
use crate::sandbox::share::{Asked, Sharable};
use crate::sandbox::v3::{
    Content, Error, NOT_FOUND, PARAM, Result, SYSTEM, certificates, invalid, opened, refuse,
};
use crate::sandbox::wechat_login::OPENID;

const NO_ORDER: Error = Error(404, "ORDER_NOT_EXIST", "订单不存在");
const NO_REFUND: Error = Error(404, "RESOURCE_NOT_EXISTS", "查询的资源不存在");
const PAID: Error = Error(400, "ORDERPAID", "该订单已支付");
const CLOSED: Error = Error(400, "ORDER_CLOSED", "订单已关闭");
const USERPAYING: Error = Error(202, "USERPAYING", "需要用户输入支付密码");
const POOR: Error = Error(403, "NOTENOUGH", "用户余额不足");

impl Platform {
    pub(super) fn api(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let body = |Error(_, code, message): &Error| json!({"code": code, "message": message});
        if self.authentic(request, now).is_none() {
            // Who has not proved to be the merchant gets an answer without a signature.
            let text = body(&Error(401, "SIGN_ERROR", "签名错误")).to_string();
            return Answer::Reply(respond(401, (CONTENT_TYPE, "application/json"), text));
        }
        let asked = request.headers().get("wechatpay-serial").and_then(|serial| serial.to_str().ok());
        // A client that names no key goes by what it showed before.
        match asked {
            Some(serial) if serial == self.key_id => self.by_certificate = false,
            Some(serial) if serial == self.certificate_serial => self.by_certificate = true,
            _ => self.by_certificate |= request.uri().path() == "/v3/certificates",
        }
        if request.uri().path() == "/v3/billdownload/file" {
            return Answer::Reply(self.file(request.uri().query().unwrap_or_default(), now));
        }
        Answer::Reply(match self.route(request, now) {
            Ok(None) => return Answer::Silence,
            Ok(Some(value)) => self.signed(if value.is_null() { 204 } else { 200 }, &value, now),
            Err(error) => self.signed(error.0, &body(&error), now),
        })
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result {
        let whole = request.uri().path().strip_prefix("/v3/").unwrap_or_default();
        let partner = if self.sub.is_some() { "pay/partner/transactions" } else { "pay/transactions" };
        let orders = whole.strip_prefix(partner).and_then(|rest| rest.strip_prefix('/'));
        let content = || serde_json::from_slice(request.body()).map(Content).map_err(|_| PARAM);
        let (method, query) = (request.method().as_str(), request.uri().query().unwrap_or_default());
        if let Some(rest) = orders {
            let path: Vec<&str> = rest.split('/').collect();
            return match (method, path.as_slice()) {
                ("POST", [scene]) => self.start(scene, &content()?, now),
                ("GET", [by @ ("out-trade-no" | "id"), key]) => self.ask(by, key, query),
                ("POST", ["out-trade-no", key, "close"]) => self.shut(key, &content()?, now),
                ("POST", ["out-trade-no", key, "reverse"]) => self.reverse(key, &content()?, now),
                _ => Err(NOT_FOUND),
            };
        }
        let path: Vec<&str> = whole.split('/').collect();
        match (method, path.as_slice()) {
            ("POST", ["refund", "domestic", "refunds"]) => self.refund(&content()?, now),
            ("GET", ["refund", "domestic", "refunds", number]) => {
                let sub =
                    self.sub.as_ref().map_or_else(String::new, |(mchid, _)| format!("sub_mchid={mchid}"));
                refuse([(query != sub, PARAM)])?;
                let (order, refund) = self.find_refund(number).ok_or(NO_REFUND)?;
                Ok(Some(given(order, refund)))
            }
            ("GET", ["certificates"]) => {
                Ok(Some(certificates(&self.seal, &self.certificate, &self.certificate_serial)))
            }
            ("GET", ["bill", kind @ ("tradebill" | "fundflowbill" | "sub-merchant-fundflowbill")]) => {
                self.locate(kind, query, now)
            }
            (_, ["profitsharing", path @ ..]) => {
                let content = if method == "POST" { Some(content()?) } else { None };
                self.sharing(&Asked { method, path, query, content }, now)
            }
            ("POST", ["combine-transactions", scene]) => self.combine(scene, &content()?, now),
            ("GET", ["combine-transactions", "out-trade-no", key]) => {
                let order = self.orders.get(*key).filter(|order| !order.parts.is_empty());
                Ok(Some(self.combined(order.ok_or(NO_ORDER)?)))
            }
            ("POST", ["combine-transactions", "out-trade-no", key, "close"]) => {
                let order = self.orders.get(*key).ok_or(NO_ORDER)?;
                let said = content()?.parts();
                refuse([(said != order.parts || said.is_empty(), PARAM)])?;
                self.end(key, now)
            }
            (_, ["fund-app", "mch-transfer", path @ ..]) => {
                let path = match (path, &self.sub) {
                    (["partner", path @ ..], Some(_)) | (path, None) => path,
                    _ => return Err(NOT_FOUND),
                };
                self.transfers((method, path, query), request.body(), now)
            }
            _ => Err(NOT_FOUND),
        }
    }

    fn sharing(&mut self, asked: &Asked<'_>, now: Timestamp) -> Result {
        let sub = self.sub.as_ref().map(|(mchid, _)| mchid.clone());
        refuse([(asked.said("sub_mchid") != sub, Error(403, "NO_AUTH", "商户无权限"))])?;
        let id = asked.transaction();
        let order = self.orders.values().find(|order| Some(&order.transaction_id) == id.as_ref());
        let order = order.map(|order| Sharable {
            transaction_id: order.transaction_id.clone(),
            mchid: sub.unwrap_or_else(|| self.mchid.clone()),
            may_be_shared: order.paid.is_some() && order.shared,
            fen: order.fen - order.fee() - order.refunds.iter().map(|refund| refund.fen).sum::<i64>(),
        });
        self.shares.answer(asked, order, &|name| opened(&*self.decrypter, name).is_some(), now)
    }

    /// An order by the merchant's number or the platform's own.
    fn ask(&self, by: &str, key: &str, query: &str) -> Result {
        let mut asked: Vec<&str> = query.split('&').collect();
        asked.sort_unstable();
        let ours = match &self.sub {
            None => vec![format!("mchid={}", self.mchid)],
            Some((sub, _)) => vec![format!("sp_mchid={}", self.mchid), format!("sub_mchid={sub}")],
        };
        refuse([(asked != ours, PARAM)])?;
        let mut orders = self.orders.values().filter(|order| order.parts.is_empty());
        let found = orders
            .find(|order| if by == "id" { order.transaction_id == key } else { order.out_trade_no == key });
        Ok(Some(self.shown(found.ok_or(NO_ORDER)?)))
    }

    fn start(&mut self, scene: &str, content: &Content, now: Timestamp) -> Result {
        self.ours(content)?;
        self.begin(self.new_order(scene, content, self.openid(), now)?, now)
    }

    fn begin(&mut self, order: Order, now: Timestamp) -> Result {
        let (key, script) = (order.out_trade_no.clone(), order.script());
        if let Some(known) = self.orders.get(&key) {
            let parts = |order: &Order| (order.description.clone(), order.fen, order.trade_type.clone());
            refuse([
                (known.paid.is_some(), PAID),
                (known.closed.is_some(), CLOSED),
                (parts(known) != parts(&order), invalid("201 商户订单号重复")),
                (known.failed, POOR),
                (known.barcode(), USERPAYING),
            ])?;
            return Ok(Some(self.prepaid(known)));
        }
        let barcode = order.barcode();
        self.orders.add(order);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9001 if barcode => {
                self.orders.change(&key, |order| order.failed = true);
                return Err(POOR);
            }
            9002 if barcode => self.pay_later(&key, now.plus(Duration::from_secs(30))),
            9003 => {
                self.pay(&key, now, now);
                return Ok(None);
            }
            _ if barcode => self.pay(&key, now, now),
            _ => {}
        }
        let order = &self.orders[&key];
        refuse([(script == 9007, SYSTEM), (barcode && order.paid.is_none(), USERPAYING)])?;
        Ok(Some(if barcode { self.shown(order) } else { self.prepaid(order) }))
    }

    /// A payment with parts: an order as any other, and one more for each part.
    fn combine(&mut self, scene: &str, content: &Content, now: Timestamp) -> Result {
        let (mut parts, mut sum) = (Vec::new(), 0);
        refuse([
            (content.text("/combine_appid") != Some(&self.appid), invalid("商户号和AppID不匹配")),
            (content.text("/combine_mchid") != Some(&self.mchid), invalid("合单商户号不匹配")),
        ])?;
        for part in content.rows("sub_orders") {
            let (number, mchid) = (part.required("/out_trade_no")?, part.required("/mchid")?);
            // A provider's parts are those of merchants that it serves.
            let whose = if self.sub.is_some() { part.required("/sub_mchid")? } else { mchid };
            refuse([(self.sub.is_some() && mchid != self.mchid, invalid("子单商户号不匹配"))])?;
            let fen = part.number("/amount/total_amount").filter(|fen| *fen > 0).ok_or(PARAM)?;
            refuse([(part.required("/attach")?.len() > 128 || number.len() > 32, PARAM)])?;
            sum += fen;
            parts.push(Order {
                out_trade_no: number.to_owned(),
                description: part.required("/description")?.to_owned(),
                fen,
                shared: part.0["settle_info"]["profit_sharing"] == true,
                whole: Some((content.required("/combine_out_trade_no")?.to_owned(), whose.to_owned())),
                ..Order::default()
            });
        }
        let whole = content.as_one_order(sum);
        let order = self.new_order(scene, &whole, "/payer/openid", now)?;
        let numbers: Vec<String> = parts.iter().map(|part| part.out_trade_no.clone()).collect();
        let known = self.orders.get(&order.out_trade_no);
        let taken = known.is_none() && numbers.iter().any(|number| self.orders.contains_key(number));
        let other = known.is_some_and(|known| known.parts != numbers);
        refuse([(!(2..=50).contains(&parts.len()), PARAM), (taken || other, invalid("201 商户订单号重复"))])?;
        if known.is_none() {
            for (row, part) in parts.into_iter().enumerate() {
                let transaction_id = format!("{}{row:02}", order.transaction_id);
                self.orders.add(Order { transaction_id, trade_type: order.trade_type.clone(), ..part });
            }
        }
        self.begin(Order { parts: numbers, ..order }, now)
    }

    /// A payment with parts as queries and notifications show it.
    pub(super) fn combined(&self, order: &Order) -> Value {
        let (state, text) = order.state();
        let part = |number: &String| {
            let part = self.orders.get(number)?;
            let (_, whose) = part.whole.as_ref()?;
            let mchid = if self.sub.is_some() { &self.mchid } else { whose };
            let mut shown = json!({
                "mchid": mchid, "out_trade_no": number, "trade_state": state, "trade_state_desc": text,
                "trade_type": part.trade_type, "attach": number,
                "amount": {"total_amount": part.fen, "payer_amount": part.fen, "currency": "CNY"},
            });
            if self.sub.is_some() {
                shown["sub_mchid"] = whose.as_str().into();
            }
            if let Some(at) = order.paid {
                shown["transaction_id"] = part.transaction_id.as_str().into();
                shown["success_time"] = at.to_rfc3339_seconds(8 * 3600).into();
            }
            Some(shown)
        };
        let parts: Vec<Value> = order.parts.iter().filter_map(part).collect();
        json!({"combine_appid": self.appid, "combine_mchid": self.mchid, "sub_orders": parts,
            "combine_out_trade_no": order.out_trade_no, "combine_transaction_id": order.transaction_id})
    }

    fn new_order(&self, scene: &str, content: &Content, payer: &str, now: Timestamp) -> Result<Order> {
        let kinds = [
            ("native", "NATIVE"),
            ("h5", "MWEB"),
            ("jsapi", "JSAPI"),
            ("app", "APP"),
            ("codepay", "MICROPAY"),
        ];
        let (_, trade_type) = kinds.into_iter().find(|(known, _)| *known == scene).ok_or(NOT_FOUND)?;
        let out_trade_no = content.required("/out_trade_no")?;
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*".contains(&byte);
        let description = content.required("/description")?;
        let fen =
            content.number("/amount/total").filter(|fen| (1..=2_147_483_647).contains(fen)).ok_or(PARAM)?;
        let barcode = trade_type == "MICROPAY";
        let notify_url = content.text("/notify_url");
        let without = |pointer: &str| content.text(pointer).is_none();
        let address = |url: &str| url.starts_with("http") && !url.contains('?') && url.len() <= 255;
        let code = content.text("/payer/auth_code").unwrap_or_default();
        let digits = code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
        refuse([
            (!(6..=32).contains(&out_trade_no.len()) || !out_trade_no.bytes().all(sign), PARAM),
            (description.chars().count() > 127, PARAM),
            (content.text("/amount/currency").is_some_and(|currency| currency != "CNY"), PARAM),
            (!barcode && !notify_url.is_some_and(address), PARAM),
            (trade_type == "JSAPI" && without(payer), PARAM),
            (trade_type == "MWEB" && content.text("/scene_info/h5_info/type") != Some("Wap"), PARAM),
            (trade_type == "MWEB" && without("/scene_info/payer_client_ip"), PARAM),
            (barcode && (!digits || without("/scene_info/store_info/out_id")), PARAM),
        ])?;
        let expires = content.text("/time_expire").map(Timestamp::parse).transpose().map_err(|_| PARAM)?;
        refuse([(expires.is_some_and(|at| at <= now), PARAM)])?;
        let (day, number) = (now.beijing_compact(), self.orders.len() + 1);
        Ok(Order {
            out_trade_no: out_trade_no.to_owned(),
            transaction_id: format!("42000017{}{number:012}", &day[..8]),
            trade_type: trade_type.to_owned(),
            description: description.to_owned(),
            fen,
            notify_url: notify_url.filter(|_| !barcode).map(str::to_owned),
            shared: content.0["settle_info"]["profit_sharing"] == true,
            expires,
            ..Order::default()
        })
    }

    /// How the payer gets to an order.
    fn prepaid(&self, order: &Order) -> Value {
        let page = format!("{}/payer/{}", self.base_url, order.out_trade_no);
        let prepay_id = format!("wx{}0000", order.transaction_id);
        match order.trade_type.as_str() {
            "NATIVE" => json!({"code_url": page}),
            "MWEB" => json!({"h5_url": format!("{page}?prepay_id={prepay_id}")}),
            _ => json!({"prepay_id": prepay_id}),
        }
    }

    pub(super) fn shown(&self, order: &Order) -> Value {
        let (state, text) = order.state();
        let mut value = json!({
            "out_trade_no": order.out_trade_no,
            "trade_state": state, "trade_state_desc": text, "promotion_detail": [],
            "amount": {"total": order.fen, "payer_currency": "CNY"},
        });
        for (name, ours) in self.who() {
            value[name] = ours.into();
        }
        if let Some(at) = order.paid {
            value["transaction_id"] = order.transaction_id.as_str().into();
            value["bank_type"] = "OTHERS".into();
            value["success_time"] = at.to_rfc3339_seconds(8 * 3600).into();
            let openid = if self.sub.is_some() { "sp_openid" } else { "openid" };
            value["payer"] = json!({openid: OPENID});
            value["amount"]["payer_total"] = order.fen.into();
            value["amount"]["currency"] = "CNY".into();
        }
        if order.paid.is_some() || order.barcode() {
            value["trade_type"] = order.trade_type.as_str().into();
        }
        value
    }

    fn shut(&mut self, key: &str, content: &Content, now: Timestamp) -> Result {
        let mut numbers = self.who().into_iter().filter(|(name, _)| name.ends_with("mchid"));
        refuse([(numbers.any(|(name, ours)| content.text(&format!("/{name}")) != Some(ours)), PARAM)])?;
        self.end(key, now)
    }

    fn end(&mut self, key: &str, now: Timestamp) -> Result {
        // The real platform answers so for numbers it does not know, too.
        let Some(order) = self.orders.get(key) else { return Ok(Some(Value::Null)) };
        let script = order.script();
        refuse([
            (order.barcode(), invalid("付款码支付请调用撤销接口")),
            (order.paid.is_some(), PAID),
            (order.closed.is_some(), CLOSED),
            (order.pays_at.is_some(), USERPAYING),
        ])?;
        self.orders.change(key, |order| order.closed = Some(now));
        if script == 9006 {
            self.pay_later(key, now.plus(Duration::from_secs(5)));
        }
        Ok(Some(Value::Null))
    }

    /// Ends a barcode payment, with the money if it was taken.
    fn reverse(&mut self, key: &str, content: &Content, now: Timestamp) -> Result {
        self.ours(content)?;
        let order = self.orders.get(key).ok_or(NO_ORDER)?;
        refuse([
            (!order.barcode(), invalid("仅付款码支付可以撤销")),
            (!order.refunds.is_empty(), invalid("订单已退款")),
        ])?;
        self.orders.change(key, |order| (order.paid, order.pays_at, order.closed) = (None, None, Some(now)));
        let mut reversed = json!({"out_trade_no": key});
        for (name, ours) in self.who() {
            reversed[name] = ours.into();
        }
        Ok(Some(reversed))
    }

    fn refund(&mut self, content: &Content, now: Timestamp) -> Result {
        let key = content.required("/out_trade_no")?.to_owned();
        let number = content.required("/out_refund_no")?.to_owned();
        let fen = content.number("/amount/refund").filter(|fen| *fen > 0).ok_or(PARAM)?;
        let sub = self.sub.as_ref().map(|(mchid, _)| mchid.as_str());
        refuse([(content.text("/sub_mchid") != sub, Error(403, "NO_AUTH", "商户无权限"))])?;
        let own = sub.unwrap_or(&self.mchid);
        let ours = |order: &&Order| order.whole.as_ref().is_none_or(|(_, whose)| whose == own);
        let order =
            self.orders.get(&key).filter(|order| order.parts.is_empty()).filter(ours).ok_or(NO_REFUND)?;
        let known = self.find_refund(&number);
        if let Some((of, before)) = known {
            let same = of.out_trade_no == key && before.fen == fen;
            refuse([(!same, invalid("退款单号已被使用，参数不一致"))])?;
            return Ok(Some(given(of, before)));
        }
        let script = order.script();
        refuse([
            (content.number("/amount/total") != Some(order.fen), PARAM),
            (content.text("/amount/currency") != Some("CNY"), PARAM),
            (number.len() > 64, PARAM),
            (order.paid.is_none(), invalid("订单未支付")),
            (
                order.refunds.iter().map(|given| given.fen).sum::<i64>() + fen > order.fen,
                invalid("退款金额大于可退金额"),
            ),
            (script == 9010, Error(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")),
        ])?;
        let count: usize = self.orders.values().map(|order| order.refunds.len()).sum();
        let refund_id = format!("503000{}{:014}", &now.beijing_compact()[..8], count + 1);
        let refund = Refund { out_refund_no: number, refund_id, fen, at: now };
        let url = content.text("/notify_url").map(str::to_owned).or_else(|| order.notify_url.clone());
        self.orders.change(&key, |order| order.refunds.push(refund.clone()));
        self.tell_refund(&key, &refund, url, now);
        refuse([(script == 9009, SYSTEM)])?;
        Ok(Some(given(&self.orders[&key], &refund)))
    }

    fn find_refund(&self, number: &str) -> Option<(&Order, &Refund)> {
        let mut all =
            self.orders.values().flat_map(|order| order.refunds.iter().map(move |given| (order, given)));
        all.find(|(_, refund)| refund.out_refund_no == number)
    }

    fn ours(&self, content: &Content) -> Result<()> {
        let wrong =
            self.who().into_iter().any(|(name, ours)| content.text(&format!("/{name}")) != Some(ours));
        refuse([(wrong, Error(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配"))])
    }

    /// The merchant's numbers and apps, as orders name them.
    pub(super) fn who(&self) -> Vec<(&'static str, &str)> {
        let (appid, mchid) = (self.appid.as_str(), self.mchid.as_str());
        let Some((sub, sub_appid)) = &self.sub else { return vec![("appid", appid), ("mchid", mchid)] };
        let both = [("sp_appid", appid), ("sp_mchid", mchid), ("sub_mchid", sub)];
        both.into_iter().chain(sub_appid.as_deref().map(|appid| ("sub_appid", appid))).collect()
    }

    /// Where an order inside the wallet names its payer.
    fn openid(&self) -> &'static str {
        match &self.sub {
            None => "/payer/openid",
            Some((_, None)) => "/payer/sp_openid",
            Some(_) => "/payer/sub_openid",
        }
    }
}

fn given(order: &Order, refund: &Refund) -> Value {
    let (fen, back, at) = (order.fen, refund.fen, refund.at.to_rfc3339_seconds(8 * 3600));
    json!({
        "refund_id": refund.refund_id, "out_refund_no": refund.out_refund_no, "status": "SUCCESS",
        "transaction_id": order.transaction_id, "out_trade_no": order.out_trade_no,
        "channel": "ORIGINAL", "user_received_account": "支付用户零钱", "funds_account": "AVAILABLE",
        "success_time": at, "create_time": at,
        "amount": {"total": fen, "refund": back, "payer_total": fen, "payer_refund": back, "discount_refund": 0,
            "settlement_refund": back, "settlement_total": fen, "currency": "CNY"},
    })
}
