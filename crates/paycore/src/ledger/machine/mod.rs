//! A ledger in memory: accounts, transfers between two of them, holds, linked chains. It needs no store and no
//! runtime; time comes in by [`Machine::tick`], ids from the caller.
//!
//! A transfer moves an amount from the account it credits to the account it debits, both of one tenant and one
//! currency. The machine looks at everything that could refuse it first, and writes only what cannot fail any
//! more. An id is good for one transfer: the same again is [`Code::Exists`], another under the same id is
//! [`Code::ExistsDifferent`]. Nothing is ever edited: a mistake is put right by [`Action::Reverse`].
//!
//! ```
//! use paycore::currency::Currency;
//! use paycore::ledger::Side;
//! use paycore::ledger::machine::{Account, Action, Code, Leg, Limit, Machine, Transfer, UpTo};
//!
//! let mut machine = Machine::default();
//! let account = |id, side, limit| Account { id, tenant: 7, currency: Currency::CNY, code: 1, side, limit };
//! machine.open(account(1, Side::Debit, Limit::None));
//! machine.open(account(2, Side::Credit, Limit::DebitsWithinCredits));
//! let pay = |id, debit, credit, amount| Transfer {
//!     id,
//!     action: Action::Move(Leg { debit, credit, amount, up_to: UpTo::Exact }),
//!     linked: false,
//! };
//! assert_eq!(machine.apply(&[pay(10, 1, 2, 500), pay(10, 1, 2, 500)]), [Code::Applied, Code::Exists]);
//! assert_eq!(machine.apply(&[pay(11, 2, 1, 501)]), [Code::DebitLimit]);
//! ```

mod book;
mod decide;
mod places;

use crate::currency::Currency;
use crate::ledger::Side;
use crate::time::Timestamp;

pub use book::Machine;

/// What an account is. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Chosen by the caller, not zero.
    pub id: u128,
    /// Whose it is. No transfer touches accounts of two tenants.
    pub tenant: u128,
    /// ISO 4217. Amounts are its minor units.
    pub currency: Currency,
    /// The account's number in the caller's chart.
    pub code: u16,
    /// The side on which it grows.
    pub side: Side,
    /// What it may not do.
    pub limit: Limit,
}

/// Which sum of an account has to stay within the other; holds count as if they were posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// None: the balance may stand on either side.
    None,
    /// Debits and debits on hold never exceed credits: what we owe cannot become negative.
    DebitsWithinCredits,
    /// Credits and credits on hold never exceed debits: what is ours cannot become negative.
    CreditsWithinDebits,
}

/// How far an account is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freeze {
    /// Not at all.
    #[default]
    None,
    /// Nothing leaves: no transfer or hold on the side on which the account shrinks.
    Outgoing,
    /// Nothing moves.
    All,
}

/// What stands on an account, in minor units. No sum is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Posted on the debit side.
    pub debits: i64,
    /// Posted on the credit side.
    pub credits: i64,
    /// On hold on the debit side.
    pub debits_held: i64,
    /// On hold on the credit side.
    pub credits_held: i64,
    /// How far it is frozen.
    pub freeze: Freeze,
    /// Closed for good.
    pub closed: bool,
}

/// One command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Chosen by the caller, not zero, good for one transfer.
    pub id: u128,
    /// What to do.
    pub action: Action,
    /// Stands or falls with the next one of the batch, and so on to the first that is not linked.
    pub linked: bool,
}

/// What a transfer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Posts an amount at once.
    Move(Leg),
    /// Holds an amount on both accounts until it is posted or voided.
    Hold {
        /// From where to where, and how much.
        leg: Leg,
        /// From this instant on the hold is void; none: it waits for ever.
        expires_at: Option<Timestamp>,
    },
    /// Posts a hold. What is not posted is released.
    Post {
        /// The id of the hold.
        hold: u128,
        /// How much of it, minor units; none: all of it.
        amount: Option<i64>,
    },
    /// Releases a hold.
    Void {
        /// The id of the hold.
        hold: u128,
    },
    /// Moves what a `Move` or `Post` moved back, once.
    Reverse {
        /// The id of that transfer.
        transfer: u128,
    },
}

/// From where to where, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The account that is debited.
    pub debit: u128,
    /// The account that is credited.
    pub credit: u128,
    /// Minor units, above zero.
    pub amount: i64,
    /// Whether less will do.
    pub up_to: UpTo,
}

/// How an amount is bounded by what the accounts have: a balancing transfer moves the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpTo {
    /// The amount and nothing else.
    Exact,
    /// At most what the debited account has on its credit side beyond its debits and holds.
    Debit,
    /// At most what the credited account has on its debit side beyond its credits and holds.
    Credit,
    /// At most both.
    Both,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What became of a command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];
        }
    };
}

codes! {
    /// It stands.
    Applied,
    /// The same stood before; nothing was done again.
    Exists,
    /// The id belongs to something else.
    ExistsDifferent,
    /// Zero is no id.
    IdZero,
    /// Another transfer of its chain was refused.
    ChainFailed,
    /// The batch ended before its chain did.
    ChainOpen,
    /// The amount is zero or negative.
    AmountNotPositive,
    /// Debit and credit are one account.
    AccountsSame,
    /// There is no such account.
    AccountNotFound,
    /// There is no account to debit.
    DebitNotFound,
    /// There is no account to credit.
    CreditNotFound,
    /// The accounts belong to two tenants.
    TenantsDiffer,
    /// The accounts are in two currencies.
    CurrenciesDiffer,
    /// The account to debit is closed.
    DebitClosed,
    /// The account to credit is closed.
    CreditClosed,
    /// The account to debit is frozen.
    DebitFrozen,
    /// The account to credit is frozen.
    CreditFrozen,
    /// The hold would be void from the start.
    ExpiresInPast,
    /// There is no hold of this id.
    HoldNotFound,
    /// The hold was posted.
    HoldPosted,
    /// The hold was voided.
    HoldVoided,
    /// The hold ran out.
    HoldExpired,
    /// More would be posted than is held.
    AmountExceedsHold,
    /// There is no transfer of this id.
    TransferNotFound,
    /// Only what a `Move` or a `Post` moved can be moved back.
    NotReversible,
    /// It was moved back before.
    AlreadyReversed,
    /// A balancing transfer found nothing to move.
    NothingToMove,
    /// The account to debit would have more debits than credits.
    DebitLimit,
    /// The account to credit would have more credits than debits.
    CreditLimit,
    /// A sum would leave 64 bits.
    Overflow,
    /// An account with a balance or a hold cannot be closed.
    NotEmpty,
    /// The machine holds as many rows as it can number.
    Full,
}

impl Code {
    /// Whether what was asked for stands now.
    pub fn stands(self) -> bool {
        matches!(self, Code::Applied | Code::Exists)
    }
}

/// What a row of the journal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deed {
    /// Posted at once.
    Move,
    /// Held.
    Hold,
    /// Posted a hold, or a part of it.
    Post,
    /// Released a hold.
    Void,
    /// Moved a transfer back.
    Reverse,
    /// Released a hold whose time had run out. Its id is zero.
    Expire,
}

/// One row of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The id of the transfer; zero for an expiry, which nobody asked for.
    pub id: u128,
    /// What it did.
    pub deed: Deed,
    /// The account debited.
    pub debit: u128,
    /// The account credited.
    pub credit: u128,
    /// How much, minor units; of a release, how much was released.
    pub amount: i64,
    /// The hold or the transfer it is about; zero where there is none.
    pub of: u128,
    /// The machine's time when it was written.
    pub at: Timestamp,
}
