//! What shops ask for, as operations on the merchant's orders and refunds. A shop sees the orders that were made with its
//! own key, and no others of the merchant.

use std::net::IpAddr;

use paycore::channel::{Action, CaptureMode, Payer};
use paycore::currency::Currency;
use paycore::epay::rules::{self, UNITS};
use paycore::epay::service::{self, Shop};
use paycore::epay::{Origin, Protocol};
use paycore::error::Code;
use paycore::order::input::CreateOrder;
use paycore::order::service::{self as payments, OrderById};
use paycore::order::{Metadata, Order, OrderStatus};
use paycore::refund::service::{self as refunds, CreateRefund};
use paycore::refund::{Refund, RefundStatus};
use paycore::store::Page;
use serde_json::{Value, json};

use super::answers::Members;
use super::{App, Asked, No, Result};

/// As long as the subject of an order may be.
const NAME_CHARS_MAX: usize = 127;
/// Rows of a list.
const ROWS_MAX: usize = 50;
const ROWS_READ_MAX: usize = 200;

/// Where a payer's browser sees an order.
pub(super) fn page_of(app: &App, origin: &Origin, number: &str) -> String {
    format!("{}/epay/{}/{number}/{}", app.public_url, origin.pid, origin.token)
}

/// The payer comes with an order: its page.
pub(super) async fn submit(app: &App, shop: &Shop, asked: &Asked) -> Result<String> {
    let order = made(app, shop, asked, &["page", "qr"]).await?;
    let origin = order.details.epay.as_ref().ok_or_else(unknown_order)?;
    Ok(page_of(app, origin, &order.number))
}

/// The shop's server comes with an order: where the payer goes.
pub(super) async fn create(app: &App, shop: &Shop, asked: &Asked) -> Result<Members> {
    if asked.given("type").is_empty() {
        return Err(No::new("支付方式(type)不能为空", "The type is missing."));
    }
    let mobile = !matches!(asked.given("device"), "" | "pc");
    let scenes = if mobile || asked.given("method") == "jump" { ["page", "qr"] } else { ["qr", "page"] };
    let order = made(app, shop, asked, &scenes).await?;
    let origin = order.details.epay.as_ref().ok_or_else(unknown_order)?;
    match order.status {
        OrderStatus::Pending | OrderStatus::Processing => {}
        OrderStatus::Closed | OrderStatus::Failed => {
            return Err(No::new("该订单已关闭", "The order is closed."));
        }
        _ => return Err(No::new("该订单已支付完成，请勿重复支付", "The order is paid.")),
    }
    let page = page_of(app, origin, &order.number);
    let (kind, content) = match &order.next_action {
        Some(Action::Qr { content }) => ("qrcode", content.clone()),
        Some(Action::Redirect { url }) => ("jump", url.clone()),
        _ => ("jump", page.clone()),
    };
    let mut answer = members(json!({ "trade_no": order.id.bare() }));
    if asked.protocol == Protocol::V2 {
        answer.extend([("pay_type".into(), kind.into()), ("pay_info".into(), content.into())]);
        return Ok(answer);
    }
    // The page serves every client, and the code those that show it themselves.
    let url = if kind == "jump" { content.clone() } else { page };
    answer.insert("payurl".into(), url.into());
    if kind == "qrcode" {
        answer.insert("qrcode".into(), content.into());
    }
    Ok(answer)
}

