//! From an operation's result to the JSON text of its answer.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::document::{Document, Shown};
use crate::engine::{Caller, Engine, json};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::mandate::Mandate;
use crate::order::{Order, OrderView};
use crate::page::{List, ListInput};
use crate::refund::Refund;
use crate::refund::rules::RefundView;

/// What an operation returns, ready to be shown to its caller.
pub(super) trait Render {
    fn render(&self, caller: &Caller) -> String;
}

/// Views show themselves.
macro_rules! views {
    ($($view:ty),* $(,)?) => {$(
        impl Render for $view {
            fn render(&self, _: &Caller) -> String {
                json(self)
            }
        }
    )*};
}

views! {
    crate::order::AttemptView,
    crate::exception::service::ExceptionView,
    crate::merchant::MerchantView,
    crate::merchant::service::NewMerchant,
    crate::branding::BrandingView,
    crate::merchant::service::ApiKeyView,
    crate::merchant::service::CashierView,
    crate::account::service::ChannelAccountView,
    crate::ledger::hold::Hold,
    crate::ledger::period::Period,
    crate::ledger::period::TrialBalance,
    crate::ledger::service::TransactionView,
    crate::ledger::service::accounts::AccountView,
    crate::ledger::service::seals::SealHead,
    crate::ledger::service::seals::SealReport,
    crate::link::service::LinkView,
    crate::payout::rules::PayoutView,
    crate::payout::rules::BatchView,
    crate::payout::service::BeneficiaryView,
    crate::webhook::service::EndpointView,
    crate::epay::service::EpayKeyView,
    crate::webhook::service::DeliveryView,
    crate::webhook::service::NotifySecret,
    crate::clearing::ItemView,
    crate::fee::service::ScheduleView,
    crate::fee::service::QuoteView,
    crate::fee::service::TrueUp,
    crate::fx::service::RateView,
    crate::fx::service::QuoteView,
    crate::fx::service::PositionsView,
    crate::split::service::PreviewView,
    crate::dispute::service::EvidenceView,
    crate::dispute::service::EvidenceContent,
    crate::settlement::view::PlanView,
    crate::settlement::view::SettlementView,
    crate::settlement::view::RunView,
    crate::settlement::service::File,
    crate::device::DeviceAuthorization,
    crate::vault::CardView,
    crate::mandate::MandateView,
    crate::reconciliation::view::ReconciliationView,
    crate::reconciliation::view::BreakView,
    crate::reconciliation::view::AdjustmentView,
    crate::reconciliation::view::BankStatementView,
}

impl<T: Document> Render for Shown<T> {
    fn render(&self, _: &Caller) -> String {
        json(self)
    }
}

impl<T: Serialize> Render for List<T> {
    fn render(&self, _: &Caller) -> String {
        json(self)
    }
}

impl Render for Order {
    fn render(&self, caller: &Caller) -> String {
        json(&self.view(caller.merchant.livemode))
    }
}

impl Render for Refund {
    fn render(&self, caller: &Caller) -> String {
        json(&self.view(caller.merchant.livemode))
    }
}

impl Render for (ListInput, Vec<Order>) {
    fn render(&self, caller: &Caller) -> String {
        let views: Vec<OrderView<'_>> =
            self.1.iter().map(|order| order.view(caller.merchant.livemode)).collect();
        json(&self.0.list(views, |view| view.id.to_string()))
    }
}

impl Render for (ListInput, Vec<Refund>) {
    fn render(&self, caller: &Caller) -> String {
        let views: Vec<RefundView> =
            self.1.iter().map(|refund| refund.view(caller.merchant.livemode)).collect();
        json(&self.0.list(views, |view| view.id.to_string()))
    }
}

impl Render for Event {
    /// The very bytes that deliveries send.
    fn render(&self, _: &Caller) -> String {
        self.body.clone()
    }
}

impl Render for (usize, Vec<Event>) {
    fn render(&self, _: &Caller) -> String {
        let (limit, rows) = self;
        let shown = &rows[..rows.len().min(*limit)];
        let data: Vec<Box<RawValue>> =
            shown.iter().filter_map(|event| RawValue::from_string(event.body.clone()).ok()).collect();
        let next_cursor = shown.last().map(|event| event.id.to_string());
        json(&List { object: "list", data, has_more: rows.len() > *limit, next_cursor })
    }
}

/// The object with this id as it is now, for a request that was cut off before it could answer.
pub(super) async fn object(engine: &Engine, caller: &Caller, id: &str) -> Result<String> {
    let tenant = caller.tenant();
    let gone = || Error::not_found("object", id);
    if let Ok(id) = id.parse() {
        let order = engine.store.order(tenant, id).await?.ok_or_else(gone)?;
        return Ok(order.render(caller));
    }
    if let Ok(id) = id.parse() {
        let refund = engine.store.refund(tenant, id).await?.ok_or_else(gone)?;
        return Ok(refund.render(caller));
    }
    if let Ok(id) = id.parse() {
        let mandate = engine.document::<Mandate>(tenant, id).await?;
        return Ok(mandate.view(caller.merchant.livemode).render(caller));
    }
    // Only operations that send something leave a key open, and those are about orders, refunds and mandates.
    Err(Error::internal(format!("an open key about {id}")))
}
