//! Red packets and the page where a person opens one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::v2::{Content, Error, Merchant, PARAM, Result, SYSTEM, plain, refuse, stranger};
use crate::sandbox::xml::{Fields, fields, write};
use crate::sandbox::{escape, respond};

/// What is not opened within a day goes back.
const OPEN: Duration = Duration::from_secs(86_400);

/// All red packets of one merchant.
pub(super) struct Packets {
    merchant: Merchant,
    packets: BTreeMap<String, Packet>,
    changed: BTreeSet<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Packet {
    mch_billno: String,
    detail_id: String,
    openid: String,
    fen: i64,
    wishing: String,
    sent: Timestamp,
    opened: Option<Timestamp>,
}

impl Packet {
    fn status(&self, now: Timestamp) -> &'static str {
        match self.opened {
            Some(_) => "RECEIVED",
            None if self.sent.plus(OPEN) <= now => "REFUND",
            None => "SENT",
        }
    }
}

impl Packets {
    pub(super) fn new(merchant: Merchant) -> Packets {
        Packets { merchant, packets: BTreeMap::new(), changed: BTreeSet::new() }
    }

    /// Answers what is about red packets, and nothing else.
    pub(super) fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Option<Answer> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/payer/") {
            let key = rest.split('/').next().unwrap_or_default().to_owned();
            let presses = request.method() == Method::POST && rest.ends_with("/pay");
            return self.page(&key, presses, now).map(Answer::Reply);
        }
        let call = path.strip_prefix("/mmpaymkttransfers/")?;
        let Some(content) = self.merchant.authentic(request) else { return Some(Answer::Reply(stranger())) };
        let (code, mut said) = match self.route(call, &content, now) {
            Ok(None) => return Some(Answer::Silence),
            Ok(Some(said)) => ("SUCCESS", said),
            Err(Error(code, text)) => ("FAIL", fields([("err_code", code), ("err_code_des", text)])),
        };
        said.extend(fields([("return_code", "SUCCESS"), ("result_code", code)]));
        said.insert("mch_id".into(), self.merchant.mch_id.clone());
        let list = said.remove("hblist");
        let mut reply = plain(&said);
        if let Some(list) = list {
            // The only list there is, with the person who opened it.
            let document = write(&said).replace("</xml>", &format!("<hblist>{list}</hblist></xml>"));
            *reply.body_mut() = document.into();
        }
        Some(Answer::Reply(reply))
    }

    fn route(&mut self, call: &str, content: &Content, now: Timestamp) -> Result {
        match call {
            "sendredpack" => self.send(content, now),
            "gethbinfo" => {
                let billno = content.required("mch_billno")?;
                refuse([
                    (content.required("bill_type")? != "MCHT", PARAM),
                    (content.text("appid") != Some(&self.merchant.appid), PARAM),
                ])?;
                let packet = self.packets.get(billno).ok_or(Error("NOT_FOUND", "指定单号数据不存在"))?;
                Ok(Some(told(packet, now)))
            }
            _ => Err(PARAM),
        }
    }

    fn send(&mut self, content: &Content, now: Timestamp) -> Result {
        self.merchant.ours(content, "wxappid")?;
        let (billno, openid) = (content.required("mch_billno")?, content.required("re_openid")?);
        let (fen, scene) = (content.fen("total_amount")?, content.text("scene_id"));
        let long =
            [("send_name", 32), ("wishing", 128), ("act_name", 32), ("remark", 256), ("client_ip", 15)];
        for (name, most) in long {
            refuse([(content.required(name)?.len() > most, PARAM)])?;
        }
        refuse([
            (content.hmac(), Error("SIGN_ERROR", "签名错误")),
            (billno.len() > 28 || !billno.bytes().all(|byte| byte.is_ascii_alphanumeric()), PARAM),
            (content.required("total_num")? != "1" || openid.len() > 32, PARAM),
            (scene.is_none() && !(100..=20_000).contains(&fen), Error("MONEY_LIMIT", "红包金额发放限制")),
        ])?;
        if let Some(known) = self.packets.get(billno) {
            let same = known.fen == fen && known.openid == openid;
            refuse([(!same, PARAM)])?;
            return Ok(Some(sent(known, &self.merchant.appid)));
        }
        refuse([(fen % 10_000 == 9001, Error("NOTENOUGH", "帐号余额不足"))])?;
        let packet = Packet {
            mch_billno: billno.to_owned(),
            detail_id: format!("10000{}{:09}", now.beijing_compact(), self.packets.len() + 1),
            openid: openid.to_owned(),
            fen,
            wishing: content.required("wishing")?.to_owned(),
            sent: now,
            opened: None,
        };
        let said = sent(&packet, &self.merchant.appid);
        self.keep(packet);
        refuse([(fen % 10_000 == 9007, SYSTEM)])?;
        Ok(if fen % 10_000 == 9003 { None } else { Some(said) })
    }

    fn keep(&mut self, packet: Packet) {
        self.changed.insert(packet.mch_billno.clone());
        self.packets.insert(packet.mch_billno.clone(), packet);
    }

    /// What the person sees of a packet, who may open it; nothing where there is none.
    fn page(&mut self, key: &str, presses: bool, now: Timestamp) -> Option<Response<Bytes>> {
        let packet = self.packets.get_mut(key)?;
        if presses && packet.status(now) == "SENT" {
            packet.opened = Some(now);
            self.changed.insert(key.to_owned());
        }
        let (yuan, fen) = (packet.fen / 100, packet.fen % 100);
        let choice = match packet.status(now) {
            "SENT" => {
                format!("<form method=post action='{}/pay'><button>拆红包 Open</button></form>", escape(key))
            }
            "RECEIVED" => "<p>已领取 · Received</p>".to_owned(),
            _ => "<p>已退回 · Went back</p>".to_owned(),
        };
        let page = format!(
            "<!doctype html><html lang=zh><meta charset=utf-8><title>红包 · Red packet</title><h1>{}</h1>\
             <p>¥{yuan}.{fen:02}</p>{choice}</html>",
            escape(&packet.wishing)
        );
        Some(respond(200, (CONTENT_TYPE, "text/html; charset=utf-8"), page))
    }

    /// Records to be kept, by key.
    pub(super) fn changed(&mut self) -> Vec<(String, String)> {
        let record = |key: String| {
            let text = serde_json::to_string(self.packets.get(&key)?).ok()?;
            Some((format!("packet/{key}"), text))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    /// Whether the record was one of these.
    pub(super) fn restore(&mut self, key: &str, value: &str) -> bool {
        let Some(key) = key.strip_prefix("packet/") else { return false };
        if let Ok(packet) = serde_json::from_str(value) {
            self.packets.insert(key.to_owned(), packet);
        }
        true
    }
}

fn sent(packet: &Packet, appid: &str) -> Fields {
    fields([
        ("mch_billno", &packet.mch_billno),
        ("wxappid", appid),
        ("re_openid", &packet.openid),
        ("total_amount", &packet.fen.to_string()),
        ("send_listid", &packet.detail_id),
    ])
}

fn told(packet: &Packet, now: Timestamp) -> Fields {
    let fen = packet.fen.to_string();
    let mut said = fields([
        ("mch_billno", &packet.mch_billno),
        ("detail_id", &packet.detail_id),
        ("status", packet.status(now)),
        ("send_type", "API"),
        ("hb_type", "NORMAL"),
        ("total_num", "1"),
        ("total_amount", &fen),
        ("send_time", &packet.sent.beijing()),
        ("wishing", &packet.wishing),
    ]);
    if let Some(at) = packet.opened {
        let (openid, at) = (&packet.openid, at.beijing());
        let row = format!("<openid>{openid}</openid><amount>{fen}</amount><rcv_time>{at}</rcv_time>");
        said.insert("hblist".into(), format!("<hbinfo>{row}</hbinfo>"));
    }
    said
}
