//! Operations on settlement: plans, runs, settlements and reserves.

mod all;
mod conversion;
mod corrections;
mod files;
mod plans;
mod reads;
mod runs;

pub use all::{Tally, settle_all};
pub(crate) use conversion::due as conversion_due;
pub(crate) use corrections::due as correction_due;
pub use corrections::{
    CorrectSettlement, CorrectionById, DecideCorrection, ListCorrections, approve as approve_correction,
    correct, corrections, reject as reject_correction,
};
pub use files::{ExportSettlement, File, export};
pub use plans::{CreatePlan, ListPlans, PlanById, UpdatePlan, create, list as list_plans, plan, update};
pub use reads::{
    ListReserves, ListSettlements, SettlementById, list, list_reserves, list_runs, retrieve, retrieve_run,
};
pub use runs::{Run, RunSettlement, due, preview, run, settle_until};
