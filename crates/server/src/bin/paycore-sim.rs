//! `paycore-sim`: the same as `paycore simulate`, as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use paycore_server::simulate;

/// Simulates shops, payers, channels and bad weather from one seed, and checks every invariant at the end.
#[derive(Debug, Parser)]
#[command(name = "paycore-sim", version)]
struct Arguments {
    #[command(flatten)]
    options: simulate::Options,
}

fn main() -> ExitCode {
    simulate::run(&Arguments::parse().options)
}
