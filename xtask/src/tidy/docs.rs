//! What the pages say must be there: links, paths and the index of decisions.

use super::source::{Finding, Source};
use crate::shell::root;

/// Folders whose paths a page may name; anything else in backticks is prose.
const NAMED: &[&str] = &["crates/", "bindings/", "docs/", "examples/", "xtask/", ".ci/", ".config/"];
/// What the READMEs show.
const EXAMPLE: &str = "examples/embed/src/main.rs";
/// Marks of a path that stands for many.
const PATTERN: &[char] = &['<', '*', '{', ' ', '…'];

/// Links and paths in Markdown lead somewhere.
pub fn paths(sources: &[Source]) -> Vec<Finding> {
    let exists = |path: &str| {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || sources.iter().any(|source| source.path == path || source.path.starts_with(&folder))
            // Pictures are no text and not among the sources.
            || path.ends_with(".png") && root().join(path).is_file()
    };
    let pages = sources.iter().filter(|source| source.path.ends_with(".md"));
    let mut found = Vec::new();
    for page in pages {
        for (at, line) in page.text.lines().enumerate() {
            let links = links(line).map(|link| beside(&page.path, link));
            let named = code(line).filter(|path| NAMED.iter().any(|folder| path.starts_with(folder)));
            let named = named.filter(|path| !path.contains(PATTERN)).map(str::to_owned);
            let missing = links.chain(named).filter(|path| !exists(path));
            found.extend(
                missing.map(|path| page.finding("doc-path", at + 1, format!("`{path}` does not exist"))),
            );
        }
    }
    found
}

/// Every decision is in the index.
pub fn decisions(sources: &[Source]) -> Vec<Finding> {
    let index = sources.iter().find(|source| source.path == "docs/adr/README.md");
    let index = index.map_or("", |index| index.text.as_str());
    let pages = sources.iter().filter(|source| {
        let name = source.path.strip_prefix("docs/adr/");
        name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_digit()))
    });
    let missing = pages.filter(|page| !index.contains(page.path.trim_start_matches("docs/adr/")));
    missing
        .map(|page| page.finding("decision-index", 0, "add it to the table in docs/adr/README.md"))
        .collect()
}

/// The Rust in the READMEs is the example that the tests run, its opening comment apart.
pub fn readme_example(sources: &[Source]) -> Vec<Finding> {
    let Some(example) = sources.iter().find(|source| source.path == EXAMPLE) else { return Vec::new() };
    let code = example.text.split_once("\n\n").map_or("", |(_, code)| code);
    let readmes =
        sources.iter().filter(|source| matches!(source.path.as_str(), "README.md" | "README.zh-CN.md"));
    let differ = readmes.filter(|readme| {
        let block = readme.text.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```"));
        block.map(|(block, _)| block) != Some(code)
    });
    differ
        .map(|readme| readme.finding("readme-example", 0, format!("its Rust is not that of {EXAMPLE}")))
        .collect()
}

/// Targets of the links in a line that lead to a file of ours, without the part after `#`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = targets
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']) && !target.contains('@'));
    ours.map(|target| target.split('#').next().unwrap_or_default())
}

/// Texts between backticks, without a line number at the end.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).map(|text| text.split(':').next().unwrap_or_default())
}

/// `link` as seen from the root, for a page at `page`.
fn beside(page: &str, link: &str) -> String {
    let mut folders: Vec<&str> = page.split('/').collect();
    folders.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(folders.pop()),
            name => folders.push(name),
        }
    }
    folders.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(page: &str, text: &str) -> Vec<String> {
        let sources = [
            Source::new(page, text),
            Source::new("crates/store/src/lib.rs", ""),
            Source::new("docs/adr/0001-a.md", ""),
        ];
        paths(&sources).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn links_and_paths_that_lead_nowhere_are_found() {
        let text = "See [a](docs/adr/0001-a.md#x), [b](docs/b.md) and `crates/store/src/main.rs`, `crates/store/src/lib.rs:12`.";
        assert_eq!(
            missing("README.md", text),
            ["`docs/b.md` does not exist", "`crates/store/src/main.rs` does not exist"]
        );
    }

    #[test]
    fn links_are_read_from_where_the_page_is() {
        assert!(
            missing("docs/adr/README.md", "[a](0001-a.md) [up](../../crates/store) [here](#top)").is_empty()
        );
        assert_eq!(missing("docs/adr/README.md", "[a](docs/adr/0001-a.md)").len(), 1);
    }

    #[test]
    fn addresses_patterns_and_prose_are_no_paths() {
        assert!(
            missing("README.md", "[a](https://a.b/c) `crates/<slice>/x.rs` `crates/*/x` `cargo doc`")
                .is_empty()
        );
    }

    #[test]
    fn a_decision_outside_the_index_is_found() {
        let page = Source::new("docs/adr/0007-a.md", "");
        let check = |index: &str| {
            decisions(&[Source::new("docs/adr/README.md", index), Source::new("docs/adr/0007-a.md", "")])
                .len()
        };
        assert_eq!(check("| [0007](0007-a.md) | A |"), 0);
        assert_eq!(check("nothing"), 1);
        assert_eq!(decisions(&[page]).len(), 1);
    }

    #[test]
    fn a_readme_that_shows_other_code_than_the_example_is_found() {
        let example = Source::new(EXAMPLE, "//! Doc.\n\nfn main() {}\n");
        let check = |code: &str| {
            let readme = Source::new("README.md", format!("# A\n\n```rust\n{code}```\n"));
            readme_example(&[readme, Source::new(EXAMPLE, example.text.clone())]).len()
        };
        assert_eq!(check("fn main() {}\n"), 0);
        assert_eq!(check("fn main() { }\n"), 1);
    }
}
