//! Words that must not stand in certain places: floats near money, unfinished code, SQL outside the store,
//! the clock, the random generator and the environment outside the shell.

use proc_macro2::Delimiter;

use super::source::{Finding, Kind, Named, Source, Token};

/// Where money is computed or carried.
const MONEY_CODE: &[&str] = &[
    "crates/paycore/src/money",
    "crates/paycore/src/currency",
    "crates/paycore/src/units",
    "crates/paycore/src/ledger",
    "crates/paycore/src/fee",
    "crates/paycore/src/clearing",
    "crates/paycore/src/fx",
    "crates/paycore/src/rate",
    "crates/paycore/src/settlement",
    "crates/paycore/src/split",
    "crates/paycore/src/order",
    "crates/paycore/src/refund",
    "crates/paycore/src/reconciliation",
    "crates/paycore/src/payout",
    "crates/channels/src",
    "crates/store/src",
];

/// Where the clock, the random generator and the environment may be read, beside every `main.rs`.
const AMBIENT_PLACES: &[&str] =
    &["crates/paycore/src/transport/", "crates/server/src/bin/", "examples/", "fuzz/", "xtask/"];

/// Pairs of names that read the surroundings, in any path that holds them side by side.
const AMBIENT: &[(&str, &[&str])] = &[
    ("SystemTime", &["now"]),
    ("Instant", &["now"]),
    ("Utc", &["now"]),
    ("Local", &["now"]),
    ("Zoned", &["now"]),
    ("Timestamp", &["now"]),
    ("OffsetDateTime", &["now_utc", "now_local"]),
    ("Uuid", &["new_v4", "now_v7", "now_v1"]),
    ("env", &["var", "var_os", "vars", "vars_os", "args", "args_os", "temp_dir", "home_dir"]),
    ("rand", &["rng", "thread_rng", "random", "rngs", "fill", "SystemRandom"]),
];

/// Names that read the surroundings wherever they stand.
const AMBIENT_NAMES: &[&str] = &["OsRng", "SysRng", "SystemRandom", "ThreadRng", "thread_rng", "getrandom"];

/// Macros that mark unfinished or forgotten code.
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];

/// No float anywhere near money, in tests either.
pub fn floats(source: &Source) -> Vec<Finding> {
    if !MONEY_CODE.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let tokens = source.tokens();
    let is_field = |at: usize| at > 0 && tokens[at - 1].is_punct('.');
    let floats = tokens.iter().enumerate().filter(|(at, token)| is_float(token) && !is_field(*at));
    floats
        .map(|(_, token)| {
            source.finding("float", token.line, "money is integers with a currency; no float here")
        })
        .collect()
}

/// Nothing unfinished, nothing switched off.
pub fn unfinished(source: &Source) -> Vec<Finding> {
    let calls = source
        .tokens()
        .windows(3)
        .filter(|call| call[1].is_punct('!') && matches!(call[2].kind, Kind::Open(_)));
    let macros = calls.filter(|call| UNFINISHED.iter().any(|name| call[0].is(name)));
    let mut found: Vec<_> = macros
        .map(|call| {
            let message = format!("`{}!` is unfinished code", call[0].ident().unwrap_or_default());
            source.finding("unfinished", call[0].line, message)
        })
        .collect();
    let ignored = attributes(source.tokens()).flatten().filter(|token| token.is("ignore"));
    found
        .extend(ignored.map(|token| {
            source.finding("unfinished", token.line, "a test that does not run proves nothing")
        }));
    found
}

