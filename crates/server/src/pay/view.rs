//! An order in HTML, for browsers with and without scripts. What stands inside of `<paycore-checkout>` is the whole
//! payment in forms and links; where scripts run, the widget takes its place.

use std::fmt::Write as _;

use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use paycore::branding::Look;
use paycore::channel::{Action, Method};
use paycore::checkout::Checkout;
use paycore::error::Code;
use paycore::link::rules::NOTE;
use paycore::money::Money;
use paycore::order::{AttemptStatus, CheckoutView, Form, Order, OrderStatus};

use super::html::{button, escape, shop};
use super::texts::Texts;

/// What the payer sees of an order: the same screens as the widget's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Methods to choose from.
    Choose,
    /// Something to do.
    Act,
    /// The channel has not said yet what became of it.
    Working,
    /// One attempt is given up for another.
    Releasing,
    /// Paid.
    Done,
    /// Reserved.
    Authorized,
    /// Given back.
    Refunded,
    /// Declined for good.
    Failed,
    /// Too late.
    Expired,
    /// Closed by the merchant.
    Closed,
}

impl Stage {
    /// Where an order stands for its payer.
    pub fn of(view: &CheckoutView<'_>) -> Stage {
        let late = view.server_time >= view.expires_at;
        match view.status {
            OrderStatus::Succeeded => Stage::Done,
            OrderStatus::Authorized => Stage::Authorized,
            OrderStatus::Refunded | OrderStatus::PartiallyRefunded => Stage::Refunded,
            OrderStatus::Failed => Stage::Failed,
            OrderStatus::Closed if late => Stage::Expired,
            OrderStatus::Closed => Stage::Closed,
            OrderStatus::Pending | OrderStatus::Processing => {
                match view.attempt.as_ref().filter(|attempt| attempt.status.is_open()) {
                    None if late => Stage::Expired,
                    None => Stage::Choose,
                    Some(attempt) if attempt.status == AttemptStatus::Closing => Stage::Releasing,
                    Some(_) if view.next_action.is_some() => Stage::Act,
                    Some(_) => Stage::Working,
                }
            }
        }
    }

    /// Seconds until a page without scripts looks again.
    pub fn refresh(self) -> Option<u32> {
        match self {
            Stage::Act | Stage::Working | Stage::Releasing => Some(4),
            _ => None,
        }
    }

    /// Whether there is a receipt.
    pub fn has_receipt(self) -> bool {
        matches!(self, Stage::Done | Stage::Authorized | Stage::Refunded)
    }
}

/// All that a page of an order is made from.
#[derive(Debug)]
pub struct Page<'a> {
    /// The order.
    pub checkout: &'a Checkout,
    /// As the payer's browser is told.
    pub view: &'a CheckoutView<'a>,
    /// What the merchant's pages look like.
    pub look: &'a Look,
    /// The payer's language.
    pub texts: &'a Texts,
    /// Whether the widget takes over.
    pub widget: bool,
    /// What went wrong with what the payer just asked for.
    pub trouble: Option<Code>,
    /// Where its receipt is.
    pub receipt: String,
    /// The address of the page, without its query.
    pub path: &'a str,
    /// The query to keep.
    pub query: &'a str,
    /// What a wallet sent the browser back with, to learn who the payer is.
    pub code: Option<&'a str>,
}

