//! `paycore simulate` and `paycore-sim`: the real engine, adapters and simulators on a virtual clock, checked against
//! the invariants; or, with `--channel`, the simulator of one channel as a gateway that stands alone.

mod gateway;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use paycore::testkit::simulation::{self, Config, Outcome};
use paycore::transport::system::{SystemClock, SystemRng};

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

/// Runs it and prints what came of it. Ends with 0 where every invariant holds, with 1 where one does not, with 2
/// where the simulation itself could not go on.
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
        Ok(outcome) if arguments.trace_hash => {
            println!("{}", outcome.trace_hash);
            code(&outcome)
        }
        Ok(outcome) => {
            report(arguments, &outcome, started.elapsed());
            code(&outcome)
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

fn report(arguments: &Options, outcome: &Outcome, took: std::time::Duration) {
    let counts = outcome.counts;
    println!("seed {}, {} virtual seconds in {took:.1?}", arguments.seed, counts.virtual_seconds);
    println!(
        "orders {}, paid {}, refunds {}, late {}",
        counts.orders, counts.paid, counts.refunds, counts.late_payments
    );
    println!(
        "requests lost {}, answers lost {}, answers spoilt {}, webhooks delivered {}, exceptions {}",
        counts.requests_lost,
        counts.answers_lost,
        counts.answers_spoilt,
        counts.webhooks_delivered,
        counts.exceptions
    );
    println!("trace {}", outcome.trace_hash);
    for violation in outcome.violations.iter().take(50) {
        println!("{} {} {}", violation.rule, violation.object, violation.detail);
    }
    println!("{} violations", outcome.violations.len());
}
