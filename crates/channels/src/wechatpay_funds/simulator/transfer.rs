//! Transfers to persons, who confirm them on the payer's page of the transfer's number.

use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Platform;
use crate::sandbox::v3::{
    Content, Error, NOT_FOUND, PARAM, Result, SYSTEM, invalid, opened, parameter, refuse,
};

/// A transfer as the platform keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transfer {
    out_bill_no: String,
    pub(super) transfer_bill_no: String,
    openid: String,
    pub(super) fen: i64,
    pub(super) remark: String,
    notify_url: Option<String>,
    created: Timestamp,
    pub(super) state: String,
    /// When it came to its end.
    pub(super) ended: Option<Timestamp>,
}

const NO_BILL: Error = Error(404, "NOT_FOUND", "记录不存在");
const POOR: Error = Error(403, "NOT_ENOUGH", "商户余额不足");
const BEIJING: i32 = 8 * 3600;

impl Platform {
    /// What is about transfers, below the address that they have with or without a provider.
    pub(super) fn transfers(
        &mut self,
        (method, path, query): (&str, &[&str], &str),
        body: &[u8],
        now: Timestamp,
    ) -> Result {
        let sub = self.sub.as_ref().map(|(mchid, _)| mchid.clone());
        match (method, path) {
            ("POST", ["transfer-bills"]) => {
                let content = Content(serde_json::from_slice(body).map_err(|_| PARAM)?);
                refuse([(content.text("/sub_mchid") != sub.as_deref(), PARAM)])?;
                self.pay_out(&content, now)
            }
            ("GET", ["transfer-bills", "out-bill-no", key]) => {
                refuse([(parameter(query, "sub_mchid") != sub, PARAM)])?;
                self.transfer(key)
            }
            ("POST", ["transfer-bills", "out-bill-no", key, "cancel"]) => self.cancel_transfer(key, now),
            _ => Err(NOT_FOUND),
        }
    }

    fn pay_out(&mut self, content: &Content, now: Timestamp) -> Result {
        let (key, openid) = (content.required("/out_bill_no")?, content.required("/openid")?);
        let (fen, remark) = (content.number("/transfer_amount"), content.required("/transfer_remark")?);
        let fen = fen.filter(|fen| *fen > 0).ok_or(PARAM)?;
        if let Some(known) = self.transfers.get(key) {
            let same = known.fen == fen && known.openid == openid;
            refuse([(!same, invalid("商户单号重复，参数不一致"))])?;
            return Ok(Some(self.accepted(known)));
        }
        let name = content.text("/user_name");
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let scene = content.required("/transfer_scene_id")?;
        refuse([
            (content.required("/appid")? != self.app(), Error(400, "INVALID_REQUEST", "商户号和AppID不匹配")),
            (!(5..=32).contains(&key.len()) || !word(key) || remark.chars().count() > 32, PARAM),
            (!word(scene) || content.0["transfer_scene_report_infos"].as_array().is_none(), PARAM),
            (
                name.is_some_and(|name| opened(&*self.decrypter, name).is_none()),
                invalid("收款用户姓名解密失败"),
            ),
            (name.is_some() && fen < 30, invalid("转账金额小于0.3元时不支持校验姓名")),
            (name.is_none() && fen >= 200_000, invalid("转账金额达到2000元时必须传入收款用户姓名")),
            (fen % 10_000 == 9001, POOR),
        ])?;
        let number = format!("13300{}{:015}", now.beijing_compact(), self.transfers.len() + 1);
        let transfer = Transfer {
            out_bill_no: key.to_owned(),
            transfer_bill_no: number,
            openid: openid.to_owned(),
            fen,
            remark: remark.to_owned(),
            notify_url: content.text("/notify_url").map(str::to_owned),
            created: now,
            state: "WAIT_USER_CONFIRM".to_owned(),
            ended: None,
        };
        let shown = self.accepted(&transfer);
        self.changed.insert(key.to_owned());
        self.transfers.insert(key.to_owned(), transfer);
        refuse([(fen % 10_000 == 9007, SYSTEM)])?;
        Ok(Some(shown))
    }

    fn transfer(&self, key: &str) -> Result {
        let transfer = self.transfers.get(key).ok_or(NO_BILL)?;
        let mut shown = transfer.shown(false);
        shown["appid"] = self.app().into();
        self.name(&mut shown);
        Ok(Some(shown))
    }

    /// Whose a transfer is.
    fn name(&self, shown: &mut Value) {
        match &self.sub {
            None => shown["mch_id"] = self.mchid.as_str().into(),
            Some((sub, _)) => {
                (shown["mchid"], shown["sub_mchid"]) = (self.mchid.as_str().into(), sub.as_str().into());
            }
        }
    }

    /// The app by whose openid a person is meant.
    fn app(&self) -> &str {
        self.sub.as_ref().and_then(|(_, appid)| appid.as_deref()).unwrap_or(&self.appid)
    }

    /// The reply to a new transfer; to a provider it does not say how the transfer stands.
    fn accepted(&self, transfer: &Transfer) -> Value {
        let mut shown = transfer.shown(true);
        if let (Some((sub, _)), Some(fields)) = (&self.sub, shown.as_object_mut()) {
            fields.remove("state");
            fields.insert("sub_mchid".into(), sub.as_str().into());
        }
        shown
    }

    /// Takes a transfer back that nobody has confirmed.
    fn cancel_transfer(&mut self, key: &str, now: Timestamp) -> Result {
        let transfer = self.transfers.get(key).ok_or(NO_BILL)?;
        refuse([(transfer.state != "WAIT_USER_CONFIRM", invalid("当前单据状态不支持撤销"))])?;
        self.end_transfer(key, "CANCELLED", now);
        Ok(Some(self.transfers[key].shown(false)))
    }

    /// The person confirms it, or the merchant takes it back.
    pub(super) fn end_transfer(&mut self, key: &str, state: &str, now: Timestamp) {
        let Some(transfer) = self.transfers.get_mut(key).filter(|transfer| transfer.ended.is_none()) else {
            return;
        };
        (transfer.state, transfer.ended) = (state.to_owned(), Some(now));
        let mut clear = transfer.shown(false);
        let (url, silent) = (transfer.notify_url.clone(), transfer.fen % 10_000 == 9008);
        self.changed.insert(key.to_owned());
        self.name(&mut clear);
        if let Some(url) = url.filter(|_| !silent) {
            self.note("mch_payment", url, clear, now);
        }
    }
}

impl Transfer {
    fn shown(&self, with_package: bool) -> Value {
        let (created, changed) = (self.created, self.ended.unwrap_or(self.created));
        let mut shown = json!({
            "out_bill_no": self.out_bill_no, "transfer_bill_no": self.transfer_bill_no, "state": self.state,
            "create_time": created.to_rfc3339_seconds(BEIJING),
        });
        if !with_package {
            shown["transfer_amount"] = self.fen.into();
            shown["transfer_remark"] = self.remark.as_str().into();
            shown["openid"] = self.openid.as_str().into();
            shown["update_time"] = changed.to_rfc3339_seconds(BEIJING).into();
        } else if self.ended.is_none() {
            shown["package_info"] = format!("ABBQO{}==", self.transfer_bill_no).into();
        }
        shown
    }
}
