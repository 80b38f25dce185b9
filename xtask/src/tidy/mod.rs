//! The rules of the house as a test: layering, budgets, bans. `cargo test -p xtask` enforces them, and
//! `cargo xtask tidy` adds the compile checks for the browser target.

mod budget;
mod docs;
mod exceptions;
mod layering;
mod manifest;
mod source;
mod tree;
mod words;

use std::fs;

pub use source::{Finding, Source};
#[cfg(test)]
pub use tree::CHANNEL_FILES;
pub use tree::GENERATED;

use crate::generate;
use crate::shell::{During, Failure, cargo, root, run};

/// One rule: its name, what it is for, and how to check it.
pub struct Rule {
    /// Short and stable; findings and exceptions name it.
    pub name: &'static str,
    /// In a few words.
    pub about: &'static str,
    check: Check,
}

enum Check {
    /// Looks at one file at a time.
    File(fn(&Source) -> Vec<Finding>),
    /// Looks at the whole tree.
    Tree(fn(&[Source]) -> Vec<Finding>),
}

/// All rules, in the order of their findings.
pub const RULES: &[Rule] = &[
    Rule { name: "parse", about: "every Rust file can be read", check: Check::File(parse) },
    Rule {
        name: "layer-foundation",
        about: "rule 1: what stands on what in paycore",
        check: Check::File(layering::foundation),
    },
    Rule {
        name: "layer-purity",
        about: "rule 2: pure files stay pure",
        check: Check::File(layering::purity),
    },
    Rule {
        name: "layer-service",
        about: "rule 3: only services are async",
        check: Check::File(layering::services),
    },
    Rule {
        name: "layer-channel",
        about: "rule 4: channels do no IO",
        check: Check::File(layering::channels),
    },
    Rule {
        name: "layer-simulator",
        about: "rule 4: the two ends share nothing",
        check: Check::File(layering::two_ends),
    },
    Rule {
        name: "layer-door",
        about: "rule 5: axum, SQL drivers, bindings",
        check: Check::File(layering::doors),
    },
    Rule {
        name: "manifest",
        about: "rules 4 and 5 in Cargo.toml",
        check: Check::File(manifest::dependencies),
    },
    Rule { name: "sql", about: "rule 5: SQL only in the store", check: Check::File(words::sql) },
    Rule { name: "ambient", about: "rule 6: clock, RNG, environment", check: Check::File(words::ambient) },
    Rule { name: "lints", about: "rule 6: no unsafe code, lints once", check: Check::File(manifest::lints) },
    Rule { name: "float", about: "no float near money", check: Check::File(words::floats) },
    Rule {
        name: "unfinished",
        about: "nothing unfinished or ignored",
        check: Check::File(words::unfinished),
    },
    Rule { name: "file-length", about: "no file too long", check: Check::File(budget::file_length) },
    Rule {
        name: "function-length",
        about: "no function too long",
        check: Check::File(budget::function_length),
    },
    Rule {
        name: "typical-length",
        about: "medians and 95th percentiles",
        check: Check::Tree(budget::typical_length),
    },
    Rule { name: "channel-length", about: "a channel fits its budget", check: Check::Tree(budget::channels) },
    Rule {
        name: "channel-folder",
        about: "the same file names in each",
        check: Check::Tree(tree::channel_folders),
    },
    Rule { name: "generated", about: "generated files say so", check: Check::Tree(generated) },
    Rule { name: "doc-path", about: "links and paths in pages", check: Check::Tree(docs::paths) },
    Rule {
        name: "readme-example",
        about: "the READMEs show the example",
        check: Check::Tree(docs::readme_example),
    },
    Rule { name: "decision-index", about: "every decision is listed", check: Check::Tree(docs::decisions) },
    Rule { name: "machine-path", about: "no path of one machine", check: Check::File(tree::machine_paths) },
];

/// What must compile for the browser: package and features.
const FOR_WASM: &[(&str, &[&str])] = &[
    ("paycore", &[]),
    ("paycore", &["--features", "portable-crypto"]),
    ("paycore-channels", &[]),
    ("paycore-wasm-checkout", &[]),
];

/// `cargo xtask tidy`: the rules, then the compile checks for `wasm32-unknown-unknown`.
pub fn tidy() -> Result<(), Failure> {
    let sources = sources()?;
    let found = check(&sources);
    for finding in &found {
        println!("{}:{}: [{}] {}", finding.path, finding.line, finding.rule, finding.message);
    }
    report(&sources, &found);
    let wasm = compile_for_wasm();
    if !found.is_empty() {
        return Err(Failure::Check(format!("tidy found {} things to mend", found.len())));
    }
    wasm
}

/// The rules with what they found, the exceptions with their reasons, and the lengths.
fn report(sources: &[Source], found: &[Finding]) {
    for rule in RULES {
        let count = found.iter().filter(|finding| finding.rule == rule.name).count();
        println!("{count:>4} {:<16} {}", rule.name, rule.about);
    }
    for exception in exceptions::EXCEPTIONS {
        println!("not {:<16} {}: {}", exception.rule, exception.path, exception.reason);
    }
    println!("{}", budget::report(sources));
    println!("{} rules, {} files, {} findings", RULES.len(), sources.len(), found.len());
}

/// Every finding of every rule that is not excepted.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let found = RULES.iter().flat_map(|rule| match rule.check {
        Check::File(check) => sources.iter().flat_map(check).collect(),
        Check::Tree(check) => check(sources),
    });
    let mut left = exceptions::apply(exceptions::EXCEPTIONS, found.collect(), sources);
    left.sort();
    left
}

/// The text files of the repository: what git follows or would follow.
pub fn sources() -> Result<Vec<Source>, Failure> {
    let listed = run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).output()?;
    let mut paths: Vec<_> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut sources = Vec::new();
    for path in paths {
        let file = root().join(path);
        if !file.is_file() {
            continue;
        }
        let bytes = fs::read(&file).during(format!("reading {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source::new(path, text));
        }
    }
    Ok(sources)
}

/// Compiles the pure crates for the browser, each alone, so that no other crate lends it a feature.
fn compile_for_wasm() -> Result<(), Failure> {
    for (package, features) in FOR_WASM {
        cargo(["check", "--target", "wasm32-unknown-unknown", "-p", package]).args(*features).run()?;
    }
    Ok(())
}

fn parse(source: &Source) -> Vec<Finding> {
    source.unparsable().map(|why| source.finding("parse", 0, why)).into_iter().collect()
}

fn generated(sources: &[Source]) -> Vec<Finding> {
    tree::generated(&generate::outputs(), sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_the_rules_of_the_house() {
        let found = check(&sources().expect("the repository can be read"));
        let lines: Vec<_> =
            found.iter().map(|f| format!("{}:{}: [{}] {}", f.path, f.line, f.rule, f.message)).collect();
        assert!(found.is_empty(), "\n{}\n", lines.join("\n"));
    }

    #[test]
    fn rules_have_names_of_their_own_and_exceptions_name_a_rule() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        assert!(exceptions::EXCEPTIONS.iter().all(|exception| names.contains(&exception.rule)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn a_file_that_breaks_a_rule_is_found_through_the_table() {
        let found = check(&[Source::new("crates/paycore/src/money.rs", "fn f(x: f64) { todo!() }")]);
        let rules: Vec<_> = found.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, ["float", "unfinished"]);
    }
}
