//! Random commands: 60 % moves, 10 % holds, 8 % posts (half of them of a part), 5 % voids, 2 % ticks, 5 % chains of
//! two to six with members that fail, 5 % repeats, 3 % repeats with another body, 2 % beyond a limit; and, rarely,
//! a change to an account or a reversal.

use paycore::currency::Currency;
use paycore::ledger::Side;
use paycore::ledger::machine::{Account, Action, Code, Freeze, Leg, Limit, Machine, Transfer, UpTo};
use paycore::time::Timestamp;

use crate::naive::Naive;

const ACCOUNTS: u64 = 60;
const REMEMBERED: usize = 4_096;

#[derive(Debug, Clone)]
pub enum Command {
    Transfers(Vec<Transfer>),
    Tick(Timestamp),
    Freeze(u128, Freeze),
    Open(Account),
    OpenAndClose(Account),
    Close(u128),
}

impl Command {
    pub fn size(&self) -> u64 {
        match self {
            Command::Transfers(batch) => batch.len() as u64,
            _ => 1,
        }
    }

    pub fn on_machine(&self, machine: &mut Machine) -> Vec<Code> {
        match self {
            Command::Transfers(batch) => machine.apply(batch),
            Command::Tick(now) => {
                machine.tick(*now);
                Vec::new()
            }
            Command::Freeze(account, freeze) => vec![machine.freeze(*account, *freeze)],
            Command::Open(account) => vec![machine.open(*account)],
            Command::OpenAndClose(account) => vec![machine.open(*account), machine.close(account.id)],
            Command::Close(account) => vec![machine.close(*account)],
        }
    }

    pub fn on_naive(&self, naive: &mut Naive) -> Vec<Code> {
        match self {
            Command::Transfers(batch) => naive.apply(batch),
            Command::Tick(now) => {
                naive.tick(*now);
                Vec::new()
            }
            Command::Freeze(account, freeze) => vec![naive.freeze(*account, *freeze)],
            Command::Open(account) => vec![naive.open(*account)],
            Command::OpenAndClose(account) => vec![naive.open(*account), naive.close(account.id)],
            Command::Close(account) => vec![naive.close(*account)],
        }
    }
}

pub struct Commands {
    state: u64,
    next_id: u128,
    now: i64,
    recent: Vec<Transfer>,
    holds: Vec<u128>,
}

impl Commands {
    pub fn new(seed: u64) -> Self {
        Commands { state: seed, next_id: 1, now: 1_000_000, recent: Vec::new(), holds: Vec::new() }
    }

    /// Two tenants, two currencies, every limit; half of all traffic goes over the first account.
    pub fn accounts(&self) -> Vec<Account> {
        (0..ACCOUNTS).map(account).collect()
    }

