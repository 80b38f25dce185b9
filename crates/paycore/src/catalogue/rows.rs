//! The rows.

use http::Method;
use serde_json::Value;

use super::Operation;
use super::decode::typed_input;
use super::render::Render;
use crate::account::service as accounts;
use crate::epay::service as epay;
use crate::event::service as events;
use crate::exception::service as exceptions;
use crate::ledger::service as ledger;
use crate::link::service as links;
use crate::merchant::Scope;
use crate::merchant::service as merchants;
use crate::order::input::CreateOrder;
use crate::order::service as orders;
use crate::order::{AttemptView, OrderView};
use crate::page::List;
use crate::reconciliation::service as reconciliations;
use crate::reconciliation::view::{AdjustmentView, BankStatementView, BreakView, ReconciliationView};
use crate::refund::rules::RefundView;
use crate::refund::service as refunds;
use crate::sandbox::service as sandbox;
use crate::webhook::service as webhooks;

/// An event as the API shows it.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "Event")]
struct EventView {
    /// Its id.
    id: crate::id::EventId,
    /// Always `event`.
    object: &'static str,
    /// What happened.
    #[serde(rename = "type")]
    kind: crate::event::EventKind,
    /// When it happened.
    created_at: crate::time::Timestamp,
    /// False in a sandbox.
    livemode: bool,
    /// 1, 2, 3 … per object, without gaps.
    sequence: i64,
    /// The object as it was then.
    data: EventData,
}

/// What an event is about.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct EventData {
    /// An order, refund or exception.
    object: Value,
}

macro_rules! catalogue {
    ($($name:literal $method:ident $path:literal $scope:ident [$($flag:ident)*]
        $summary:literal $summary_zh:literal
        $input:ty => $output:ty, $function:path, $example:literal;)*) => {
        /// Every operation, in the order of the reference.
        pub static CATALOGUE: &[Operation] = &[$(Operation {
            name: $name,
            method: Method::$method,
            path: $path,
            summary: $summary,
            summary_zh: $summary_zh,
            scope: Scope::$scope,
            mutates: catalogue!(@has writes [$($flag)*]) || catalogue!(@has money [$($flag)*]),
            moves_money: catalogue!(@has money [$($flag)*]),
            secret_answer: catalogue!(@has secret [$($flag)*]),
            example: $example,
            input: |generator| <$input as schemars::JsonSchema>::json_schema(generator),
            output: |generator| generator.subschema_for::<$output>(),
            call: |engine, caller, json| Box::pin(async move {
                let input: $input = typed_input(json)?;
                Ok($function(engine, caller, input).await?.render(caller))
            }),
        },)*];
    };
    (@has writes [$($flag:ident)*]) => { false $(|| catalogue!(@writes $flag))* };
    (@has money [$($flag:ident)*]) => { false $(|| catalogue!(@money $flag))* };
    (@has secret [$($flag:ident)*]) => { false $(|| catalogue!(@secret $flag))* };
    (@writes writes) => { true };
    (@writes $other:ident) => { false };
    (@money money) => { true };
    (@money $other:ident) => { false };
    (@secret secret) => { true };
    (@secret $other:ident) => { false };
}