/// The tokens of each attribute, from its bracket on.
fn attributes(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let starts = tokens
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0].is_punct('#') && matches!(pair[1].kind, Kind::Open(Delimiter::Bracket)));
    starts.map(|(at, _)| {
        let rest = &tokens[at + 2..];
        let end = rest.iter().position(|token| matches!(token.kind, Kind::Close(Delimiter::Bracket)));
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// SQL stands only in the store (tests may read the documented views).
pub fn sql(source: &Source) -> Vec<Finding> {
    let outside = source.path.starts_with("crates/") && !source.path.starts_with("crates/store/");
    if !outside || source.is_test() {
        return Vec::new();
    }
    let texts = source.tokens().iter().filter(|token| !token.in_test);
    let statements = texts.filter(|token| token.text().is_some_and(|text| is_sql(&text)));
    statements.map(|token| source.finding("sql", token.line, "SQL lives only in crates/store")).collect()
}

/// Time, randomness and settings are arguments: only the outermost shell reads them from the machine.
pub fn ambient(source: &Source) -> Vec<Finding> {
    let is_shell = AMBIENT_PLACES.iter().any(|place| source.path.starts_with(place));
    if is_shell || source.is_test() || source.path.ends_with("/main.rs") || source.path.ends_with("build.rs")
    {
        return Vec::new();
    }
    let paths = source.paths().into_iter().filter(|named| !named.in_test && is_ambient(named));
    paths
        .map(|named| {
            let message =
                format!("`{}` reads the machine; take it as an argument", named.segments.join("::"));
            source.finding("ambient", named.line, message)
        })
        .collect()
}

fn is_float(token: &Token) -> bool {
    match &token.kind {
        Kind::Ident(name) => name == "f32" || name == "f64",
        Kind::Literal(literal) => match syn::Lit::new(literal.clone()) {
            syn::Lit::Float(_) => true,
            syn::Lit::Int(number) => matches!(number.suffix(), "f32" | "f64"),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a text is a statement rather than a sentence that happens to start like one.
fn is_sql(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    let starts = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    starts(&[
        "insert into ",
        "delete from ",
        "create table ",
        "create index ",
        "create unique index ",
        "create view ",
    ]) || starts(&["drop table ", "alter table ", "pragma ", "begin immediate", "truncate table "])
        || (starts(&["select "]) && text.contains(" from "))
        || (starts(&["update "]) && text.contains(" set ") && text.contains('='))
}

fn is_ambient(named: &Named) -> bool {
    let pairs = named.segments.windows(2);
    let mut reads = pairs.filter(|pair| {
        let row = AMBIENT.iter().find(|(owner, _)| pair[0] == *owner);
        row.is_some_and(|(_, names)| names.iter().any(|name| pair[1] == *name))
    });
    reads.next().is_some() || named.segments.iter().any(|name| AMBIENT_NAMES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::new(path, text)).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn no_float_type_literal_or_suffix_stands_near_money() {
        let path = "crates/paycore/src/money.rs";
        assert_eq!(
            lines(floats, path, "fn f(x: f64) {}\nconst A: u8 = 1.5 as u8;\nlet b = 2_f32;"),
            [1, 2, 3]
        );
        assert_eq!(lines(floats, path, "#[cfg(test)]\nmod tests { const A: f32 = x; }"), [2]);
        assert!(lines(floats, path, "fn f(x: i64) -> i64 { x.0.1 + 0x1f64 }\n// f64").is_empty());
        assert!(lines(floats, "crates/server/src/bench.rs", "fn f(x: f64) {}").is_empty());
    }

    #[test]
    fn unfinished_code_and_switched_off_tests_are_found() {
        let text =
            "fn f() { todo!() }\nfn g() { dbg!(1); unimplemented!(\"x\") }\n#[test]\n#[ignore]\nfn t() {}";
        assert_eq!(lines(unfinished, "crates/store/src/lib.rs", text), [1, 2, 2, 4]);
        let text = "fn f() { let todo = 1; assert!(todo != 2) }\nconst T: &str = \"todo!()\"; // todo!()";
        assert!(lines(unfinished, "crates/store/src/lib.rs", text).is_empty());
    }

    #[test]
    fn a_switched_off_test_is_found_with_the_attributes_in_either_order() {
        let text = "#[ignore = \"slow\"]\n#[test]\nfn t() {}";
        assert_eq!(lines(unfinished, "crates/store/src/lib.rs", text), [1]);
    }

    #[test]
    fn sql_stands_only_in_the_store() {
        let text = "fn f() { q(\"SELECT id FROM orders\"); q(\"update orders set state = $1\") }\nconst S: &str = r#\"\n  insert into x\"#;";
        assert_eq!(lines(sql, "crates/server/src/http.rs", text), [1, 1, 2]);
        assert!(lines(sql, "crates/store/src/order.rs", text).is_empty());
        assert!(lines(sql, "crates/server/tests/views.rs", text).is_empty());
    }

    #[test]
    fn sentences_that_start_like_sql_are_sentences() {
        let text = "fn f() { q(\"select a payment method\"); q(\"update the order\"); q(\"begin\") }";
        assert!(lines(sql, "crates/server/src/http.rs", text).is_empty());
    }

    #[test]
    fn the_surroundings_are_read_only_in_the_shell() {
        let text = "use std::time::Instant;\nfn f() { Instant::now(); std::env::var(\"A\"); }\nuse rand::rngs::OsRng;";
        assert_eq!(lines(ambient, "crates/paycore/src/order/service.rs", text), [2, 2, 3]);
        for path in [
            "crates/server/src/main.rs",
            "examples/embed/src/main.rs",
            "crates/paycore/src/transport/reqwest.rs",
        ] {
            assert!(lines(ambient, path, text).is_empty(), "{path}");
        }
        let text = "#[cfg(test)]\nmod tests { fn f() { std::env::temp_dir(); } }\nfn g(clock: &dyn Clock) { clock.now(); Clock::now(clock) }";
        assert!(lines(ambient, "crates/store/src/lib.rs", text).is_empty());
    }
}
