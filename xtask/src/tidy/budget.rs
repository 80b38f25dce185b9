//! How much fits in a room: the lengths of files, functions and channels.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::{Finding, Source};
use super::{exceptions, tree};

/// Lines of a file: the median, the 95th percentile, and what no file may pass.
const FILE: Budget = Budget { median: 200, p95: 600, most: 1000 };
/// Lines of a function from its `fn` to its closing brace.
const FUNCTION: Budget = Budget { median: 10, p95: 45, most: 70 };
/// Lines of a channel's adapter with its tests.
const CHANNEL: usize = 900;
/// Lines of its simulator with its tests: it plays the provider's whole business, its pages and its timetable.
const SIMULATOR: usize = 1_300;

struct Budget {
    median: usize,
    p95: usize,
    most: usize,
}

/// Something with a length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Measured {
    path: String,
    line: usize,
    name: String,
    lines: usize,
}

/// No file over its limit; the whole file counts, tests included.
pub fn file_length(source: &Source) -> Vec<Finding> {
    if !is_counted(source) {
        return Vec::new();
    }
    let lines = source.text.lines().count();
    let over = (lines > FILE.most).then(|| {
        let message = format!("{lines} lines; no file has more than {}", FILE.most);
        source.finding("file-length", 0, message)
    });
    over.into_iter().collect()
}

/// No function over its limit.
pub fn function_length(source: &Source) -> Vec<Finding> {
    let over = functions(source).into_iter().filter(|function| function.lines > FUNCTION.most);
    over.map(|function| {
        let message = format!(
            "`{}` has {} lines; no function has more than {}",
            function.name, function.lines, FUNCTION.most
        );
        source.finding("function-length", function.line, message)
    })
    .collect()
}

/// Median and 95th percentile of all files and functions; inline tests and listed tables are left out.
pub fn typical_length(sources: &[Source]) -> Vec<Finding> {
    let files =
        sources.iter().filter(|source| is_counted(source) && !exceptions::holds("file-length", &source.path));
    let files: Vec<_> = files.map(|source| measured(source, "", 0, product_lines(source))).collect();
    let functions: Vec<_> = sources.iter().flat_map(functions).collect();
    let mut found = typical("files", files, &FILE);
    found.extend(typical("functions", functions, &FUNCTION));
    found
}

/// A channel fits its budget: the adapter with its tests, and apart from it the simulator; fixtures are free.
pub fn channels(sources: &[Source]) -> Vec<Finding> {
    let mut rooms: BTreeMap<(String, bool), (usize, String)> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some(inside) = source.path.strip_prefix("crates/channels/src/") else { continue };
        let Some((channel, file)) = inside.split_once('/') else { continue };
        if tree::NO_CHANNELS.contains(&channel) || file.starts_with("fixtures/") {
            continue;
        }
        let is_simulator = file.starts_with("simulator");
        let room = rooms.entry((channel.to_owned(), is_simulator)).or_insert((0, source.path.clone()));
        room.0 += source.text.lines().count();
    }
    let measured = rooms.into_iter().map(|((channel, is_simulator), (lines, path))| {
        let (part, budget) = if is_simulator { ("simulator", SIMULATOR) } else { ("adapter", CHANNEL) };
        let message = format!("the {part} of `{channel}` has {lines} lines; the budget is {budget}");
        (lines > budget).then_some(Finding { path, line: 0, rule: "channel-length", message })
    });
    measured.flatten().collect()
}

/// The lengths as a table, for people.
pub fn report(sources: &[Source]) -> String {
    let counted: Vec<_> = sources.iter().filter(|source| is_counted(source)).collect();
    let mut files: Vec<_> = counted.iter().map(|source| product_lines(source)).collect();
    let mut functions: Vec<_> = sources.iter().flat_map(functions).map(|function| function.lines).collect();
    let row = |name: &str, lines: &mut Vec<usize>, budget: &Budget| {
        lines.sort_unstable();
        let most = lines.last().copied().unwrap_or_default();
        let (median, p95) = (percentile(lines, 50), percentile(lines, 95));
        format!(
            "{:>5} {name:<10} median {median} (<= {}), 95% {p95} (<= {}), longest {most} (<= {})",
            lines.len(),
            budget.median,
            budget.p95,
            budget.most
        )
    };
    format!("{}\n{}", row("files", &mut files, &FILE), row("functions", &mut functions, &FUNCTION))
}

fn typical(what: &str, mut all: Vec<Measured>, budget: &Budget) -> Vec<Finding> {
    all.sort_by_key(|measured| measured.lines);
    let lines: Vec<_> = all.iter().map(|measured| measured.lines).collect();
    let mut found = Vec::new();
    for (name, share, limit) in [("median", 50, budget.median), ("95th percentile", 95, budget.p95)] {
        let actual = percentile(&lines, share);
        if actual > limit {
            let longest =
                all.iter().rev().take(5).map(|m| format!("{}:{} {} ({})", m.path, m.line, m.name, m.lines));
            let longest = longest.collect::<Vec<_>>().join(", ");
            let message =
                format!("{name} of {what} is {actual} lines, the budget {limit}; the longest: {longest}");
            found.push(Finding { path: "Cargo.toml".into(), line: 0, rule: "typical-length", message });
        }
    }
    found
}

