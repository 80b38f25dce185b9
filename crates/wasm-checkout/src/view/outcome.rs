//! How it ended.

use crate::dom::Part;
use crate::order::is_web;
use crate::session::Screen;
use crate::view::View;

impl View<'_> {
    pub(super) fn outcome(&self, screen: &Screen) -> (String, Vec<Part>) {
        let say = |key: &str| self.texts.say(key);
        let shop = |key: &str| self.texts.fill(key, self.merchant());
        let (title, mark, class, lines) = match screen {
            Screen::Done => ("done_title", "✓", "done", vec![shop("done")]),
            Screen::Authorized => ("authorized_title", "✓", "done", vec![shop("authorized")]),
            Screen::Refunded => ("refunded_title", "↩", "refunded", Vec::new()),
            Screen::Failed { reason } => {
                let reason = self.texts.reason(reason.as_deref().unwrap_or("generic"));
                ("failed_title", "✕", "failed", vec![reason, say("not_charged")])
            }
            Screen::Expired => ("expired_title", "✕", "failed", vec![say("expired")]),
            _ => ("closed_title", "✕", "failed", vec![say("not_charged")]),
        };
        let mut end = self.make.part("div", &format!("Outcome Outcome--{class}"));
        end = end.with(self.make.part("div", "Mark").attr("aria-hidden", "true").text(mark));
        end = end.with_all(lines.iter().map(|line| self.make.part("p", "Note").text(line)));
        let mut parts = vec![end];
        let back = self.order.and_then(|order| order.return_url.as_deref()).filter(|url| is_web(url));
        if let Some(url) = back {
            parts.push(self.make.link(url, &shop("return"), true).attr("target", "_top"));
        }
        (say(title), parts)
    }
}