/// The order that was asked for: made now, or the one that the same request made before.
async fn made(app: &App, shop: &Shop, asked: &Asked, scenes: &[&str]) -> Result<Order> {
    let wanted = Wanted::read(shop, asked)?;
    if let Some(order) = wanted.before(app, shop).await? {
        return Ok(order);
    }
    let brands = rules::brands(&wanted.origin.kind);
    let methods = service::methods(&app.engine, &shop.caller, &brands, scenes).await?;
    if methods.is_empty() {
        return Err(No::new("没有可用的支付通道", "No channel takes this type of payment."));
    }
    let token = service::token(&app.engine);
    let origin = Origin { token, ..wanted.origin.clone() };
    let input = CreateOrder {
        amount: wanted.fen,
        currency: Currency::CNY,
        subject: wanted.name.clone(),
        out_trade_no: Some(wanted.number.clone()),
        method: None,
        methods,
        capture_method: CaptureMode::Automatic,
        description: None,
        line_items: Vec::new(),
        notify_url: None,
        // The payer comes back by us, and goes on to the shop with signed parameters.
        cancel_url: None,
        return_url: Some(format!("{}?back=1", page_of(app, &origin, &wanted.number))),
        metadata: Metadata::new(),
        payer: Payer { ip: Some(wanted.ip.to_string()), ..Payer::default() },
        expires_in: None,
        split_plan_id: None,
        agent_id: None,
        customer: None,
        mandate: None,
        epay: Some(origin),
    };
    match payments::create(&app.engine, &shop.caller, input).await {
        Ok(order) => Ok(order),
        // The same request came twice at once.
        Err(error) if error.code == Code::DuplicateNumber => {
            wanted.before(app, shop).await?.ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// An order as a shop describes it.
struct Wanted {
    number: String,
    fen: i64,
    name: String,
    /// Without its token.
    origin: Origin,
    ip: IpAddr,
}

impl Wanted {
    fn read(shop: &Shop, asked: &Asked) -> Result<Wanted> {
        let number = asked.given("out_trade_no");
        let in_number = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if number.is_empty() || number.len() > 64 || !number.bytes().all(in_number) {
            let en = "out_trade_no must be 1 to 64 letters, digits, `-` or `_`.";
            return Err(No::new("订单号(out_trade_no)格式不正确", en));
        }
        let money = rules::money(asked.given("money"));
        let money =
            money.ok_or_else(|| No::new("金额(money)不合法", "The money is not an amount in yuan."))?;
        let plain = |sign: char| if sign.is_control() { ' ' } else { sign };
        let name: String = asked.given("name").chars().map(plain).take(NAME_CHARS_MAX).collect();
        if name.trim().is_empty() {
            return Err(No::new("商品名称(name)不能为空", "The name is missing."));
        }
        let notify_url = asked.given("notify_url");
        if notify_url.is_empty() {
            return Err(No::new("通知地址(notify_url)不能为空", "The notify_url is missing."));
        }
        let kind = asked.given("type");
        if rules::brands(kind).is_empty() {
            return Err(No::new("支付方式(type)不存在", "The type is not known."));
        }
        let text = |name: &str| asked.given(name).to_owned();
        let origin = Origin {
            pid: shop.key.pid.clone(),
            token: String::new(),
            kind: kind.to_owned(),
            param: text("param"),
            notify_url: notify_url.to_owned(),
            return_url: text("return_url"),
        };
        if origin.param.chars().count() > 500 {
            return Err(No::new("业务扩展参数(param)过长", "The param is too long."));
        }
        // The payer's own address where the shop's server asks; the browser's where the payer comes.
        let ip = asked.given("clientip").parse().unwrap_or(asked.peer);
        Ok(Wanted { number: number.to_owned(), fen: money.minor(), name, origin, ip })
    }

    /// The order with this number, if it is exactly what is wanted now; another content under the number is refused.
    async fn before(&self, app: &App, shop: &Shop) -> Result<Option<Order>> {
        let found = app.engine.store().order_by_number(shop.caller.tenant(), &self.number).await?;
        let Some(order) = found else { return Ok(None) };
        let origin = order.details.epay.as_ref();
        let same = origin.is_some_and(|origin| {
            Origin { token: String::new(), ..origin.clone() } == self.origin
                && (order.money.minor(), order.currency()) == (self.fen, Currency::CNY)
                && order.details.subject == self.name
        });
        let taken =
            || No::new("订单号重复，且订单信息不一致", "This out_trade_no has another content already.");
        if same { Ok(Some(order)) } else { Err(taken()) }
    }
}

/// The shop's own order, by its number or by ours.
async fn find(app: &App, shop: &Shop, asked: &Asked) -> Result<Order> {
    let (ours, theirs) = (asked.given("trade_no"), asked.given("out_trade_no"));
    let (store, tenant) = (app.engine.store(), shop.caller.tenant());
    let found = match format!("ord_{ours}").parse() {
        Ok(id) => store.order(tenant, id).await?,
        Err(_) if ours.is_empty() => store.order_by_number(tenant, theirs).await?,
        Err(_) => None,
    };
    let agrees = |order: &Order| theirs.is_empty() || ours.is_empty() || order.number == theirs;
    found.filter(|order| is_of(order, shop) && agrees(order)).ok_or_else(unknown_order)
}

fn is_of(order: &Order, shop: &Shop) -> bool {
    order.details.epay.as_ref().is_some_and(|origin| origin.pid == shop.key.pid)
}

fn unknown_order() -> No {
    No::new("订单号不存在", "There is no such order.")
}

pub(super) async fn query(app: &App, shop: &Shop, asked: &Asked) -> Result<Members> {
    let order = find(app, shop, asked).await?;
    shown(app, shop, &order).await
}

/// An order as queries show it.
async fn shown(app: &App, shop: &Shop, order: &Order) -> Result<Members> {
    let origin = order.details.epay.as_ref().ok_or_else(unknown_order)?;
    let attempt = match order.attempt_id {
        Some(id) => app.engine.store().attempt(shop.caller.tenant(), id).await?,
        None => None,
    };
    let (status, state) = match order.status {
        OrderStatus::Succeeded | OrderStatus::PartiallyRefunded => (1, "TRADE_SUCCESS"),
        OrderStatus::Refunded => (2, "TRADE_SUCCESS"),
        OrderStatus::Closed | OrderStatus::Failed => (0, "TRADE_CLOSED"),
        _ => (0, "WAIT_BUYER_PAY"),
    };
    Ok(members(json!({
        "trade_no": order.id.bare(),
        "out_trade_no": order.number,
        "api_trade_no": attempt.as_ref().and_then(|attempt| attempt.channel_id.clone()).unwrap_or_default(),
        "type": rules::kind(origin, attempt.as_ref()),
        "pid": shop.key.pid.parse::<i64>().unwrap_or_default(),
        "addtime": order.created_at.beijing(),
        "endtime": order.paid_at.map(|at| at.beijing()).unwrap_or_default(),
        "name": order.details.subject,
        "money": rules::yuan(order.money),
        "refundmoney": rules::yuan(order.amount(order.refunded)),
        "status": status,
        "trade_status": state,
        "param": origin.param,
        "buyer": "",
    })))
}

pub(super) async fn refund(app: &App, shop: &Shop, asked: &Asked) -> Result<Members> {
    let order = find(app, shop, asked).await?;
    let money = rules::money(asked.given("money"));
    let money = money.ok_or_else(|| No::new("退款金额不合法", "The money is not an amount in yuan."))?;
    let number = Some(asked.given("out_refund_no").to_owned()).filter(|number| !number.is_empty());
    if let Some(number) = &number {
        let before = app.engine.store().refund_by_number(shop.caller.tenant(), number).await?;
        if let Some(before) = before {
            if before.order_id != order.id || before.money != money {
                return Err(No::new(
                    "退款单号重复，且退款信息不一致",
                    "This out_refund_no has another content.",
                ));
            }
            return refund_answer(asked.protocol, &order, &before);
        }
    }
    let input = CreateRefund {
        order_id: order.id,
        amount: Some(money.minor()),
        out_refund_no: number,
        reason: None,
        metadata: Metadata::new(),
    };
    let refund = refunds::create(&app.engine, &shop.caller, input).await?;
    refund_answer(asked.protocol, &order, &refund)
}

/// Accepted, or refused for good. What became of it is for the refund query.
fn refund_answer(protocol: Protocol, order: &Order, refund: &Refund) -> Result<Members> {
    if refund.status == RefundStatus::Failed {
        let why = refund.decline.as_ref().map(|decline| decline.message.clone()).unwrap_or_default();
        return Err(No::new(format!("退款失败 {why}"), "The refund was refused."));
    }
    let mut answer = refund_members(order, refund);
    if protocol == Protocol::V1 {
        let done = if refund.status == RefundStatus::Succeeded { "退款成功" } else { "退款已受理" };
        answer.insert("msg".into(), format!("{done} 退款金额¥{}", rules::yuan(refund.money)).into());
    }
    Ok(answer)
}

fn refund_members(order: &Order, refund: &Refund) -> Members {
    members(json!({
        "refund_no": refund.id.bare(),
        "out_refund_no": refund.number,
        "trade_no": order.id.bare(),
        "out_trade_no": order.number,
        "money": UNITS.to_wire(refund.money).unwrap_or_default(),
    }))
}

pub(super) async fn refund_query(app: &App, shop: &Shop, asked: &Asked) -> Result<Members> {
    let (store, tenant) = (app.engine.store(), shop.caller.tenant());
    let (ours, theirs) = (asked.given("refund_no"), asked.given("out_refund_no"));
    let found = match format!("ref_{ours}").parse() {
        Ok(id) => store.refund(tenant, id).await?,
        Err(_) => store.refund_by_number(tenant, theirs).await?,
    };
    let unknown = || No::new("退款记录不存在", "There is no such refund.");
    let refund = found.ok_or_else(unknown)?;
    let order = store.order(tenant, refund.order_id).await?;
    let order = order.filter(|order| is_of(order, shop)).ok_or_else(unknown)?;
    let mut answer = refund_members(&order, &refund);
    let status = match refund.status {
        RefundStatus::Succeeded => 1,
        RefundStatus::Failed => 0,
        // The protocol has no word for it, and 0 would be a lie.
        _ => return Err(No::new("退款处理中，请稍后查询", "The refund is in progress; ask again later.")),
    };
    answer.extend([("status".into(), status.into()), ("addtime".into(), refund.created_at.beijing().into())]);
    Ok(answer)
}

pub(super) async fn close(app: &App, shop: &Shop, asked: &Asked) -> Result<Members> {
    let order = find(app, shop, asked).await?;
    let order = payments::close(&app.engine, &shop.caller, OrderById { id: order.id }).await?;
    if order.status == OrderStatus::Closed {
        return Ok(Members::new());
    }
    Err(No::new("订单正在关闭，请稍后查询", "The order is being closed; ask again later."))
}

/// The merchant's own state. Balances are not told by this door.
pub(super) fn info(shop: &Shop) -> Members {
    members(json!({
        "pid": shop.key.pid.parse::<i64>().unwrap_or_default(),
        "status": i64::from(shop.caller.merchant.active),
        "pay_status": i64::from(shop.caller.merchant.active),
        "name": shop.caller.merchant.name,
    }))
}

/// The shop's orders among the merchant's newest.
pub(super) async fn list(app: &App, shop: &Shop, asked: &Asked) -> Result<Members> {
    let number = |name: &str| asked.given(name).parse::<usize>().ok();
    let limit = number("limit").unwrap_or(20).clamp(1, ROWS_MAX);
    let skip = match asked.protocol {
        Protocol::V1 => number("page").unwrap_or(1).saturating_sub(1).saturating_mul(limit),
        Protocol::V2 => number("offset").unwrap_or(0),
    };
    let page = Page { limit: ROWS_READ_MAX, after: None, before: None };
    let orders = app.engine.store().orders(shop.caller.tenant(), &Default::default(), &page).await?;
    let mut data: Vec<Value> = Vec::new();
    for order in orders.iter().filter(|order| is_of(order, shop)).skip(skip).take(limit) {
        data.push(Value::Object(shown(app, shop, order).await?));
    }
    Ok(members(json!({ "count": data.len(), "data": data })))
}

fn members(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        _ => Members::new(),
    }
}
