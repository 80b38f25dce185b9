//! Who may import whom, read from the paths in the sources. The numbers are those of `ARCHITECTURE.md`.

use super::source::{Finding, Kind, Named, Source};

/// Modules of `paycore` that import nothing of ours but one another.
pub const FOUNDATION: &[&str] =
    &["calendar", "crypto", "currency", "error", "id", "money", "rate", "secret", "time", "units"];
/// Modules that import only the foundation, themselves and what is named here: the ledger books events, and its holds,
/// periods and seals are documents.
const ON_FOUNDATION: &[(&str, &[&str])] = &[("channel", &[]), ("ledger", &["event", "document"])];
/// Modules of `paycore` that are shell or wiring rather than slices, with everything below them.
const SHELL: &[&str] = &["engine", "transport", "testkit", "catalogue"];
/// Modules of one file that act: they read a store from end to end or take a channel's notification in, and hand
/// what they read to pure functions.
const SHELL_FILES: &[&str] = &["verify", "notice", "landing", "checkout", "cashier", "sign_in"];
/// Files of a slice that act: its operations, and its part of the sweep over what is unsettled.
const SERVICES: &[&str] = &["service.rs", "sweep.rs"];
/// Crates that are a runtime or a transport.
const RUNTIMES: &[&str] =
    &["tokio", "reqwest", "hyper", "axum", "async_trait", "futures", "rusqlite", "tokio_postgres"];
/// What a channel may not name beside the runtimes.
const NOT_IN_CHANNELS: &[&str] = &[
    "sqlx",
    "tracing",
    "log",
    "std::fs",
    "std::env",
    "std::thread",
    "std::process",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
];

/// Rule 1: the foundation imports nothing of ours; `channel` and `ledger`, services apart, import only the
/// foundation.
pub fn foundation(source: &Source) -> Vec<Finding> {
    let Some(place) = Place::of(source) else { return Vec::new() };
    let home = place.top();
    let above = ON_FOUNDATION.iter().find(|(module, _)| *module == home);
    let allowed = |to: &str| match above {
        _ if FOUNDATION.contains(&home) || FOUNDATION.contains(&to) => FOUNDATION.contains(&to),
        Some(_) if place.is_service() => true,
        Some((_, more)) => to == home || more.contains(&to) || (to == "store" && place.is_read_trait()),
        None => true,
    };
    let imports = place.imports(source).into_iter().filter(|(_, to)| !allowed(&to[0]));
    imports
        .map(|(named, to)| {
            let message = format!("`{home}` may import only the foundation, not `{}`", to.join("::"));
            source.finding("layer-foundation", named.line, message)
        })
        .collect()
}

/// Rule 2: the pure files of a slice import no store, service, engine, transport or runtime, and orders and refunds do
/// not know the ledger.
pub fn purity(source: &Source) -> Vec<Finding> {
    let Some(place) = Place::of(source) else { return Vec::new() };
    let mut found = Vec::new();
    if place.is_pure() {
        for (named, to) in place.imports(source) {
            let names_shell =
                to.iter().any(|name| matches!(name.as_str(), "store" | "service" | "transport" | "engine"));
            if names_shell && !named.reexport {
                let message = format!(
                    "a pure file decides from what it is given; it may not import `{}`",
                    to.join("::")
                );
                found.push(source.finding("layer-purity", named.line, message));
            }
        }
        for named in foreign(source, RUNTIMES) {
            let message =
                format!("a pure file may not use a runtime or transport: `{}`", named.segments.join("::"));
            found.push(source.finding("layer-purity", named.line, message));
        }
    }
    if matches!(place.top(), "order" | "refund") {
        let imports = place.imports(source).into_iter().filter(|(_, to)| to[0] == "ledger");
        found.extend(imports.map(|(named, _)| {
            let message = "orders and refunds emit events; `ledger::rules::book` maps them to postings";
            source.finding("layer-purity", named.line, message)
        }));
    }
    found
}

/// Rule 3: only services and the shell are async, and a service never calls another service.
pub fn services(source: &Source) -> Vec<Finding> {
    let Some(place) = Place::of(source) else { return Vec::new() };
    let mut found = Vec::new();
    if !place.may_be_async() {
        let mut product = source.tokens().iter().filter(|token| !token.in_test);
        found.extend(product.find(|token| token.is("async") || token.is("await")).map(|token| {
            source.finding("layer-service", token.line, "only services, read traits and the shell are async")
        }));
    }
    if place.is_service() {
        for (named, to) in place.imports(source) {
            if to[0] != place.top() && to.iter().any(|name| name == "service") {
                let message = format!(
                    "a service may call any slice's rules, never another service: `{}`",
                    to.join("::")
                );
                found.push(source.finding("layer-service", named.line, message));
            }
        }
    }
    found
}

