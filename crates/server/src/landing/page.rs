//! The HTML of the pages behind a payment link. Every text that is not ours is escaped.

use std::fmt::Write as _;

use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use paycore::channel::Action;
use paycore::error::Error;
use paycore::landing::Landing;
use paycore::money::Money;
use paycore::order::{Order, OrderStatus};

/// English or Chinese.
fn say(chinese: bool, english: &'static str, text: &'static str) -> &'static str {
    if chinese { text } else { english }
}

/// What is for sale here and the ways to pay.
pub(super) fn offer(landing: &Landing, code: Option<&str>, chinese: bool) -> String {
    let link = &landing.link;
    let mut body = head(landing);
    if let Some(why) = landing.closed {
        let _ = write!(body, "<p class=\"note\">{}</p>", escape(why));
        return whole(&link.details.subject, &body, None, chinese);
    }
    if landing.offers.is_empty() {
        let why = say(
            chinese,
            "This code cannot be paid with this app. Scan it with another wallet or open it in a browser.",
            "当前应用无法支付此码，请换用其他钱包扫码或在浏览器中打开。",
        );
        let _ = write!(body, "<p class=\"note\">{why}</p>");
        return whole(&link.details.subject, &body, None, chinese);
    }
    body.push_str("<form method=\"post\">");
    match link.amount {
        Some(minor) => {
            let money = Money::new(minor, link.currency);
            let _ = write!(body, "<p class=\"amount\">{money}</p>");
        }
        None => {
            let label = say(chinese, "Amount", "金额");
            let _ = write!(
                body,
                "<label class=\"amount\">{label} ({currency})<input name=\"amount\" inputmode=\"decimal\" required \
                 autocomplete=\"off\" autofocus maxlength=\"20\" placeholder=\"0.00\"></label>",
                currency = link.currency
            );
        }
    }
    if let Some(code) = code {
        let _ = write!(body, "<input type=\"hidden\" name=\"code\" value=\"{}\">", escape(code));
    }
    for method in &landing.offers {
        let name = brand(method.brand(), chinese);
        let pay = say(chinese, "Pay with", "使用");
        let (pay, after) = if chinese { (pay, "支付") } else { (pay, "") };
        let _ = write!(
            body,
            "<button name=\"method\" value=\"{}\">{pay} {}{after}</button>",
            escape(method.as_str()),
            escape(name)
        );
    }
    body.push_str("</form>");
    whole(&link.details.subject, &body, None, chinese)
}

/// What the payer has to do next, or how it ended.
pub(super) fn progress(landing: &Landing, order: &Order, chinese: bool) -> String {
    let mut body = head(landing);
    let _ = write!(body, "<p class=\"amount\">{}</p>", order.money);
    let open = matches!(order.status, OrderStatus::Pending | OrderStatus::Processing);
    let mut script = None;
    match (&order.next_action, order.status) {
        (Some(action), OrderStatus::Pending) => script = next(&mut body, action, chinese),
        (_, OrderStatus::Pending | OrderStatus::Processing) => {
            let waiting = say(chinese, "Waiting for the payment to be confirmed.", "正在确认支付结果。");
            let _ = write!(body, "<p role=\"status\">{waiting}</p>");
        }
        (_, OrderStatus::Succeeded | OrderStatus::Authorized) => {
            let _ =
                write!(body, "<p class=\"good\" role=\"status\">{}</p>", say(chinese, "Paid", "支付成功"));
        }
        (_, OrderStatus::Refunded | OrderStatus::PartiallyRefunded) => {
            let _ = write!(body, "<p role=\"status\">{}</p>", say(chinese, "Refunded", "已退款"));
        }
        (_, OrderStatus::Failed | OrderStatus::Closed) => {
            let over = say(chinese, "Not paid. You were not charged.", "未支付，没有扣款。");
            let _ = write!(
                body,
                "<p class=\"bad\" role=\"status\">{over}</p><p><a class=\"button\" href=\"/l/{}\">{}</a></p>",
                landing.link.id,
                say(chinese, "Try again", "重新支付")
            );
        }
    }
    if let (false, Some(back)) = (open, &landing.link.details.return_url) {
        let label = say(chinese, "Back to the shop", "返回商家");
        let _ = write!(body, "<p><a class=\"button\" href=\"{}\">{label}</a></p>", escape(back));
    }
    let refresh = open.then_some(3);
    whole_with(&landing.link.details.subject, &body, refresh, script, chinese)
}

