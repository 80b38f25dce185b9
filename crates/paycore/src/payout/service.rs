//! Operations on payouts and beneficiaries.

mod batch;
mod beneficiary;
mod create;
mod decide;
mod send;
mod settlement;

pub use batch::{BatchById, CreateBatch, ListBatches, batches, create_batch, retrieve_batch};
pub use beneficiary::{
    BeneficiaryById, BeneficiaryView, CreateBeneficiary, ListBeneficiaries, approve_beneficiary,
    beneficiaries, create_beneficiary, deactivate_beneficiary,
};
pub use create::{CreatePayout, ListPayouts, PayoutById, create, list, retrieve};
pub use decide::{ApprovePayout, CancelPayout, SettlePayout, approve, cancel, review, settle};
pub(crate) use send::{due, report};

use super::rules::Refused;
use super::{Beneficiary, Payout};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::event::{Booking, EventKind};
use crate::merchant::Merchant;
use crate::order::input::Moment;
use crate::secret::Secret;
use crate::store::{Changes, Put};

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::SamePerson(_) => Code::Forbidden,
            Refused::State(_) | Refused::Changed | Refused::TooLate => Code::StateNotAllowed,
        };
        Error::new(code, format!("Not possible: {refused}."))
    }
}

/// The account of a beneficiary, opened.
fn account(engine: &Engine, merchant: &Merchant, beneficiary: &Beneficiary) -> Result<Secret, Error> {
    let binding = format!("{}/{}", merchant.id, beneficiary.id);
    engine.vault.open(&binding, &beneficiary.sealed_account).map_err(Error::internal)
}

/// Numbers and renders an event of a payout and puts both into the changes.
fn tell(
    engine: &Engine,
    changes: &mut Changes,
    payout: &mut Payout,
    event: (EventKind, Option<Booking>),
    merchant: &Merchant,
    moment: Moment,
) {
    payout.sequence += 1;
    let view = payout.view(merchant.livemode);
    let (kind, booking) = event;
    let mut event =
        engine.event(kind, payout.id.to_string(), payout.sequence, &view, merchant.livemode, moment);
    event.booking = booking;
    changes.events.push(event);
    changes.put(Put::document(payout));
}
