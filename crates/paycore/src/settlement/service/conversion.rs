//! The conversion of a settlement into the currency of its payout: with its close where a rate is at hand, and tried again
//! by the workers where none was.

use super::plans::merchant;
use crate::document::DocumentFilter;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::exception::ExceptionKind;
use crate::fx::{FxQuote, FxRate};
use crate::id::{FxQuoteId, MerchantId, SettlementId};
use crate::ledger::Side;
use crate::merchant::Merchant;
use crate::order::input::Moment;
use crate::settlement::conversion::{WaitsFor, sale};
use crate::settlement::{Settlement, SettlementStatus};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// The account that is sold from.
const AVAILABLE: &str = "merchant_available";

/// Who converts, for whom, and when.
pub(super) struct By<'a> {
    pub(super) engine: &'a Engine,
    pub(super) merchant: &'a Merchant,
    pub(super) moment: Moment,
}

impl By<'_> {
    /// What selling what the settlement pays comes to now, with so much available.
    pub(super) async fn sale(
        &self,
        settlement: &Settlement,
        available: i64,
    ) -> Result<Result<FxQuote, WaitsFor>> {
        let Some(conversion) = &settlement.conversion else {
            return Err(Error::internal(format!("{} is not to be converted", settlement.id)));
        };
        let rates: Vec<FxRate> =
            self.engine.all_documents(self.merchant.id, &DocumentFilter::default()).await?;
        let id = FxQuoteId::new(self.moment.now, &*self.engine.rng);
        let with = (rates.as_slice(), available);
        sale(id, settlement.sold(), conversion.into, with, self.moment.now).map_err(Error::internal)
    }

    /// Adds to the changes the quote, its booking and what the settlement makes of it, or what it waits for. Whether
    /// anything is new; the settlement itself is written by the caller.
    pub(super) async fn convert(
        &self,
        settlement: &mut Settlement,
        available: i64,
        changes: &mut Changes,
    ) -> Result<bool> {
        let is_first = settlement.conversion.as_ref().is_some_and(|known| known.waits_for.is_none());
        let sale = self.sale(settlement, available).await?;
        let heard = sale.as_ref().map_err(|why| *why);
        let is_new = settlement.converted(heard, self.moment.now).map_err(Error::internal)?;
        match sale {
            Ok(quote) => {
                settlement.due_at = Timestamp::ZERO;
                settlement.check_conversion()?;
                self.tell(settlement, &quote, changes);
            }
            Err(why) => {
                // The lease of the queue is what lies between two tries.
                settlement.due_at = self.moment.wall;
                if is_first {
                    self.wait(settlement, why, changes);
                }
            }
        }
        Ok(is_new)
    }

    /// The quote's event books; the settlement's says that it can be paid now.
    fn tell(&self, settlement: &mut Settlement, quote: &FxQuote, changes: &mut Changes) {
        let (engine, merchant, moment) = (self.engine, self.merchant, self.moment);
        let (about, booking) = ((quote.id.to_string(), 1), Some(quote.exchange.booking()));
        let kind = EventKind::FxQuoteConverted;
        changes.events.push(engine.object_event(kind, about, &quote.view(), booking, merchant, moment));
        settlement.sequence += 1;
        let (about, kind) =
            ((settlement.id.to_string(), settlement.sequence), EventKind::SettlementConverted);
        let view = settlement.view(merchant.id);
        changes.events.push(engine.object_event(kind, about, &view, None, merchant, moment));
        changes.put(Put::document(quote));
    }

    /// Shows to a person what does not go on by itself.
    fn wait(&self, settlement: &Settlement, why: WaitsFor, changes: &mut Changes) {
        let (sold, into) = (settlement.sold(), settlement.payout().currency());
        let needs = match why {
            WaitsFor::Rate => format!("a fresh rate to {into}: set it by `fx_rates.set`"),
            WaitsFor::Balance => "an available balance of as much".to_owned(),
        };
        let detail = format!("Settlement {} waits to convert {sold}. It needs {needs}.", settlement.number);
        let (kind, object) = (ExceptionKind::ConversionWaiting, settlement.id.to_string());
        self.engine.exception(changes, kind, object, detail, self.merchant, self.moment);
    }
}

/// The workers' step: tries again to convert what waits.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: SettlementId) -> Result<()> {
    let (merchant, moment) = merchant(engine, tenant).await?;
    let mut settlement: Settlement = engine.document(tenant, id).await?;
    let mut changes = Changes::default();
    if settlement.status == SettlementStatus::Converting {
        let found = engine.balance(tenant, AVAILABLE, settlement.currency).await?;
        let available = if found.frozen { 0 } else { found.on(Side::Credit) };
        let by = By { engine, merchant: &merchant, moment };
        if !by.convert(&mut settlement, available, &mut changes).await? {
            return Ok(());
        }
    } else {
        settlement.due_at = Timestamp::ZERO;
    }
    changes.put(Put::document(&settlement));
    // Whoever was first has converted it.
    engine.commit_or_yield(tenant, changes).await
}
