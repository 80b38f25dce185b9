//! `cargo xtask gen`: the committed files that a program writes. One table; `--check` compares instead.

use std::fs;
use std::path::Path;

use crate::shell::{During, Failure, build_programs, root, run};
use crate::tidy::GENERATED;

/// The crate of the C ABI.
const C_DOOR: &str = "bindings/c";

/// One generated file.
struct Generator {
    /// The file, relative to the repository root.
    output: String,
    /// What it is made from; its head says so.
    source: &'static str,
    make: Make,
}

enum Make {
    /// What the server program prints when it is called with these words.
    Server(Vec<String>),
    /// The C header of the crate in this folder, as its `cbindgen.toml` says.
    Header(&'static str),
}

/// Everything that is generated.
fn generators() -> Vec<Generator> {
    let server = |output: &str, source, words: &[&str]| Generator {
        output: output.into(),
        source,
        make: Make::Server(words.iter().map(|word| (*word).to_owned()).collect()),
    };
    let mut all = vec![
        server("crates/server/openapi.json", "the operation catalogue", &["openapi"]),
        server(
            "docs/reference/order-states.md",
            "crates/paycore/src/order/state.rs",
            &["docs", "order-states"],
        ),
    ];
    if root().join(C_DOOR).join("cbindgen.toml").is_file() {
        let (output, source) = (format!("{C_DOOR}/include/paycore.h"), "bindings/c/src");
        all.push(Generator { output, source, make: Make::Header(C_DOOR) });
    }
    all.extend(channels().iter().map(|channel| {
        server(&format!("docs/channels/{channel}.md"), "the channel's PROFILE", &["docs", "channel", channel])
    }));
    all
}

/// The paths of all generated files.
pub fn outputs() -> Vec<String> {
    generators().into_iter().map(|generator| generator.output).collect()
}

/// Writes every generated file, or with `check` compares it and says where it differs.
pub fn generate(check: bool) -> Result<(), Failure> {
    build_programs()?;
    let mut stale = 0;
    for generator in generators() {
        let fresh = fresh(&generator)?;
        let path = root().join(&generator.output);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        match difference(&committed, &fresh) {
            None => println!("up to date: {}", generator.output),
            Some(difference) if check => {
                stale += 1;
                println!("out of date: {}\n{difference}", generator.output);
            }
            Some(_) => write(&path, &fresh)?,
        }
    }
    if stale == 0 {
        return Ok(());
    }
    Err(Failure::Check(format!(
        "{stale} generated files are out of date: run `cargo xtask gen` and commit them"
    )))
}

/// The ids of the registered channels, which are the names of their folders.
fn channels() -> Vec<String> {
    let registry = fs::read_to_string(root().join("crates/channels/src/lib.rs")).unwrap_or_default();
    registered(&registry)
}

/// The modules that `REGISTRY` takes its channels from.
fn registered(registry: &str) -> Vec<String> {
    let (_, table) = registry.split_once("REGISTRY").unwrap_or_default();
    let table = table.split_once("];").map_or(table, |(table, _)| table);
    let entries = table.split('&').filter_map(|entry| entry.split_once("::"));
    entries.map(|(module, _)| module.to_owned()).collect()
}

fn fresh(generator: &Generator) -> Result<String, Failure> {
    let body = match &generator.make {
        Make::Server(words) => run(root().join("target/debug/paycore"), words).output()?,
        Make::Header(folder) => header(folder)?,
    };
    let head = head(&generator.output, generator.source);
    Ok(format!("{head}{}\n", body.trim_end()))
}

fn header(folder: &str) -> Result<String, Failure> {
    let bindings = cbindgen::generate(root().join(folder));
    let bindings = bindings.map_err(|why| Failure::Check(format!("no C header of {folder}: {why}")))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    println!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).during(format!("making {}", folder.display()))?;
    }
    fs::write(path, text).during(format!("writing {}", path.display()))
}

/// The first line, in the comment style of the file's kind. JSON has none.
fn head(output: &str, source: &str) -> String {
    let text = format!("{GENERATED} from {source}. Do not edit.");
    match output.rsplit('.').next() {
        Some("json") => String::new(),
        Some("md" | "html") => format!("<!-- {text} -->\n\n"),
        Some("h" | "c") => format!("/* {text} */\n"),
        Some("py" | "sh" | "toml" | "yaml") => format!("# {text}\n"),
        _ => format!("// {text}\n"),
    }
}

/// The first lines that differ, or nothing.
fn difference(committed: &str, fresh: &str) -> Option<String> {
    if committed == fresh {
        return None;
    }
    let (mut old, mut new) = (committed.lines(), fresh.lines());
    let mut line = 1;
    loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => line += 1,
            (None, None) => return Some("  the line ends differ".into()),
            (a, b) => {
                let side = |sign, text: Option<&str>| format!("  {sign} {}", text.unwrap_or("(end of file)"));
                return Some(format!("  line {line}\n{}\n{}", side('-', a), side('+', b)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n").as_deref(), Some("  line 2\n  - b\n  + x"));
        assert_eq!(difference("a\n", "a\nb\n").as_deref(), Some("  line 2\n  - (end of file)\n  + b"));
        assert!(difference("a\r\n", "a\n").is_some());
    }

    #[test]
    fn each_kind_of_file_carries_its_head_as_a_comment() {
        assert!(
            head("docs/a.md", "b")
                .starts_with("<!-- Generated by `cargo xtask gen` from b. Do not edit. -->")
        );
        assert!(head("a.rs", "b").starts_with("// "));
        assert_eq!(head("a.json", "b"), "");
    }

    #[test]
    fn a_channel_is_generated_for_once_it_is_registered() {
        let text =
            "pub mod a;\npub mod b;\n\npub static REGISTRY: &[&dyn Driver] = &[&a::A, &c1::C1];\nuse &z::Z;";
        assert_eq!(registered(text), ["a", "c1"]);
        assert!(channels().contains(&"alipay".to_owned()));
    }

    #[test]
    fn outputs_have_paths_of_their_own() {
        let mut paths = outputs();
        let all = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), all);
    }
}