    pub fn next(&mut self, naive: &Naive) -> Command {
        match self.below(1_000) {
            0..597 => {
                let leg = self.leg();
                self.single(Action::Move(leg))
            }
            597..599 => self.reversal(),
            599 => self.about_an_account(),
            600..700 => self.hold(),
            700..780 => self.post(),
            780..830 => {
                let action = Action::Void { hold: self.some_hold() };
                self.single(action)
            }
            830..850 => {
                self.now += self.below(2_000) as i64 - 10;
                Command::Tick(Timestamp::from_micros(self.now))
            }
            850..900 => self.chain(),
            900..950 => self.repeat(),
            950..980 => self.changed_repeat(),
            _ => self.breach(naive),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn id(&mut self) -> u128 {
        self.next_id += 1;
        // Ids come from outside and in no order.
        if self.below(2_000) == 0 {
            0
        } else {
            self.next_id.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        }
    }

    fn some_account(&mut self) -> u128 {
        if self.below(2) == 0 { 1 } else { u128::from(self.below(ACCOUNTS) + 1) }
    }

    /// A leg that most often stays within tenant and currency, from accounts with money on them.
    fn leg(&mut self) -> Leg {
        let debit = self.some_account();
        let credit = match self.below(40) {
            0 => self.some_account(),
            1 => u128::from(ACCOUNTS) + 50,
            _ => u128::from(self.below(ACCOUNTS / 4) * 4 + (debit as u64 - 1) % 4 + 1),
        };
        let (debit, credit) = if self.below(2) == 0 { (debit, credit) } else { (credit, debit) };
        let amount = match self.below(100) {
            0 => 0,
            1 => -5,
            _ => self.below(10_000) as i64 + 1,
        };
        let up_to = match self.below(30) {
            0 => UpTo::Debit,
            1 => UpTo::Credit,
            2 => UpTo::Both,
            _ => UpTo::Exact,
        };
        Leg { debit, credit, amount, up_to }
    }

    fn transfer(&mut self, action: Action) -> Transfer {
        let transfer = Transfer { id: self.id(), action, linked: false };
        if self.recent.len() == REMEMBERED {
            let at = self.below(REMEMBERED as u64) as usize;
            self.recent.swap_remove(at);
        }
        self.recent.push(transfer);
        transfer
    }

    fn single(&mut self, action: Action) -> Command {
        Command::Transfers(vec![self.transfer(action)])
    }

    fn hold_action(&mut self) -> Action {
        let leg = self.leg();
        let expires_at = match self.below(20) {
            0 => Some(Timestamp::from_micros(self.now - 1_000)),
            1..12 => Some(Timestamp::from_micros(self.now + self.below(200_000) as i64 / 100 * 100)),
            _ => None,
        };
        Action::Hold { leg, expires_at }
    }

    fn hold(&mut self) -> Command {
        let action = self.hold_action();
        let transfer = self.transfer(action);
        self.holds.push(transfer.id);
        Command::Transfers(vec![transfer])
    }

    /// A hold made lately, or, rarely, something that is none.
    fn some_hold(&mut self) -> u128 {
        if self.holds.is_empty() || self.below(30) == 0 {
            let at = self.below(self.recent.len().max(1) as u64) as usize;
            return self.recent.get(at).map_or(99, |transfer| transfer.id);
        }
        let from = self.holds.len().saturating_sub(200) as u64;
        let at = from + self.below(self.holds.len() as u64 - from);
        self.holds[at as usize]
    }

    fn post(&mut self) -> Command {
        let hold = self.some_hold();
        let amount = match self.below(40) {
            0 => Some(0),
            1..20 => Some(self.below(6_000) as i64 + 1),
            _ => None,
        };
        self.single(Action::Post { hold, amount })
    }

    fn reversal(&mut self) -> Command {
        let at = self.below(self.recent.len().max(1) as u64) as usize;
        let transfer = self.recent.get(at).map_or(99, |transfer| transfer.id);
        self.single(Action::Reverse { transfer })
    }

    /// Of thirty chains about ten have a member that fails; one in fifty has no end.
    fn chain(&mut self) -> Command {
        let length = self.below(5) + 2;
        let mut batch = Vec::new();
        for _ in 0..length {
            let action = match self.below(10) {
                0 => self.hold_action(),
                1 => Action::Post { hold: self.some_hold(), amount: None },
                2 => Action::Void { hold: self.some_hold() },
                3 => {
                    let at = self.below(self.recent.len().max(1) as u64) as usize;
                    Action::Reverse { transfer: self.recent.get(at).map_or(99, |transfer| transfer.id) }
                }
                _ => Action::Move(Leg { up_to: UpTo::Exact, ..self.leg() }),
            };
            let linked = Transfer { linked: true, ..self.transfer(action) };
            if matches!(action, Action::Hold { .. }) {
                self.holds.push(linked.id);
            }
            batch.push(linked);
        }
        if self.below(50) > 0 {
            batch.last_mut().expect("two or more").linked = false;
        }
        if self.below(3) == 0 {
            let lone = self.leg();
            batch.push(self.transfer(Action::Move(lone)));
        }
        Command::Transfers(batch)
    }

    fn repeat(&mut self) -> Command {
        let at = self.below(self.recent.len().max(1) as u64) as usize;
        Command::Transfers(self.recent.get(at).copied().into_iter().collect())
    }

    fn changed_repeat(&mut self) -> Command {
        let at = self.below(self.recent.len().max(1) as u64) as usize;
        let Some(mut transfer) = self.recent.get(at).copied() else { return self.repeat() };
        match &mut transfer.action {
            Action::Move(leg) => leg.amount += 1,
            Action::Hold { leg, expires_at } => match leg.amount % 2 {
                0 => leg.debit += 1,
                _ => *expires_at = Some(Timestamp::from_micros(self.now + 7_777)),
            },
            Action::Post { amount, .. } => *amount = Some(amount.unwrap_or(10) + 1),
            Action::Void { hold } => *hold += 1,
            Action::Reverse { transfer } => *transfer += 1,
        }
        Command::Transfers(vec![transfer])
    }

    /// More than a limited account has.
    fn breach(&mut self, naive: &Naive) -> Command {
        let at = self.below(ACCOUNTS);
        let id = u128::from(at + 1);
        let other = u128::from(self.below(ACCOUNTS / 4) * 4 + at % 4 + 1);
        let [debits, credits, debits_held, credits_held] = naive.sums(id);
        let leg = |debit, credit, room: i128| Leg {
            debit,
            credit,
            amount: i64::try_from(room.max(0) + 1).expect("small sums"),
            up_to: UpTo::Exact,
        };
        let leg = match account(at).limit {
            Limit::DebitsWithinCredits => leg(id, other, credits - debits - debits_held),
            _ => leg(other, id, debits - credits - credits_held),
        };
        self.single(Action::Move(leg))
    }

    fn about_an_account(&mut self) -> Command {
        let id = self.some_account();
        match self.below(12) {
            0 => Command::Freeze(id, Freeze::All),
            1 => Command::Freeze(id, Freeze::Outgoing),
            2 => Command::Freeze(u128::from(ACCOUNTS) + 9_999, Freeze::None),
            3 => Command::Open(account(id as u64 - 1)),
            4 => Command::Open(Account { code: 9, ..account(id as u64 - 1) }),
            5 => Command::Close(id),
            // Named before it is there, and after it is closed.
            6 => Command::OpenAndClose(account(ACCOUNTS + 49)),
            7 => Command::Close(u128::from(ACCOUNTS) + 9_999),
            _ => Command::Freeze(id, Freeze::None),
        }
    }
}

fn account(at: u64) -> Account {
    Account {
        id: u128::from(at + 1),
        tenant: u128::from(at % 2),
        currency: if at % 4 < 2 { Currency::CNY } else { Currency::USD },
        code: 1,
        side: if at / 4 % 2 == 0 { Side::Debit } else { Side::Credit },
        limit: match at / 4 % 5 {
            0 | 1 => Limit::None,
            2 | 3 => Limit::DebitsWithinCredits,
            _ => Limit::CreditsWithinDebits,
        },
    }
}