/// Rule 4: channels are pure translations.
pub fn channels(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("crates/channels/src/") {
        return Vec::new();
    }
    let banned = [RUNTIMES, NOT_IN_CHANNELS].concat();
    let mut found: Vec<_> = foreign(source, &banned)
        .map(|named| {
            let message =
                format!("a channel is a pure translation and may not use `{}`", named.segments.join("::"));
            source.finding("layer-channel", named.line, message)
        })
        .collect();
    let keywords = source.tokens().iter().filter(|token| token.is("async") && !token.in_test);
    found.extend(keywords.map(|token| {
        source.finding("layer-channel", token.line, "a channel does no IO: nothing in it is async")
    }));
    found
}

/// The two ends of a wire share nothing but crypto primitives, so that a mistake in one shows against the other.
pub fn two_ends(source: &Source) -> Vec<Finding> {
    let Some(inside) = source.path.strip_prefix("crates/channels/src/") else { return Vec::new() };
    let Some((_, file)) = inside.split_once('/') else { return Vec::new() };
    let adapter = ["config", "encode", "decode", "notice", "statement"];
    let is_simulator = file == "simulator.rs" || file.starts_with("simulator/");
    let is_adapter = adapter.iter().any(|name| file == format!("{name}.rs"));
    let mut found = Vec::new();
    for named in source.paths().iter().filter(|named| !named.in_test) {
        let segments: Vec<_> = named.segments.iter().map(String::as_str).collect();
        let sibling = segments.iter().find(|name| !matches!(**name, "super" | "self" | "crate"));
        let ours = matches!(segments[0], "super" | "crate");
        let shares = ours && sibling.is_some_and(|name| adapter.contains(name) || *name == "dialect");
        if is_simulator && shares {
            let message = format!(
                "a simulator shares only crypto primitives with its adapter, not `{}`",
                segments.join("::")
            );
            found.push(source.finding("layer-simulator", named.line, message));
        }
        if is_adapter && ours && segments.iter().any(|name| matches!(*name, "simulator" | "sandbox")) {
            found.push(source.finding(
                "layer-simulator",
                named.line,
                "an adapter does not know its simulator",
            ));
        }
    }
    found
}

/// Rule 5: types of the web framework only in `server`, of the databases only in `store`, and no binding or
/// widget reaches the server.
pub fn doors(source: &Source) -> Vec<Finding> {
    let mut banned: Vec<&str> = Vec::new();
    let inside = |folder: &str| source.path.starts_with(folder);
    if inside("crates/") && !inside("crates/server/") {
        banned.extend(["axum", "tower_http", "hyper"]);
    }
    if inside("crates/") && !inside("crates/store/") {
        banned.extend(["rusqlite", "tokio_postgres", "sqlx"]);
    }
    if inside("bindings/") || inside("crates/wasm-checkout/") {
        banned.extend(["paycore_server", "axum"]);
    }
    if inside("crates/wasm-checkout/") {
        banned.extend(["paycore_store", "paycore_channels"]);
    }
    foreign(source, &banned)
        .map(|named| {
            let message = format!("`{}` belongs behind another door", named.segments.join("::"));
            source.finding("layer-door", named.line, message)
        })
        .collect()
}

/// Where a file of `paycore` stands among the modules.
struct Place {
    /// `["order", "rules"]` for `order/rules.rs`, `["order"]` for `order/mod.rs`, empty for `lib.rs`.
    module: Vec<String>,
    /// The file's own name.
    file: String,
    /// In the folder of a slice, rather than a module of one file.
    in_folder: bool,
}

impl Place {
    fn of(source: &Source) -> Option<Self> {
        let inside = source.path.strip_prefix("crates/paycore/src/")?;
        let mut module: Vec<String> = inside.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
        let file = format!("{}.rs", module.last()?);
        module.pop_if(|last| matches!(last.as_str(), "mod" | "lib"));
        Some(Self { module, file, in_folder: inside.contains('/') })
    }

    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    fn is_shell(&self) -> bool {
        let alone = self.module.len() == 1 && SHELL_FILES.contains(&self.top());
        alone || SHELL.contains(&self.top()) || self.module.is_empty()
    }

