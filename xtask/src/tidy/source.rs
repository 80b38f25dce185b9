//! One file of the repository as the rules see it: its path, its text and, for Rust, its tokens and paths.

use std::cell::OnceCell;

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};

/// A file. The path is relative to the repository root, with `/` between folders.
pub struct Source {
    /// Such as `crates/paycore/src/money.rs`.
    pub path: String,
    /// The whole text.
    pub text: String,
    tokens: OnceCell<Result<Vec<Token>, String>>,
}

/// Something a rule found, in one line of one file (0 when the whole file is meant).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// The rule, as in the table of `tidy`.
    pub rule: &'static str,
    /// What is wrong and what to do instead.
    pub message: String,
}

/// One Rust token outside documentation, with where it stands.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Counted from 1.
    pub line: usize,
    /// Inside an item under `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
}

/// The kinds of tokens that rules ask for.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A name or keyword; raw names without their `r#`.
    Ident(String),
    /// One character of punctuation.
    Punct(char),
    /// A number, text or character.
    Literal(Literal),
    /// The start of a group.
    Open(Delimiter),
    /// The end of a group.
    Close(Delimiter),
}

/// A path such as `crate::money::Money`, written out: groups of a `use` are one path per name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The names, `*` for a glob.
    pub segments: Vec<String>,
    /// Where the last name stands, counted from 1.
    pub line: usize,
    /// Inside an item under `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
    /// Written after `pub use`: it offers a name to others.
    pub reexport: bool,
    /// The inline `mod` blocks around it.
    pub within: Vec<String>,
}

impl Source {
    /// A file with this path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), tokens: OnceCell::new() }
    }

    /// Whether this is Rust source.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The tokens, or none when this is not Rust or does not parse (`unparsable` says so).
    pub fn tokens(&self) -> &[Token] {
        if !self.is_rust() {
            return &[];
        }
        self.lexed().as_deref().unwrap_or_default()
    }

    /// Why the file cannot be read as Rust.
    pub fn unparsable(&self) -> Option<&str> {
        if !self.is_rust() {
            return None;
        }
        self.lexed().as_ref().err().map(String::as_str)
    }

    /// Every path in the file, in order.
    pub fn paths(&self) -> Vec<Named> {
        Paths::new(self.tokens()).collect()
    }

    /// A finding in this file.
    pub fn finding(&self, rule: &'static str, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, rule, message: message.into() }
    }

    /// Whether the whole file is test or benchmark code by its place in the tree.
    pub fn is_test(&self) -> bool {
        let in_test_folder = self.path.split('/').any(|part| matches!(part, "tests" | "benches"));
        in_test_folder || self.path.ends_with("/tests.rs") || self.path.ends_with("_tests.rs")
    }

    fn lexed(&self) -> &Result<Vec<Token>, String> {
        self.tokens.get_or_init(|| {
            let stream: TokenStream = self.text.parse().map_err(|error| format!("{error}"))?;
            let mut tokens = Vec::new();
            flatten(stream, false, &mut tokens);
            Ok(tokens)
        })
    }
}

impl Token {
    /// Whether this is the name `name`.
    pub fn is(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Ident(ident) if ident == name)
    }

    /// Whether this is the character `punct`.
    pub fn is_punct(&self, punct: char) -> bool {
        matches!(self.kind, Kind::Punct(found) if found == punct)
    }

    /// The name, if this is one.
    pub fn ident(&self) -> Option<&str> {
        match &self.kind {
            Kind::Ident(ident) => Some(ident),
            _ => None,
        }
    }

    /// The content of a text literal, escapes undone.
    pub fn text(&self) -> Option<String> {
        let Kind::Literal(literal) = &self.kind else { return None };
        match syn::Lit::new(literal.clone()) {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        }
    }
}

