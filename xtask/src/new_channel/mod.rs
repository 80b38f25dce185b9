//! `cargo xtask new-channel NAME`: a folder with every file a channel has, and its two lines in the registry.
//! What it writes compiles, does nothing, and fails the conformance suite, which says what is missing.

use std::fs;
use std::path::Path;

use crate::shell::{During, Failure, cargo, root, run};

/// The files and what they start as. `{{name}}` is the folder and id, `{{Name}}` the type.
const FILES: &[(&str, &str)] = &[
    ("mod.rs", include_str!("templates/mod.rs.txt")),
    ("config.rs", include_str!("templates/config.rs.txt")),
    ("encode.rs", include_str!("templates/encode.rs.txt")),
    ("decode.rs", include_str!("templates/decode.rs.txt")),
    ("notice.rs", include_str!("templates/notice.rs.txt")),
    ("statement.rs", include_str!("templates/statement.rs.txt")),
    ("simulator.rs", include_str!("templates/simulator.rs.txt")),
    ("README.md", include_str!("templates/README.md.txt")),
    ("fixtures/ours.json", include_str!("templates/ours.json.txt")),
    ("fixtures/reply_query_paid.http", include_str!("templates/reply.http.txt")),
];

const CHANNELS: &str = "crates/channels/src";

/// Its tests, which have what all channels' tests share beside them.
const TESTS: (&str, &str) = ("main.rs", include_str!("templates/tests.rs.txt"));
const TESTS_FOLDER: &str = "crates/channels/tests";

/// Makes the channel that the only argument names.
pub fn new_channel(args: &[String]) -> Result<(), Failure> {
    let [name] = args else {
        return Err(Failure::Usage("say the name: lower-case letters and digits, such as `acmepay`".into()));
    };
    if !is_name(name) {
        return Err(Failure::Usage(format!(
            "`{name}`: a name is lower-case letters and digits, a letter first"
        )));
    }
    scaffold(&root(), name)?;
    println!("\nNow run the conformance suite; it says what is missing:\n\n  cargo test -p paycore-channels");
    Ok(())
}

/// Writes the channel into the repository at `root`.
fn scaffold(root: &Path, name: &str) -> Result<(), Failure> {
    if [CHANNELS, TESTS_FOLDER].iter().any(|parent| root.join(parent).join(name).exists()) {
        return Err(Failure::Usage(format!("the channel {name} exists already")));
    }
    let registry = root.join(CHANNELS).join("lib.rs");
    let text = fs::read_to_string(&registry).during("reading the registry")?;
    let registered = register(&text, name).ok_or_else(|| {
        Failure::Check(format!("{CHANNELS}/lib.rs has no `pub mod` line or no REGISTRY to extend"))
    })?;
    for (path, template) in files(name) {
        let file = root.join(&path);
        fs::create_dir_all(file.parent().unwrap_or(root)).during(format!("making the folder of {path}"))?;
        fs::write(file, render(template, name)).during(format!("writing {path}"))?;
        println!("{path}");
    }
    fs::write(&registry, registered).during("writing the registry")
}

/// Every file of a channel with its template.
fn files(name: &str) -> Vec<(String, &'static str)> {
    let (main, template) = TESTS;
    let tests = (format!("{TESTS_FOLDER}/{name}/{main}"), template);
    FILES
        .iter()
        .map(|(file, template)| (format!("{CHANNELS}/{name}/{file}"), *template))
        .chain([tests])
        .collect()
}

/// The name of the channel that only the check below ever sees.
const SAMPLE: &str = "scaffolded";

/// In a copy of the repository: a fresh channel compiles without a warning of its own, and the conformance suite
/// names what it lacks.
pub fn scaffold_is_told() -> Result<(), Failure> {
    let copy = root().join("target/scaffold");
    copy_sources(&copy)?;
    scaffold(&copy, SAMPLE)?;
    let suite = [
        "test",
        "--package",
        "paycore-channels",
        "--test",
        "conformance",
        "--test",
        SAMPLE,
        "every_registered_channel_conforms",
    ];
    let (passed, said) =
        cargo(suite).args(["--target-dir"]).args([root().join("target")]).dir(&copy).transcript()?;
    let complaints: Vec<_> =
        said.lines().filter(|line| line.starts_with(&format!("FAIL  {SAMPLE}: "))).collect();
    let in_its_code =
        [CHANNELS, TESTS_FOLDER].iter().any(|parent| said.contains(&format!("--> {parent}/{SAMPLE}/")));
    println!("the suite names {} things, first: {}", complaints.len(), complaints.first().unwrap_or(&"none"));
    if passed || in_its_code || complaints.is_empty() {
        println!("{said}");
        return Err(Failure::Check("a fresh channel has to compile cleanly and to fail the suite".into()));
    }
    Ok(())
}

