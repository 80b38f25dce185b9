//! The fuzz targets of `fuzz/`: every kind of reader of every registered channel, a while each, a few at a time. The
//! coverage that libFuzzer needs is asked for by compiler flags, so that the toolchain of the repository will do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::shell::{During, Failure, cargo, root, run};

/// How long each reader is fed, in seconds; `PAYCORE_FUZZ_SECONDS` says otherwise.
const SECONDS: &str = "15";
/// Some more than a build machine has cores: a reader is fed well even by two thirds of one.
const AT_A_TIME: usize = 3;
/// A reader that was fed less than this was not fuzzed.
const INPUTS_MIN: u64 = 500;
/// What instruments the code: counters of edges, and what is compared with what.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";
const FOLDER: &str = "target/fuzz";

/// One reader of one channel.
struct Target {
    kind: String,
    channel: String,
    seeds: PathBuf,
}

/// Builds the targets and runs them all, or those whose `kind/channel` holds one of `words`.
pub fn fuzz(words: &[String]) -> Result<(), Failure> {
    let programs = build()?;
    let seeds = root().join(FOLDER).join("seeds");
    for old in [&seeds, &root().join(FOLDER).join("found")] {
        if old.exists() {
            fs::remove_dir_all(old).during("clearing what an earlier run left")?;
        }
    }
    run(programs.join("notice"), [""; 0]).env("PAYCORE_FUZZ_SEEDS", &seeds).run()?;
    let mut targets = targets(&seeds)?;
    targets
        .retain(|target| words.is_empty() || words.iter().any(|word| target.name().contains(word.as_str())));
    if targets.is_empty() {
        return Err(Failure::Check("there is nothing to fuzz".into()));
    }
    let failed = feed_all(&programs, targets);
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Check(format!("fuzzing broke {}", failed.join(", "))))
    }
}

impl Target {
    fn name(&self) -> String {
        format!("{}/{}", self.kind, self.channel)
    }
}

/// Builds with the flags for the code of the targets alone: a target triple of its own keeps them from build scripts.
fn build() -> Result<PathBuf, Failure> {
    let version = run("rustc", ["-vV"]).output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failure::Missing("rustc does not say its host".into()))?;
    let target = root().join(FOLDER);
    cargo(["build", "--manifest-path", "fuzz/Cargo.toml", "--release", "--bins", "--target", host])
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_TARGET_DIR", &target)
        .run()?;
    Ok(target.join(host).join("release"))
}

fn targets(seeds: &Path) -> Result<Vec<Target>, Failure> {
    let inside = |folder: &Path| -> Result<Vec<PathBuf>, Failure> {
        let entries = fs::read_dir(folder).during(format!("reading {}", folder.display()))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        Ok(paths)
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut targets = Vec::new();
    for kind in inside(seeds)? {
        for seeds in inside(&kind)? {
            targets.push(Target { kind: name(&kind), channel: name(&seeds), seeds });
        }
    }
    Ok(targets)
}

/// Feeds all of them; the names of those that broke.
fn feed_all(programs: &Path, targets: Vec<Target>) -> Vec<String> {
    let (waiting, failed) = (Mutex::new(targets), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let next = waiting.lock().ok().and_then(|mut waiting| waiting.pop());
            let Some(target) = next else { return };
            if let Err(failure) = feed(programs, &target) {
                println!("{}: {failure}", target.name());
                failed.lock().iter_mut().for_each(|failed| failed.push(target.name()));
            }
        }
    };
    thread::scope(|scope| (0..AT_A_TIME).for_each(|_| drop(scope.spawn(work))));
    failed.into_inner().unwrap_or_default()
}

fn feed(programs: &Path, target: &Target) -> Result<(), Failure> {
    let seconds = std::env::var("PAYCORE_FUZZ_SECONDS").unwrap_or_else(|_| SECONDS.into());
    let (corpus, found) = (target.folder("corpus")?, target.folder("found")?);
    let options = [
        format!("-max_total_time={seconds}"),
        format!("-artifact_prefix={}/", found.display()),
        "-timeout=5".into(),
        "-rss_limit_mb=1024".into(),
        "-max_len=16384".into(),
        "-print_final_stats=1".into(),
        "-seed=1".into(),
        format!("-dict={}", target.words()?.display()),
    ];
    let start = Instant::now();
    let program = run(programs.join(&target.kind), options).args([&corpus, &target.seeds]);
    let (good, said) = program.quiet().env("PAYCORE_FUZZ_CHANNEL", &target.channel).transcript()?;
    let inputs = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .unwrap_or(0);
    println!("{:<24} {inputs:>9} inputs in {} s", target.name(), start.elapsed().as_secs());
    if !good {
        println!("{said}");
        return Err(Failure::Check(format!("it broke; the input is in {}", found.display())));
    }
    if inputs < INPUTS_MIN {
        return Err(Failure::Check(format!("{inputs} inputs are too few to have fuzzed anything")));
    }
    Ok(())
}

impl Target {
    /// The words of the channel's wire, from the texts in its sources: a fuzzer does not guess `TRADE_SUCCESS`.
    fn words(&self) -> Result<PathBuf, Failure> {
        let mut words = BTreeSet::new();
        let sources = root().join("crates/channels/src");
        for folder in [sources.join("dialect"), sources.join(&self.channel)] {
            collect_words(&folder, &mut words);
        }
        let file = self.folder("words")?.join("words.txt");
        let line = |word: &String| -> String {
            let byte = |byte: &u8| match byte {
                b' '..=b'~' if *byte != b'"' && *byte != b'\\' => char::from(*byte).to_string(),
                other => format!("\\x{other:02X}"),
            };
            format!("\"{}\"\n", word.as_bytes().iter().map(byte).collect::<String>())
        };
        fs::write(&file, words.iter().map(line).collect::<String>()).during("writing the words")?;
        Ok(file)
    }

    /// A folder of its own for what it learns or finds.
    fn folder(&self, what: &str) -> Result<PathBuf, Failure> {
        let folder = root().join(FOLDER).join(what).join(&self.kind).join(&self.channel);
        fs::create_dir_all(&folder).during(format!("making {}", folder.display()))?;
        Ok(folder)
    }
}

/// Short texts between quotes, in every source of a folder.
fn collect_words(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_words(&path, words);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let quoted = text.lines().flat_map(|line| line.split('"').skip(1).step_by(2));
            words.extend(quoted.filter(|word| (2..=40).contains(&word.len())).map(str::to_owned));
        }
    }
}