/// Writes the tree out as a list. Documentation is left out; what follows a test attribute is marked up to the
/// end of its item, which is its first block or semicolon.
fn flatten(stream: TokenStream, in_test: bool, out: &mut Vec<Token>) {
    let mut pending = false;
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let marked = in_test || pending;
        let mut push = |kind, line| out.push(Token { kind, line, in_test: marked });
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let inner = trees.next_if(|next| matches!(next, TokenTree::Punct(p) if p.as_char() == '!'));
                match trees.next_if(|next| matches!(next, TokenTree::Group(_))) {
                    Some(TokenTree::Group(group)) => match attribute(&group.stream()) {
                        Attribute::Doc => {}
                        Attribute::Test if inner.is_some() => return flatten_rest(trees, out),
                        Attribute::Test => pending = true,
                        Attribute::Other => {
                            push(Kind::Punct('#'), line);
                            push(Kind::Open(Delimiter::Bracket), line);
                            flatten(group.stream(), marked, out);
                            let line = group.span_close().start().line;
                            out.push(Token { kind: Kind::Close(Delimiter::Bracket), line, in_test: marked });
                        }
                    },
                    _ => push(Kind::Punct('#'), line),
                }
            }
            TokenTree::Punct(punct) => {
                push(Kind::Punct(punct.as_char()), line);
                pending &= punct.as_char() != ';';
            }
            TokenTree::Ident(ident) => push(Kind::Ident(ident.to_string().replace("r#", "")), line),
            TokenTree::Literal(literal) => push(Kind::Literal(literal), line),
            TokenTree::Group(group) => {
                push(Kind::Open(group.delimiter()), line);
                flatten(group.stream(), marked, out);
                let kind = Kind::Close(group.delimiter());
                out.push(Token { kind, line: group.span_close().start().line, in_test: marked });
                pending &= group.delimiter() != Delimiter::Brace;
            }
        }
    }
}

/// After `#![cfg(test)]` the rest of the file or module is test code.
fn flatten_rest(rest: impl Iterator<Item = TokenTree>, out: &mut Vec<Token>) {
    flatten(rest.collect(), true, out);
}

enum Attribute {
    Doc,
    Test,
    Other,
}

fn attribute(stream: &TokenStream) -> Attribute {
    let text = stream.to_string().replace(' ', "");
    let path = text.split(['(', '=']).next().unwrap_or_default();
    match path {
        "doc" => Attribute::Doc,
        "cfg" if text == "cfg(test)" || text.starts_with("cfg(all(test,") => Attribute::Test,
        _ if path == "test" || path.ends_with("::test") => Attribute::Test,
        _ => Attribute::Other,
    }
}

/// Reads paths out of a list of tokens.
struct Paths<'a> {
    tokens: &'a [Token],
    at: usize,
    /// Prefixes of open `use` groups, innermost last, with the depth of braces at which each closes.
    groups: Vec<(Vec<String>, usize)>,
    /// Inline modules around the current token, with the depth of braces at which each closes.
    modules: Vec<(String, usize)>,
    depth: usize,
    reexport: bool,
}

impl<'a> Paths<'a> {
    fn new(tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0, groups: Vec::new(), modules: Vec::new(), depth: 0, reexport: false }
    }

    fn open(&mut self) {
        self.depth += 1;
        let named = self.at.checked_sub(2).map(|at| &self.tokens[at..self.at]);
        if let Some([keyword, name]) = named
            && keyword.is("mod")
            && let Some(name) = name.ident()
        {
            self.modules.push((name.to_owned(), self.depth));
        }
    }

    fn close(&mut self) {
        self.groups.pop_if(|(_, depth)| *depth == self.depth);
        self.modules.pop_if(|(_, depth)| *depth == self.depth);
        self.depth = self.depth.saturating_sub(1);
    }

    /// At a name: whether a path starts here, rather than goes on or renames.
    fn starts_here(&self) -> bool {
        let before = &self.tokens[..self.at];
        match before {
            [.., arrow, first, a, b] if a.is_punct(':') && b.is_punct(':') => {
                let closes_generics = first.is_punct('>') && !arrow.is_punct('=') && !arrow.is_punct('-');
                !closes_generics && first.ident().is_none_or(is_keyword)
            }
            [first, a, b] if a.is_punct(':') && b.is_punct(':') => first.ident().is_none_or(is_keyword),
            [.., last] => !last.is("as") && !last.is_punct('\''),
            [] => true,
        }
    }

    /// Reads the path that starts at the current name and steps past it.
    fn path(&mut self) -> Option<Named> {
        let mut segments = self.groups.last().map(|(prefix, _)| prefix.clone()).unwrap_or_default();
        let mut line = self.tokens[self.at].line;
        loop {
            let token = self.tokens.get(self.at)?;
            match (&token.kind, segments.is_empty()) {
                (Kind::Ident(name), false) if name == "self" => {}
                (Kind::Ident(name), _) => segments.push(name.clone()),
                (Kind::Punct('*'), _) => segments.push("*".into()),
                (Kind::Open(Delimiter::Brace), _) => {
                    self.open();
                    self.at += 1;
                    self.groups.push((segments, self.depth));
                    return None;
                }
                _ => break,
            }
            line = token.line;
            self.at += 1;
            match self.tokens.get(self.at..self.at + 2) {
                Some([a, b]) if a.is_punct(':') && b.is_punct(':') => self.at += 2,
                _ => break,
            }
        }
        let in_test = self.tokens.get(self.at.saturating_sub(1)).is_some_and(|token| token.in_test);
        let within = self.modules.iter().map(|(name, _)| name.clone()).collect();
        (segments.len() > 1).then_some(Named { segments, line, in_test, reexport: self.reexport, within })
    }
}