    /// A slice's `store.rs`, or the store contract itself.
    fn is_read_trait(&self) -> bool {
        self.file == "store.rs"
    }

    /// `service.rs`, or a part of it in a folder of that name.
    fn is_service(&self) -> bool {
        SERVICES.contains(&self.file.as_str()) || self.module.iter().any(|name| name == "service")
    }

    /// A file of a slice that only decides: every one but its service and its read trait.
    fn is_pure(&self) -> bool {
        self.in_folder && !self.may_be_async()
    }

    fn may_be_async(&self) -> bool {
        self.is_shell() || self.is_read_trait() || self.is_service()
    }

    /// Paths into our own crate outside test code, resolved from its root.
    fn imports(&self, source: &Source) -> Vec<(Named, Vec<String>)> {
        let children = declared_modules(source);
        let mut found = Vec::new();
        for named in source.paths().into_iter().filter(|named| !named.in_test) {
            if let Some(to) = self.resolve(&named, &children) {
                found.push((named, to));
            }
        }
        found
    }

    fn resolve(&self, named: &Named, children: &[String]) -> Option<Vec<String>> {
        let mut base: Vec<String> = self.module.iter().chain(&named.within).cloned().collect();
        let mut rest = named.segments.as_slice();
        match rest[0].as_str() {
            "crate" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first if children.iter().any(|child| child == first) => {}
            _ => return None,
        }
        let to: Vec<String> = base.into_iter().chain(rest.iter().cloned()).collect();
        (!to.is_empty()).then_some(to)
    }
}

/// The modules this file declares with `mod name;`.
fn declared_modules(source: &Source) -> Vec<String> {
    let declarations =
        source.tokens().windows(3).filter(|tokens| tokens[0].is("mod") && tokens[2].is_punct(';'));
    declarations.filter_map(|tokens| tokens[1].ident().map(str::to_owned)).collect()
}

