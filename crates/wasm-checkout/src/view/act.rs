//! What the payer has to do next, one kind at a time.

use js_sys::Date;
use paycore::time::Timestamp;
use wasm_bindgen::JsValue;

use crate::dom::Part;
use crate::order::{Action, is_safe_link, is_web};
use crate::view::View;
use crate::{code128, qr};

impl View<'_> {
    pub(super) fn act(&self, method: &str, action: &Action) -> (String, Vec<Part>) {
        let brand = self.texts.brand_of(method);
        let (title, mut parts) = match action {
            Action::Qr { content } => self.code(&brand, content),
            Action::Redirect { .. } | Action::Form { .. } => {
                let note = self.make.part("p", "Note").text(&self.texts.fill("redirect_note", &brand));
                let on = self.make.button("act", &self.texts.fill("continue_to", &brand), false);
                (self.texts.fill("continue_to", &brand), vec![note, on])
            }
            Action::Client { .. } | Action::App { .. } => self.wallet(&brand, action),
            Action::Voucher { number, barcode, url, expires_at } => {
                self.voucher(number, barcode.as_deref(), url.as_deref(), *expires_at)
            }
            Action::BankTransfer { rows, reference } => self.transfer(rows, reference),
            Action::Unknown => {
                let title = self.texts.say("working_title");
                let on = self.texts.fill("unknown_action", self.merchant());
                (title, vec![self.make.part("p", "Note").text(&on)])
            }
        };
        parts.push(self.make.part("p", "Countdown").attr("aria-hidden", "true"));
        if matches!(action, Action::Qr { .. }) {
            parts.push(self.make.button("refresh", &self.texts.say("refresh"), true));
        }
        parts.push(self.make.button("change", &self.texts.say("change"), true));
        (title, parts)
    }

    fn code(&self, brand: &str, content: &str) -> (String, Vec<Part>) {
        let title = self.texts.fill("scan", brand);
        let mut parts = Vec::new();
        if let Some(drawing) = qr::drawing(content) {
            let label = self.texts.say("qr_label");
            parts.push(self.make.part("div", "Code").with(self.make.drawing(&drawing, &label, false)));
        }
        let sandbox = self.order.is_some_and(|order| !order.livemode);
        if self.touch && is_safe_link(content) {
            parts.push(self.make.link(content, &self.texts.fill("open_app", brand), false));
        } else if sandbox && is_web(content) {
            let link = self.make.link(content, &self.texts.say("test_payer"), true);
            parts.push(link.attr("target", "_blank"));
        }
        (title, parts)
    }

    fn wallet(&self, brand: &str, action: &Action) -> (String, Vec<Part>) {
        let label = self.texts.fill("open_app", brand);
        let button = match action.deep_link().filter(|link| is_safe_link(link)) {
            Some(link) => self.make.link(link, &label, false).attr("data-do", "opened"),
            None => self.make.button("act", &label, false),
        };
        let note = self.make.part("p", "Note").text(&self.texts.fill("wallet_note", brand));
        (label, vec![note, button])
    }

    fn voucher(
        &self,
        number: &str,
        barcode: Option<&str>,
        url: Option<&str>,
        until: Option<Timestamp>,
    ) -> (String, Vec<Part>) {
        let mut parts = Vec::new();
        if let Some(drawing) = barcode.and_then(code128::drawing) {
            let label = self.texts.say("voucher_barcode");
            parts.push(
                self.make.part("div", "Code Code--bars").with(self.make.drawing(&drawing, &label, true)),
            );
        }
        let name = self.texts.say("voucher_number");
        parts.push(self.make.part("dl", "Rows").with(self.row_of(&name, number)));
        if let Some(until) = until {
            parts.push(self.make.part("p", "Note").text(&self.instant(until)));
        }
        if let Some(url) = url.filter(|url| is_web(url)) {
            let link = self.make.link(url, &self.texts.say("voucher_open"), false);
            parts.push(link.attr("target", "_blank"));
        }
        (self.texts.say("voucher_title"), parts)
    }

    /// An instant as it is written where the payer is, in the payer's own time zone.
    fn instant(&self, at: Timestamp) -> String {
        let date = Date::new(&JsValue::from_f64(at.millis() as f64));
        date.to_locale_string(&self.texts.tag, &JsValue::UNDEFINED).into()
    }

    fn transfer(&self, rows: &[(String, String)], reference: &str) -> (String, Vec<Part>) {
        let mut list = self.make.part("dl", "Rows");
        list = list.with_all(rows.iter().map(|(label, value)| self.row_of(label, value)));
        if let Some(order) = self.order {
            list = list.with(self.row_of(&self.texts.say("bank_amount"), &order.price()));
        }
        list = list.with(self.row_of(&self.texts.say("bank_reference"), reference));
        (self.texts.say("bank_title"), vec![list])
    }

    /// A value with its name and a button that copies it.
    fn row_of(&self, label: &str, value: &str) -> Part {
        let copy = self.make.button("copy", "⧉", true).attr("data-value", value);
        let copy = copy.attr("aria-label", &self.texts.fill("copy", label));
        self.make
            .part("div", "Row")
            .with(self.make.part("dt", "").text(label))
            .with(self.make.part("dd", "Number").text(value).with(copy))
    }
}
