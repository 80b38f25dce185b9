//! The ledger in memory against a naive one that shares nothing with it but the names of the commands.

mod commands;
mod naive;

use commands::Commands;
use naive::Naive;
use paycore::ledger::machine::{Code, Machine};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// How many commands the quick test applies. `PAYCORE_LEDGER_COMMANDS=10000000` asks for more.
const COMMANDS: u64 = 200_000;

#[test]
fn the_machine_answers_and_books_as_the_naive_ledger_does() {
    let wanted = std::env::var("PAYCORE_LEDGER_COMMANDS").ok().map(|text| text.parse().expect("a number"));
    let seed = std::env::var("PAYCORE_LEDGER_SEED").ok().map(|text| text.parse().expect("a number"));
    let seen = compare(seed.unwrap_or(1), wanted.unwrap_or(COMMANDS));
    // A mix that never breaks a rule proves nothing about the rules.
    for code in Code::ALL {
        let rare = matches!(code, Code::Full | Code::Overflow);
        assert!(rare || seen.contains_key(code), "{code:?} never happened: {seen:?}");
    }
    println!("{seen:?}");
}

#[test]
fn other_seeds_agree_too() {
    for seed in 2..12 {
        compare(seed, 5_000);
    }
}

/// Applies the commands of a seed to both; how often each code came.
fn compare(seed: u64, count: u64) -> BTreeMap<Code, u64> {
    let (mut machine, mut naive) = (Machine::default(), Naive::default());
    let mut commands = Commands::new(seed);
    let mut seen = BTreeMap::new();
    for account in commands.accounts() {
        assert_eq!(machine.open(account), naive.open(account));
    }
    let mut done = 0;
    let mut compared = 0;
    while done < count {
        let command = commands.next(&naive);
        done += command.size();
        let (codes, expected) = (command.on_machine(&mut machine), command.on_naive(&mut naive));
        assert_eq!(codes, expected, "seed {seed}, command {done}: {command:?}");
        codes.into_iter().for_each(|code| *seen.entry(code).or_default() += 1);
        if done / 1_000 > compared {
            compared = done / 1_000;
            same_balances(&machine, &naive, done);
        }
    }
    same_balances(&machine, &naive, done);
    let mut digest = Sha256::new();
    for row in machine.records() {
        digest.update(naive::line(
            row.id,
            row.deed,
            [row.debit, row.credit],
            row.amount.into(),
            row.of,
            row.at,
        ));
    }
    assert_eq!(digest.finalize()[..], naive.digest()[..], "the journals differ, seed {seed}");
    seen
}

fn same_balances(machine: &Machine, naive: &Naive, done: u64) {
    let mut signed = BTreeMap::new();
    for (account, standing) in machine.accounts() {
        let sums = [standing.debits, standing.credits, standing.debits_held, standing.credits_held];
        assert_eq!(sums.map(i128::from), naive.sums(account.id), "account {}, command {done}", account.id);
        assert!(sums.iter().all(|sum| *sum >= 0), "{account:?} {standing:?}");
        *signed.entry((account.tenant, account.currency)).or_insert(0) += sums[0] - sums[1];
    }
    assert!(signed.values().all(|sum| *sum == 0), "{signed:?}");
}
