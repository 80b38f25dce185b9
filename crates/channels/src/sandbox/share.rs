//! Sharing (分账) at a v3 gateway: who may receive, who received what, what came back, and the release of the rest.

use std::collections::{BTreeMap, BTreeSet};

use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::v3::{Content, Error, NOT_FOUND, PARAM, Result, SYSTEM, invalid, parameter, refuse};

/// All sharing of one merchant.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    /// Type and account of everybody who may receive.
    receivers: BTreeSet<String>,
    /// By the merchant's number.
    shares: BTreeMap<String, Share>,
    /// Keys of records.
    changed: BTreeSet<String>,
}

/// An order, as far as sharing goes.
#[derive(Debug)]
pub(crate) struct Sharable {
    pub(crate) transaction_id: String,
    /// The merchant's own number.
    pub(crate) mchid: String,
    /// Whether it is paid and was made to be shared.
    pub(crate) may_be_shared: bool,
    /// Fen of it without the fee and what went back to the payer.
    pub(crate) fen: i64,
}

/// A request: its method, its path below `/v3/profitsharing/`, its query and its body.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a str,
    pub(crate) content: Option<Content>,
}

/// One sharing of an order, or, without rows of others, the release of what was left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Share {
    transaction_id: String,
    /// Whether nothing may be shared any more after it.
    last: bool,
    pub(crate) out_order_no: String,
    pub(crate) order_id: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) at: Timestamp,
    pub(crate) returns: Vec<Return>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    kind: String,
    account: String,
    pub(crate) fen: i64,
    description: String,
}

impl Row {
    /// Whether it is the merchant's own: what was left.
    pub(crate) fn own(&self) -> bool {
        self.description == "解冻给分账方"
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Return {
    pub(crate) out_return_no: String,
    pub(crate) return_id: String,
    mchid: String,
    pub(crate) fen: i64,
    description: String,
    pub(crate) at: Timestamp,
}

const NOTHING: Error = Error(404, "RESOURCE_NOT_EXISTS", "记录不存在");
const POOR: Error = Error(403, "NOT_ENOUGH", "分账金额超出可分金额");

impl Asked<'_> {
    /// A value of the body or, where there is none, of the query.
    pub(crate) fn said(&self, name: &str) -> Option<String> {
        if let Some(content) = &self.content {
            return content.text(&format!("/{name}")).map(str::to_owned);
        }
        parameter(self.query, name)
    }

    /// The platform's number of the order it is about, if it says one.
    pub(crate) fn transaction(&self) -> Option<String> {
        if let ["transactions", id, "amounts"] = self.path {
            Some((*id).to_owned())
        } else {
            self.said("transaction_id")
        }
    }
}

impl Shares {
    /// Answers a request about this order, if it is about one. `opens` says whether an encrypted name opens.
    pub(crate) fn answer(
        &mut self,
        asked: &Asked<'_>,
        order: Option<Sharable>,
        opens: &dyn Fn(&str) -> bool,
        now: Timestamp,
    ) -> Result {
        match (asked.method, asked.path, &asked.content) {
            ("POST", ["receivers", verb @ ("add" | "delete")], Some(content)) => {
                self.bind(verb, content, opens)
            }
            ("POST", ["orders"] | ["orders", "unfreeze"], Some(content)) => {
                self.share(content, &order.ok_or(NOTHING)?, opens, now)
            }
            ("GET", ["orders", number], None) => {
                let share = self.shares.get(*number).ok_or(NOTHING)?;
                refuse([(asked.transaction().as_deref() != Some(&share.transaction_id), NOTHING)])?;
                Ok(Some(share.shown()))
            }
            ("POST", ["return-orders"], Some(content)) => self.take_back(content, now),
            ("GET", ["return-orders", number], None) => {
                let share =
                    asked.said("out_order_no").and_then(|share| self.shares.get(&share)).ok_or(NOTHING)?;
                let found = share.returns.iter().find(|back| back.out_return_no == *number).ok_or(NOTHING)?;
                Ok(Some(share.returned(found)))
            }
            ("GET", ["transactions", id, "amounts"], None) => {
                Ok(Some(json!({"transaction_id": id, "unsplit_amount": self.left(&order.ok_or(NOTHING)?)})))
            }
            _ => Err(NOT_FOUND),
        }
    }

