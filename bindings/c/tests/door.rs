//! The door from outside: a C program, linked both ways, and Python with nothing but its standard library. Neither
//! shares a line with the crate.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where cargo put the libraries that belong to this very build: beside this test.
fn libraries() -> PathBuf {
    let program = env::current_exe().expect("a running program knows where it is");
    program.parent().expect("a program lies in a folder").to_owned()
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a program to its end; what it says is shown where it fails.
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?} ended with {status}:\n{said}");
    said
}

fn compile(program: &Path, link: &[&str]) {
    let mut compiler = Command::new(env::var("CC").unwrap_or_else(|_| "cc".into()));
    compiler
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
        .arg(crate_folder().join("include"));
    compiler.arg(crate_folder().join("example/main.c")).arg("-o").arg(program).args(link);
    run(&mut compiler);
}

fn takes_a_payment(program: &Path) {
    let said = run(&mut Command::new(program));
    assert!(said.contains("is to be paid at http://127.0.0.1:8080/sandbox/"), "{said}");
    assert!(said.trim_end().ends_with("is succeeded"), "{said}");
}

#[test]
fn a_c_program_takes_a_payment_through_the_shared_library() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("payment");
    let libraries = libraries().display().to_string();
    compile(&program, &["-L", &libraries, "-lpaycore_ffi", &format!("-Wl,-rpath,{libraries}")]);
    takes_a_payment(&program);
}

#[test]
fn a_c_program_takes_a_payment_with_the_library_linked_in() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("payment");
    let archive = libraries().join("libpaycore_ffi.a").display().to_string();
    compile(&program, &[&archive, "-lpthread", "-ldl", "-lm"]);
    takes_a_payment(&program);
}

#[test]
fn python_uses_and_misuses_the_door() {
    let python = env::var("PAYCORE_PYTHON").unwrap_or_else(|_| "python3".into());
    let folder = tempfile::tempdir().unwrap();
    let mut door = Command::new(python);
    door.arg("-B").arg(crate_folder().join("tests/door.py")).env("TMPDIR", folder.path());
    door.env("PAYCORE_LIBRARY", libraries().join("libpaycore_ffi.so"));
    let said = run(&mut door);
    assert!(said.contains("\nOK"), "{said}");
}
