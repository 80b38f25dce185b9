//! What the steps need from the machine: how to see whether it is there, and how to get it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::deny::path_with_tools;
use crate::shell::{During, Failure, cargo, root, run};

/// Something a step needs.
pub struct Need {
    /// What it is.
    pub name: &'static str,
    /// Whether it is there.
    present: fn() -> bool,
    /// Gets it.
    install: fn() -> Result<(), Failure>,
}

/// The formatter of the toolchain.
pub const RUSTFMT: Need = Need {
    name: "rustfmt",
    present: || cargo(["fmt", "--version"]).succeeds(),
    install: || component("rustfmt"),
};

/// The lints of the toolchain.
pub const CLIPPY: Need = Need {
    name: "clippy",
    present: || cargo(["clippy", "--version"]).succeeds(),
    install: || component("clippy"),
};

/// The standard library for the browser target.
pub const WASM: Need = Need {
    name: "the target wasm32-unknown-unknown",
    present: has_wasm,
    install: || rustup(&["target", "add", "wasm32-unknown-unknown"]),
};

/// The version of cargo-deny that `deny.toml` is written for.
const DENY_VERSION: &str = "0.20.2";

/// cargo-deny, kept in `target/tools`. Built without optimisation: it starts a minute later otherwise and has
/// little to compute.
pub const DENY: Need = Need { name: "cargo-deny 0.20.2", present: has_deny, install: install_deny };

/// PostgreSQL 15 or newer: the programs, no running server; the tests start their own.
pub const POSTGRES: Need = Need { name: "PostgreSQL", present: has_postgres, install: install_postgres };

/// Python packages that judge us from outside, in `target/venv`.
pub const VENV: Need =
    Need { name: "the Python packages of xtask/requirements.txt", present: has_venv, install: install_venv };

/// Where other people's clients are installed.
pub const INTEROP_FOLDER: &str = "target/interop";

/// Other people's Python clients, each file checked against the hash of its version.
pub const INTEROP_PYTHON: Need = Need {
    name: "the Python clients of interop/requirements.txt",
    present: || installed("interop/requirements.txt", "target/interop/requirements.txt"),
    install: install_interop_python,
};

/// Other people's Node clients, as the lock file has them.
pub const INTEROP_NODE: Need = Need {
    name: "the Node clients of interop/package-lock.json",
    present: || installed("interop/package-lock.json", "target/interop/installed-lock.json"),
    install: || install_node("interop", INTEROP_FOLDER),
};

/// Where what drives the browser is installed.
pub const BROWSER_FOLDER: &str = "target/browser";
/// Where the other checkouts are installed.
pub const PEERS_FOLDER: &str = "target/peers";
/// The folder of its lock file.
const BROWSER_LOCK: &str = "crates/wasm-checkout/tests/browser";

/// What drives the browser and what judges the pages, as the lock file has them.
pub const BROWSER_NODE: Need = Need {
    name: "the Node packages of crates/wasm-checkout/tests/browser",
    present: || {
        installed(
            "crates/wasm-checkout/tests/browser/package-lock.json",
            "target/browser/installed-lock.json",
        )
    },
    install: || install_node(BROWSER_LOCK, BROWSER_FOLDER),
};

/// Other checkouts, which the benchmark measures beside ours.
pub const PEERS: Need = Need {
    name: "the Node packages of crates/wasm-checkout/tests/peers",
    present: || {
        installed("crates/wasm-checkout/tests/peers/package-lock.json", "target/peers/installed-lock.json")
    },
    install: || install_node("crates/wasm-checkout/tests/peers", PEERS_FOLDER),
};

/// The browser, where Debian puts it, or where `CHROMIUM` says.
pub const CHROMIUM: Need = Need {
    name: "Chromium",
    present: || run(chromium(), ["--version"]).succeeds(),
    install: || debian(&["chromium", "fonts-noto-cjk", "fonts-noto-core"]),
};

/// The example scripts are shell with curl.
pub const CURL: Need =
    Need { name: "curl", present: || run("curl", ["--version"]).succeeds(), install: || debian(&["curl"]) };

/// The example for mini programs is run by Node.
pub const NODE: Need = Need {
    name: "Node.js",
    present: || run("node", ["--version"]).succeeds(),
    install: || debian(&["nodejs"]),
};

/// Makes sure that `need` is met, or says why it cannot be.
pub fn ensure(need: &Need) -> Result<(), Failure> {
    if (need.present)() {
        return Ok(());
    }
    println!("-- getting {}", need.name);
    (need.install)()?;
    if (need.present)() {
        return Ok(());
    }
    Err(Failure::Missing(format!("{} was installed and still cannot be found", need.name)))
}

/// A program of `target/venv`.
pub fn venv_program(name: &str) -> PathBuf {
    root().join(VENV_FOLDER).join("bin").join(name)
}

fn component(name: &str) -> Result<(), Failure> {
    rustup(&["component", "add", name])
}

fn rustup(words: &[&str]) -> Result<(), Failure> {
    if !run("rustup", ["--version"]).succeeds() {
        let what = words.join(" ");
        return Err(Failure::Missing(format!("rustup is not there to `{what}`: see https://rustup.rs")));
    }
    run("rustup", words).run()
}

fn has_wasm() -> bool {
    let sysroot = run("rustc", ["--print", "sysroot"]).output().unwrap_or_default();
    Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib").is_dir()
}