    /// Every share there is.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Share> {
        self.shares.values()
    }

    /// What others may still get of an order.
    fn left(&self, order: &Sharable) -> i64 {
        let of = |share: &&Share| share.transaction_id == order.transaction_id;
        if !order.may_be_shared || self.all().filter(of).any(|share| share.last) {
            return 0;
        }
        let shared: i64 = self.all().filter(of).flat_map(|share| &share.rows).map(|row| row.fen).sum();
        (order.fen - shared).max(0)
    }

    /// Records changed since the last call.
    pub(crate) fn changed(&mut self) -> Vec<(String, String)> {
        let record = |key: String| {
            let text = match key.split_once('/')? {
                ("share", number) => serde_json::to_string(self.shares.get(number)?),
                _ => serde_json::to_string(&self.receivers),
            };
            Some((key, text.ok()?))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    /// Puts a record back; false when it is none of these.
    pub(crate) fn restore(&mut self, key: &str, value: &str) -> bool {
        match key.split_once('/') {
            Some(("share", number)) => {
                if let Ok(share) = serde_json::from_str(value) {
                    self.shares.insert(number.to_owned(), share);
                }
            }
            Some(("receivers", _)) => self.receivers = serde_json::from_str(value).unwrap_or_default(),
            _ => return false,
        }
        true
    }

    fn bind(&mut self, verb: &str, content: &Content, opens: &dyn Fn(&str) -> bool) -> Result {
        let (kind, account) = (content.required("/type")?, content.required("/account")?);
        refuse([
            (content.text("/appid").is_none(), PARAM),
            (!["MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID"].contains(&kind), PARAM),
            (verb == "add" && content.text("/relation_type").is_none(), PARAM),
            (content.text("/name").is_some_and(|name| !opens(name)), PARAM),
        ])?;
        let key = format!("{kind} {account}");
        if verb == "add" {
            self.receivers.insert(key)
        } else {
            self.receivers.remove(&key)
        };
        self.changed.insert("receivers/all".to_owned());
        let mut shown = json!({"type": kind, "account": account});
        if let Some(relation) = content.text("/relation_type") {
            shown["relation_type"] = relation.into();
        }
        Ok(Some(shown))
    }

    /// Shares, or, without receivers, releases.
    fn share(
        &mut self,
        content: &Content,
        order: &Sharable,
        opens: &dyn Fn(&str) -> bool,
        now: Timestamp,
    ) -> Result {
        let number = content.required("/out_order_no")?.to_owned();
        let rows = content.0["receivers"].as_array().map_or(&[][..], Vec::as_slice).iter().map(|row| {
            let row = Content(row.clone());
            refuse([(row.text("/name").is_some_and(|name| !opens(name)), PARAM)])?;
            let text = |pointer: &str| row.required(pointer).map(str::to_owned);
            let fen = row.number("/amount").filter(|fen| *fen > 0).ok_or(PARAM)?;
            let (kind, account) = (text("/type")?, text("/account")?);
            Ok(Row { kind, account, fen, description: text("/description")? })
        });
        let mut rows = rows.collect::<Result<Vec<Row>>>()?;
        let of = order.transaction_id.clone();
        if let Some(known) = self.shares.get(&number) {
            let same = known.transaction_id == of && rows.iter().all(|row| known.rows.contains(row));
            refuse([(!same, invalid("分账单号重复，参数不一致"))])?;
            return Ok(Some(known.shown()));
        }
        let release = content.0["receivers"].is_null();
        let left = self.left(order);
        let sum: i64 = rows.iter().map(|row| row.fen).sum();
        let unbound =
            rows.iter().any(|row| !self.receivers.contains(&format!("{} {}", row.kind, row.account)));
        refuse([
            (!order.may_be_shared, invalid("订单不能分账")),
            (self.all().any(|share| share.transaction_id == of && share.last), invalid("订单已分账完结")),
            (release && content.text("/description").is_none(), PARAM),
            (!release && rows.is_empty() || rows.len() > 50, PARAM),
            (unbound, invalid("分账接收方关系未添加")),
            (sum > left || sum % 10_000 == 9010, POOR),
        ])?;
        let last = release || content.0["unfreeze_unsplit"] == true;
        if last && left > sum {
            let (account, fen) = (order.mchid.clone(), left - sum);
            rows.push(Row {
                kind: "MERCHANT_ID".into(), account, fen, description: "解冻给分账方".into()
            });
        }
        let order_id = format!("3008{}{:014}", now.beijing_compact(), self.shares.len() + 1);
        let (out_order_no, transaction_id, returns) = (number.clone(), of, Vec::new());
        let share = Share { transaction_id, last, out_order_no, order_id, rows, at: now, returns };
        let shown = share.shown();
        self.changed.insert(format!("share/{number}"));
        self.shares.insert(number, share);
        refuse([(sum % 10_000 == 9009, SYSTEM)])?;
        Ok(Some(shown))
    }

    fn take_back(&mut self, content: &Content, now: Timestamp) -> Result {
        let (share, number) = (content.required("/out_order_no")?, content.required("/out_return_no")?);
        let (mchid, fen) = (content.required("/return_mchid")?, content.number("/amount"));
        let (fen, description) =
            (fen.filter(|fen| *fen > 0).ok_or(PARAM)?, content.required("/description")?);
        let found = self.shares.get_mut(share).ok_or(NOTHING)?;
        if let Some(known) = found.returns.iter().find(|back| back.out_return_no == number) {
            refuse([(known.fen != fen || known.mchid != mchid, invalid("回退单号重复，参数不一致"))])?;
            return Ok(Some(found.returned(known)));
        }
        let given: i64 = found.rows.iter().filter(|row| row.account == mchid).map(|row| row.fen).sum();
        let back: i64 = found.returns.iter().filter(|back| back.mchid == mchid).map(|back| back.fen).sum();
        refuse([(back + fen > given, invalid("回退金额超出分账金额"))])?;
        let back = Return {
            out_return_no: number.to_owned(),
            return_id: format!("3009{}{:014}", now.beijing_compact(), found.returns.len() + 1),
            mchid: mchid.to_owned(),
            fen,
            description: description.to_owned(),
            at: now,
        };
        let reply = found.returned(&back);
        found.returns.push(back);
        self.changed.insert(format!("share/{share}"));
        Ok(Some(reply))
    }
}

impl Share {
    fn shown(&self) -> Value {
        let at = self.at.to_rfc3339_seconds(8 * 3600);
        let row = |(number, row): (usize, &Row)| {
            json!({"type": row.kind, "account": row.account, "amount": row.fen, "description": row.description,
                "result": "SUCCESS", "detail_id": format!("36{}{number:02}", &self.order_id[4..]),
                "create_time": at, "finish_time": at})
        };
        let rows: Vec<Value> = self.rows.iter().enumerate().map(row).collect();
        json!({"transaction_id": self.transaction_id, "out_order_no": self.out_order_no,
            "order_id": self.order_id, "state": "FINISHED", "receivers": rows})
    }

    fn returned(&self, back: &Return) -> Value {
        let at = back.at.to_rfc3339_seconds(8 * 3600);
        json!({"order_id": self.order_id, "out_order_no": self.out_order_no, "out_return_no": back.out_return_no,
            "return_id": back.return_id, "return_mchid": back.mchid, "amount": back.fen, "result": "SUCCESS",
            "description": back.description, "create_time": at, "finish_time": at})
    }
}
