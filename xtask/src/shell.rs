//! Running other programs from the repository root: one builder, and one way to fail.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Why a command of `cargo xtask` did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line makes no sense; the text says what would.
    #[error("{0}")]
    Usage(String),
    /// A check ran and found something; what it found is in the text or already printed.
    #[error("{0}")]
    Check(String),
    /// The machine lacks something that could not be installed; the text says what to do.
    #[error("{0}")]
    Missing(String),
    /// Something failed and everything there is to say has been printed.
    #[error("see above")]
    Reported,
    /// A program ran and did not succeed.
    #[error("`{command}` {how}")]
    Program {
        /// The command line as it could be typed again.
        command: String,
        /// How it ended.
        how: String,
    },
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted on which file.
        what: String,
        /// The reason of the operating system.
        source: io::Error,
    },
}

/// Adds what was attempted to an error of the operating system.
pub trait During<T> {
    /// `what` reads like "reading Cargo.toml".
    fn during(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|source| Failure::Io { what: what.into(), source })
    }
}

/// The repository root: the folder above this package, wherever the clone is.
pub fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map(Path::to_path_buf).unwrap_or(package)
}

/// A program about to run at the repository root.
pub struct Run {
    command: Command,
    limit: Option<Duration>,
    echo: bool,
}

/// Runs `program` with `args`.
pub fn run<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, args: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    Run { command, limit: None, echo: true }
}

/// Runs the same cargo that runs us.
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    run(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
}

/// Builds the programs that steps and examples run. To ask for cargo's examples too, of which there are none, is to ask
/// for the features of development dependencies, so that nothing is built twice that the tests have built.
pub fn build_programs() -> Result<(), Failure> {
    let targets = ["--bin", "paycore", "--bin", "settlement_day", "--examples"];
    cargo(["build", "--workspace", "--all-features"]).args(targets).limit(Duration::from_secs(25 * 60)).run()
}

impl Run {
    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another folder than the repository root.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Stops the program, with everything it started, after `limit`.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Does not print the command line first.
    pub fn quiet(mut self) -> Self {
        self.echo = false;
        self
    }

    /// Runs to the end with our own input and output.
    pub fn run(mut self) -> Result<(), Failure> {
        let line = self.line();
        if self.echo {
            println!("$ {line}");
        }
        own_group(&mut self.command);
        let mut child = self.command.spawn().during(format!("starting `{line}`"))?;
        let status = wait(&mut child, self.limit).during(format!("waiting for `{line}`"))?;
        verdict(line, status)
    }

    /// Runs to the end and returns what it wrote to standard output.
    pub fn output(mut self) -> Result<String, Failure> {
        let line = self.line();
        let output = self.command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.during(format!("running `{line}`"))?;
        verdict(line, Some(output.status))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs to the end: whether it succeeded, and all that it wrote.
    pub fn transcript(mut self) -> Result<(bool, String), Failure> {
        let line = self.line();
        if self.echo {
            println!("$ {line}");
        }
        let output = self.command.stdin(Stdio::null()).output().during(format!("running `{line}`"))?;
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok((output.status.success(), said.concat()))
    }

    /// What it wrote to standard output, if it exists and succeeds; says nothing itself.
    pub fn quiet_output(mut self) -> Option<String> {
        let output = self.command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether the program exists and succeeds; says nothing.
    pub fn succeeds(mut self) -> bool {
        let silent = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    }

    /// Starts the program and leaves it running; the caller stops it.
    pub fn start(mut self, stdout: Stdio, stderr: Stdio) -> Result<Child, Failure> {
        let line = self.line();
        println!("$ {line} &");
        self.command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .during(format!("starting `{line}`"))
    }

    /// Becomes the program: signals of the terminal reach it directly, and its exit code is ours.
    /// Returns only when the program could not be started.
    #[cfg(unix)]
    pub fn become_it(mut self) -> Failure {
        use std::os::unix::process::CommandExt;
        let what = format!("starting `{}`", self.line());
        Failure::Io { what, source: self.command.exec() }
    }

    /// Runs the program to its end: where a process cannot be replaced, the console sends Ctrl-C to both.
    #[cfg(not(unix))]
    pub fn become_it(self) -> Failure {
        match self.run() {
            Ok(()) => std::process::exit(0),
            Err(failure) => failure,
        }
    }

    fn line(&self) -> String {
        let program = Path::new(self.command.get_program()).file_name().unwrap_or_default();
        let words = std::iter::once(program).chain(self.command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }
}

fn verdict(command: String, status: Option<ExitStatus>) -> Result<(), Failure> {
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(Failure::Program { command, how: format!("ended with {status}") }),
        None => Err(Failure::Program { command, how: "was stopped at its time limit".into() }),
    }
}

/// Away from a terminal the program gets a process group of its own, so that a time limit can stop its children
/// too. At a terminal it stays in ours, so that Ctrl-C reaches it.
fn own_group(command: &mut Command) {
    #[cfg(unix)]
    if !io::stdin().is_terminal() {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }
}

/// Waits for the end, or for the limit: then the program is stopped and the answer is `None`.
fn wait(child: &mut Child, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
    let Some(limit) = limit else { return child.wait().map(Some) };
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(50));
    }
    if !io::stdin().is_terminal() {
        run("kill", ["-KILL", "--", &format!("-{}", child.id())]).succeeds();
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_named_with_its_exit_code() {
        let failure = run("sh", ["-c", "exit 3"]).quiet().run().expect_err("exit 3 is no success");
        assert_eq!(failure.to_string(), "`sh -c exit 3` ended with exit status: 3");
    }

    #[test]
    fn a_program_over_its_limit_is_stopped_and_reported_as_such() {
        let slow = run("sh", ["-c", "sleep 30 & wait"]).quiet().limit(Duration::from_millis(120));
        let start = Instant::now();
        let failure = slow.run().expect_err("it was stopped");
        assert!(failure.to_string().ends_with("was stopped at its time limit"), "{failure}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn the_root_is_the_folder_of_the_workspace_manifest() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace manifest");
        assert!(manifest.contains("[workspace]"));
    }
}