fn has_deny() -> bool {
    let version = cargo(["deny", "--version"]).env("PATH", path_with_tools()).quiet_output();
    version.is_some_and(|version| version.split_whitespace().any(|word| word == DENY_VERSION))
}

fn install_deny() -> Result<(), Failure> {
    let what =
        ["install", "--locked", "--root", "target/tools", "--profile", "dev", "--version", DENY_VERSION];
    cargo(what).args(["cargo-deny"]).env("CARGO_PROFILE_DEV_DEBUG", "false").run()
}

fn has_postgres() -> bool {
    let found = postgres_folders()
        .into_iter()
        .any(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file()));
    found || ["initdb", "pg_ctl", "postgres"].iter().all(|program| run(program, ["--version"]).succeeds())
}

/// Debian keeps the server programs outside the search path, one folder per version.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let recent = versions
        .filter(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()).unwrap_or(0) >= 15);
    recent.map(|entry| entry.path().join("bin")).collect()
}

fn install_postgres() -> Result<(), Failure> {
    debian(&["postgresql-15"]).or_else(|_| debian(&["postgresql"]))
}

const VENV_FOLDER: &str = "target/venv";
const REQUIREMENTS: &str = "xtask/requirements.txt";
/// What was asked for when the environment was made; another text means another environment.
const INSTALLED: &str = "target/venv/installed.txt";

/// Whether what was asked for when something was installed is what is asked for now.
fn installed(wanted: &str, installed: &str) -> bool {
    let [wanted, installed] = [wanted, installed].map(|path| fs::read_to_string(root().join(path)));
    matches!((wanted, installed), (Ok(wanted), Ok(installed)) if wanted == installed)
}

fn has_venv() -> bool {
    installed(REQUIREMENTS, INSTALLED)
}

fn install_venv() -> Result<(), Failure> {
    make_venv(VENV_FOLDER, &["--requirement", REQUIREMENTS])?;
    fs::copy(root().join(REQUIREMENTS), root().join(INSTALLED)).during(format!("writing {INSTALLED}"))?;
    Ok(())
}

/// A fresh environment in `folder` with what pip is told to install.
fn make_venv(folder: &str, what: &[&str]) -> Result<(), Failure> {
    let make = || run("python3", ["-m", "venv", "--clear", folder]);
    if !make().succeeds() {
        debian(&["python3", "python3-venv"])?;
        make().run()?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(root().join(folder).join("bin/python"), pip).args(what).run()
}

/// The Python that has other people's clients.
pub fn interop_python() -> PathBuf {
    root().join(INTEROP_FOLDER).join("venv/bin/python")
}

fn install_interop_python() -> Result<(), Failure> {
    let wanted = "interop/requirements.txt";
    make_venv("target/interop/venv", &["--require-hashes", "--requirement", wanted])?;
    fs::copy(root().join(wanted), root().join(INTEROP_FOLDER).join("requirements.txt"))
        .during("writing target/interop/requirements.txt")?;
    Ok(())
}

fn chromium() -> OsString {
    env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into())
}

/// Installs what the lock file in `from` has into `into`, without running any of it.
fn install_node(from: &str, into: &str) -> Result<(), Failure> {
    if !run("npm", ["--version"]).succeeds() {
        debian(&["nodejs", "npm"])?;
    }
    let folder = root().join(into);
    fs::create_dir_all(&folder).during(format!("making {into}"))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root().join(from).join(file), folder.join(file)).during(format!("copying {file}"))?;
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
    run("npm", npm).dir(&folder).run()?;
    fs::copy(folder.join("package-lock.json"), folder.join("installed-lock.json"))
        .during(format!("writing {into}/installed-lock.json"))?;
    Ok(())
}

/// Installs Debian packages as root, by `sudo` if it asks for no password, or says what to install.
fn debian(packages: &[&str]) -> Result<(), Failure> {
    let names = packages.join(" ");
    if !run("apt-get", ["--version"]).succeeds() {
        return Err(Failure::Missing(format!("please install what Debian calls: {names}")));
    }
    let is_root = run("id", ["-u"]).quiet_output().is_some_and(|id| id.trim() == "0");
    let prefix: &[&str] = if is_root { &["env"] } else { &["sudo", "-n", "env"] };
    if !is_root && !run("sudo", ["-n", "true"]).succeeds() {
        return Err(Failure::Missing(format!("please run: sudo apt-get install {names}")));
    }
    let apt = |words: &[&str]| {
        let quiet = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"];
        run(prefix[0], prefix[1..].iter().chain(&quiet).chain(words)).run()
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_that_is_met_is_not_installed_again() {
        let refuse = || Err(Failure::Missing("installed".into()));
        assert!(ensure(&Need { name: "a", present: || true, install: refuse }).is_ok());
        assert!(ensure(&Need { name: "a", present: || false, install: refuse }).is_err());
    }

    #[test]
    fn an_installation_that_brings_nothing_is_a_failure() {
        let failure =
            ensure(&Need { name: "a", present: || false, install: || Ok(()) }).expect_err("still missing");
        assert_eq!(failure.to_string(), "a was installed and still cannot be found");
    }

    #[test]
    fn every_python_package_is_pinned_to_one_version() {
        let wanted = fs::read_to_string(root().join(REQUIREMENTS)).expect("the list of Python packages");
        let mut packages = wanted.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert!(packages.all(|line| line.contains("==")));
    }
}
