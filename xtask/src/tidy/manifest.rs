//! What the dependency tables and lint tables of the manifests may say.

use toml::{Table, Value};

use super::source::{Finding, Source};

/// Crates that talk to a database; only `store` has them.
const DATABASES: &[&str] = &["rusqlite", "tokio-postgres", "sqlx", "diesel", "postgres", "sea-query"];
/// Crates of the web server; only `server` has them.
const WEB: &[&str] = &["axum", "axum-extra", "tower-http", "hyper", "hyper-util"];
/// Crates that bring a runtime, a network or logging; `paycore` may have them only behind a feature.
const SHELL: &[&str] = &["tokio", "reqwest", "tracing", "log", "async-trait"];
/// All that a channel may stand on: the core, values, encodings and crypto primitives.
const CHANNEL_STANDS_ON: &[&str] = &[
    "paycore",
    "base64",
    "bytes",
    "hex",
    "hmac",
    "http",
    "md-5",
    "memchr",
    "percent-encoding",
    "quick-xml",
    "rust_decimal",
    "serde",
    "serde_json",
    "sha1",
    "sha2",
    "sm2",
    "sm3",
    "sm4",
    "subtle",
    "thiserror",
    "url",
    "zeroize",
    "aes",
    "aes-gcm",
    "cbc",
    "csv",
    "encoding_rs",
    "flate2",
    "zip",
    "schemars",
    "x509-cert",
];
/// Which crates of ours each of ours may stand on.
const OURS: &[(&str, &[&str])] = &[
    ("crates/paycore/", &[]),
    ("crates/channels/", &["paycore"]),
    ("crates/store/", &["paycore"]),
    ("crates/wasm-checkout/", &["paycore"]),
    ("crates/statement/", &["paycore"]),
    ("crates/server/", &["paycore", "paycore-channels", "paycore-statement", "paycore-store"]),
    ("bindings/", &["paycore", "paycore-channels", "paycore-store"]),
];

/// Rules 4, 5 and 6 in the dependency tables, development dependencies apart.
pub fn dependencies(source: &Source) -> Vec<Finding> {
    let Some(manifest) = manifest(source) else { return Vec::new() };
    let mut found = Vec::new();
    let mut refuse = |name: &str, why: &str| {
        let line = line_of(&source.text, name);
        found.push(source.finding("manifest", line, format!("`{name}`: {why}")));
    };
    let inside = |folder: &str| source.path.starts_with(folder);
    for (name, value) in needed(&manifest) {
        if DATABASES.contains(&name) && inside("crates/") && !inside("crates/store/") {
            refuse(name, "databases live only in crates/store");
        }
        if WEB.contains(&name) && (inside("crates/") || inside("bindings/")) && !inside("crates/server/") {
            refuse(name, "the web framework lives only in crates/server");
        }
        if inside("crates/paycore/") && SHELL.contains(&name) && !is_optional(value) {
            refuse(name, "paycore is pure by default: make it optional, behind a feature");
        }
        if inside("crates/channels/") && !CHANNEL_STANDS_ON.contains(&name) {
            refuse(name, "a channel stands on the core, values, encodings and crypto primitives only");
        }
        if name == "paycore"
            && (inside("crates/channels/") || inside("crates/wasm-checkout/"))
            && has_features(value)
        {
            refuse(name, "only paycore's default features may be used here");
        }
        let allowed = OURS.iter().find(|(folder, _)| inside(folder)).map(|(_, ours)| *ours);
        if is_ours(name) && allowed.is_some_and(|allowed| !allowed.contains(&name)) {
            refuse(name, "this crate may not stand on that one");
        }
    }
    if inside("crates/paycore/") && !default_features(&manifest).is_empty() {
        refuse("default", "paycore's default features stay empty");
    }
    found
}

/// Rule 6: every crate takes the lints of the workspace, which forbid unsafe code; bindings have their own.
pub fn lints(source: &Source) -> Vec<Finding> {
    let Some(manifest) = manifest(source) else { return Vec::new() };
    if let Some(workspace) = manifest.get("workspace") {
        let level = workspace
            .get("lints")
            .and_then(|lints| lints.get("rust"))
            .and_then(|rust| rust.get("unsafe_code"));
        let forbids = level.and_then(Value::as_str) == Some("forbid");
        let wrong = (!forbids)
            .then(|| source.finding("lints", 0, "[workspace.lints.rust] must say unsafe_code = \"forbid\""));
        return wrong.into_iter().collect();
    }
    if source.path.starts_with("bindings/") {
        return Vec::new();
    }
    let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    let wrong =
        (inherits != Some(true)).then(|| source.finding("lints", 0, "add `[lints] workspace = true`"));
    wrong.into_iter().collect()
}

