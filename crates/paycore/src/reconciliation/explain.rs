//! A break in words, English and Chinese: what differs, by how much, since when, and what to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pool::{Break, Facts};
use super::rules::{Remedy, remedy};
use super::run::BANK;
use super::{Class, Standing};

/// The same sentences in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Words {
    fn new(en: impl Into<String>, zh: impl Into<String>) -> Words {
        Words { en: en.into(), zh: zh.into() }
    }
}

/// What differs.
pub fn explain(found: &Break) -> Words {
    let sentences: Vec<Words> = found.differences.classes().map(|class| sentence(found, class)).collect();
    let join = |of: fn(&Words) -> &str, joint: &str| sentences.iter().map(of).collect::<Vec<_>>().join(joint);
    let detail = |joint: &str| {
        if found.detail.is_empty() { String::new() } else { format!("{joint}{}", found.detail) }
    };
    Words::new(join(|words| &words.en, " ") + &detail(" "), join(|words| &words.zh, "") + &detail(""))
}

fn sentence(found: &Break, class: Class) -> Words {
    let (ours, theirs) = (found.ours.as_ref(), found.theirs.as_ref());
    match (class, ours, theirs) {
        (Class::TheirsOnly, _, Some(line)) => Words::new(
            format!("The {} file names {} that our books do not have.", source(found).0, named(line)),
            format!("{}账单有{}，本方无此记录。", source(found).1, named_zh(line)),
        ),
        (Class::OursOnly, Some(row), _) => Words::new(
            format!("Our books have {} that the {} file does not name.", named(row), source(found).0),
            format!("本方有{}，{}账单无此记录。", named_zh(row), source(found).1),
        ),
        (Class::ChargebackUnseen, _, Some(line)) => Words::new(
            format!("The payer's bank took {} back, and we were not told.", line.money),
            format!("付款方银行已拒付 {}，本方未收到通知。", line.money),
        ),
        (Class::Duplicate, _, Some(line)) => Words::new(
            format!("The file names {} once more, although it is matched already.", named(line)),
            format!("账单重复列出{}，该笔已匹配。", named_zh(line)),
        ),
        (_, Some(ours), Some(theirs)) => both(class, ours, theirs),
        _ => Words::new(format!("{}.", class.name()), format!("{}。", class.name_zh())),
    }
}

fn both(class: Class, ours: &Facts, theirs: &Facts) -> Words {
    let two = |en: &str, zh: &str, left: String, right: String| {
        Words::new(
            format!("{en}: {left} in our books, {right} in the file."),
            format!("{zh}：本方 {left}，账单 {right}。"),
        )
    };
    let fee = |facts: &Facts| {
        facts.fee.map_or_else(
            || "-".to_owned(),
            |fee| crate::money::Money::new(fee, facts.money.currency()).to_string(),
        )
    };
    match class {
        Class::Status => two(
            "One side says that the money moved and the other does not",
            "状态不符",
            standing(ours.standing).to_owned(),
            standing(theirs.standing).to_owned(),
        ),
        Class::Currency | Class::Amount | Class::RefundMismatch => {
            two("The amounts differ", "金额不符", ours.money.to_string(), theirs.money.to_string())
        }
        Class::Fee => two("The fees differ", "手续费不符", fee(ours), fee(theirs)),
        Class::CrossDay => two("The days differ", "跨日", ours.at.beijing(), theirs.at.beijing()),
        _ => Words::new(format!("Also: {}.", class.name()), format!("另：{}。", class.name_zh())),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Done => "done 成功",
        Standing::Open => "open 未知",
        Standing::Failed => "failed 失败",
    }
}

/// Whose file it is.
fn source(found: &Break) -> (&'static str, &'static str) {
    if found.channel == BANK { ("bank's", "银行") } else { ("channel's", "渠道") }
}

fn best(facts: &Facts) -> &str {
    let names = [&facts.reference, &facts.channel_id, &facts.number];
    names.into_iter().find(|name| !name.is_empty()).map_or("-", String::as_str)
}

fn kind(facts: &Facts) -> (&'static str, &'static str) {
    match facts.kind {
        super::Kind::Payment => ("a payment", "付款"),
        super::Kind::Refund => ("a refund", "退款"),
        super::Kind::Chargeback => ("a chargeback", "拒付"),
        super::Kind::Payout => ("a payout", "出款"),
        super::Kind::PayoutReturn => ("a payout that came back", "出款退回"),
        super::Kind::Share => ("a share", "分账"),
        super::Kind::ShareReturn => ("a share that came back", "分账退回"),
        super::Kind::Pending => ("an amount that is pending", "待结算"),
        super::Kind::Income => ("an income", "收入"),
        super::Kind::Settlement => ("a settlement", "结算"),
    }
}

fn named(facts: &Facts) -> String {
    format!("{} of {} ({})", kind(facts).0, facts.money, best(facts))
}

fn named_zh(facts: &Facts) -> String {
    format!("{} {}（{}）", kind(facts).1, facts.money, best(facts))
}

/// What to do about it.
pub fn advice(found: &Break) -> Words {
    let (en, zh) = match remedy(found) {
        Remedy::Wait => ("Wait: the channel's next file may name it.", "等待：次日账单可能包含此笔。"),
        Remedy::AskChannel => (
            "Ask the channel what became of it; our books follow its answer.",
            "向渠道查询该笔，以查询结果补单。",
        ),
        Remedy::FindOwner => (
            "Find out whose it is. Until then it stays on suspense; then propose an adjustment.",
            "查明归属；查明前挂账，之后提出调账。",
        ),
        Remedy::ClaimFromChannel => (
            "Claim the difference from the channel, or propose an adjustment.",
            "向渠道追讨差额，或提出调账。",
        ),
        Remedy::ReportDuplicate => (
            "Report the second entry to the channel; until it is put right it stays on suspense.",
            "向渠道申报重复记账；更正前挂账。",
        ),
        Remedy::CheckFee => (
            "Compare with the contract: claim the fee from the channel, or correct the rate we expect.",
            "核对合同：向渠道追讨手续费，或更正本方费率。",
        ),
        Remedy::OpenDispute => ("Take it in as a dispute before its deadline.", "在期限内登记争议。"),
        Remedy::AskBank => ("Find out from the bank who sent it.", "向银行查询汇款方。"),
        Remedy::Look => ("A person has to look at both sides.", "需人工核对双方记录。"),
        Remedy::Nothing => ("Nothing: it is resolved.", "无需处理：已解决。"),
    };
    Words::new(en, zh)
}