impl Page<'_> {
    /// What stands in the sheet.
    pub fn body(&self) -> String {
        let stage = Stage::of(self.view);
        let version = self.view.version;
        let mut pay = format!("<div id=\"state\" data-version=\"{version}\">{}</div>", self.stage(stage));
        if self.widget {
            let order = &self.checkout.order;
            let secret = order.details.client_secret.as_ref().map_or("", |secret| secret.expose());
            pay = format!(
                "<paycore-checkout client-secret=\"{}\" locale=\"{}\" data-options=\"{}\">{pay}</paycore-checkout>",
                escape(secret),
                self.texts.tag,
                escape(&self.options())
            );
        }
        format!(
            "<header class=\"Summary\">{}</header><section class=\"Pay\" aria-label=\"{}\">{pay}{}</section>",
            self.summary(),
            escape(self.texts.say("payment")),
            self.after(stage)
        )
    }

    /// What the widget is told besides the order: the colours and words of the merchant, what a wallet sent the browser back
    /// with, and that price and subject are shown already.
    fn options(&self) -> String {
        let hidden = serde_json::json!({"display": "none"});
        let mut variables = serde_json::json!({"colorBackground": "transparent", "spacing": "0px"});
        if self.look.color_primary.is_some() {
            variables["colorPrimary"] = "var(--page-primary)".into();
            variables["colorOnPrimary"] = "var(--page-on-primary)".into();
        }
        let appearance = serde_json::json!({
            "theme": "auto",
            "variables": variables,
            "rules": {".Sandbox": hidden.clone(), ".Subject": hidden.clone(), ".Amount": hidden},
        });
        serde_json::json!({"appearance": appearance, "texts": self.texts.own(), "code": self.code})
            .to_string()
    }

    fn summary(&self) -> String {
        let (order, texts) = (&self.checkout.order, self.texts);
        let mut html = shop(&self.checkout.merchant, self.look, texts);
        let _ = write!(html, "<h1 class=\"Subject\">{}</h1>", escape(&order.details.subject));
        let _ = write!(html, "<p class=\"Amount\">{}</p>", escape(&order.money.display()));
        if let Some(text) = &order.details.description {
            let _ = write!(html, "<p class=\"Note\">{}</p>", escape(text));
        }
        html.push_str(&items(order, texts));
        if let Some(note) = &self.look.note {
            let _ = write!(html, "<p class=\"Note\">{}</p>", escape(note));
        }
        html
    }

    fn stage(&self, stage: Stage) -> String {
        let mut html = String::new();
        if let Some(code) = self.trouble {
            let why = self.texts.refusal(code.text());
            let _ = write!(html, "<p class=\"Notice\" role=\"alert\">{}</p>", escape(why));
        }
        match stage {
            Stage::Choose => self.choose(&mut html),
            Stage::Act => self.act(&mut html),
            Stage::Working => self.wait(&mut html, "working_title", Some("working")),
            Stage::Releasing => self.wait(&mut html, "releasing", None),
            ended => self.outcome(&mut html, ended),
        }
        html
    }

    fn choose(&self, html: &mut String) {
        let texts = self.texts;
        if let Some(decline) = self.view.decline.as_ref().filter(|_| self.trouble.is_none()) {
            let reason = serde_json::to_value(decline.reason).unwrap_or_default();
            let why = texts.reason(reason.as_str().unwrap_or_default());
            let _ = write!(html, "<p class=\"Notice\" role=\"alert\">{}</p>", escape(why));
        }
        let typed = |form: Form| form != Form::None;
        let plain: Vec<&Method> =
            self.view.methods.iter().filter(|row| !typed(row.form)).map(|row| row.method).collect();
        let title = if self.view.methods.is_empty() { "nothing" } else { "choose_title" };
        let _ = write!(html, "<h2 class=\"Title\">{}</h2>", escape(texts.say(title)));
        let after = self.view.attempt.as_ref().map_or_else(String::new, |attempt| attempt.id.to_string());
        let _ = write!(
            html,
            "<form method=\"post\" class=\"Ways\"><input type=\"hidden\" name=\"after\" value=\"{after}\">"
        );
        html.push_str(&code_field(self.code));
        for method in plain {
            html.push_str(&way(method, texts));
        }
        html.push_str("</form>");
        if self.view.methods.iter().any(|row| typed(row.form)) {
            let _ = write!(html, "<p class=\"Note\">{}</p>", escape(texts.say("only_scripts")));
        }
    }

    fn act(&self, html: &mut String) {
        let (Some(attempt), Some(action)) = (&self.view.attempt, self.view.next_action) else { return };
        let brand = self.texts.brand(attempt.method);
        match action {
            Action::Redirect { url } => {
                let go = self.texts.fill("continue_to", &brand);
                let _ = write!(
                    html,
                    "<h2 class=\"Title\">{}</h2><p class=\"Note\">{}</p>{}",
                    escape(&go),
                    escape(&self.texts.fill("redirect_note", &brand)),
                    button(url, &go, false)
                );
            }
            Action::Qr { content } => self.code(html, &brand, content),
            Action::Form { url, fields } => self.form(html, &brand, url, fields),
            Action::Client { parameters } => self.wallet(html, &brand, parameters),
            other => self.guide(html, other),
        }
        self.look_again(html);
        let _ = write!(
            html,
            "<form method=\"post\" action=\"{}/release{}\"><input type=\"hidden\" name=\"attempt_id\" value=\"{}\">\
             <button class=\"Button Button--quiet\">{}</button></form>",
            self.path,
            escape(self.query),
            attempt.id,
            escape(self.texts.say("change"))
        );
    }

    fn code(&self, html: &mut String, brand: &str, content: &str) {
        let title = escape(&self.texts.fill("scan", brand));
        let _ = write!(html, "<h2 class=\"Title\">{title}</h2>");
        if let Ok(code) = QRBuilder::new(content).build() {
            let svg = SvgBuilder::default().to_str(&code);
            let label = escape(self.texts.say("qr_label"));
            let _ = write!(html, "<div class=\"Code\" role=\"img\" aria-label=\"{label}\">{svg}</div>");
        }
        let opens = content.starts_with("https://") || content.starts_with("http://");
        if opens && !self.view.livemode {
            html.push_str(&button(content, self.texts.say("test_payer"), true));
        } else if opens || content.split("://").next().is_some_and(is_app_scheme) {
            // On a phone the code cannot be scanned from its own screen.
            let label = self.texts.fill("open_app", brand);
            let link = button(content, &label, true);
            let _ = write!(html, "<div class=\"OnPhone\">{link}</div>");
        }
    }

    fn form(&self, html: &mut String, brand: &str, url: &str, fields: &[(String, String)]) {
        let go = escape(&self.texts.fill("continue_to", brand));
        let note = escape(&self.texts.fill("redirect_note", brand));
        let _ = write!(html, "<h2 class=\"Title\">{go}</h2><p class=\"Note\">{note}</p>");
        let _ = write!(html, "<form id=\"next\" method=\"post\" action=\"{}\">", escape(url));
        for (name, value) in fields {
            let (name, value) = (escape(name), escape(value));
            let _ = write!(html, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        }
        let _ = write!(html, "<button class=\"Button\">{go}</button></form>");
    }

    fn wallet(&self, html: &mut String, brand: &str, parameters: &[(String, String)]) {
        let title = escape(&self.texts.fill("open_app", brand));
        let note = escape(&self.texts.fill("wallet_note", brand));
        let _ = write!(html, "<h2 class=\"Title\">{title}</h2><p class=\"Note\">{note}</p>");
        let link = parameters.iter().find(|(name, _)| name == "urlscheme" || name == "deeplink");
        if let Some((_, address)) = link {
            html.push_str(&button(address, &title, false));
            return;
        }
        let object: serde_json::Map<String, serde_json::Value> =
            parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let json = escape(&serde_json::Value::Object(object).to_string());
        let _ = write!(
            html,
            "<button class=\"Button\" id=\"wallet\" type=\"button\" data-parameters=\"{json}\">{title}</button>"
        );
    }

    /// Whatever else there is to do is said as it is: names with their values.
    fn guide(&self, html: &mut String, action: &Action) {
        let title = escape(&self.texts.fill("unknown_action", &self.checkout.merchant.name));
        let _ = write!(html, "<h2 class=\"Title\">{title}</h2><dl class=\"Rows\">");
        if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(action) {
            for (name, value) in fields.iter().filter(|(name, value)| *name != "type" && value.is_string()) {
                let value = escape(value.as_str().unwrap_or_default());
                let _ = write!(html, "<div><dt>{}</dt><dd>{value}</dd></div>", escape(name));
            }
        }
        html.push_str("</dl>");
    }

    fn wait(&self, html: &mut String, title: &'static str, note: Option<&'static str>) {
        let title = escape(self.texts.say(title));
        let _ = write!(
            html,
            "<div class=\"Spin\" aria-hidden=\"true\"></div><div role=\"status\"><h2 class=\"Title\">{title}</h2></div>"
        );
        if let Some(note) = note {
            let _ = write!(html, "<p class=\"Note\">{}</p>", escape(self.texts.say(note)));
        }
        self.look_again(html);
    }

    fn look_again(&self, html: &mut String) {
        let _ = write!(
            html,
            "<p class=\"Note\">{} <a href=\"{}{}\">{}</a></p>",
            escape(self.texts.say("looks_again")),
            self.path,
            escape(self.query),
            escape(self.texts.say("check_again"))
        );
    }

    fn outcome(&self, html: &mut String, stage: Stage) {
        let texts = self.texts;
        let shop = |key: &str| texts.fill(key, &self.checkout.merchant.name);
        let say = |key: &str| texts.say(key).to_owned();
        let (title, mark, class, note) = match stage {
            Stage::Done => ("done_title", "✓", "good", shop("done")),
            Stage::Authorized => ("authorized_title", "✓", "good", shop("authorized")),
            Stage::Refunded => ("refunded_title", "↩", "plain", String::new()),
            Stage::Expired => ("expired_title", "✕", "bad", say("expired")),
            Stage::Failed => ("failed_title", "✕", "bad", say("not_charged")),
            _ => ("closed_title", "✕", "bad", say("not_charged")),
        };
        let _ = write!(
            html,
            "<div class=\"Outcome\" role=\"status\"><p class=\"Mark {class}\" aria-hidden=\"true\">{mark}</p>\
             <h2 class=\"Title {class}\">{}</h2><p class=\"Note\">{}</p></div>",
            escape(texts.say(title)),
            escape(&note)
        );
    }

    /// What stands below the payment, whoever shows it: the receipt, and the way back.
    fn after(&self, stage: Stage) -> String {
        let texts = self.texts;
        let details = &self.checkout.order.details;
        let hidden = if stage.has_receipt() { "" } else { " hidden" };
        let mut html = format!(
            "<p id=\"receipt\"{hidden}>{}</p>",
            button(&format!("{}{}", self.receipt, self.query), texts.say("receipt_show"), true)
        );
        let back = texts.fill("return", &self.checkout.merchant.name);
        let ended = matches!(stage, Stage::Failed | Stage::Expired | Stage::Closed);
        let again = ended && details.metadata.contains_key(NOTE);
        match (&details.return_url, &details.cancel_url) {
            (_, Some(link)) if again => html.push_str(&button(link, texts.say("retry"), false)),
            (Some(address), _) if stage.has_receipt() => html.push_str(&button(address, &back, false)),
            (_, Some(address)) if !stage.has_receipt() => html.push_str(&link(address, &back)),
            (Some(address), None) if ended => html.push_str(&link(address, &back)),
            _ => {}
        }
        html
    }
}