/// Paths outside test code that start with one of `names` (each a crate, or a module such as `std::fs`).
fn foreign<'a>(source: &Source, names: &'a [&'a str]) -> impl Iterator<Item = Named> + use<'a> {
    let declared = local_names(source);
    let is_banned = move |named: &Named| {
        let written = named.segments.join("::");
        names.iter().any(|name| written == *name || written.starts_with(&format!("{name}::")))
    };
    let paths = source.paths().into_iter().filter(|named| !named.in_test);
    paths.filter(move |named| !declared.contains(&named.segments[0]) && is_banned(named))
}

/// Modules of this file that could be mistaken for a crate of the same name.
fn local_names(source: &Source) -> Vec<String> {
    let tokens = source.tokens();
    let modules =
        tokens.windows(2).filter(|pair| pair[0].is("mod") && matches!(pair[1].kind, Kind::Ident(_)));
    modules.filter_map(|pair| pair[1].ident().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::new(path, text)).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn the_foundation_imports_only_itself() {
        let path = "crates/paycore/src/money.rs";
        assert!(lines(foundation, path, "use crate::currency::Currency;\nuse serde::Serialize;").is_empty());
        assert_eq!(lines(foundation, path, "use crate::{currency::Currency,\n    order::Order};"), [2]);
    }

    #[test]
    fn the_ledger_imports_only_the_foundation_and_itself() {
        let path = "crates/paycore/src/ledger/rules.rs";
        assert!(lines(foundation, path, "use super::Entry;\nuse crate::money::Money;").is_empty());
        assert_eq!(lines(foundation, path, "use super::super::order::Order;"), [1]);
        assert!(lines(foundation, path, "use crate::event::Event;").is_empty(), "events are what it books");
        assert_eq!(lines(foundation, path, "use crate::store::Read;"), [1]);
        assert!(
            lines(foundation, "crates/paycore/src/ledger/store.rs", "use crate::store::Read;").is_empty()
        );
    }

    #[test]
    fn a_slice_may_import_the_ledgers_neighbours_but_orders_never_the_ledger() {
        let text = "use crate::ledger::Entry;";
        assert_eq!(lines(purity, "crates/paycore/src/order/rules.rs", text), [1]);
        assert_eq!(lines(purity, "crates/paycore/src/refund/service.rs", text), [1]);
        assert!(lines(purity, "crates/paycore/src/settlement/rules.rs", text).is_empty());
    }

    #[test]
    fn pure_files_do_not_import_the_shell_or_a_runtime() {
        let path = "crates/paycore/src/order/rules.rs";
        assert_eq!(
            lines(
                purity,
                path,
                "use super::store::Orders;\nuse crate::{engine::Engine,\ntransport::Transport};"
            ),
            [1, 2, 3]
        );
        assert_eq!(lines(purity, path, "fn f() { tokio::spawn(g()) }"), [1]);
        assert!(lines(purity, path, "use super::Order;\nuse crate::money::Money;").is_empty());
        assert!(lines(purity, "crates/paycore/src/order/service.rs", "use super::store::Orders;").is_empty());
    }

    #[test]
    fn a_slice_may_offer_its_service_on() {
        let path = "crates/paycore/src/order/mod.rs";
        assert!(lines(purity, path, "mod service;\npub use service::Orders;").is_empty());
        assert_eq!(lines(purity, path, "mod service;\nuse service::Orders;"), [2]);
    }

    #[test]
    fn only_services_read_traits_and_the_shell_are_async() {
        let text = "async fn f() { g().await }";
        assert_eq!(lines(services, "crates/paycore/src/order/rules.rs", text), [1]);
        for file in [
            "order/service.rs",
            "order/store.rs",
            "transport/reqwest.rs",
            "engine.rs",
            "verify.rs",
            "notice.rs",
            "store.rs",
        ] {
            assert!(lines(services, &format!("crates/paycore/src/{file}"), text).is_empty(), "{file}");
        }
        assert!(
            lines(
                services,
                "crates/paycore/src/order/rules.rs",
                "#[cfg(test)]\nmod tests { async fn f() {} }"
            )
            .is_empty()
        );
    }

    #[test]
    fn a_service_never_calls_another_service() {
        let path = "crates/paycore/src/refund/service.rs";
        assert_eq!(lines(services, path, "use crate::order::service::Orders;"), [1]);
        assert!(
            lines(services, path, "use crate::order::rules::close;\nuse crate::order::store::Orders;")
                .is_empty()
        );
    }

    #[test]
    fn channels_touch_no_io() {
        let path = "crates/channels/src/alipay/encode.rs";
        assert_eq!(lines(channels, path, "use tokio::time;\nuse std::fs::File;\nasync fn f() {}"), [1, 2, 3]);
        assert!(
            lines(
                channels,
                path,
                "use std::fmt;\nuse std::net::IpAddr;\nuse http::Request;\nuse paycore::channel::Call;"
            )
            .is_empty()
        );
        assert!(lines(channels, "crates/store/src/lib.rs", "use tokio::time;").is_empty());
    }

    #[test]
    fn the_two_ends_of_a_wire_share_nothing() {
        let simulator = "crates/channels/src/alipay/simulator.rs";
        assert_eq!(
            lines(two_ends, simulator, "use super::encode::sign;\nuse crate::dialect::sorted;"),
            [1, 2]
        );
        assert!(
            lines(two_ends, simulator, "use paycore::crypto::Signer;\nuse serde_json::Value;").is_empty()
        );
        let adapter = "crates/channels/src/alipay/decode.rs";
        assert_eq!(lines(two_ends, adapter, "use super::simulator::Book;"), [1]);
        assert!(
            lines(two_ends, adapter, "use super::config::Config;\nuse crate::dialect::sorted;").is_empty()
        );
        assert!(
            lines(two_ends, adapter, "#[cfg(test)]\nmod tests { use crate::alipay::simulator::Book; }")
                .is_empty()
        );
    }

    #[test]
    fn each_door_keeps_its_own_types() {
        assert_eq!(lines(doors, "crates/store/src/lib.rs", "use axum::Router;"), [1]);
        assert_eq!(lines(doors, "crates/server/src/http.rs", "use rusqlite::Connection;"), [1]);
        assert_eq!(lines(doors, "bindings/c/src/lib.rs", "use paycore_server::run;"), [1]);
        assert_eq!(lines(doors, "crates/wasm-checkout/src/lib.rs", "use paycore_channels::REGISTRY;"), [1]);
        assert!(lines(doors, "crates/server/src/http.rs", "use axum::Router;").is_empty());
        assert!(lines(doors, "crates/store/src/driver/sqlite.rs", "use rusqlite::Connection;").is_empty());
    }
}
