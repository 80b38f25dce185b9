//! The steps of `cargo xtask test`. A new step is one row in this table.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::needs::{self, Need};
use super::served::Served;
use super::{browser, fuzz, interop};
use crate::shell::{During, Failure, Run, build_programs, cargo, root, run};
use crate::{deny, generate, new_channel, tidy};

/// One step: a name to call it by, what it needs from the machine, and what it does.
pub struct Step {
    /// Short; `cargo xtask test <name>` runs only this.
    pub name: &'static str,
    /// In a few words.
    pub about: &'static str,
    /// What must be on the machine first.
    pub needs: &'static [Need],
    /// Does it. What it has to say it prints.
    pub run: fn() -> Result<(), Failure>,
}

/// All steps in the order they run: cheap ones first, and whoever builds before those who use what was built.
pub const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the sources are formatted", needs: &[needs::RUSTFMT], run: fmt },
    Step {
        name: "tidy",
        about: "layering, budgets and bans; the pure crates compile for the browser",
        needs: &[needs::WASM],
        run: tidy::tidy,
    },
    Step {
        name: "deny",
        about: "licences, sources and advisories of all dependencies",
        needs: &[needs::DENY],
        run: deny::check,
    },
    Step { name: "clippy", about: "no warning in any target", needs: &[needs::CLIPPY], run: clippy },
    Step {
        name: "test",
        about: "the tests of the workspace",
        needs: &[needs::POSTGRES, needs::VENV],
        run: workspace_tests,
    },
    Step {
        name: "doc",
        about: "the examples in the documentation run, and its links lead somewhere",
        needs: &[],
        run: documentation,
    },
    Step { name: "gen", about: "the generated files are up to date", needs: &[], run: generated },
    Step {
        name: "examples",
        about: "every example runs to its end",
        needs: &[needs::CURL, needs::NODE, needs::VENV],
        run: examples,
    },
    Step {
        name: "scaffold",
        about: "a channel fresh from new-channel compiles and is told what it lacks",
        needs: &[],
        run: new_channel::scaffold_is_told,
    },
    Step {
        name: "api",
        about: "the API answers as its description says, whatever is sent",
        needs: &[needs::VENV],
        run: api,
    },
    Step {
        name: "interop",
        about: "other people's clients agree with our simulators and adapters",
        needs: &[],
        run: || interop::interop(&[]),
    },
    Step {
        name: "browser",
        about: "the checkout widget in Chromium: every way to pay, every state, one charge",
        needs: &[needs::WASM, needs::CHROMIUM, needs::BROWSER_NODE],
        run: browser::browser,
    },
    Step {
        name: "fuzz",
        about: "hostile notices, replies, statements and requests break no reader",
        needs: &[],
        run: || fuzz::fuzz(&[]),
    },
    Step {
        name: "sim",
        about: "one seed, one trace: simulated days keep every invariant",
        needs: &[],
        run: simulation,
    },
];

/// An example is short; the one that kills the server again and again waits for leases to run out.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(8 * 60);
/// Nothing hangs for ever; a step's program is stopped after this long.
const LIMIT: Duration = Duration::from_secs(25 * 60);

fn fmt() -> Result<(), Failure> {
    cargo(["fmt", "--all", "--check"]).run()
}

fn clippy() -> Result<(), Failure> {
    let what = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
    cargo(what).limit(LIMIT).run()
}

/// With nextest where it is installed: it runs tests of several packages side by side.
fn workspace_tests() -> Result<(), Failure> {
    let all = ["--workspace", "--all-features", "--no-fail-fast"];
    let tests = if cargo(["nextest", "--version"]).succeeds() {
        let profile = if env::var_os("CI").is_some() { "ci" } else { "default" };
        cargo(["nextest", "run"]).args(all).args(["--profile", profile])
    } else {
        cargo(["test", "--lib", "--bins", "--tests"]).args(all)
    };
    with_tools(tests).limit(LIMIT).run()
}

