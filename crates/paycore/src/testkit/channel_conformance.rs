//! The suite every channel has to pass. It knows a channel only by its profile, the contract and the channel's own
//! simulator: cases are chosen by the capability table and played over an in-memory wire (`encode`, then the
//! simulator's `handle`, then `decode`), so a new channel is tested by being registered.
//!
//! The suite is deterministic but for the key pairs a channel generates: time and chance come from the options.

pub mod bulk;
pub mod hostile;
mod listed;
mod notices;
mod replies;
mod scripts;
mod stand;
mod walks;

use std::fmt;

use crate::channel::{Capability, Driver};
use crate::crypto::Keyring;
use stand::{Failure, Stand, Wiring};

/// How to run the suite.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For references, nonces and sampled positions.
    pub seed: u64,
    /// Every bit and every length instead of a sample.
    pub exhaustive: bool,
    /// The text of the README in the channel's folder.
    pub readme: String,
}

/// What became of one channel's cases.
#[derive(Debug, Clone)]
pub struct Report {
    /// The channel's id.
    pub channel: &'static str,
    /// In the order they ran.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// A sentence, with the capability in front where it is about one.
    pub name: String,
    /// What became of it.
    pub result: CaseResult,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseResult {
    /// So many things were checked and held.
    Passed {
        /// At least one.
        checks: usize,
    },
    /// The first thing that did not hold.
    Failed(String),
    /// The channel does not claim what the case is about.
    NotClaimed,
}

impl Report {
    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| matches!(case.result, CaseResult::Failed(_)))
    }

    /// How many things were checked and held.
    pub fn checks(&self) -> usize {
        let checks = |case: &Case| if let CaseResult::Passed { checks } = case.result { checks } else { 0 };
        self.cases.iter().map(checks).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Case { name, result } in &self.cases {
            let channel = self.channel;
            match result {
                CaseResult::Passed { checks } => writeln!(f, "  ok  {channel}: {name} ({checks})")?,
                CaseResult::Failed(why) => writeln!(f, "FAIL  {channel}: {name}: {why}")?,
                CaseResult::NotClaimed => writeln!(f, "   -  {channel}: {name}: not claimed")?,
            }
        }
        let failed = self.failures().count();
        writeln!(f, "{}: {} cases, {} checks, {failed} failed", self.channel, self.cases.len(), self.checks())
    }
}

/// Runs all cases for one channel. A channel without a simulator is only checked by its profile.
pub fn run(driver: &dyn Driver, keyring: &dyn Keyring, options: &Options) -> Report {
    let profile = driver.profile();
    let mut runner = Runner { cases: Vec::new(), wiring: None, options };
    runner.alone("the profile is complete and consistent", || listed::profile(profile));
    runner.alone("the README describes the channel in Chinese and English", || {
        listed::readme(profile, &options.readme)
    });
    match Wiring::new(driver, keyring) {
        Ok(Some(wiring)) => {
            runner.wiring = Some(wiring);
            runner.channel_cases();
            for capability in profile.capabilities {
                runner.capability_cases(capability);
            }
        }
        Ok(None) => {}
        Err(failure) => runner.record("the simulator provides working settings".to_owned(), Err(failure)),
    }
    Report { channel: profile.id, cases: runner.cases }
}

/// A case about the channel as a whole.
type ChannelCase = fn(&mut Stand<'_>) -> Result<(), Failure>;
/// A case about one row of the capability table.
type CapabilityCase = fn(&mut Stand<'_>, &'static Capability) -> Result<(), Failure>;

const CHANNEL_CASES: &[(&str, ChannelCase)] = &[
    ("a setting that is missing or blank is refused by name", listed::settings),
    ("only the references of the rule are taken", listed::references),
    ("what is not claimed is refused as unsupported", listed::unclaimed),
    ("an amount of zero or less is refused", listed::amounts),
    ("calls that move money are marked, queries are not", listed::effects),
    ("no secret shows in debug output or on the wire", listed::secrets),
    ("an unknown reference is absent", walks::unknown_is_absent),
    ("a damaged reply is never another definite answer", replies::damaged),
    ("a reply about another payment is not believed", replies::swapped),
    ("a valid notification is acknowledged, a refused one is sent again", notices::acknowledged),
    ("no notification with a flipped bit is accepted", notices::flipped),
    ("no cut notification is accepted", notices::truncated),
    ("no notification with a missing, empty or doubled part is accepted", notices::parts),
    ("no notification of another account is accepted", notices::other_account),
    ("the statement lists the book and its totals hold", walks::statement),
];

const CAPABILITY_CASES: &[(&str, CapabilityCase)] = &[
    ("pays, answers queries and notifies", walks::pays),
    ("charges once when the same reference comes twice", walks::pays_once),
    ("books the exact amount in every currency", walks::exact_amounts),
    ("does not charge a payer who cancels", walks::cancels),
    ("closes an unpaid payment for good", walks::closes),
    ("captures part of an authorization once", walks::captures),
    ("voids an authorization", walks::voids),
    ("refunds in parts and never more than was captured", walks::refunds),
    ("survives a restart of the simulator", walks::restored),
    ("9000 pays itself after a second", scripts::pays_itself),
    ("9001 declines for lack of funds", scripts::declines),
    ("9002 is pending for 30 seconds", scripts::pending),
    ("9003 is executed but not answered", scripts::timeout),
    ("9004 notifies three times", scripts::three_notices),
    ("9005 notifies an hour late", scripts::late_notice),
    ("9006 is paid after the close", scripts::paid_after_close),
    ("9007 first says unknown although executed", scripts::first_unknown),
    ("9008 never notifies", scripts::no_notice),
    ("9009 refunds but says unknown", scripts::refund_unknown),
    ("9010 refuses the refund", scripts::refund_refused),
];

struct Runner<'a> {
    cases: Vec<Case>,
    wiring: Option<Wiring<'a>>,
    options: &'a Options,
}

impl Runner<'_> {
    fn channel_cases(&mut self) {
        for (name, case) in CHANNEL_CASES {
            let result = self.on_stand(case);
            self.record((*name).to_owned(), result);
        }
    }

    fn capability_cases(&mut self, capability: &'static Capability) {
        for (name, case) in CAPABILITY_CASES {
            let result = self.on_stand(|stand| case(stand, capability));
            self.record(format!("{}.{} {name}", capability.brand, capability.scene), result);
        }
    }

    fn alone(&mut self, name: &str, case: impl FnOnce() -> Result<usize, Failure>) {
        self.record(name.to_owned(), case());
    }

    /// Every case has a channel and a simulator of its own, so that none sees what another left behind.
    fn on_stand(&self, case: impl FnOnce(&mut Stand<'_>) -> Result<(), Failure>) -> Result<usize, Failure> {
        let wiring = self.wiring.as_ref().ok_or(Failure::NotClaimed)?;
        let mut stand = wiring.stand(self.options)?;
        case(&mut stand)?;
        Ok(stand.checks)
    }

    fn record(&mut self, name: String, result: Result<usize, Failure>) {
        let result = match result {
            Ok(0) => CaseResult::Failed("the case checked nothing".to_owned()),
            Ok(checks) => CaseResult::Passed { checks },
            Err(Failure::Broken(why)) => CaseResult::Failed(why),
            Err(Failure::NotClaimed) => CaseResult::NotClaimed,
        };
        self.cases.push(Case { name, result });
    }
}
