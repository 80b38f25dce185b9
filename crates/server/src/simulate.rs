//! `paycore simulate` and `paycore-sim`: the real engine, adapters and simulators on a virtual clock, checked against
//! the invariants; or, with `--channel`, the simulator of one channel as a gateway that stands alone.

mod gateway;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use paycore::testkit::simulation::{self, Config, Outcome};
use paycore::transport::system::{SystemClock, SystemRng};

/// How many violations are named.
const VIOLATIONS_MAX: usize = 50;

/// What to simulate.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Everything is drawn from this; the same seed gives the same trace.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days of virtual time.
    #[arg(long, default_value_t = 1)]
    days: u32,
    /// Sandbox merchants.
    #[arg(long, default_value_t = 3)]
    shops: usize,
    /// Orders per shop and day.
    #[arg(long, default_value_t = 200)]
    orders: u32,
    /// How many of a thousand requests to a channel are lost or spoilt, each way.
    #[arg(long, default_value_t = 100)]
    trouble: u32,
    /// Prints the hash of the trace and nothing else.
    #[arg(long)]
    trace_hash: bool,
    #[command(flatten)]
    gateway: gateway::Options,
}

/// Runs it and prints what came of it. Ends with 0 where every invariant holds, with 1 where one does not, which is
/// named on the error output, with 2 where the simulation itself could not go on.
pub fn run(arguments: &Options) -> ExitCode {
    if let Some(channel) = &arguments.gateway.channel {
        return gateway::run(channel, &arguments.gateway, Arc::new(SystemClock), &SystemRng);
    }
    let config = Config {
        shops: arguments.shops,
        orders_per_day: arguments.orders,
        trouble_per_mille: arguments.trouble,
        ..Config::new(arguments.seed, arguments.days, paycore_channels::REGISTRY)
    };
    let started = Instant::now();
    let runtime = match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(simulation::run(config)) {
        Ok(outcome) => {
            match say(arguments, &outcome, started.elapsed(), &mut io::stdout(), &mut io::stderr()) {
                Ok(()) => code(&outcome),
                Err(error) => fail(&error.to_string()),
            }
        }
        Err(error) => fail(&error.to_string()),
    }
}

fn code(outcome: &Outcome) -> ExitCode {
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("paycore simulate: {text}");
    ExitCode::from(2)
}

/// Says what came of it: the report or the hash alone on `out`, and what is not true on `err`, where a script that reads
/// the hash does not trip over it.
fn say(
    arguments: &Options,
    outcome: &Outcome,
    took: Duration,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<()> {
    match arguments.trace_hash {
        true => writeln!(out, "{}", outcome.trace_hash)?,
        false => report(arguments, outcome, took, out)?,
    }
    for violation in outcome.violations.iter().take(VIOLATIONS_MAX) {
        writeln!(err, "{} {} {}", violation.rule, violation.object, violation.detail)?;
    }
    let beyond = outcome.violations.len().saturating_sub(VIOLATIONS_MAX);
    if beyond > 0 {
        writeln!(err, "and {beyond} more")?;
    }
    Ok(())
}

fn report(arguments: &Options, outcome: &Outcome, took: Duration, out: &mut dyn Write) -> io::Result<()> {
    let counts = outcome.counts;
    writeln!(out, "seed {}, {} virtual seconds in {took:.1?}", arguments.seed, counts.virtual_seconds)?;
    writeln!(
        out,
        "orders {}, paid {}, refunds {}, late {}",
        counts.orders, counts.paid, counts.refunds, counts.late_payments
    )?;
    writeln!(
        out,
        "requests lost {}, answers lost {}, answers spoilt {}, webhooks delivered {}, exceptions {}",
        counts.requests_lost,
        counts.answers_lost,
        counts.answers_spoilt,
        counts.webhooks_delivered,
        counts.exceptions
    )?;
    writeln!(out, "trace {}", outcome.trace_hash)?;
    writeln!(out, "{} violations", outcome.violations.len())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use paycore::testkit::simulation::Counts;
    use paycore::verify::Violation;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn said(words: &[&str], violations: usize) -> (String, String) {
        let line = Line::parse_from([&["simulate"][..], words].concat());
        let violation = |at| Violation {
            rule: "I19",
            merchant: String::new(),
            object: format!("ord_{at}"),
            detail: "the channel says 5, the store 4".into(),
        };
        let violations = (0..violations).map(violation).collect();
        let outcome = Outcome { trace_hash: "abc123".into(), violations, counts: Counts::default() };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        say(&line.options, &outcome, Duration::ZERO, &mut out, &mut err).unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn what_is_not_true_is_named_beside_the_hash_and_beside_the_report() {
        let named = "I19 ord_0 the channel says 5, the store 4\n";
        assert_eq!(said(&["--trace-hash"], 1), ("abc123\n".into(), named.into()));
        assert_eq!(said(&["--trace-hash"], 0), ("abc123\n".into(), String::new()));
        let (out, err) = said(&[], 1);
        assert!(out.contains("trace abc123\n1 violations\n") && err == named, "{out}{err}");
    }

    #[test]
    fn of_very_many_the_first_are_named_and_the_rest_counted() {
        let (_, err) = said(&["--trace-hash"], VIOLATIONS_MAX + 7);
        assert_eq!(err.lines().count(), VIOLATIONS_MAX + 1);
        assert!(err.ends_with("and 7 more\n"), "{err}");
    }
}
