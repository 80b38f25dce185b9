//! `cargo xtask test`: installs what the tests need, runs every step to its end and says how each went.

pub mod browser;
pub mod fuzz;
pub mod interop;
pub mod needs;
pub mod proofs;
mod served;
mod steps;

use std::time::{Duration, Instant};

use crate::shell::Failure;
use needs::ensure;
use steps::{STEPS, Step};

/// Runs the steps that are named, or all. `--list` only names them.
pub fn test(args: &[String]) -> Result<(), Failure> {
    if args.iter().any(|arg| arg == "--list") {
        STEPS.iter().for_each(|step| println!("{:<10} {}", step.name, step.about));
        return Ok(());
    }
    let chosen = choose(STEPS, args)?;
    let results = run_all(&chosen);
    print!("{}", summary(&results));
    if results.iter().all(Done::passed) { Ok(()) } else { Err(Failure::Reported) }
}

/// A step that ran, how long it took, and what failed if it did.
struct Done {
    name: &'static str,
    took: Duration,
    failed: Option<String>,
}

impl Done {
    fn passed(&self) -> bool {
        self.failed.is_none()
    }
}

fn choose<'a>(steps: &'a [Step], names: &[String]) -> Result<Vec<&'a Step>, Failure> {
    let known = |name: &String| steps.iter().any(|step| step.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<_> = steps.iter().map(|step| step.name).collect();
        return Err(Failure::Usage(format!(
            "there is no step `{unknown}`; the steps are {}",
            all.join(", ")
        )));
    }
    Ok(steps.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)).collect())
}

/// One after the other; a step that fails does not keep the next from running.
fn run_all(steps: &[&Step]) -> Vec<Done> {
    let mut results = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        println!("\n==> [{}/{}] {}: {}", at + 1, steps.len(), step.name, step.about);
        let start = Instant::now();
        let result = step.needs.iter().try_for_each(ensure).and_then(|()| (step.run)());
        let done = Done {
            name: step.name,
            took: start.elapsed(),
            failed: result.err().map(|failure| failure.to_string()),
        };
        let verdict = done.failed.as_ref().map_or("passed".into(), |why| format!("FAILED: {why}"));
        println!("<== {} {verdict} ({})", step.name, seconds(done.took));
        results.push(done);
    }
    results
}

/// A table of the steps and the closing line, which is `N passed, N failed`.
fn summary(results: &[Done]) -> String {
    let mut text = String::from("\n");
    for done in results {
        let verdict = done.failed.as_deref().map_or("passed".into(), |why| format!("FAILED  {why}"));
        text += &format!("{:<10} {:>9}  {verdict}\n", done.name, seconds(done.took));
    }
    let total = results.iter().map(|done| done.took).sum();
    let passed = results.iter().filter(|done| done.passed()).count();
    text + &format!(
        "{:<10} {:>9}\n\n{passed} passed, {} failed\n",
        "total",
        seconds(total),
        results.len() - passed
    )
}

fn seconds(took: Duration) -> String {
    format!("{}.{} s", took.as_secs(), took.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[Step] = &[
        Step { name: "bad", about: "fails", needs: &[], run: || Err(Failure::Check("no".into())) },
        Step { name: "good", about: "passes", needs: &[], run: || Ok(()) },
    ];

    #[test]
    fn a_failing_step_does_not_keep_the_next_from_running() {
        let results = run_all(&SAMPLE.iter().collect::<Vec<_>>());
        let verdicts: Vec<_> = results.iter().map(|done| (done.name, done.passed())).collect();
        assert_eq!(verdicts, [("bad", false), ("good", true)]);
    }

    #[test]
    fn the_last_line_counts_the_steps() {
        let took = Duration::from_millis(61_250);
        let results = [
            Done { name: "fmt", took, failed: None },
            Done { name: "tidy", took, failed: Some("tidy found 1 things to mend".into()) },
        ];
        let text = summary(&results);
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed"));
        assert!(text.contains("61.2 s  FAILED  tidy found 1 things to mend"), "{text}");
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_table_and_an_unknown_name_is_refused() {
        let names = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let chosen = choose(SAMPLE, &names(&["good", "bad"])).expect("both are there");
        assert_eq!(chosen.iter().map(|step| step.name).collect::<Vec<_>>(), ["bad", "good"]);
        assert!(choose(SAMPLE, &names(&["better"])).is_err());
    }

    #[test]
    fn steps_have_names_of_their_own() {
        let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
