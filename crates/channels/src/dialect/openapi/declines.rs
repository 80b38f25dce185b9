//! Which of Alipay's words are a definite no, and for what.

use paycore::channel::{Decline, DeclineReason as Why, Fault, Verdict};

use super::Refused;

/// A documented refusal: of what (`p`ay, `r`efund, `s`hare, `t`ransfer, `b`ind), its code, its class, its text.
pub(crate) struct Row(&'static str, &'static str, Why, &'static str);

/// After a refusal of these no money moves under its reference. Some of them are also said of the repeat of something
/// that was carried out, so most are confirmed by a query; hence the texts, which the second answer does not carry.
const ROWS: &[Row] = &[
    Row("pr", "ACQ.TRADE_HAS_CLOSE", Why::Expired, "交易已关闭"),
    Row("p", "ACQ.PAYMENT_AUTH_CODE_INVALID", Why::InvalidRequest, "支付授权码无效"),
    Row("p", "ACQ.BUYER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, "买家余额不足"),
    Row("p", "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, "用户银行卡余额不足"),
    Row("p", "ACQ.ERROR_BALANCE_PAYMENT_DISABLE", Why::NotPermitted, "余额支付功能关闭"),
    Row("p", "ACQ.TOTAL_FEE_EXCEED", Why::Limit, "订单总金额超过限额"),
    Row("p", "ACQ.BEYOND_PAY_RESTRICTION", Why::Limit, "商户收款额度超限"),
    Row("p", "ACQ.BEYOND_PER_RECEIPT_RESTRICTION", Why::Limit, "商户收款金额超过月限额"),
    Row("p", "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", Why::Limit, "买家付款日限额超限"),
    Row("p", "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", Why::Limit, "买家付款月额度超限"),
    Row("p", "ACQ.PAYMENT_REQUEST_HAS_RISK", Why::Risk, "支付有风险"),
    Row("p", "ACQ.EXIST_FORBIDDEN_WORD", Why::InvalidRequest, "订单信息中包含违禁词"),
    Row("p", "ACQ.BUYER_SELLER_EQUAL", Why::InvalidRequest, "买卖家不能相同"),
    Row("p", "ACQ.ACCESS_FORBIDDEN", Why::NotPermitted, "无权限使用接口"),
    Row("p", "ACQ.PARTNER_ERROR", Why::NotPermitted, "应用APP_ID填写错误"),
    Row("p", "ORDER_ALREADY_CLOSED", Why::Expired, "授权订单已关闭"),
    Row("p", "PAYER_PAYMENT_ABILITY_NOT_ENOUGH", Why::InsufficientFunds, "付款方余额不足"),
    Row("prst", "ACQ.INVALID_PARAMETER", Why::InvalidRequest, "参数无效"),
    Row("prstb", "isv.insufficient-isv-permissions", Why::NotPermitted, "ISV权限不足"),
    Row("r", "ACQ.SELLER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, "卖家余额不足"),
    Row("r", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Why::InvalidRequest, "退款金额超限"),
    Row("r", "ACQ.REASON_TRADE_REFUND_FEE_ERR", Why::InvalidRequest, "退款金额无效"),
    Row("r", "ACQ.REFUND_FEE_ERROR", Why::InvalidRequest, "交易退款金额有误"),
    Row("rs", "ACQ.TRADE_NOT_EXIST", Why::InvalidRequest, "交易不存在"),
    Row("r", "ACQ.TRADE_HAS_FINISHED", Why::Expired, "交易已完结"),
    Row("rs", "ACQ.TRADE_STATUS_ERROR", Why::Generic, "交易状态不合法"),
    Row("r", "ACQ.REASON_TRADE_BEEN_FREEZEN", Why::Generic, "请求退款的交易被冻结"),
    Row("r", "ACQ.TRADE_NOT_ALLOW_REFUND", Why::NotPermitted, "当前交易不允许退款"),
    Row("s", "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR", Why::InvalidRequest, "分账金额超限"),
    Row("s", "ACQ.ROYALTY_RECEIVER_INVALID", Why::InvalidRequest, "分账收款方不合法"),
    Row("sb", "ACQ.USER_NOT_EXIST", Why::InvalidRequest, "用户不存在"),
    Row("t", "PAYEE_NOT_EXIST", Why::InvalidRequest, "收款账号不存在"),
    Row("t", "PAYEE_USER_INFO_ERROR", Why::InvalidRequest, "支付宝账号和姓名不匹配"),
    Row("t", "PAYER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, "付款方余额不足"),
    Row("t", "BALANCE_IS_NOT_ENOUGH", Why::InsufficientFunds, "账户余额不足"),
    Row("t", "EXCEED_LIMIT_SM_AMOUNT", Why::Limit, "单笔额度超限"),
    Row("t", "EXCEED_LIMIT_DM_AMOUNT", Why::Limit, "日累计额度超限"),
    Row(
        "t",
        "PERMIT_CHECK_PERM_LIMITED",
        Why::NotPermitted,
        "根据监管部门的要求，请补全您的身份信息解除限制",
    ),
    Row("t", "INVALID_PARAMETER", Why::InvalidRequest, "参数有误"),
];

/// Refusals of a close that tell a trade closed, paid or being paid; the trade itself knows which.
pub(crate) const NOT_OPEN: &[&str] = &[
    "TRADE_STATUS_ERROR",
    "REASON_TRADE_STATUS_INVALID",
    "TRADE_HAS_SUCCESS",
    "TRADE_HAS_FINISHED",
    "TRADE_HAS_CLOSE",
];
/// Refusals of a payment whose reference is known already; the trade itself knows what became of it.
pub(crate) const KNOWN: &[&str] = &["TRADE_HAS_SUCCESS", "CONTEXT_INCONSISTENT"];
/// There is no such pre-authorization.
pub(crate) const NO_HOLD: &[&str] = &["AUTH_ORDER_NOT_EXIST", "AUTH_OPERATION_NOT_EXIST"];
/// There is no such file.
pub(crate) const NO_BILL: &[&str] = &["BILL_NOT_EXIST", "isp.bill_not_exist"];
/// What was pre-authorized was given back.
pub(crate) const TOO_LATE: &Row = &Row("p", "ORDER_ALREADY_CLOSED", Why::Expired, "授权订单已关闭");

impl Row {
    pub(crate) fn decline(&self) -> Verdict {
        let Row(_, code, reason, message) = *self;
        Verdict::Declined(Decline { reason, code: code.to_owned(), message: message.to_owned() })
    }
}

/// The row of a number that [`find`] gave.
pub(crate) fn row(number: u8) -> Option<&'static Row> {
    ROWS.get(usize::from(number))
}

/// The row of a refusal, with its number.
pub(crate) fn find(of: char, refused: &Refused) -> Option<(u8, &'static Row)> {
    let is = |row: &Row| row.0.contains(of) && row.1.strip_prefix("ACQ.").unwrap_or(row.1) == refused.word();
    (0..).zip(ROWS).find(|(_, row)| is(row))
}

/// A refusal that needs no query, in the gateway's own words.
pub(crate) fn direct(of: char, refused: Refused) -> Result<Verdict, Fault> {
    match find(of, &refused) {
        Some((_, Row(_, _, reason, _))) => {
            let (reason, code, message) = (*reason, refused.code, refused.message);
            Ok(Verdict::Declined(Decline { reason, code, message }))
        }
        None => Err(refused.unknown()),
    }
}

/// Something that was tried and failed for a reason of its own.
pub(crate) fn failed(code: Option<String>, message: Option<String>) -> Verdict {
    let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
    let known = ROWS.iter().find(|row| row.1 == code);
    Verdict::Declined(Decline { reason: known.map_or(Why::Generic, |row| row.2), code, message })
}