impl Iterator for Paths<'_> {
    type Item = Named;

    fn next(&mut self) -> Option<Named> {
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Open(Delimiter::Brace) => self.open(),
                Kind::Close(Delimiter::Brace) => self.close(),
                Kind::Punct(';') => self.reexport = false,
                Kind::Ident(name) if name == "use" => {
                    let before = self.at.checked_sub(1).map(|at| &self.tokens[at]);
                    self.reexport = before.is_some_and(|token| {
                        token.is("pub") || matches!(token.kind, Kind::Close(Delimiter::Parenthesis))
                    });
                }
                Kind::Ident(name) if !is_keyword(name) && self.starts_here() => {
                    if let Some(named) = self.path() {
                        return Some(named);
                    }
                    continue;
                }
                Kind::Punct('*') if !self.groups.is_empty() => {
                    if let Some(named) = self.path() {
                        return Some(named);
                    }
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        None
    }
}

/// Words that stand before a path without being part of it.
fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "use"
            | "pub"
            | "mod"
            | "fn"
            | "let"
            | "in"
            | "as"
            | "impl"
            | "for"
            | "dyn"
            | "mut"
            | "ref"
            | "return"
            | "match"
            | "if"
            | "else"
            | "where"
            | "move"
            | "async"
            | "await"
            | "const"
            | "static"
            | "enum"
            | "struct"
            | "trait"
            | "type"
            | "loop"
            | "while"
            | "break"
            | "continue"
            | "unsafe"
            | "extern"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Source::new("a.rs", text).paths().into_iter().map(|named| named.segments.join("::")).collect()
    }

    #[test]
    fn nested_use_groups_are_written_out_one_path_per_name() {
        let text = "use crate::{ledger::{self, rules::book as b}, money::*};\nuse super::x::Y;";
        assert_eq!(
            paths(text),
            ["crate::ledger", "crate::ledger::rules::book", "crate::money::*", "super::x::Y"]
        );
    }

    #[test]
    fn paths_in_bodies_macros_and_types_are_seen() {
        let text = "fn f(x: a::B) -> Vec<c::D> { select! { _ = tokio::time::sleep(d) => ::std::mem::drop(x) } Vec::<u8>::new() }";
        assert_eq!(paths(text), ["a::B", "c::D", "tokio::time::sleep", "std::mem::drop"]);
    }

    #[test]
    fn a_path_knows_its_line_its_module_and_whether_it_is_offered_on() {
        let text = "pub use a::B;\nmod inner {\n    use super::c;\n}\nfn f() { d::e() }\n";
        let named = Source::new("a.rs", text).paths();
        let short: Vec<_> = named.iter().map(|n| (n.line, n.reexport, n.within.join("/"))).collect();
        assert_eq!(short, [(1, true, String::new()), (3, false, "inner".into()), (5, false, String::new())]);
    }

    #[test]
    fn test_items_are_marked_and_what_follows_them_is_not() {
        let text = "#[cfg(test)] use a::b;\n#[tokio::test] async fn t() { c::d() }\nfn f() { e::f() }\n#[cfg(test)]\nmod tests { use g::h; }";
        let marks: Vec<_> = Source::new("a.rs", text).paths().iter().map(|named| named.in_test).collect();
        assert_eq!(marks, [true, true, false, true]);
    }

    #[test]
    fn an_inner_test_attribute_marks_the_rest_of_the_file() {
        let source = Source::new("a.rs", "#![cfg(test)]\nuse a::b;");
        assert!(source.paths().iter().all(|named| named.in_test));
    }

    #[test]
    fn documentation_is_no_code() {
        assert!(paths("/// a::b\n//! c::d\nfn f() {}").is_empty());
    }

    #[test]
    fn text_that_is_not_rust_says_why() {
        assert!(Source::new("a.rs", "fn f( {").unparsable().is_some());
        assert!(Source::new("a.md", "fn f( {").unparsable().is_none());
    }
}