/// The script that the action needs, if it needs one.
fn next(body: &mut String, action: &Action, chinese: bool) -> Option<&'static str> {
    match action {
        Action::Redirect { url } => {
            let label = say(chinese, "Go on to the payment", "前往支付");
            let _ = write!(body, "<p><a class=\"button\" href=\"{}\">{label}</a></p>", escape(url));
            None
        }
        Action::Qr { content } => {
            if let Ok(code) = QRBuilder::new(content.as_str()).build() {
                let label = say(chinese, "QR code of the payment", "支付二维码");
                let svg = SvgBuilder::default().to_str(&code);
                let _ = write!(body, "<div class=\"qr\" role=\"img\" aria-label=\"{label}\">{svg}</div>");
            }
            let scan = say(chinese, "Scan this code with your wallet.", "请用钱包扫描此码。");
            let _ = write!(body, "<p role=\"status\">{scan}</p>");
            None
        }
        Action::Form { url, fields } => {
            let _ = write!(body, "<form id=\"next\" method=\"post\" action=\"{}\">", escape(url));
            for (name, value) in fields {
                let (name, value) = (escape(name), escape(value));
                let _ = write!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
            }
            let _ =
                write!(body, "<button>{}</button></form>", say(chinese, "Go on to the payment", "前往支付"));
            Some("submit")
        }
        Action::Client { parameters } => {
            let object: serde_json::Map<String, serde_json::Value> =
                parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            let json = serde_json::Value::Object(object).to_string();
            let label = say(chinese, "Pay", "立即支付");
            let _ = write!(
                body,
                "<p><button id=\"wallet\" type=\"button\" data-parameters=\"{}\">{label}</button></p>",
                escape(&json)
            );
            Some("wallet")
        }
        _ => None,
    }
}

/// Something that cannot be done, said to the payer.
pub(super) fn sorry(error: &Error, again: Option<&str>, chinese: bool) -> String {
    let title = if chinese { error.code.title_zh() } else { error.code.title() };
    let mut body =
        format!("<h1>{}</h1><p class=\"bad\" role=\"alert\">{}</p>", escape(title), escape(&error.detail));
    if let Some(again) = again {
        let label = say(chinese, "Try again", "重试");
        let _ = write!(body, "<p><a class=\"button\" href=\"{}\">{label}</a></p>", escape(again));
    }
    whole(title, &body, None, chinese)
}

fn head(landing: &Landing) -> String {
    let (shop, subject) = (escape(&landing.merchant.name), escape(&landing.link.details.subject));
    let sandbox = if landing.merchant.livemode { "" } else { "<p class=\"sandbox\">sandbox 沙箱</p>" };
    format!("{sandbox}<p class=\"shop\">{shop}</p><h1>{subject}</h1>")
}

/// What payers call a brand.
fn brand(brand: &str, chinese: bool) -> &str {
    match (brand, chinese) {
        ("wechatpay", true) => "微信",
        ("wechatpay", false) => "WeChat Pay",
        ("alipay", true) => "支付宝",
        ("alipay", false) => "Alipay",
        ("unionpay", true) => "云闪付",
        ("unionpay", false) => "UnionPay",
        ("qq", true) => "QQ 钱包",
        ("qq", false) => "QQ Wallet",
        ("ecny", true) => "数字人民币",
        ("ecny", false) => "e-CNY",
        ("douyinpay", true) => "抖音",
        ("douyinpay", false) => "Douyin Pay",
        ("alipayhk", _) => "AlipayHK",
        ("kakaopay", _) => "Kakao Pay",
        ("tng", _) => "TNG eWallet",
        ("gcash", _) => "GCash",
        ("truemoney", _) => "TrueMoney",
        (other, _) => other,
    }
}

fn whole(title: &str, body: &str, refresh: Option<u32>, chinese: bool) -> String {
    whole_with(title, body, refresh, None, chinese)
}

fn whole_with(title: &str, body: &str, refresh: Option<u32>, script: Option<&str>, chinese: bool) -> String {
    let language = if chinese { "zh-CN" } else { "en" };
    let refresh = refresh
        .map_or_else(String::new, |seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"));
    // A page that calls the wallet must not be loaded anew under the payer's fingers.
    let (refresh, script) = match script {
        Some(name) => (String::new(), format!("<script src=\"/l/assets/{name}.js\" defer></script>")),
        None => (refresh, String::new()),
    };
    format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">{refresh}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{}</title><link rel=\"stylesheet\" href=\"/l/assets/page.css\">{script}</head>\
         <body><main>{body}</main></body></html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
