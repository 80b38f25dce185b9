//! Licences, sources and known vulnerabilities of everything we build on, without network.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::shell::{During, Failure, cargo, root, run};

/// Where `deny.toml` says the advisories are, with the folder name that cargo-deny derives from their address.
const UNPACKED: &str = "target/advisory-db/advisory-db-3157b0e258782691";
/// Places of a snapshot relative to the repository root, the first that exists wins.
const SNAPSHOTS: &[&str] = &["../shared/advisory-db.tgz", "xtask/advisories/advisory-db.tgz"];

/// Checks everything that `deny.toml` asks for.
pub fn check() -> Result<(), Failure> {
    unpack(&snapshot()?)?;
    // The graph holds the packages of every platform; without network they must all be here first.
    cargo(["fetch"]).run()?;
    cargo(["deny", "--offline", "--all-features", "--workspace", "check", "--hide-inclusion-graph"])
        .env("PATH", path_with_tools())
        .run()
}

/// The search path with our own tools in front.
pub fn path_with_tools() -> std::ffi::OsString {
    let ours = [root().join("target/tools/bin")];
    let old = env::var_os("PATH").unwrap_or_default();
    env::join_paths(ours.into_iter().chain(env::split_paths(&old))).unwrap_or(old)
}

fn snapshot() -> Result<PathBuf, Failure> {
    if let Some(named) = env::var_os("PAYCORE_ADVISORY_DB") {
        return Ok(named.into());
    }
    let places = SNAPSHOTS.iter().map(|place| root().join(place));
    places.into_iter().find(|place| place.exists()).ok_or_else(|| {
        Failure::Missing(format!("no advisories to check against: none of {SNAPSHOTS:?} is there"))
    })
}

/// Unpacks the snapshot as cargo-deny wants it: a git repository with one commit, as if just fetched.
fn unpack(snapshot: &PathBuf) -> Result<(), Failure> {
    let folder = root().join(UNPACKED);
    if folder.exists() {
        fs::remove_dir_all(&folder).during(format!("clearing {UNPACKED}"))?;
    }
    fs::create_dir_all(&folder).during(format!("making {UNPACKED}"))?;
    run("tar", ["-xzf"]).args([snapshot]).args(["-C", UNPACKED]).quiet().run()?;
    let changed = fs::metadata(folder.join("crates")).and_then(|crates| crates.modified());
    let changed =
        changed.during("reading the age of the advisories: an advisory-db has a folder `crates`")?;
    let seconds = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let git = |words: &[&str]| {
        let identity = ["-c", "user.name=snapshot", "-c", "user.email=snapshot@localhost", "-c", "gc.auto=0"];
        run("git", identity)
            .args(words)
            .dir(&folder)
            .env("GIT_COMMITTER_DATE", format!("@{seconds} +0000"))
            .quiet()
    };
    git(&["init", "--quiet", "--initial-branch=main"]).run()?;
    git(&["add", "--all"]).run()?;
    git(&["commit", "--quiet", "--no-verify", "--message=snapshot"]).run()?;
    let head = git(&["rev-parse", "HEAD"]).output()?;
    fs::write(folder.join(".git/FETCH_HEAD"), format!("{}\t\tsnapshot\n", head.trim()))
        .during("writing FETCH_HEAD")?;
    let day = git(&["show", "--no-patch", "--format=%cs", "HEAD"]).output()?;
    println!("advisories of {} from {}", day.trim(), snapshot.display());
    Ok(())
}
