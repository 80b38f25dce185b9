//! Every word on a statement, in both languages.

use paycore::clearing::ItemKind;
use paycore::settlement::export::Language;
use paycore::settlement::{Carried, LineKind, WaitsFor};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $en:literal $zh:literal,)*) => {
        /// A word of the page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Word { $($(#[$doc])* $name,)* }

        impl Word {
            /// As it is printed.
            pub const fn text(self, language: Language) -> &'static str {
                match (self, language) { $(
                    (Word::$name, Language::English) => $en,
                    (Word::$name, Language::Chinese) => $zh,
                )* }
            }
        }
    };
}

words! {
    Title "Settlement statement" "结算单",
    Merchant "Merchant" "商户",
    Number "Number" "结算单号",
    Period "Period" "结算周期",
    Until "to" "至",
    PayOn "Payment date" "出款日期",
    Status "Status" "状态",
    Remark "Remark" "备注",
    Currency "Currency" "币种",
    PayoutCurrency "Payout currency" "出款币种",
    MidRate "Mid rate" "中间价",
    Rate "Exchange rate" "成交汇率",
    TimeZone "Time zone" "时区",
    Line "Line" "项目",
    Count "Count" "笔数",
    Amount "Amount" "金额",
    Opening "Opening balance" "期初余额",
    Closing "Closing balance" "期末余额",
    Items "Items" "明细",
    Time "Time" "时间",
    Kind "Kind" "类型",
    Source "Reference" "业务单号",
    Order "Order" "订单号",
    Channel "Channel" "渠道",
    Method "Method" "支付方式",
    Gross "Gross" "交易金额",
    Fee "Fee" "手续费",
    Net "Net" "净额",
    Page "Page" "页",
    More "more items are in the CSV and XLSX files" "笔明细见 CSV 与 XLSX 文件",
}

/// The name of a line of the statement.
pub const fn line(kind: LineKind, language: Language) -> &'static str {
    match language {
        Language::English => kind.name_en(),
        Language::Chinese => kind.name_zh(),
    }
}

/// The name of an item's kind.
pub const fn item(kind: ItemKind, language: Language) -> &'static str {
    let (en, zh) = match kind {
        ItemKind::Payment => ("Payment", "收款"),
        ItemKind::Refund => ("Refund", "退款"),
        ItemKind::Chargeback => ("Chargeback", "拒付"),
        ItemKind::ChargebackReversal => ("Chargeback reversed", "拒付撤回"),
        ItemKind::Fee => ("Fee", "手续费"),
        ItemKind::Adjustment => ("Adjustment", "调账"),
        ItemKind::Share => ("Share", "分账"),
        ItemKind::ShareReturn => ("Share returned", "分账退回"),
        ItemKind::ReserveHold => ("Reserve held", "保证金留存"),
        ItemKind::ReserveRelease => ("Reserve released", "保证金释放"),
    };
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}

/// Why a balance is carried.
pub const fn carried(why: Carried, language: Language) -> &'static str {
    let (en, zh) = match why {
        Carried::Minimum => ("Below the minimum payout; carried forward.", "低于最低出款额，结转下期。"),
        Carried::Negative => ("The balance is negative; carried forward.", "余额为负，结转下期。"),
        Carried::Hold => ("Payouts are on hold; carried forward.", "出款已暂停，结转下期。"),
        Carried::Maximum => {
            ("Above the maximum payout; the rest is carried forward.", "超过最高出款额，余额结转下期。")
        }
        Carried::Float => {
            ("Awaiting funds from channels; the rest is carried forward.", "渠道资金未到账，余额结转下期。")
        }
    };
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}

/// Why a payout is not converted yet.
pub const fn waits_for(why: WaitsFor, language: Language) -> &'static str {
    let (en, zh) = match why {
        WaitsFor::Rate => ("Waiting for an exchange rate.", "等待汇率。"),
        WaitsFor::Balance => ("Waiting for available balance.", "等待可用余额。"),
    };
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}
