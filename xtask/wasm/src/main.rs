//! `cargo xtask wasm`: compiles the checkout widget, makes its JavaScript, checks its size and puts everything into
//! `crates/server/dist`, where a build of the server takes it in.

mod script;
mod shrink;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest as _, Sha384};
use wasm_bindgen_cli_support::Bindgen;

/// The first load of the widget, compressed, may have this many bytes.
const BUDGET: usize = 80 * 1024;
/// `--functions` prints so many of the largest functions, with their instructions.
const FUNCTIONS_SHOWN: usize = 60;
const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let (wasm, glue) = bind(&compile(&root)?)?;
    let js = root.join("crates/wasm-checkout/js");
    let loader = fs::read_to_string(js.join("loader.js")).context("reading loader.js")?;
    let script = script::assemble(&glue, &loader, &integrity(&wasm))?;
    let types = fs::read(js.join("paycore.d.ts")).context("reading paycore.d.ts")?;
    let dist = root.join("crates/server/dist");
    let mut files = vec![("paycore.js".to_owned(), script.into_bytes()), ("paycore.wasm".to_owned(), wasm)];
    files.extend(languages(&js.join("texts"))?);
    write_all(&dist, &files, &types)
}

/// The texts of each language, as one line.
fn languages(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let read = |path: &PathBuf| {
        let texts: serde_json::Value = serde_json::from_slice(&fs::read(path)?)?;
        let name = path.file_name().context("a file has a name")?.to_string_lossy();
        Ok((format!("paycore.{name}"), serde_json::to_vec(&texts)?))
    };
    files.iter().map(read).collect()
}

/// Compiles the widget for the browser, with the profile that makes it small.
fn compile(root: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let what =
        ["build", "--package", "paycore-wasm-checkout", "--lib", "--profile", "wasm", "--target", TARGET];
    let status = Command::new(cargo).args(what).current_dir(root).status().context("starting cargo")?;
    if !status.success() {
        bail!("the widget does not compile");
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join(TARGET).join("wasm/paycore_wasm_checkout.wasm"))
}

/// The module and the JavaScript that belongs to it.
fn bind(compiled: &Path) -> Result<(Vec<u8>, String)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).no_modules(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.generate_output()?;
    let glue = output.js().to_owned();
    let module = output.wasm_mut();
    if shrink::cut_panics(module) == 0 {
        bail!("the compiled widget has no names of functions: its profile must not strip them");
    }
    let glue = shrink::rename(module, &glue);
    if env::args().any(|argument| argument == "--functions") {
        print!("{}", shrink::largest(module, FUNCTIONS_SHOWN));
    }
    Ok((module.emit_wasm(), glue))
}

fn integrity(content: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(content)))
}

fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// Writes the files with their compressed twins and the list of their hashes. The first load is the script, the
/// module and the largest of the languages; it has to fit the budget.
fn write_all(dist: &Path, contents: &[(String, Vec<u8>)], types: &[u8]) -> Result<()> {
    fs::create_dir_all(dist)?;
    let (mut files, mut total, mut language) = (Vec::new(), 0, 0);
    for (name, content) in contents {
        let packed = compressed(content)?;
        match name.ends_with(".json") {
            true => language = language.max(packed.len()),
            false => total += packed.len(),
        }
        println!("{name:<18} {:>8} bytes, {:>7} compressed", content.len(), packed.len());
        files.push(json!({
            "name": name,
            "path": format!("/checkout/{name}"),
            "bytes": content.len(),
            "gzip_bytes": packed.len(),
            "integrity": integrity(content),
        }));
        write_changed(&dist.join(name), content)?;
        write_changed(&dist.join(format!("{name}.gz")), &packed)?;
    }
    write_changed(&dist.join("paycore.d.ts"), types)?;
    let list = serde_json::to_vec_pretty(&json!({ "files": files }))?;
    write_changed(&dist.join("integrity.json"), &list)?;
    total += language;
    println!("first load         {total} bytes compressed of {BUDGET}");
    if total > BUDGET {
        bail!("the widget is larger than its budget");
    }
    Ok(())
}

/// A file that stays the same keeps its time, so that the server is not compiled anew for it.
fn write_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("writing {}", path.display()))
}
