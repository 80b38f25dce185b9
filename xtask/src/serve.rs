//! `cargo xtask serve`: build the server and become it.

use crate::shell::{Failure, cargo, root, run};
use crate::test::{browser, needs};

/// Builds `paycore` and runs `paycore serve --sandbox` with the arguments that are left. `--release` builds with
/// optimisation. The server prints its addresses, a test key and a first call to paste.
pub fn serve(args: &[String]) -> Result<(), Failure> {
    let release = args.iter().any(|arg| arg == "--release");
    let rest = args.iter().filter(|arg| *arg != "--release" && *arg != "--");
    let profile = if release { "release" } else { "dev" };
    if let Err(failure) = wasm(&[]) {
        println!("the server starts without the checkout widget: {failure}");
    }
    cargo(["build", "--package", "paycore-server", "--bin", "paycore", "--profile", profile]).run()?;
    let folder = if release { "release" } else { "debug" };
    let program = root().join("target").join(folder).join("paycore");
    Err(run(program, ["serve", "--sandbox"]).args(rest).become_it())
}

/// `cargo xtask wasm`: builds the checkout widget into `crates/server/dist`. `--functions` also lists what is large in it.
pub fn wasm(args: &[String]) -> Result<(), Failure> {
    needs::ensure(&needs::WASM)?;
    cargo(["run", "--quiet", "--package", "xtask-wasm", "--"]).args(args).run()
}

/// `cargo xtask bench`: builds the benchmarks with optimisation and runs them. The stores come first, with a
/// PostgreSQL cluster of their own; then everything else as one table. The checkout is measured last, in a browser.
/// Arguments go to `paycore-bench`; with any of them (such as `--only http`) the others are left out. `--only checkout`
/// is the browser alone.
pub fn bench(args: &[String]) -> Result<(), Failure> {
    if args == ["--only", "checkout"] {
        return browser::bench();
    }
    if args.is_empty() {
        cargo(["bench", "--package", "paycore-store", "--features", "bench", "--bench", "throughput"])
            .run()?;
    }
    let server = ["run", "--release", "--package", "paycore-server", "--features", "bench"];
    cargo(server).args(["--bin", "paycore-bench", "--"]).args(args).run()?;
    if args.is_empty() { browser::bench() } else { Ok(()) }
}