catalogue! {
    "orders.create" POST "/v1/orders" OrdersWrite [money]
        "Create an order; with one method the payment starts at once." "创建订单；只有一种支付方式时立即发起支付。"
        CreateOrder => OrderView<'static>, orders::create,
        r#"{"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "method": "alipay.qr"}"#;
    "orders.list" GET "/v1/orders" OrdersRead []
        "List orders, newest first." "查询订单列表，新的在前。"
        orders::ListOrders => List<OrderView<'static>>, orders::list, r#"{"limit": 10}"#;
    "orders.retrieve" GET "/v1/orders/{id}" OrdersRead []
        "Retrieve an order." "查询一个订单。"
        orders::OrderById => OrderView<'static>, orders::retrieve, r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "orders.attempts" GET "/v1/orders/{id}/attempts" OrdersRead []
        "List all attempts to pay an order, oldest first." "查询订单的全部支付尝试，旧的在前。"
        orders::OrderById => List<AttemptView>, orders::attempts, r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "orders.pay" POST "/v1/orders/{id}/pay" OrdersWrite [money]
        "Start the payment of an order by one of its methods." "用订单允许的一种方式发起支付。"
        orders::PayOrder => OrderView<'static>, orders::pay,
        r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y", "method": "alipay.qr"}"#;
    "orders.close" POST "/v1/orders/{id}/close" OrdersWrite [money]
        "Close an order that is not paid." "关闭未支付的订单。"
        orders::OrderById => OrderView<'static>, orders::close, r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "orders.capture" POST "/v1/orders/{id}/capture" OrdersWrite [money]
        "Take authorized money, all or part of it." "对已授权的订单请款，可部分请款。"
        orders::CaptureOrder => OrderView<'static>, orders::capture,
        r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 1000}"#;
    "orders.void" POST "/v1/orders/{id}/void" OrdersWrite [money]
        "Give an authorization back." "撤销授权。"
        orders::OrderById => OrderView<'static>, orders::void, r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "refunds.create" POST "/v1/refunds" RefundsWrite [money]
        "Give captured money back, all that is left or part of it." "退款，可全额或部分退款。"
        refunds::CreateRefund => RefundView, refunds::create,
        r#"{"order_id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 500, "reason": "returned"}"#;
    "refunds.list" GET "/v1/refunds" OrdersRead []
        "List refunds, newest first." "查询退款列表，新的在前。"
        refunds::ListRefunds => List<RefundView>, refunds::list, r#"{"limit": 10}"#;
    "refunds.retrieve" GET "/v1/refunds/{id}" OrdersRead []
        "Retrieve a refund." "查询一笔退款。"
        refunds::RefundById => RefundView, refunds::retrieve, r#"{"id": "ref_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "transactions.list" GET "/v1/transactions" LedgerRead []
        "List the ledger's transactions with their entries, newest first." "查询账务流水及其分录，新的在前。"
        ledger::ListTransactions => List<ledger::TransactionView>, ledger::list, r#"{"limit": 10}"#;
    "transactions.retrieve" GET "/v1/transactions/{id}" LedgerRead []
        "Retrieve a transaction." "查询一笔账务流水。"
        ledger::TransactionById => ledger::TransactionView, ledger::retrieve,
        r#"{"id": "txn_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "balances.list" GET "/v1/balances" LedgerRead []
        "List all balances by account and currency." "按科目和币种查询全部余额。"
        ledger::ListBalances => List<crate::ledger::Balance>, ledger::balances, "{}";
    "events.list" GET "/v1/events" Webhooks []
        "List events in order of commit, oldest first; pass the last id as `after` to go on." "按提交顺序查询事件，旧的在前；把最后一个 id 作为 `after` 继续。"
        events::ListEvents => List<EventView>, events::list, r#"{"limit": 10}"#;
    "events.retrieve" GET "/v1/events/{id}" Webhooks []
        "Retrieve an event." "查询一个事件。"
        events::EventById => EventView, events::retrieve, r#"{"id": "evt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "webhook_endpoints.create" POST "/v1/webhook_endpoints" Webhooks [writes secret]
        "Add a webhook endpoint; the answer shows its signing secret once." "新增 webhook 地址；签名密钥只在应答中显示一次。"
        webhooks::CreateEndpoint => webhooks::EndpointView, webhooks::create,
        r#"{"url": "https://shop.example/webhooks", "events": ["order.succeeded"]}"#;
    "webhook_endpoints.list" GET "/v1/webhook_endpoints" Webhooks []
        "List webhook endpoints." "查询 webhook 地址列表。"
        webhooks::ListEndpoints => List<webhooks::EndpointView>, webhooks::list, "{}";
    "webhook_endpoints.notify_secret" GET "/v1/webhook_endpoints/notify_secret" Webhooks []
        "Show the secret that signs deliveries to orders' own notify URLs." "查看订单 notify_url 通知所用的签名密钥。"
        webhooks::ListEndpoints => webhooks::NotifySecret, webhooks::notify_secret, "{}";
    "webhook_endpoints.update" POST "/v1/webhook_endpoints/{id}" Webhooks [writes]
        "Change, disable or enable a webhook endpoint." "修改、停用或启用 webhook 地址。"
        webhooks::UpdateEndpoint => webhooks::EndpointView, webhooks::update,
        r#"{"id": "whe_01jd7xk3fz5v9b8m2q4r6t8w0y", "enabled": false}"#;
    "webhook_endpoints.roll_secret" POST "/v1/webhook_endpoints/{id}/roll_secret" Webhooks [writes secret]
        "Replace the signing secret; for a day both sign." "更换签名密钥；新旧密钥同时签名一天。"
        webhooks::EndpointById => webhooks::EndpointView, webhooks::roll_secret,
        r#"{"id": "whe_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "deliveries.list" GET "/v1/deliveries" Webhooks []
        "List webhook deliveries with every try, newest first." "查询 webhook 投递记录及每次尝试，新的在前。"
        webhooks::ListDeliveries => List<webhooks::DeliveryView>, webhooks::deliveries, r#"{"limit": 10}"#;
    "deliveries.resend" POST "/v1/deliveries/{id}/resend" Webhooks [writes]
        "Send a delivery again, now." "立即重新投递。"
        webhooks::DeliveryById => webhooks::DeliveryView, webhooks::resend,
        r#"{"id": "dlv_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "channel_accounts.create" POST "/v1/channel_accounts" Settings [writes]
        "Connect a channel; in a sandbox without settings it is connected to the simulator." "接入支付渠道；沙箱中不填配置即接入模拟器。"
        accounts::CreateChannelAccount => accounts::ChannelAccountView, accounts::create, r#"{"channel": "alipay"}"#;
    "channel_accounts.list" GET "/v1/channel_accounts" Settings []
        "List channel accounts by priority." "按优先级查询渠道账户。"
        accounts::ListChannelAccounts => List<accounts::ChannelAccountView>, accounts::list, "{}";
    "channel_accounts.retrieve" GET "/v1/channel_accounts/{id}" Settings []
        "Retrieve a channel account." "查询一个渠道账户。"
        accounts::ChannelAccountById => accounts::ChannelAccountView, accounts::retrieve,
        r#"{"id": "cha_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "channel_accounts.update" POST "/v1/channel_accounts/{id}" Settings [writes]
        "Change a channel account: settings, priority, on or off." "修改渠道账户：配置、优先级、启停。"
        accounts::UpdateChannelAccount => accounts::ChannelAccountView, accounts::update,
        r#"{"id": "cha_01jd7xk3fz5v9b8m2q4r6t8w0y", "enabled": false}"#;
    "payment_links.create" POST "/v1/payment_links" OrdersWrite [writes]
        "Create a payment link: one address and QR code for every wallet." "创建收款链接：一个地址、一个二维码，各钱包通用。"
        links::CreateLink => links::LinkView, links::create,
        r#"{"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "single_use": true}"#;
    "payment_links.list" GET "/v1/payment_links" OrdersRead []
        "List payment links, newest first." "查询收款链接列表，新的在前。"
        links::ListLinks => List<links::LinkView>, links::list, r#"{"limit": 10}"#;
    "payment_links.retrieve" GET "/v1/payment_links/{id}" OrdersRead []
        "Retrieve a payment link." "查询一个收款链接。"
        links::LinkById => links::LinkView, links::retrieve, r#"{"id": "lnk_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "payment_links.update" POST "/v1/payment_links/{id}" OrdersWrite [writes]
        "Change a payment link: its text, on or off." "修改收款链接：文字、启停。"
        links::UpdateLink => links::LinkView, links::update,
        r#"{"id": "lnk_01jd7xk3fz5v9b8m2q4r6t8w0y", "enabled": false}"#;
    "merchants.create" POST "/v1/merchants" Platform [writes secret]
        "Create a merchant with its sandbox; the answer shows the first keys once." "创建商户及其沙箱；首批密钥只在应答中显示一次。"
        merchants::CreateMerchant => merchants::NewMerchant, merchants::create, r#"{"name": "Corner Shop 街角小店"}"#;
    "merchants.list" GET "/v1/merchants" Platform []
        "List all merchants of the installation." "查询全部商户。"
        merchants::ListMerchants => List<crate::merchant::MerchantView>, merchants::list, r#"{"limit": 10}"#;
    "merchants.me" GET "/v1/merchants/me" OrdersRead []
        "Retrieve the merchant of the key." "查询当前密钥所属商户。"
        merchants::Nothing => crate::merchant::MerchantView, merchants::me, "{}";
    "api_keys.create" POST "/v1/api_keys" Settings [writes secret]
        "Make an API key; it is shown in this answer only." "创建 API 密钥；密钥只在应答中显示一次。"
        merchants::CreateApiKey => merchants::ApiKeyView, merchants::create_key,
        r#"{"name": "till 3", "scopes": ["orders:read", "orders:write"]}"#;
    "api_keys.list" GET "/v1/api_keys" Settings []
        "List API keys, without the keys themselves." "查询 API 密钥列表（不含密钥本身）。"
        merchants::ListApiKeys => List<merchants::ApiKeyView>, merchants::list_keys, r#"{"limit": 10}"#;
    "api_keys.roll" POST "/v1/api_keys/{id}/roll" Settings [writes secret]
        "Replace a key; the old one works on for the overlap." "轮换密钥；旧密钥在重叠期内仍可用。"
        merchants::RollApiKey => merchants::ApiKeyView, merchants::roll_key,
        r#"{"id": "key_01jd7xk3fz5v9b8m2q4r6t8w0y", "overlap": 3600}"#;
    "api_keys.revoke" POST "/v1/api_keys/{id}/revoke" Settings [writes]
        "End a key at once." "立即作废密钥。"
        merchants::ApiKeyById => merchants::ApiKeyView, merchants::revoke_key,
        r#"{"id": "key_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "epay_keys.create" POST "/v1/epay_keys" Settings [writes secret]
        "Make an epay key: what shop software that speaks 易支付 needs to take payments here; shown once." "创建易支付密钥：已支持易支付的商城软件凭此接入；密钥只在应答中显示一次。"
        epay::CreateEpayKey => epay::EpayKeyView, epay::create, r#"{"name": "old shop 老商城", "protocol": "v1"}"#;
    "epay_keys.list" GET "/v1/epay_keys" Settings []
        "List epay keys, without what is secret." "查询易支付密钥列表（不含密钥本身）。"
        epay::ListEpayKeys => List<epay::EpayKeyView>, epay::list, "{}";
    "epay_keys.revoke" POST "/v1/epay_keys/{id}/revoke" Settings [writes]
        "End an epay key at once." "立即作废易支付密钥。"
        epay::EpayKeyById => epay::EpayKeyView, epay::revoke,
        r#"{"id": "epk_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "exceptions.list" GET "/v1/exceptions" OrdersRead []
        "List what waits for a person, newest first." "查询待人工处理的异常，新的在前。"
        exceptions::ListExceptions => List<exceptions::ExceptionView>, exceptions::list, r#"{"all": true}"#;
    "exceptions.resolve" POST "/v1/exceptions/{id}/resolve" Settings [writes]
        "Mark an exception as dealt with." "标记异常已处理。"
        exceptions::ResolveException => exceptions::ExceptionView, exceptions::resolve,
        r#"{"id": "exc_01jd7xk3fz5v9b8m2q4r6t8w0y", "resolution": "refunded by hand"}"#;
    "sandbox.advance_clock" POST "/v1/sandbox/advance_clock" Settings [writes]
        "Move the sandbox's test clock forward." "将沙箱测试时钟向前拨。"
        sandbox::AdvanceClock => crate::merchant::MerchantView, sandbox::advance_clock, r#"{"seconds": 86400}"#;
    "reconciliations.run" POST "/v1/reconciliations" Settings [writes]
        "Compare a day with the channel's statement, or the ledger with its objects." "对账：将某日与渠道账单核对，或将账本与业务核对。"
        reconciliations::RunReconciliation => ReconciliationView, reconciliations::run,
        r#"{"scope": "internal", "day": "2026-01-01"}"#;
    "reconciliations.list" GET "/v1/reconciliations" LedgerRead []
        "List runs of the reconciliation, newest first." "查询对账批次列表，新的在前。"
        reconciliations::ListReconciliations => List<ReconciliationView>, reconciliations::list, r#"{"limit": 10}"#;
    "reconciliations.retrieve" GET "/v1/reconciliations/{id}" LedgerRead []
        "Retrieve a run: how far it has come, what it found." "查询一个对账批次：进度与结果。"
        reconciliations::ReconciliationById => ReconciliationView, reconciliations::retrieve,
        r#"{"id": "rcn_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "reconciliations.trace" GET "/v1/orders/{id}/reconciliation" LedgerRead []
        "Show an order's payments three ways: our books, the channel's file, the bank." "三方核对一个订单：本方账、渠道账单、银行到账。"
        reconciliations::TraceOrder => List<reconciliations::ThreeWay>, reconciliations::trace,
        r#"{"id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "breaks.list" GET "/v1/breaks" LedgerRead []
        "List breaks, newest first; those not resolved are the pool." "查询差错列表，新的在前；未解决者即差错池。"
        reconciliations::ListBreaks => List<BreakView>, reconciliations::list_breaks, r#"{"limit": 10}"#;
    "breaks.retrieve" GET "/v1/breaks/{id}" LedgerRead []
        "Retrieve a break: both sides, what differs in words, its age, what to do." "查询一笔差错：双方记录、差异说明、账龄与处理建议。"
        reconciliations::BreakById => BreakView, reconciliations::retrieve_break,
        r#"{"id": "brk_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "breaks.rerun" POST "/v1/breaks/{id}/rerun" Settings [writes]
        "Look at a break again now: ask the channel, compare anew." "立即重核一笔差错：向渠道查询并重新比对。"
        reconciliations::BreakById => BreakView, reconciliations::rerun,
        r#"{"id": "brk_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "breaks.resolve" POST "/v1/breaks/{id}/resolve" Settings [writes]
        "Mark a break as explained; money on suspense needs an adjustment instead." "标记差错已查明；挂账金额须走调账。"
        reconciliations::ResolveBreak => BreakView, reconciliations::resolve,
        r#"{"id": "brk_01jd7xk3fz5v9b8m2q4r6t8w0y", "note": "the channel corrected its fee"}"#;
    "adjustments.propose" POST "/v1/adjustments" Settings [writes]
        "Propose an adjustment of the books for a break; another key approves it." "提出调账申请；须由另一密钥复核。"
        reconciliations::ProposeAdjustment => AdjustmentView, reconciliations::propose,
        r#"{"break_id": "brk_01jd7xk3fz5v9b8m2q4r6t8w0y", "effect": "release", "reason": "found in the next file"}"#;
    "adjustments.list" GET "/v1/adjustments" LedgerRead []
        "List adjustments, newest first." "查询调账列表，新的在前。"
        reconciliations::ListAdjustments => List<AdjustmentView>, reconciliations::list_adjustments, r#"{"limit": 10}"#;
    "adjustments.approve" POST "/v1/adjustments/{id}/approve" Settings [writes]
        "Approve an adjustment and book it, once; not by the key that proposed it." "复核并执行调账，仅一次；不得由申请密钥复核。"
        reconciliations::AdjustmentById => AdjustmentView, reconciliations::approve,
        r#"{"id": "adj_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "adjustments.reject" POST "/v1/adjustments/{id}/reject" Settings [writes]
        "Reject an adjustment, or take it back." "驳回或撤回调账申请。"
        reconciliations::DecideAdjustment => AdjustmentView, reconciliations::reject,
        r#"{"id": "adj_01jd7xk3fz5v9b8m2q4r6t8w0y", "reason": "the amount is the next day's"}"#;
    "bank_statements.upload" POST "/v1/bank_statements" Settings [writes]
        "Take in a bank statement and clear its credits against the channel's days." "上传银行账单，与渠道各日应到账核对。"
        reconciliations::UploadBankStatement => BankStatementView, reconciliations::upload,
        r#"{"account_id": "cha_01jd7xk3fz5v9b8m2q4r6t8w0y", "content": "ZGF0ZSxhbW91bnQsY3VycmVuY3kscmVmZXJlbmNlLHRleHQK"}"#;
    "bank_statements.list" GET "/v1/bank_statements" LedgerRead []
        "List bank statements, newest first." "查询银行账单列表，新的在前。"
        reconciliations::ListBankStatements => List<BankStatementView>, reconciliations::list_bank_statements,
        r#"{"limit": 10}"#;
}
