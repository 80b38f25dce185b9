//! `cargo xtask serve`: build the server and become it.

use crate::shell::{Failure, cargo, root, run};

/// Builds `paycore` and runs `paycore serve --sandbox` with the arguments that are left. `--release` builds with
/// optimisation. The server prints its addresses, a test key and a first call to paste.
pub fn serve(args: &[String]) -> Result<(), Failure> {
    let release = args.iter().any(|arg| arg == "--release");
    let rest = args.iter().filter(|arg| *arg != "--release" && *arg != "--");
    let profile = if release { "release" } else { "dev" };
    cargo(["build", "--package", "paycore-server", "--bin", "paycore", "--profile", profile]).run()?;
    let folder = if release { "release" } else { "debug" };
    let program = root().join("target").join(folder).join("paycore");
    Err(run(program, ["serve", "--sandbox"]).args(rest).become_it())
}

/// `cargo xtask bench`: builds the benchmarks with optimisation and runs them; they print one table.
pub fn bench(args: &[String]) -> Result<(), Failure> {
    let build = ["run", "--release", "--package", "paycore-server", "--bin", "paycore-bench", "--"];
    cargo(build).args(args).run()
}
