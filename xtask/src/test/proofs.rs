//! `cargo xtask proofs`: what the tests take a sample of, in its full size and with optimisation: too long for a step of
//! `cargo xtask test`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use super::needs::{self, ensure};
use crate::shell::{During, Failure, cargo, root, run};

/// Where oracles write their cases, and the tests look for them.
const FOLDER: &str = "target/oracle";
const CASES: &str = "1000000";

/// One proof: a test of crate `paycore` with the variable that makes it large.
struct Proof {
    name: &'static str,
    about: &'static str,
    /// The test target, which runs whole: a filter that has come to match nothing would prove nothing in silence.
    test: &'static str,
    size: (&'static str, &'static str),
    /// Programs that write cases, with their arguments and the file they write.
    oracles: &'static [(&'static [&'static str], &'static str)],
}

const PROOFS: &[Proof] = &[
    Proof {
        name: "histories",
        about: "no cent is lost or made over 100,000 histories of merchants",
        test: "settlement",
        size: ("PAYCORE_HISTORIES", "100000"),
        oracles: &[],
    },
    Proof {
        name: "ledger",
        about: "ten million commands to the ledger and to a naive one",
        test: "ledger",
        size: ("PAYCORE_LEDGER_COMMANDS", "10000000"),
        oracles: &[],
    },
    Proof {
        name: "reconciliation",
        about: "easy and hard sets of 100,000 rows whose truth is known",
        test: "reconciliation",
        size: ("RECONCILIATION_ROWS", "100000"),
        oracles: &[],
    },
    Proof {
        name: "fees",
        about: "a million fees, tiers and exchanges by rational numbers",
        test: "fee",
        size: ("PAYCORE_FEE_VECTORS", "../../target/oracle/fee.jsonl"),
        oracles: &[(&["crates/paycore/tests/fee/oracle.py", CASES, "7"], "fee.jsonl")],
    },
    Proof {
        name: "shares",
        about: "a million shares and a million chains of agents by rational numbers",
        test: "split",
        size: ("PAYCORE_CASES_MIN", CASES),
        oracles: &[
            (&["crates/paycore/tests/split/oracle.py", "split", CASES], "split.jsonl"),
            (&["crates/paycore/tests/split/oracle.py", "agents", CASES], "agents.jsonl"),
        ],
    },
];

/// Runs all proofs, or those that are named. What the oracles wrote is some gigabytes, and goes when its proof is done.
pub fn proofs(names: &[String]) -> Result<(), Failure> {
    let all = PROOFS.iter().map(|proof| proof.name).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = names.iter().find(|name| PROOFS.iter().all(|proof| proof.name != **name)) {
        return Err(Failure::Usage(format!("there is no proof `{unknown}`; the proofs are {all}")));
    }
    ensure(&needs::VENV)?;
    let chosen = |proof: &&Proof| names.is_empty() || names.iter().any(|name| name == proof.name);
    let mut failed = Vec::new();
    for proof in PROOFS.iter().filter(chosen) {
        println!("\n==> {}: {}", proof.name, proof.about);
        let start = Instant::now();
        let result = prove(proof);
        let verdict =
            result.as_ref().map_or_else(|failure| format!("FAILED: {failure}"), |()| "holds".into());
        println!("<== {} {verdict} ({} s)", proof.name, start.elapsed().as_secs());
        failed.extend(result.err().map(|_| proof.name));
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Check(format!("not proven: {}", failed.join(", ")))) }
}

fn prove(proof: &Proof) -> Result<(), Failure> {
    let folder = root().join(FOLDER);
    for (program, file) in proof.oracles {
        fs::create_dir_all(&folder).during(format!("making {FOLDER}"))?;
        ask(program, folder.join(file))?;
    }
    let test = ["test", "--release", "--package", "paycore", "--all-features", "--test", proof.test];
    let tested = cargo(test)
        .args(["--", "--nocapture"])
        .env(proof.size.0, proof.size.1)
        .env("PAYCORE_PYTHON", needs::venv_program("python"))
        .run();
    if !proof.oracles.is_empty() {
        fs::remove_dir_all(&folder).during(format!("removing {FOLDER}"))?;
    }
    tested
}

/// Lets an oracle write its cases.
fn ask(program: &[&str], file: PathBuf) -> Result<(), Failure> {
    let file = File::create(&file).during(format!("writing {}", file.display()))?;
    let mut oracle = run("python3", program).start(Stdio::from(file), Stdio::inherit())?;
    let status = oracle.wait().during("waiting for an oracle")?;
    if status.success() { Ok(()) } else { Err(Failure::Check(format!("the oracle ended with {status}"))) }
}
