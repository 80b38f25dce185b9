//! The rows.

use http::Method;
use serde_json::Value;

use super::Operation;
use super::decode::typed_input;
use super::render::Render;
use crate::account::service as accounts;
use crate::clearing::service as clearing;
use crate::epay::service as epay;
use crate::event::service as events;
use crate::exception::service as exceptions;
use crate::fee::service as fees;
use crate::fx::service as fx;
use crate::ledger::service as ledger;
use crate::link::service as links;
use crate::merchant::Scope;
use crate::merchant::service as merchants;
use crate::order::input::CreateOrder;
use crate::order::service as orders;
use crate::order::{AttemptView, OrderView};
use crate::page::List;
use crate::refund::rules::RefundView;
use crate::refund::service as refunds;
use crate::sandbox::service as sandbox;
use crate::settlement::service as settlements;
use crate::settlement::view as settlement;
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
    "clearing_items.list" GET "/v1/clearing_items" LedgerRead []
        "List clearing items, newest first: every movement of money with its fee." "查询清分明细，新的在前：每笔资金变动及其手续费。"
        clearing::ListItems => List<crate::clearing::ItemView>, clearing::list, r#"{"limit": 10}"#;
    "clearing_items.retrieve" GET "/v1/clearing_items/{id}" LedgerRead []
        "Retrieve a clearing item." "查询一笔清分明细。"
        clearing::ItemById => crate::clearing::ItemView, clearing::retrieve,
        r#"{"id": "itm_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "fee_schedules.create" POST "/v1/fee_schedules" Platform [writes]
        "Create a fee schedule: a merchant's prices, or what the channel keeps." "创建费率方案：商户价格或渠道成本。"
        fees::CreateSchedule => fees::ScheduleView, fees::create,
        r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "name": "standard 2026", "side": "price", "terms": {"rules": [{"name": "standard", "match": {"currency": "CNY"}, "charge": {"kind": "flat", "rate": "0.006"}, "refund": "pro_rata"}]}}"#;
    "fee_schedules.list" GET "/v1/fee_schedules" LedgerRead []
        "List fee schedules with all their revisions, newest first." "查询费率方案及其全部版本，新的在前。"
        fees::ListSchedules => List<fees::ScheduleView>, fees::list, r#"{"limit": 10}"#;
    "fee_schedules.retrieve" GET "/v1/fee_schedules/{id}" LedgerRead []
        "Retrieve a fee schedule." "查询一个费率方案。"
        fees::ScheduleById => fees::ScheduleView, fees::retrieve, r#"{"id": "fsc_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "fee_schedules.update" POST "/v1/fee_schedules/{id}" Platform [writes]
        "Add a revision to a fee schedule, change its priority, or turn it on or off." "为费率方案新增版本、调整优先级或启停。"
        fees::UpdateSchedule => fees::ScheduleView, fees::update,
        r#"{"id": "fsc_01jd7xk3fz5v9b8m2q4r6t8w0y", "merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "active": false}"#;
    "fees.quote" GET "/v1/fees/quote" LedgerRead []
        "Say what a payment would cost now." "试算一笔支付的手续费。"
        fees::QuoteInput => fees::QuoteView, fees::quote,
        r#"{"amount": 10000, "currency": "CNY", "method": "alipay.qr"}"#;
    "fees.simulate" POST "/v1/fees/simulate" Platform []
        "Try proposed terms on a merchant's past payments." "用拟议费率回算商户历史交易。"
        fees::SimulateInput => List<crate::fee::report::Simulated>, fees::simulate,
        r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "terms": {"rules": [{"name": "lower", "charge": {"kind": "flat", "rate": "0.003"}}]}}"#;
    "fees.true_up" POST "/v1/fees/true_up" Platform [writes]
        "Settle a merchant's month: tiers by volume, packages, minimums, rounding." "月末结算商户手续费：阶梯、套餐、保底与尾差。"
        fees::TrueUpMonth => fees::TrueUp, fees::true_up, r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "month": "2026-11"}"#;
    "fees.margin" GET "/v1/fees/margin" Platform []
        "Sum what was earned with a merchant: price less tax less cost." "统计商户毛利：价格减税减渠道成本。"
        fees::MarginInput => List<crate::fee::report::MarginRow>, fees::margin,
        r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}"#;
    "fx_rates.set" POST "/v1/fx_rates" Platform [writes]
        "Set the mid rate and spread of a currency pair for a merchant." "为商户设置货币对的中间价与点差。"
        fx::SetRate => fx::RateView, fx::set_rate,
        r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "base": "USD", "quote": "CNY", "mid": "7.1234", "spread": "0.005"}"#;
    "fx_rates.list" GET "/v1/fx_rates" LedgerRead []
        "List exchange rates." "查询汇率列表。"
        fx::ListRates => List<fx::RateView>, fx::rates, r#"{"limit": 10}"#;
    "fx_quotes.create" POST "/v1/fx_quotes" Settings [writes]
        "Ask for an offer to convert one currency into another." "询价：将一种货币兑换为另一种。"
        fx::CreateQuote => fx::QuoteView, fx::create_quote,
        r#"{"amount": 10000, "side": "sell", "sell": "USD", "buy": "CNY", "ttl": 60}"#;
    "fx_quotes.list" GET "/v1/fx_quotes" LedgerRead []
        "List exchange quotes, newest first." "查询兑换报价列表，新的在前。"
        fx::ListQuotes => List<fx::QuoteView>, fx::quotes, r#"{"limit": 10}"#;
    "fx_quotes.retrieve" GET "/v1/fx_quotes/{id}" LedgerRead []
        "Retrieve an exchange quote." "查询一个兑换报价。"
        fx::QuoteById => fx::QuoteView, fx::retrieve_quote, r#"{"id": "fxq_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "fx_quotes.lock" POST "/v1/fx_quotes/{id}/lock" Settings [writes]
        "Hold an open quote for longer." "锁汇：延长报价有效期。"
        fx::LockQuote => fx::QuoteView, fx::lock_quote,
        r#"{"id": "fxq_01jd7xk3fz5v9b8m2q4r6t8w0y", "seconds": 3600}"#;
    "fx_quotes.convert" POST "/v1/fx_quotes/{id}/convert" Settings [money]
        "Convert available money by a quote that still holds." "按有效报价兑换可用余额。"
        fx::QuoteById => fx::QuoteView, fx::convert, r#"{"id": "fxq_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "fx_positions.retrieve" GET "/v1/fx_positions" LedgerRead []
        "Value what conversions have left in foreign currencies." "估值：兑换形成的外币头寸。"
        fx::PositionsIn => fx::PositionsView, fx::positions, r#"{"currency": "CNY"}"#;
    "fx_positions.revalue" POST "/v1/fx_positions/revalue" Platform [writes]
        "Book what changes of the rates have earned or cost since the last time." "重估外币头寸并入账汇兑损益。"
        fx::Revalue => fx::PositionsView, fx::revalue, r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "currency": "CNY"}"#;
    "settlement_plans.create" POST "/v1/settlement_plans" Platform [writes]
        "Agree on how a currency is settled: cycle, calendar, cut-off, minimum, reserves, fees." "设定某币种的结算方案：周期、日历、截止时间、最低出款额、保证金与费用。"
        settlements::CreatePlan => settlement::PlanView, settlements::create,
        r#"{"merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "currency": "CNY", "terms": {"cycle": {"every": "working_days", "days": 1}, "time_zone": "Asia/Shanghai", "calendar": "CN"}}"#;
    "settlement_plans.list" GET "/v1/settlement_plans" LedgerRead []
        "List settlement plans, newest first." "查询结算方案列表，新的在前。"
        settlements::ListPlans => List<settlement::PlanView>, settlements::list_plans, r#"{"limit": 10}"#;
    "settlement_plans.retrieve" GET "/v1/settlement_plans/{id}" LedgerRead []
        "Retrieve a settlement plan with its balance." "查询一个结算方案及其结转余额。"
        settlements::PlanById => settlement::PlanView, settlements::plan,
        r#"{"id": "stp_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "settlement_plans.update" POST "/v1/settlement_plans/{id}" Platform [writes]
        "Change the terms of a settlement plan, pause it or let it go on." "修改结算方案的条款，或暂停、恢复。"
        settlements::UpdatePlan => settlement::PlanView, settlements::update,
        r#"{"id": "stp_01jd7xk3fz5v9b8m2q4r6t8w0y", "merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "active": false}"#;
    "settlements.run" POST "/v1/settlements" Settings [writes]
        "Settle what is available now, or everything for the acceleration fee." "立即结算当前可结金额；或支付提前结算费结算全部。"
        settlements::RunSettlement => settlement::SettlementView, settlements::run,
        r#"{"plan_id": "stp_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "settlements.preview" POST "/v1/settlements/preview" LedgerRead []
        "Show what `settlements.run` would make, without making it." "预览立即结算的结果，不实际结算。"
        settlements::RunSettlement => settlement::SettlementView, settlements::preview,
        r#"{"plan_id": "stp_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "settlements.list" GET "/v1/settlements" LedgerRead []
        "List settlements with their statements, newest first." "查询结算单列表，新的在前。"
        settlements::ListSettlements => List<settlement::SettlementView>, settlements::list, r#"{"limit": 10}"#;
    "settlements.retrieve" GET "/v1/settlements/{id}" LedgerRead []
        "Retrieve a settlement with its statement." "查询一张结算单。"
        settlements::SettlementById => settlement::SettlementView, settlements::retrieve,
        r#"{"id": "stl_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "settlements.export" GET "/v1/settlements/{id}/export" LedgerRead []
        "Make a file of a statement: CSV, XLSX or PDF, in English or Chinese." "导出结算单文件：CSV、XLSX 或 PDF，中文或英文。"
        settlements::ExportSettlement => settlements::File, settlements::export,
        r#"{"id": "stl_01jd7xk3fz5v9b8m2q4r6t8w0y", "format": "pdf", "language": "zh"}"#;
    "settlement_runs.list" GET "/v1/settlement_runs" LedgerRead []
        "List how the making of settlements stands, newest first." "查询结算任务的进度，新的在前。"
        settlements::ListSettlements => List<settlement::RunView>, settlements::list_runs,
        r#"{"status": "collecting"}"#;
    "settlement_runs.retrieve" GET "/v1/settlement_runs/{id}" LedgerRead []
        "Retrieve how the making of one settlement stands." "查询一次结算任务的进度。"
        settlements::SettlementById => settlement::RunView, settlements::retrieve_run,
        r#"{"id": "stl_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "reserves.list" GET "/v1/reserves" LedgerRead []
        "List what is or was held in reserve, newest first." "查询保证金留存与释放记录，新的在前。"
        settlements::ListReserves => List<settlement::ReserveView>, settlements::list_reserves, r#"{"held": true}"#;
}