/// The smallest value that at least `share` of 100 values do not exceed; 0 of none.
fn percentile(sorted: &[usize], share: usize) -> usize {
    let rank = (sorted.len() * share).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Product code and tools: no tests, examples or generated files.
fn is_counted(source: &Source) -> bool {
    let ours = ["crates/", "bindings/", "xtask/"].iter().any(|folder| source.path.starts_with(folder));
    ours && source.is_rust() && !source.is_test() && !source.path.ends_with(".gen.rs")
}

/// The lines of a file without its inline tests.
fn product_lines(source: &Source) -> usize {
    let total = source.text.lines().count();
    let Ok(file) = syn::parse_file(&source.text) else { return total };
    let tests = file.items.iter().filter(|item| is_test_item(item));
    total - tests.map(|item| item.span().end().line - item.span().start().line + 1).sum::<usize>()
}

fn is_test_item(item: &syn::Item) -> bool {
    match item {
        syn::Item::Mod(module) => is_test(&module.attrs),
        syn::Item::Fn(function) => is_test(&function.attrs),
        _ => false,
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test");
        cfg || attribute.path().segments.last().is_some_and(|last| last.ident == "test")
    })
}

fn functions(source: &Source) -> Vec<Measured> {
    if !is_counted(source) {
        return Vec::new();
    }
    let Ok(file) = syn::parse_file(&source.text) else { return Vec::new() };
    let mut walk = Functions { source, found: Vec::new() };
    walk.visit_file(&file);
    walk.found
}

fn measured(source: &Source, name: &str, line: usize, lines: usize) -> Measured {
    Measured { path: source.path.clone(), line, name: name.to_owned(), lines }
}

struct Functions<'a> {
    source: &'a Source,
    found: Vec<Measured>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let start = signature.span().start().line;
        let lines = body.span().end().line - start + 1;
        self.found.push(measured(self.source, &signature.ident.to_string(), start, lines));
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !is_test(&function.attrs) {
            self.measure(&function.sig, &function.block);
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.measure(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("/// Doc.\n#[inline]\nfn long() {{\n{}}}\n", "    f();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_may_have_seventy_lines_and_no_more() {
        let check = |lines| function_length(&Source::new("crates/store/src/lib.rs", function_of(lines)));
        assert!(check(70).is_empty());
        let found = check(71);
        assert_eq!(found[0].line, 3);
        assert!(found[0].message.starts_with("`long` has 71 lines"), "{}", found[0].message);
    }

    #[test]
    fn methods_count_and_test_functions_do_not() {
        let method = format!("struct A;\nimpl A {{\n{}}}", function_of(71));
        assert_eq!(function_length(&Source::new("crates/store/src/lib.rs", method)).len(), 1);
        let test = format!("#[cfg(test)]\nmod tests {{\n{}}}", function_of(71));
        assert!(function_length(&Source::new("crates/store/src/lib.rs", test)).is_empty());
        assert!(function_length(&Source::new("crates/store/tests/a.rs", function_of(71))).is_empty());
    }

    #[test]
    fn a_file_may_have_a_thousand_lines_and_no_more() {
        let check = |path: &str, lines: usize| file_length(&Source::new(path, "//\n".repeat(lines))).len();
        assert_eq!(check("crates/store/src/lib.rs", 1000), 0);
        assert_eq!(check("crates/store/src/lib.rs", 1001), 1);
        assert_eq!(check("crates/store/tests/conformance.rs", 1001), 0);
        assert_eq!(check("crates/paycore/src/schema.gen.rs", 1001), 0);
    }

    #[test]
    fn the_typical_file_is_short_once_its_tests_are_set_aside() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // x\n".repeat(400));
        let short = Source::new("crates/store/src/lib.rs", format!("{}{tests}", "//\n".repeat(200)));
        assert!(typical_length(&[short]).is_empty());
        let long = Source::new("crates/store/src/lib.rs", "//\n".repeat(201));
        assert_eq!(typical_length(&[long]).len(), 1);
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        let hundred: Vec<usize> = (1..=100).collect();
        assert_eq!(
            [percentile(&hundred, 50), percentile(&hundred, 95), percentile(&[], 50), percentile(&[7], 95)],
            [50, 95, 0, 7]
        );
    }

    #[test]
    fn a_channel_has_one_budget_for_its_adapter_and_one_for_its_simulator() {
        let file =
            |name: &str, lines| Source::new(format!("crates/channels/src/acme/{name}"), "//\n".repeat(lines));
        assert!(
            channels(&[file("mod.rs", 450), file("encode.rs", 450), file("simulator.rs", 1_300)]).is_empty()
        );
        assert!(channels(&[file("mod.rs", 900), file("fixtures/a.rs", 100)]).is_empty());
        let found = channels(&[file("mod.rs", 451), file("encode.rs", 450)]);
        assert!(found[0].message.starts_with("the adapter of `acme` has 901 lines"), "{}", found[0].message);
        assert_eq!(channels(&[file("simulator.rs", 1_301)]).len(), 1);
    }
}
