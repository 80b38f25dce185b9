//! One script out of two: what wasm-bindgen wrote, and our loader.

use anyhow::{Result, bail};

/// Where the loader wants the hash of the module.
const PLACE: &str = "@INTEGRITY@";

/// The script that pages load: nothing of it is visible outside but what the loader puts on `window`.
pub fn assemble(glue: &str, loader: &str, integrity: &str) -> Result<String> {
    if !loader.contains(PLACE) {
        bail!("loader.js has no place for the hash of the module");
    }
    let body = format!("{glue}\n{}", loader.replace(PLACE, integrity));
    Ok(format!("(()=>{{\n\"use strict\";\n{}}})();\n", plain(&body)))
}

/// Without comments on lines of their own, indentation and empty lines. Lines inside of a template literal would
/// change their meaning, so that one that spans lines is refused by the tests.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        if in_comment {
            in_comment = !line.ends_with("*/");
        } else if line.starts_with("/*") {
            in_comment = !line.contains("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_go_and_code_stays() {
        let text = "// a\n/** b\n * c\n */\n  let x = \"// no comment\"; // stays\n\n/* d */\n  y();\n";
        assert_eq!(plain(text), "let x = \"// no comment\"; // stays\ny();\n");
    }

    #[test]
    fn the_hash_stands_in_its_place_or_nothing_is_made() {
        let script = assemble("let a;", "fetch('@INTEGRITY@');", "sha384-x").unwrap();
        assert_eq!(script, "(()=>{\n\"use strict\";\nlet a;\nfetch('sha384-x');\n})();\n");
        assert!(assemble("", "fetch();", "sha384-x").is_err());
    }

    #[test]
    fn no_template_of_the_loader_spans_lines() {
        let loader = include_str!("../../../crates/wasm-checkout/js/loader.js");
        let code = loader.lines().filter(|line| !line.trim_start().starts_with("//"));
        assert!(code.into_iter().all(|line| line.matches('`').count() % 2 == 0));
    }
}
