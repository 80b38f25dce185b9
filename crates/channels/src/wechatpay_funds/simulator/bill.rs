//! The daily bills: of trades and of funds, where they are, and the files.

use std::time::Duration;

use aes::Aes256;
use aes_gcm::aead::consts::U16;
use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use paycore::crypto::Encryption;
use paycore::time::Timestamp;
use serde_json::json;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::{Order, Platform, Refund};
use crate::sandbox::bill::{Movement, funds, pack, shared};
use crate::sandbox::respond;
use crate::sandbox::trade_bill::{self, Owner, Row};
use crate::sandbox::v3::{Error, PARAM, Result, parameter, refuse};

/// For how many seconds a file can be fetched.
const OPEN: i64 = 30;

impl Platform {
    /// Where the bill of a day is, and its hash.
    pub(super) fn locate(&self, kind: &str, query: &str, now: Timestamp) -> Result {
        let asked = |name: &str| parameter(query, name);
        let day = asked("bill_date").ok_or(PARAM)?;
        let packed = asked("tar_type");
        let sealed = kind == "sub-merchant-fundflowbill";
        let sub = self.sub.as_ref().map(|(mchid, _)| mchid.clone()).filter(|_| kind != "fundflowbill");
        refuse([
            (asked("sub_mchid") != sub, PARAM),
            (sealed && asked("algorithm").as_deref() != Some("AEAD_AES_256_GCM"), PARAM),
            (sealed && asked("account_type").is_none(), PARAM),
        ])?;
        let others = asked("bill_type").is_some_and(|kind| kind != "ALL")
            || asked("account_type").is_some_and(|account| account != "BASIC");
        refuse([
            (others || packed.as_deref().is_some_and(|packed| packed != "GZIP"), PARAM),
            (day.as_str() > &now.beijing()[..10], Error(400, "NO_STATEMENT_EXIST", "账单文件不存在")),
        ])?;
        let hash = Sha1::digest(self.of_day(kind, &day).ok_or(PARAM)?);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let packed = if packed.is_some() { "&tartype=gzip" } else { "" };
        let (base, until) = (&self.base_url, now.secs() + OPEN);
        let url = format!("{base}/v3/billdownload/file?token={kind}.{day}.{until}{packed}");
        let mut file = json!({"hash_type": "SHA1", "hash_value": hash, "download_url": url});
        if !sealed {
            return Ok(Some(file));
        }
        let (key, nonce) = seal(&day);
        let sealed = self.encrypter.encrypt(Encryption::RsaOaepSha1, &key).unwrap_or_default();
        (file["encrypt_key"], file["nonce"]) = (STANDARD.encode(sealed).into(), nonce.into());
        file["bill_sequence"] = 1.into();
        Ok(Some(json!({"download_bill_count": 1, "download_bill_list": [file]})))
    }

    /// The file behind such an address. Nobody signs it.
    pub(super) fn file(&self, query: &str, now: Timestamp) -> Response<Bytes> {
        let (token, packed) = query.split_once('&').map_or((query, false), |(token, _)| (token, true));
        let mut parts = token.strip_prefix("token=").unwrap_or_default().split('.');
        let (kind, day) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let until = parts.next().and_then(|until| until.parse().ok());
        let text = self.of_day(kind, day).filter(|_| until.is_some_and(|until: i64| now.secs() <= until));
        let Some(text) = text else { return respond(404, (CONTENT_TYPE, "text/plain"), String::new()) };
        let (mut file, mime) = if packed {
            (pack(text.as_bytes()), "application/x-gzip")
        } else {
            (text.into_bytes(), "text/plain")
        };
        if kind == "sub-merchant-fundflowbill" {
            let ((key, nonce), wrong) = (seal(day), "a key of 32 bytes");
            let cipher = AesGcm::<Aes256, U16>::new_from_slice(&key).expect(wrong);
            let nonce: [u8; 16] = nonce.into_bytes().try_into().unwrap_or_default();
            file = cipher.encrypt(&Nonce::from(nonce), file.as_slice()).unwrap_or_default();
        }
        let mut response = respond(200, (CONTENT_TYPE, mime), String::new());
        *response.body_mut() = file.into();
        response
    }

    fn of_day(&self, kind: &str, day: &str) -> Option<String> {
        let from = Timestamp::parse_beijing(&format!("{day} 00:00:00")).ok()?;
        let until = from.plus(Duration::from_secs(86_400));
        Some(if kind == "tradebill" { self.bill(from, until) } else { self.funds(from, until) })
    }

    /// Everything that moved the balance, which begins with nothing.
    fn funds(&self, from: Timestamp, until: Timestamp) -> String {
        let mut moved: Vec<Movement> = self.orders.values().flat_map(movements).collect();
        moved.extend(self.shares.all().flat_map(shared));
        moved.extend(self.transfers.iter().filter(|(_, transfer)| transfer.state == "SUCCESS").filter_map(
            |(key, transfer)| {
                let kind = ["商家转账", "商家转账"];
                Some((transfer.ended?, transfer.transfer_bill_no.clone(), kind, -transfer.fen, key.clone()))
            },
        ));
        funds(moved, &self.mchid, from..until)
    }
}

impl Platform {
    /// The bill of trades.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> String {
        let rows = self.orders.values().filter(|order| order.parts.is_empty()).flat_map(|order| {
            let paid = order.paid.map(|at| row(order, at, None));
            let back = order.refunds.iter().map(|given| row(order, given.at, Some(given)));
            paid.into_iter().chain(back)
        });
        let sub = self.sub.as_ref().map(|(sub, _)| sub.as_str());
        let owner = Owner { appid: &self.appid, mchid: &self.mchid, sub };
        trade_bill::bill(&owner, rows.filter(|row| from <= row.at && row.at < until))
    }
}

/// The key of a day's sealed file, and sixteen characters for its nonce. Every day has its own key, so that the nonce may
/// be of the day as well.
fn seal(day: &str) -> ([u8; 32], String) {
    let key = Sha256::digest(format!("the sealed file of {day}"));
    let nonce = Sha256::digest(key).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    (key.into(), nonce)
}

/// A row about an order.
fn row<'a>(order: &'a Order, at: Timestamp, refund: Option<&'a Refund>) -> Row<'a> {
    Row {
        at,
        transaction_id: &order.transaction_id,
        out_trade_no: &order.out_trade_no,
        trade_type: &order.trade_type,
        description: &order.description,
        refund: refund.map(|given| (given.refund_id.as_str(), given.out_refund_no.as_str())),
        fen: refund.map_or(order.fen, |given| given.fen),
        fee: if refund.is_some() { 0 } else { order.fee() },
    }
}

/// What an order did to the balance.
fn movements(order: &Order) -> Vec<Movement> {
    let Order { transaction_id: id, out_trade_no: key, .. } = order;
    let mut moved = Vec::new();
    if let Some(at) = order.paid.filter(|_| order.parts.is_empty()) {
        moved.push((at, id.clone(), ["交易", "交易"], order.fen, key.clone()));
        moved.push((at, id.clone(), ["交易", "扣除交易手续费"], -order.fee(), key.clone()));
    }
    for refund in &order.refunds {
        let (id, number) = (refund.refund_id.clone(), refund.out_refund_no.clone());
        moved.push((refund.at, id, ["退款", "退款"], -refund.fen, number));
    }
    moved
}