fn manifest(source: &Source) -> Option<Table> {
    let is_manifest = source.path == "Cargo.toml" || source.path.ends_with("/Cargo.toml");
    if !is_manifest { None } else { source.text.parse().ok() }
}

/// Everything that is built into the product: dependencies and build dependencies, of every target.
fn needed(manifest: &Table) -> Vec<(&str, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let kinds = tables.flat_map(|table| [table.get("dependencies"), table.get("build-dependencies")]);
    let rows = kinds.flatten().filter_map(Value::as_table).flatten();
    rows.map(|(name, value)| (package(name, value), value)).collect()
}

/// The package behind a dependency that was renamed.
fn package<'a>(name: &'a str, value: &'a Value) -> &'a str {
    value.get("package").and_then(Value::as_str).unwrap_or(name)
}

fn is_ours(name: &str) -> bool {
    name == "paycore" || name.starts_with("paycore-")
}

fn is_optional(value: &Value) -> bool {
    value.get("optional").and_then(Value::as_bool) == Some(true)
}

fn has_features(value: &Value) -> bool {
    value.get("features").and_then(Value::as_array).is_some_and(|features| !features.is_empty())
}

fn default_features(manifest: &Table) -> &[Value] {
    let defaults = manifest.get("features").and_then(|features| features.get("default"));
    defaults.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The first line that starts with `name`, or 0.
fn line_of(text: &str, name: &str) -> usize {
    text.lines().position(|line| line.starts_with(name)).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, text: &str) -> Vec<usize> {
        dependencies(&Source::new(path, text)).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn databases_live_only_in_the_store() {
        let text = "[dependencies]\nrusqlite = \"1\"\n";
        assert_eq!(refused("crates/server/Cargo.toml", text), [2]);
        assert!(refused("crates/store/Cargo.toml", text).is_empty());
        assert!(refused("crates/server/Cargo.toml", "[dev-dependencies]\nrusqlite = \"1\"\n").is_empty());
    }

    #[test]
    fn a_renamed_dependency_or_one_of_a_single_target_is_still_seen() {
        assert_eq!(
            refused(
                "crates/store/Cargo.toml",
                "[dependencies]\nweb = { package = \"axum\", version = \"1\" }"
            )
            .len(),
            1
        );
        let text = "[target.'cfg(unix)'.dependencies]\naxum = \"1\"";
        assert_eq!(refused("crates/store/Cargo.toml", text), [2]);
    }

    #[test]
    fn paycore_is_pure_by_default() {
        let path = "crates/paycore/Cargo.toml";
        assert_eq!(refused(path, "[dependencies]\ntokio = \"1\""), [2]);
        assert!(refused(path, "[dependencies]\ntokio = { version = \"1\", optional = true }").is_empty());
        assert_eq!(refused(path, "[features]\ndefault = [\"engine\"]"), [2]);
    }

    #[test]
    fn channels_stand_only_on_the_listed_crates_and_on_default_features() {
        let path = "crates/channels/Cargo.toml";
        assert!(refused(path, "[dependencies]\nserde = \"1\"\npaycore.workspace = true").is_empty());
        assert_eq!(refused(path, "[dependencies]\ntokio = \"1\""), [2]);
        assert_eq!(
            refused(path, "[dependencies]\npaycore = { workspace = true, features = [\"engine\"] }"),
            [2]
        );
        assert!(
            refused(path, "[dev-dependencies]\npaycore = { workspace = true, features = [\"testkit\"] }")
                .is_empty()
        );
    }

    #[test]
    fn bindings_never_stand_on_the_server() {
        assert_eq!(refused("bindings/c/Cargo.toml", "[dependencies]\npaycore-server.workspace = true"), [2]);
        assert!(
            refused("bindings/c/Cargo.toml", "[dependencies]\npaycore-store.workspace = true").is_empty()
        );
    }

    #[test]
    fn every_crate_but_bindings_takes_the_workspace_lints() {
        let missing = |path, text| lints(&Source::new(path, text)).len();
        assert_eq!(missing("crates/store/Cargo.toml", "[package]"), 1);
        assert_eq!(missing("crates/store/Cargo.toml", "[lints]\nworkspace = true"), 0);
        assert_eq!(missing("bindings/c/Cargo.toml", "[package]"), 0);
        assert_eq!(missing("Cargo.toml", "[workspace]\n[workspace.lints.rust]\nunsafe_code = \"deny\""), 1);
        assert_eq!(missing("Cargo.toml", "[workspace]\n[workspace.lints.rust]\nunsafe_code = \"forbid\""), 0);
    }
}
