//! The rows.

use http::Method;
use serde_json::Value;

use super::Operation;
use super::decode::typed_input;
use super::render::Render;
use crate::account::service as accounts;
use crate::agent::service as agents;
use crate::agent::{Agent, AgentEntry, AgentStatement, AgentWithdrawal};
use crate::branding::service as branding;
use crate::branding::{BrandingView, RetrieveBranding, UpdateBranding};
use crate::clearing::service as clearing;
use crate::device::service as devices;
use crate::device::{AuthorizeDevice, DeviceAuthorization};
use crate::dispute::Dispute;
use crate::dispute::service as disputes;
use crate::document::Shown;
use crate::epay::service as epay;
use crate::event::service as events;
use crate::exception::service as exceptions;
use crate::fee::service as fees;
use crate::fx::service as fx;
use crate::ledger::service as ledger;
use crate::link::service as links;
use crate::mandate::MandateView;
use crate::mandate::service as mandates;
use crate::merchant::Scope;
use crate::merchant::service as merchants;
use crate::order::input::CreateOrder;
use crate::order::service as orders;
use crate::order::{AttemptView, OrderView};
use crate::page::List;
use crate::page_alert::PageAlert;
use crate::page_alert::service as page_alerts;
use crate::payout::rules::{BatchView, PayoutView};
use crate::payout::service as payouts;
use crate::reconciliation::service as reconciliations;
use crate::reconciliation::view::{AdjustmentView, BankStatementView, BreakView, ReconciliationView};
use crate::refund::rules::RefundView;
use crate::refund::service as refunds;
use crate::sandbox::service as sandbox;
use crate::settlement::Correction;
use crate::settlement::service as settlements;
use crate::settlement::view as settlement;
use crate::split::service as splits;
use crate::split::{Receiver, ShareReturn, Split, SplitPlan};
use crate::vault::CardView;
use crate::vault::service as cards;
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
            takes_file: catalogue!(@has file [$($flag)*]),
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
    (@has file [$($flag:ident)*]) => { false $(|| catalogue!(@file $flag))* };
    (@has secret [$($flag:ident)*]) => { false $(|| catalogue!(@secret $flag))* };
    (@writes writes) => { true };
    (@writes $other:ident) => { false };
    (@money money) => { true };
    (@money $other:ident) => { false };
    (@file file) => { true };
    (@file $other:ident) => { false };
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
    "branding.retrieve" GET "/v1/branding" Settings []
        "Retrieve what your payment pages look like." "查询收款页面的外观。"
        RetrieveBranding => BrandingView, branding::retrieve, "{}";
    "branding.update" POST "/v1/branding" Settings [writes]
        "Replace what your payment pages look like: logo, colours, texts, who may frame them." "设置收款页面的外观：标志、颜色、文字、可嵌入的网站。"
        UpdateBranding => BrandingView, branding::update,
        r##"{"color_primary": "#0b5fb8", "note": "Thank you 感谢惠顾", "frame_ancestors": ["https://shop.example"]}"##;
    "cashiers.create" POST "/v1/cashiers" Settings [writes secret]
        "Create a cashier: an address that signs in to the cashier page." "新增收银员：返回收银台页面的登录链接。"
        merchants::CreateCashier => merchants::CashierView, merchants::create_cashier,
        r#"{"name": "Till 1 一号收银台", "currency": "CNY"}"#;
    "page_alerts.list" GET "/v1/page_alerts" Settings []
        "List what browsers found on payment pages that nobody expected, newest first." "查询收款页面上报的异常脚本、策略违规与被篡改的响应头，新的在前。"
        page_alerts::ListPageAlerts => List<Shown<PageAlert>>, page_alerts::list, r#"{"limit": 10}"#;
    "beneficiaries.create" POST "/v1/beneficiaries" PayoutsWrite [writes]
        "Enter somebody money may be paid out to; another key has to approve it." "新增收款人；须由另一密钥审批。"
        payouts::CreateBeneficiary => payouts::BeneficiaryView, payouts::create_beneficiary,
        r#"{"name": "Tea Farm 茶园", "account": "6222020200012345678", "route": {"type": "bank", "clearing": "102100099996", "country": "CN"}}"#;
    "beneficiaries.list" GET "/v1/beneficiaries" LedgerRead []
        "List beneficiaries, newest first." "查询收款人列表，新的在前。"
        payouts::ListBeneficiaries => List<payouts::BeneficiaryView>, payouts::beneficiaries, r#"{"limit": 10}"#;
    "beneficiaries.approve" POST "/v1/beneficiaries/{id}/approve" PayoutsApprove [writes]
        "Approve a beneficiary that somebody else entered." "审批他人新增的收款人。"
        payouts::BeneficiaryById => payouts::BeneficiaryView, payouts::approve_beneficiary,
        r#"{"id": "ben_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "beneficiaries.deactivate" POST "/v1/beneficiaries/{id}/deactivate" PayoutsWrite [writes]
        "End a beneficiary: nothing more is paid to it." "停用收款人，不再向其付款。"
        payouts::BeneficiaryById => payouts::BeneficiaryView, payouts::deactivate_beneficiary,
        r#"{"id": "ben_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "payouts.create" POST "/v1/payouts" PayoutsWrite [writes]
        "Draft a payout and set its money aside." "新建付款并冻结相应资金。"
        payouts::CreatePayout => PayoutView, payouts::create,
        r#"{"amount": 500000, "currency": "CNY", "beneficiary_id": "ben_01jd7xk3fz5v9b8m2q4r6t8w0y", "memo": "November 十一月货款"}"#;
    "payouts.list" GET "/v1/payouts" LedgerRead []
        "List payouts, newest first." "查询付款列表，新的在前。"
        payouts::ListPayouts => List<PayoutView>, payouts::list, r#"{"limit": 10}"#;
    "payouts.retrieve" GET "/v1/payouts/{id}" LedgerRead []
        "Retrieve a payout." "查询一笔付款。"
        payouts::PayoutById => PayoutView, payouts::retrieve, r#"{"id": "pyt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "payouts.review" POST "/v1/payouts/{id}/review" PayoutsWrite [writes]
        "Mark a draft as looked at; its author may not." "复核付款；制单人不可复核。"
        payouts::PayoutById => PayoutView, payouts::review, r#"{"id": "pyt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "payouts.approve" POST "/v1/payouts/{id}/approve" PayoutsApprove [money]
        "Approve a payout; with its last approval one by channel is sent." "审批付款；审批完成后，渠道付款立即发出。"
        payouts::ApprovePayout => PayoutView, payouts::approve,
        r#"{"id": "pyt_01jd7xk3fz5v9b8m2q4r6t8w0y", "effect": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}"#;
    "payouts.cancel" POST "/v1/payouts/{id}/cancel" PayoutsWrite [writes]
        "Withdraw or reject a payout that did not go out." "撤销或驳回尚未发出的付款。"
        payouts::CancelPayout => PayoutView, payouts::cancel,
        r#"{"id": "pyt_01jd7xk3fz5v9b8m2q4r6t8w0y", "reason": "wrong month"}"#;
    "payouts.settle" POST "/v1/payouts/{id}/settle" PayoutsApprove [writes]
        "Take in what the bank said of a payout in a batch." "登记银行对批量付款的处理结果。"
        payouts::SettlePayout => PayoutView, payouts::settle,
        r#"{"id": "pyt_01jd7xk3fz5v9b8m2q4r6t8w0y", "result": "paid", "bank_reference": "B-1"}"#;
    "payout_batches.create" POST "/v1/payout_batches" PayoutsWrite [writes]
        "Put all approved payouts by bank into one ISO 20022 file." "将全部已审批的银行付款生成 ISO 20022 批量文件。"
        payouts::CreateBatch => BatchView, payouts::create_batch,
        r#"{"currency": "CNY", "debtor_name": "Platform 平台", "debtor_account": "6222020200098765432", "debtor_country": "CN"}"#;
    "payout_batches.list" GET "/v1/payout_batches" LedgerRead []
        "List batches, newest first, without their files." "查询批次列表（不含文件），新的在前。"
        payouts::ListBatches => List<BatchView>, payouts::batches, r#"{"limit": 10}"#;
    "payout_batches.retrieve" GET "/v1/payout_batches/{id}" PayoutsWrite []
        "Retrieve a batch with its file." "查询一个批次及其文件。"
        payouts::BatchById => BatchView, payouts::retrieve_batch, r#"{"id": "pyb_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
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
    "ledger_accounts.list" GET "/v1/ledger_accounts" LedgerRead []
        "List the ledger's accounts with what stands on them, now or at an instant." "查询账户及其余额，当前或某一时点。"
        ledger::accounts::ListAccounts => List<ledger::accounts::AccountView>, ledger::accounts::list,
        r#"{"at": "2026-11-30T16:00:00Z"}"#;
    "ledger_accounts.freeze" POST "/v1/ledger_accounts/freeze" Settings [writes]
        "Freeze an account: nothing leaves it until it is unfrozen." "冻结账户：解冻前只进不出。"
        ledger::accounts::AccountAndReason => ledger::accounts::AccountView, ledger::accounts::freeze,
        r#"{"account": "merchant_available", "currency": "CNY", "reason": "under review 核查中"}"#;
    "ledger_accounts.unfreeze" POST "/v1/ledger_accounts/unfreeze" Settings [writes]
        "Free a frozen account." "解冻账户。"
        ledger::accounts::AccountAndReason => ledger::accounts::AccountView, ledger::accounts::unfreeze,
        r#"{"account": "merchant_available", "currency": "CNY", "reason": "cleared 核查完毕"}"#;
    "ledger_accounts.allow_overdraft" POST "/v1/ledger_accounts/allow_overdraft" Settings [writes]
        "Set how far an account may fall below zero." "设置账户可透支额度。"
        ledger::accounts::AllowOverdraft => ledger::accounts::AccountView, ledger::accounts::allow_overdraft,
        r#"{"account": "merchant_available", "currency": "CNY", "overdraft": 100000, "reason": "credit line 授信"}"#;
    "trial_balance.retrieve" GET "/v1/trial_balance" LedgerRead []
        "Retrieve the trial balance, now or at an instant." "查询试算平衡表，当前或某一时点。"
        ledger::periods::TrialBalanceAt => crate::ledger::period::TrialBalance, ledger::periods::trial,
        r#"{"at": "2026-11-30T16:00:00Z", "basis": "effective"}"#;
    "transactions.reverse" POST "/v1/transactions/{id}/reverse" Settings [writes]
        "Take a transaction back by another one with the same entries the other way." "红字冲销一笔流水。"
        ledger::ReverseTransaction => ledger::TransactionView, ledger::reverse,
        r#"{"id": "txn_01jd7xk3fz5v9b8m2q4r6t8w0y", "reason": "booked twice 重复入账"}"#;
    "holds.create" POST "/v1/holds" Settings [writes]
        "Put an amount of the available balance on hold." "冻结部分可用余额。"
        ledger::holds::CreateHold => crate::ledger::hold::Hold, ledger::holds::create,
        r#"{"amount": 5000, "currency": "CNY", "reason": "dispute 争议处理中"}"#;
    "holds.list" GET "/v1/holds" LedgerRead []
        "List holds, newest first." "查询冻结列表，新的在前。"
        ledger::holds::ListHolds => List<crate::ledger::hold::Hold>, ledger::holds::list, r#"{"status": "held"}"#;
    "holds.retrieve" GET "/v1/holds/{id}" LedgerRead []
        "Retrieve a hold." "查询一笔冻结。"
        ledger::holds::HoldById => crate::ledger::hold::Hold, ledger::holds::retrieve,
        r#"{"id": "hld_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "holds.release" POST "/v1/holds/{id}/release" Settings [writes]
        "Release a hold, or a part of it." "解除全部或部分冻结。"
        ledger::holds::ReleaseHold => crate::ledger::hold::Hold, ledger::holds::release,
        r#"{"id": "hld_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 2000}"#;
    "periods.close" POST "/v1/periods" Settings [writes]
        "Close the books up to an instant, for good." "关账：此时点之前不可再入账。"
        ledger::periods::ClosePeriod => crate::ledger::period::Period, ledger::periods::close,
        r#"{"until": "2026-10-31T16:00:00Z"}"#;
    "periods.list" GET "/v1/periods" LedgerRead []
        "List closed periods, the last one first." "查询已关账期间，新的在前。"
        ledger::periods::ListPeriods => List<crate::ledger::period::Period>, ledger::periods::list, r#"{"limit": 12}"#;
    "ledger_seals.create" POST "/v1/ledger_seals" Settings [writes]
        "Seal everything booked since the last seal." "封存上次封存以来的全部流水。"
        ledger::seals::SealNow => ledger::seals::SealHead, ledger::seals::create, "{}";
    "ledger_seals.list" GET "/v1/ledger_seals" LedgerRead []
        "List seals over the journal, newest first." "查询流水封存记录，新的在前。"
        ledger::seals::ListSeals => List<ledger::seals::SealView>, ledger::seals::list, r#"{"limit": 10}"#;
    "ledger_seals.verify" GET "/v1/ledger_seals/verify" LedgerRead []
        "Recompute the hash chain over the journal." "重新计算流水哈希链。"
        ledger::seals::VerifySeals => ledger::seals::SealReport, ledger::seals::verify, "{}";
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
    "split_plans.create" POST "/v1/split_plans" Settings [writes]
        "Make a plan by which orders are shared with others." "创建分账方案。"
        splits::CreatePlan => Shown<SplitPlan>, splits::create_plan,
        r#"{"name": "marketplace 平台商户", "terms": {"parts": [{"receiver_id": "rcv_01jd7xk3fz5v9b8m2q4r6t8w0y", "rule": {"type": "ratio", "millionths": 200000}}]}}"#;
    "split_plans.list" GET "/v1/split_plans" OrdersRead []
        "List plans, newest first." "查询分账方案列表，新的在前。"
        splits::ListPlans => List<Shown<SplitPlan>>, splits::list_plans, r#"{"limit": 10}"#;
    "split_plans.retrieve" GET "/v1/split_plans/{id}" OrdersRead []
        "Retrieve a plan." "查询一个分账方案。"
        splits::PlanById => Shown<SplitPlan>, splits::retrieve_plan, r#"{"id": "spl_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "split_plans.update" POST "/v1/split_plans/{id}" Settings [writes]
        "Change a plan for the orders to come; orders keep the terms they were made with." "修改分账方案；已创建的订单沿用原条款。"
        splits::UpdatePlan => Shown<SplitPlan>, splits::update_plan,
        r#"{"id": "spl_01jd7xk3fz5v9b8m2q4r6t8w0y", "enabled": false}"#;
    "split_plans.preview" POST "/v1/split_plans/{id}/preview" OrdersRead []
        "Divide a payment by a plan for show; nothing is kept." "按分账方案试算一笔支付，不保存。"
        splits::Preview => splits::PreviewView, splits::preview,
        r#"{"id": "spl_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 10000, "currency": "CNY", "fee": 60, "method": "alipay.qr"}"#;
    "receivers.create" POST "/v1/receivers" Settings [writes]
        "Make somebody a possible receiver of shares." "创建分账接收方。"
        splits::CreateReceiver => Shown<Receiver>, splits::create_receiver, r#"{"name": "Tea House 茶铺"}"#;
    "receivers.list" GET "/v1/receivers" OrdersRead []
        "List receivers, newest first." "查询分账接收方列表，新的在前。"
        splits::ListReceivers => List<Shown<Receiver>>, splits::list_receivers, r#"{"limit": 10}"#;
    "receivers.retrieve" GET "/v1/receivers/{id}" OrdersRead []
        "Retrieve a receiver." "查询一个分账接收方。"
        splits::ReceiverById => Shown<Receiver>, splits::retrieve_receiver, r#"{"id": "rcv_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "receivers.update" POST "/v1/receivers/{id}" Settings [writes]
        "Change a receiver, and bind it at its channels where asked." "修改分账接收方，可同时在渠道绑定关系。"
        splits::UpdateReceiver => Shown<Receiver>, splits::update_receiver,
        r#"{"id": "rcv_01jd7xk3fz5v9b8m2q4r6t8w0y", "enabled": true}"#;
    "splits.list" GET "/v1/splits" OrdersRead []
        "List the splits of orders, newest first." "查询订单分账列表，新的在前。"
        splits::ListSplits => List<Shown<Split>>, splits::list, r#"{"limit": 10}"#;
    "splits.retrieve" GET "/v1/splits/{id}" OrdersRead []
        "Retrieve the split of an order." "查询一笔订单分账。"
        splits::SplitById => Shown<Split>, splits::retrieve, r#"{"id": "spt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "splits.release" POST "/v1/splits/{id}/release" OrdersWrite [money]
        "Let go of shares that are held until delivery or acceptance." "解除担保，发放已冻结的分账。"
        splits::SplitById => Shown<Split>, splits::release, r#"{"id": "spt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "splits.retry" POST "/v1/splits/{id}/retry" OrdersWrite [money]
        "Go on with a blocked split: by the channel again for what it declined, or by the ledger." "继续被阻塞的分账：对渠道明确拒绝的部分重新请求，或改由账务记账。"
        splits::RetrySplit => Shown<Split>, splits::retry,
        r#"{"id": "spt_01jd7xk3fz5v9b8m2q4r6t8w0y", "via": "ledger"}"#;
    "share_returns.list" GET "/v1/share_returns" OrdersRead []
        "List what refunds and chargebacks took back of shares, newest first." "查询分账回退列表，新的在前。"
        splits::ListShareReturns => List<Shown<ShareReturn>>, splits::list_returns, r#"{"limit": 10}"#;
    "share_returns.retrieve" GET "/v1/share_returns/{id}" OrdersRead []
        "Retrieve what one refund or chargeback took back." "查询一笔分账回退。"
        splits::ShareReturnById => Shown<ShareReturn>, splits::retrieve_return,
        r#"{"id": "shr_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "agents.create" POST "/v1/agents" Settings [writes]
        "Make an agent with its cost prices." "创建代理商及其成本价。"
        agents::CreateAgent => Shown<Agent>, agents::create,
        r#"{"name": "Region East 华东代理", "costs": [{"product": "*", "from": "2026-01-01T00:00:00Z", "rate": {"millionths": 3000}}], "prices": [{"product": "*", "from": "2026-01-01T00:00:00Z", "rate": {"millionths": 6000}}]}"#;
    "agents.list" GET "/v1/agents" OrdersRead []
        "List agents, newest first." "查询代理商列表，新的在前。"
        agents::ListAgents => List<Shown<Agent>>, agents::list, r#"{"limit": 10}"#;
    "agents.retrieve" GET "/v1/agents/{id}" OrdersRead []
        "Retrieve an agent." "查询一个代理商。"
        agents::AgentById => Shown<Agent>, agents::retrieve, r#"{"id": "agt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "agents.update" POST "/v1/agents/{id}" Settings [writes]
        "Change an agent; new prices begin now or later." "修改代理商；新价格自现在或将来生效。"
        agents::UpdateAgent => Shown<Agent>, agents::update,
        r#"{"id": "agt_01jd7xk3fz5v9b8m2q4r6t8w0y", "enabled": true}"#;
    "agents.entries" GET "/v1/agents/{id}/entries" LedgerRead []
        "List the movements on an agent's account, newest first." "查询代理商分润明细，新的在前。"
        agents::ListEntries => List<Shown<AgentEntry>>, agents::entries,
        r#"{"id": "agt_01jd7xk3fz5v9b8m2q4r6t8w0y", "limit": 10}"#;
    "agent_statements.create" POST "/v1/agent_statements" Settings [money]
        "Close an agent's month: bonus, cap and the statement." "结算代理商月度分润：奖励、封顶与月结单。"
        agents::CreateStatement => Shown<AgentStatement>, agents::create_statement,
        r#"{"agent_id": "agt_01jd7xk3fz5v9b8m2q4r6t8w0y", "month": "2026-10", "currency": "CNY"}"#;
    "agent_statements.list" GET "/v1/agent_statements" LedgerRead []
        "List agents' statements, newest first." "查询代理商月结单列表，新的在前。"
        agents::ListStatements => List<Shown<AgentStatement>>, agents::list_statements, r#"{"limit": 10}"#;
    "agent_statements.retrieve" GET "/v1/agent_statements/{id}" LedgerRead []
        "Retrieve an agent's statement." "查询一份代理商月结单。"
        agents::StatementById => Shown<AgentStatement>, agents::retrieve_statement,
        r#"{"id": "ags_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "agent_withdrawals.create" POST "/v1/agent_withdrawals" Settings [money]
        "Ask for a payment to an agent; tax is withheld." "申请代理商提现，代扣税款。"
        agents::CreateWithdrawal => Shown<AgentWithdrawal>, agents::create_withdrawal,
        r#"{"agent_id": "agt_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 10000, "currency": "CNY"}"#;
    "agent_withdrawals.list" GET "/v1/agent_withdrawals" LedgerRead []
        "List payments to agents, newest first." "查询代理商提现列表，新的在前。"
        agents::ListWithdrawals => List<Shown<AgentWithdrawal>>, agents::list_withdrawals, r#"{"limit": 10}"#;
    "agent_withdrawals.retrieve" GET "/v1/agent_withdrawals/{id}" LedgerRead []
        "Retrieve a payment to an agent." "查询一笔代理商提现。"
        agents::WithdrawalById => Shown<AgentWithdrawal>, agents::retrieve_withdrawal,
        r#"{"id": "agw_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "agent_withdrawals.approve" POST "/v1/agent_withdrawals/{id}/approve" Settings [money]
        "Approve a payment that somebody else asked for." "审批他人申请的代理商提现。"
        agents::WithdrawalById => Shown<AgentWithdrawal>, agents::approve,
        r#"{"id": "agw_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "agent_withdrawals.pay" POST "/v1/agent_withdrawals/{id}/pay" Settings [money]
        "Note that an approved payment was made." "标记已审批的代理商提现已付款。"
        agents::EndWithdrawal => Shown<AgentWithdrawal>, agents::pay,
        r#"{"id": "agw_01jd7xk3fz5v9b8m2q4r6t8w0y", "note": "bank ref 20261130001"}"#;
    "agent_withdrawals.reject" POST "/v1/agent_withdrawals/{id}/reject" Settings [money]
        "End a payment that is not made and book it back." "驳回代理商提现并冲回。"
        agents::EndWithdrawal => Shown<AgentWithdrawal>, agents::reject,
        r#"{"id": "agw_01jd7xk3fz5v9b8m2q4r6t8w0y", "note": "account closed 账户已注销"}"#;
    "disputes.open" POST "/v1/disputes" RefundsWrite [money]
        "Open a dispute by hand, where the channel does not notify of it." "手工登记争议（渠道不通知时）。"
        disputes::OpenDispute => Shown<Dispute>, disputes::open,
        r#"{"order_id": "ord_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 1234, "reason": "not_received", "respond_by": "2099-01-01T00:00:00Z"}"#;
    "disputes.list" GET "/v1/disputes" OrdersRead []
        "List disputes, newest first." "查询争议列表，新的在前。"
        disputes::ListDisputes => List<Shown<Dispute>>, disputes::list, r#"{"limit": 10}"#;
    "disputes.retrieve" GET "/v1/disputes/{id}" OrdersRead []
        "Retrieve a dispute." "查询一笔争议。"
        disputes::DisputeById => Shown<Dispute>, disputes::retrieve, r#"{"id": "dsp_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "disputes.add_evidence" POST "/v1/disputes/{id}/evidence" RefundsWrite [writes file]
        "Add a file of evidence: PDF, PNG, JPEG or plain text." "上传举证材料：PDF、PNG、JPEG 或纯文本。"
        disputes::AddEvidence => disputes::EvidenceView, disputes::add_evidence,
        r#"{"id": "dsp_01jd7xk3fz5v9b8m2q4r6t8w0y", "name": "receipt 签收单", "content": "c2lnbmVkIGZvcg=="}"#;
    "disputes.list_evidence" GET "/v1/disputes/{id}/evidence" OrdersRead []
        "List the files of a dispute." "查询争议的举证材料列表。"
        disputes::DisputeById => List<disputes::EvidenceView>, disputes::list_evidence,
        r#"{"id": "dsp_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "disputes.retrieve_evidence" GET "/v1/dispute_evidence/{id}" OrdersRead []
        "Retrieve a file of evidence with its content as base64." "查询一份举证材料及其内容（base64）。"
        disputes::EvidenceById => disputes::EvidenceContent, disputes::retrieve_evidence,
        r#"{"id": "evd_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "disputes.submit" POST "/v1/disputes/{id}/submit" RefundsWrite [money]
        "Answer a dispute with a statement and the files added before." "提交争议申辩及举证材料。"
        disputes::SubmitDispute => Shown<Dispute>, disputes::submit,
        r#"{"id": "dsp_01jd7xk3fz5v9b8m2q4r6t8w0y", "statement": "Delivered and signed for. 已签收。"}"#;
    "disputes.accept" POST "/v1/disputes/{id}/accept" RefundsWrite [money]
        "Accept a dispute: the money stays with the payer." "接受争议，款项归付款方。"
        disputes::DisputeById => Shown<Dispute>, disputes::accept, r#"{"id": "dsp_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "disputes.decide" POST "/v1/disputes/{id}/decide" Settings [money]
        "Note the channel's decision by hand, where it does not notify of it." "手工登记渠道裁决（渠道不通知时）。"
        disputes::DecideDispute => Shown<Dispute>, disputes::decide,
        r#"{"id": "dsp_01jd7xk3fz5v9b8m2q4r6t8w0y", "outcome": "won"}"#;
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
    "settlements.correct" POST "/v1/settlements/{id}/correct" Platform [writes]
        "Propose a correction of a published settlement; another key approves it." "对已出结算单提出更正；须由另一密钥复核。"
        settlements::CorrectSettlement => Shown<Correction>, settlements::correct,
        r#"{"id": "stl_01jd7xk3fz5v9b8m2q4r6t8w0y", "merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "amount": 1200, "reason": "fee of 30 November charged twice"}"#;
    "settlement_corrections.list" GET "/v1/settlement_corrections" LedgerRead []
        "List corrections of settlements, newest first." "查询结算更正列表，新的在前。"
        settlements::ListCorrections => List<Shown<Correction>>, settlements::corrections, r#"{"limit": 10}"#;
    "settlement_corrections.approve" POST "/v1/settlement_corrections/{id}/approve" Platform [writes]
        "Approve a correction: it is booked and an entry of the next statement." "复核更正：入账并列入下一期结算单。"
        settlements::CorrectionById => Shown<Correction>, settlements::approve_correction,
        r#"{"id": "stc_01jd7xk3fz5v9b8m2q4r6t8w0y", "merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "settlement_corrections.reject" POST "/v1/settlement_corrections/{id}/reject" Platform [writes]
        "Reject a correction, or take it back." "驳回或撤回更正。"
        settlements::DecideCorrection => Shown<Correction>, settlements::reject_correction,
        r#"{"id": "stc_01jd7xk3fz5v9b8m2q4r6t8w0y", "merchant_id": "mer_01jd7xk3fz5v9b8m2q4r6t8w0y", "reason": "the fee was right"}"#;
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
    "devices.authorize" POST "/v1/devices/authorize" OrdersWrite []
        "Let a device of the shop read payers, such as a face reader." "授权门店设备识别付款人，例如刷脸设备。"
        AuthorizeDevice => DeviceAuthorization, devices::authorize,
        r#"{"method": "wechatpay.face", "store": "s1", "store_name": "Corner Shop 街角小店", "device": "d1", "challenge": "H0kvnUgGHKuqflNwtNqCdOVpbO4F"}"#;
    "mandates.create" POST "/v1/mandates" OrdersWrite [writes]
        "Let a payer agree to be charged without being present." "发起委托代扣签约。"
        mandates::CreateMandate => MandateView, mandates::create,
        r#"{"method": "wechatpay.mandate", "currency": "CNY", "amount_limit": 10000, "description": "Monthly tea 每月茶叶"}"#;
    "mandates.list" GET "/v1/mandates" OrdersRead []
        "List mandates, newest first." "查询代扣协议列表，新的在前。"
        mandates::ListMandates => List<MandateView>, mandates::list, r#"{"limit": 10}"#;
    "mandates.retrieve" GET "/v1/mandates/{id}" OrdersRead []
        "Retrieve a mandate." "查询代扣协议。"
        mandates::MandateById => MandateView, mandates::retrieve, r#"{"id": "mdt_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "mandates.revoke" POST "/v1/mandates/{id}/revoke" OrdersWrite [writes]
        "End a mandate; nobody is charged by it any more." "解除代扣协议，此后不再扣款。"
        mandates::RevokeMandate => MandateView, mandates::revoke,
        r#"{"id": "mdt_01jd7xk3fz5v9b8m2q4r6t8w0y", "reason": "The subscription ended 订阅已结束"}"#;
    "cards.list" GET "/v1/cards" OrdersRead []
        "List the cards that are kept for your customers, newest first." "查询为客户保存的银行卡，新的在前。"
        cards::ListCards => List<CardView>, cards::list, r#"{"customer": "customer-42"}"#;
    "cards.retrieve" GET "/v1/cards/{id}" OrdersRead []
        "Retrieve a stored card: its brand, last four digits and the customer's consent." "查询一张已保存的银行卡：卡组织、尾号与客户授权。"
        cards::CardById => CardView, cards::retrieve, r#"{"id": "card_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "cards.delete" POST "/v1/cards/{id}/delete" OrdersWrite [writes]
        "Delete a stored card; it can never be paid with again." "删除已保存的银行卡，此后无法再用它付款。"
        cards::CardById => CardView, cards::delete, r#"{"id": "card_01jd7xk3fz5v9b8m2q4r6t8w0y"}"#;
    "reconciliations.run" POST "/v1/reconciliations" Settings [writes file]
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
    "bank_statements.upload" POST "/v1/bank_statements" Settings [writes file]
        "Take in a bank statement and clear its credits against the channel's days." "上传银行账单，与渠道各日应到账核对。"
        reconciliations::UploadBankStatement => BankStatementView, reconciliations::upload,
        r#"{"account_id": "cha_01jd7xk3fz5v9b8m2q4r6t8w0y", "content": "ZGF0ZSxhbW91bnQsY3VycmVuY3kscmVmZXJlbmNlLHRleHQK"}"#;
    "bank_statements.list" GET "/v1/bank_statements" LedgerRead []
        "List bank statements, newest first." "查询银行账单列表，新的在前。"
        reconciliations::ListBankStatements => List<BankStatementView>, reconciliations::list_bank_statements,
        r#"{"limit": 10}"#;
}