fn copy_sources(copy: &Path) -> Result<(), Failure> {
    if copy.exists() {
        fs::remove_dir_all(copy).during("clearing the copy of the repository")?;
    }
    let listed = run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).output()?;
    for path in listed.split('\0') {
        let (from, to) = (root().join(path), copy.join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap_or(copy)).during("copying the repository")?;
            fs::copy(&from, &to).during(format!("copying {path}"))?;
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    plain && name.len() <= 32 && name.starts_with(|first: char| first.is_ascii_lowercase())
}

fn render(template: &str, name: &str) -> String {
    template.replace("{{name}}", name).replace("{{Name}}", &type_name(name))
}

fn type_name(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// The registry file with the channel's `mod` line in its place and the channel at the end of `REGISTRY`.
fn register(text: &str, name: &str) -> Option<String> {
    let line = format!("pub mod {name};");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_module = |line: &String| line.starts_with("pub mod ");
    let last = lines.iter().rposition(is_module)?;
    let after = lines.iter().position(|other| is_module(other) && *other > line);
    lines.insert(after.unwrap_or(last + 1), line);
    let table = lines.iter().position(|line| line.contains("REGISTRY:"))?;
    let end = (table..lines.len()).find(|at| lines[*at].trim_end().ends_with("];"))?;
    let entry = format!("&{name}::{}", type_name(name));
    if end == table {
        let separator = if lines[end].contains("&[];") { "" } else { ", " };
        let open = lines[end].trim_end().strip_suffix("];")?.to_owned();
        lines[end] = format!("{open}{separator}{entry}];");
    } else {
        lines.insert(end, format!("    {entry},"));
    }
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{CHANNEL_FILES, Source, check};

    #[test]
    fn the_channel_gets_its_two_lines_in_the_registry() {
        let text = "//! Doc.\n\npub mod alipay;\npub mod testpay;\n\npub static REGISTRY: &[&dyn Driver] = &[&alipay::Alipay];\n";
        let expected = "//! Doc.\n\npub mod alipay;\npub mod bank1;\npub mod testpay;\n\npub static REGISTRY: &[&dyn Driver] = &[&alipay::Alipay, &bank1::Bank1];\n";
        assert_eq!(register(text, "bank1").as_deref(), Some(expected));
    }

    #[test]
    fn a_registry_of_several_lines_gets_one_more() {
        let text = "pub mod alipay;\npub static REGISTRY: &[&dyn Driver] = &[\n    &alipay::Alipay,\n];\n";
        let expected = "pub mod alipay;\npub mod zpay;\npub static REGISTRY: &[&dyn Driver] = &[\n    &alipay::Alipay,\n    &zpay::Zpay,\n];\n";
        assert_eq!(register(text, "zpay").as_deref(), Some(expected));
        assert_eq!(register("fn main() {}\n", "zpay"), None);
    }

    #[test]
    fn the_registry_as_it_is_can_be_extended() {
        let text = fs::read_to_string(root().join(CHANNELS).join("lib.rs")).expect("the registry");
        let registered = register(&text, "zzpay").expect("it has the shape that is looked for");
        assert_eq!(registered.matches("zzpay").count(), 2);
    }

    #[test]
    fn names_are_plain() {
        assert!(is_name("acmepay") && is_name("bank1"));
        assert!(["", "1bank", "Acme", "a-b", "a_b", "支付", "a/b"].iter().all(|name| !is_name(name)));
    }

    #[test]
    fn what_is_written_has_every_file_and_keeps_the_rules_of_the_house() {
        assert!(CHANNEL_FILES.iter().all(|name| FILES.iter().any(|(file, _)| file == name)));
        let source = |(path, template): (String, &str)| Source::new(path, render(template, "acme"));
        let sources: Vec<_> = files("acme").into_iter().map(source).collect();
        assert_eq!(check(&sources), []);
        assert!(sources.iter().all(|source| !source.text.contains("{{")));
    }
}