fn documentation() -> Result<(), Failure> {
    cargo(["test", "--doc", "--workspace", "--all-features"]).limit(LIMIT).run()?;
    // With `--examples` for the reason that `build_programs` gives.
    let docs = cargo(["doc", "--workspace", "--all-features", "--no-deps", "--lib", "--bins", "--examples"]);
    docs.env("RUSTDOCFLAGS", "--deny warnings").limit(LIMIT).run()
}

fn generated() -> Result<(), Failure> {
    generate::generate(true)
}

/// Runs every script of every example, each with the server that was built and a folder of its own for its data.
fn examples() -> Result<(), Failure> {
    let scripts = example_scripts()?;
    if scripts.is_empty() {
        return Err(Failure::Check("there is no script in examples/*/ to run".into()));
    }
    build_programs()?;
    let mut failed = Vec::new();
    for script in scripts {
        let name = script.strip_prefix(root().join("examples")).unwrap_or(&script).display().to_string();
        println!("-- example {name}");
        if let Err(failure) = with_tools(run("bash", [&script])).limit(EXAMPLE_LIMIT).run() {
            println!("{failure}");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Check(format!("examples failed: {}", failed.join(", "))))
    }
}

fn example_scripts() -> Result<Vec<PathBuf>, Failure> {
    let folders = fs::read_dir(root().join("examples")).during("reading examples/")?;
    let files =
        folders.flatten().flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let mut scripts: Vec<_> = files.map(|file| file.path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "sh"));
    scripts.sort();
    Ok(scripts)
}

/// Sends what schemathesis makes of the description to a server of our own, then checks its books.
fn api() -> Result<(), Failure> {
    let served = Served::start()?;
    // The one check left out wants every schema-valid body accepted. Rules that no schema says (a method that the
    // order does not allow, `1.0` where JSON knows integers and floats apart) refuse some, rightly.
    let checks = ["--exclude-checks", "positive_data_acceptance"];
    // It would take away the key it knocks with, and see nothing but locked doors from then on.
    let [revoke, roll] = ["/v1/api_keys/{id}/revoke", "/v1/api_keys/{id}/roll"];
    let paths = ["--exclude-path", revoke, "--exclude-path", roll];
    let bounds = ["--seed", "1", "--max-examples", "20", "--workers", "1", "--no-color"];
    let tester = run(needs::venv_program("schemathesis"), ["run", &format!("{}/openapi.json", served.url)]);
    let tester = tester
        .args(checks)
        .args(paths)
        .args(bounds)
        .args(["--header", &format!("Authorization: Bearer {}", served.test_key)]);
    let verdict = tester.dir(root().join("target")).quiet().limit(Duration::from_secs(10 * 60)).run();
    served.verify().and(verdict)
}

/// The same seed twice: the traces are equal, and no invariant is broken. Another seed leaves another trace.
fn simulation() -> Result<(), Failure> {
    build_programs()?;
    let trace = |seed: &str| {
        let what = ["simulate", "--seed", seed, "--days", "1", "--orders", "30", "--trace-hash"];
        run(root().join("target/debug/paycore"), what).output()
    };
    let (first, again, other) = (trace("1")?, trace("1")?, trace("2")?);
    println!("seed 1: {}seed 2: {}", first, other);
    if first == again && first != other && !first.trim().is_empty() {
        return Ok(());
    }
    Err(Failure::Check(format!("seed 1 left the traces {first} and {again}, seed 2 {other}")))
}

/// Tells tests and examples where the server program and the Python of `target/venv` are.
fn with_tools(program: Run) -> Run {
    let built = root().join("target/debug");
    program
        .env("PAYCORE_BIN", built.join("paycore"))
        .env("SETTLEMENT_DAY_BIN", built.join("settlement_day"))
        .env("PAYCORE_PYTHON", needs::venv_program("python"))
}