/// The way back of somebody who does not pay; the page hides it once that is no longer so.
fn link(address: &str, label: &str) -> String {
    format!("<p id=\"cancel\" class=\"Back\"><a href=\"{}\">{}</a></p>", escape(address), escape(label))
}

/// The field of a form that brings a wallet's code along.
pub fn code_field(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| {
        format!("<input type=\"hidden\" name=\"code\" value=\"{}\">", escape(code))
    })
}

/// A button that chooses a method.
pub fn way(method: &Method, texts: &Texts) -> String {
    format!(
        "<button class=\"Way\" name=\"method\" value=\"{}\"><span class=\"WayName\">{}</span>\
         <span class=\"WayHint\">{}</span></button>",
        escape(method.as_str()),
        escape(&texts.brand(method)),
        escape(texts.hint(method))
    )
}

/// What is sold, folded away on small screens.
pub fn items(order: &Order, texts: &Texts) -> String {
    let rows = &order.details.line_items;
    if rows.is_empty() {
        return String::new();
    }
    let mut html =
        format!("<details class=\"Items\"><summary>{}</summary><ul>", escape(texts.say("summary")));
    for item in rows {
        let price = Money::new(item.unit_amount.saturating_mul(i64::from(item.quantity)), order.currency());
        let _ = write!(
            html,
            "<li><span>{} × {}</span><span>{}</span></li>",
            escape(&item.name),
            item.quantity,
            escape(&price.display())
        );
    }
    html.push_str("</ul></details>");
    html
}

/// Schemes of wallets' apps. Whatever else stands in a code is not made a link.
fn is_app_scheme(scheme: &str) -> bool {
    matches!(scheme, "weixin" | "alipays" | "alipay" | "upwallet" | "mqqapi" | "uppaywallet")
}
