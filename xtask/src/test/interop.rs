//! Other people's clients against our simulated providers, over loopback: `interop/<client>/<channel>.{js,py}`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::needs::{self, ensure};
use crate::shell::{During, Failure, build_programs, root, run};

/// A client says a few words; one that waits for something that never comes is stopped.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a gateway may take to say where it is.
const START: Duration = Duration::from_secs(20);
/// Runs a script without its own folder in the search path: it may be named like the package it uses.
const PYTHON: &str = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')";

/// Runs the scripts whose path holds one of `words`, or all, each with a gateway of its own.
pub fn interop(words: &[String]) -> Result<(), Failure> {
    [&needs::INTEROP_PYTHON, &needs::INTEROP_NODE].into_iter().try_for_each(ensure)?;
    build_programs()?;
    let mut scripts = scripts()?;
    scripts.retain(|script| {
        words.is_empty() || words.iter().any(|word| script.to_string_lossy().contains(word.as_str()))
    });
    if scripts.is_empty() {
        return Err(Failure::Check("there is no such script in interop/*/".into()));
    }
    let mut failed = Vec::new();
    for script in &scripts {
        let name = script.strip_prefix(root().join("interop")).unwrap_or(script).display().to_string();
        println!("-- {name}");
        if let Err(failure) = prove(script) {
            println!("{failure}");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        println!("{} scripts of other people's clients agree with us", scripts.len());
        return Ok(());
    }
    Err(Failure::Check(format!("other people's clients disagree: {}", failed.join(", "))))
}

fn scripts() -> Result<Vec<PathBuf>, Failure> {
    let clients = fs::read_dir(root().join("interop")).during("reading interop/")?;
    let files =
        clients.flatten().flat_map(|client| fs::read_dir(client.path()).into_iter().flatten().flatten());
    let mut scripts: Vec<_> = files.map(|file| file.path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "js" || extension == "py"));
    scripts.sort();
    Ok(scripts)
}

/// One script with its gateway. The channel is the script's name up to its first dot.
fn prove(script: &Path) -> Result<(), Failure> {
    let file = script.file_name().unwrap_or_default().to_string_lossy();
    let channel = file.split('.').next().unwrap_or_default();
    let gateway = Gateway::start(channel)?;
    let program = if file.ends_with(".py") {
        run(needs::interop_python(), ["-c", PYTHON]).args([script]).env("PYTHONDONTWRITEBYTECODE", "1")
    } else {
        run("node", [script])
    };
    program
        .env("PAYCORE_GATEWAY", &gateway.said)
        .env("PAYCORE_FIXTURES", root().join("crates/channels/src").join(channel).join("fixtures"))
        .env("PYTHONPATH", root().join("interop"))
        .env("NODE_PATH", root().join(needs::INTEROP_FOLDER).join("node_modules"))
        // Whatever leads out of this machine would lead the clients past the gateway.
        .env("NO_PROXY", "127.0.0.1")
        .quiet()
        .limit(LIMIT)
        .run()
}

/// `paycore simulate --channel`, stopped when this is dropped.
struct Gateway {
    child: Child,
    /// What it printed: one line of JSON.
    said: PathBuf,
}

impl Gateway {
    fn start(channel: &str) -> Result<Gateway, Failure> {
        let said = root().join(needs::INTEROP_FOLDER).join(format!("{channel}.json"));
        let out = File::create(&said).during(format!("making {}", said.display()))?;
        let words = ["simulate", "--channel", channel, "--port", "0", "--json"];
        let child = run(root().join("target/debug/paycore"), words)
            .quiet()
            .start(Stdio::from(out), Stdio::inherit())?;
        let mut gateway = Gateway { child, said };
        let start = Instant::now();
        while start.elapsed() < START {
            if fs::read_to_string(&gateway.said).is_ok_and(|text| text.ends_with('\n')) {
                return Ok(gateway);
            }
            if let Some(status) = gateway.child.try_wait().during("waiting for the gateway")? {
                return Err(Failure::Check(format!("the gateway of {channel} ended with {status}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::Check(format!("the gateway of {channel} did not start")))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself, which the script has noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_named_after_a_channel() {
        let scripts = scripts().expect("interop/ is there");
        assert!(!scripts.is_empty());
        for script in scripts {
            let file = script.file_name().unwrap_or_default().to_string_lossy();
            let channel = file.split('.').next().unwrap_or_default();
            assert!(root().join("crates/channels/src").join(channel).is_dir(), "{}", script.display());
        }
    }
}
