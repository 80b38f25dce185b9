//! Development tools in the language of the product. `cargo xtask help` lists them.

mod deny;
mod generate;
mod new_channel;
mod serve;
mod shell;
mod test;
mod tidy;

use std::env;
use std::process::{Command as Program, ExitCode};

use shell::Failure;

/// One command: its name, its arguments, what it does.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "serve",
        arguments: "[--release] [args...]",
        about: "build the server and start it with the sandbox on",
        run: serve::serve,
    },
    Command {
        name: "test",
        arguments: "[--list] [steps...]",
        about: "install what the tests need and run them",
        run: test::test,
    },
    Command {
        name: "ci",
        arguments: "[steps...]",
        about: "the same with the settings of a build machine",
        run: ci,
    },
    Command {
        name: "gen",
        arguments: "[--check|--screenshots]",
        about: "write the generated files, or compare them; or take the pictures of the widget anew",
        run: generate_or_check,
    },
    Command {
        name: "wasm",
        arguments: "[--functions]",
        about: "build the checkout widget for the server to take in, and check its size",
        run: serve::wasm,
    },
    Command {
        name: "tidy",
        arguments: "",
        about: "layering, budgets, bans, and the browser target",
        run: |_| tidy::tidy(),
    },
    Command { name: "bench", arguments: "[args...]", about: "measure, and print a table", run: serve::bench },
    Command {
        name: "fuzz",
        arguments: "[words...]",
        about: "hostile input for every reader of every channel, or for those whose kind/channel holds a word",
        run: test::fuzz::fuzz,
    },
    Command {
        name: "proofs",
        arguments: "[names...]",
        about: "the money half's tests in their full size: a million cases, 100,000 histories; all, or those named",
        run: test::proofs::proofs,
    },
    Command {
        name: "interop",
        arguments: "[words...]",
        about: "other people's clients against our simulators: all, or those whose path holds a word",
        run: test::interop::interop,
    },
    Command {
        name: "new-channel",
        arguments: "NAME",
        about: "start a channel: every file it needs, and its place in the registry",
        run: new_channel::new_channel,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let (name, rest) = args.split_first().map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("{}", help());
        return if matches!(name, "help" | "--help" | "-h") { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Reported) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("cargo xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let rows = COMMANDS.iter().map(|command| {
        let call = format!("{} {}", command.name, command.arguments);
        format!("  cargo xtask {call:<30} {}\n", command.about)
    });
    rows.collect()
}

fn generate_or_check(args: &[String]) -> Result<(), Failure> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => generate::generate(false),
        ["--check"] => generate::generate(true),
        ["--screenshots"] => test::browser::screenshots(),
        _ => Err(Failure::Usage("gen takes no argument but --check or --screenshots".into())),
    }
}

/// Runs `test` again as a build machine would: plain output, nothing incremental.
fn ci(args: &[String]) -> Result<(), Failure> {
    let me =
        env::current_exe().map_err(|source| Failure::Io { what: "finding this program".into(), source })?;
    let settings = [("CI", "true"), ("CARGO_TERM_PROGRESS_WHEN", "never"), ("CARGO_INCREMENTAL", "0")];
    let status = Program::new(me).arg("test").args(args).envs(settings).status();
    let status = status.map_err(|source| Failure::Io { what: "starting the tests".into(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Reported) }
}
