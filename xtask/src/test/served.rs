//! A server of our own with its sandbox on, for checks from outside: a port and a folder nobody else has.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::shell::{During, Failure, Run, build_programs, root, run};

/// How long the server may take to say where it is.
const START: Duration = Duration::from_secs(30);

/// A running server. It is stopped when this is dropped.
pub struct Served {
    child: Child,
    folder: PathBuf,
    /// Such as `http://127.0.0.1:41234`.
    pub url: String,
    /// A secret key of its demo merchant's sandbox.
    pub test_key: String,
}

impl Served {
    /// Builds the server and starts it with an empty database.
    pub fn start() -> Result<Self, Failure> {
        build_programs()?;
        let folder = root().join("target/served");
        if folder.exists() {
            fs::remove_dir_all(&folder).during("clearing target/served")?;
        }
        fs::create_dir_all(&folder).during("making target/served")?;
        let said = folder.join("said.txt");
        let [out, log] = ["said.txt", "log.txt"].map(|name| File::create(folder.join(name)));
        let (out, log) = (out.during("making said.txt")?, log.during("making log.txt")?);
        let serve = paycore(&folder, ["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
        let mut child = serve.start(Stdio::from(out), Stdio::from(log))?;
        match wait_for_banner(&said) {
            Some((url, test_key)) => Ok(Served { child, folder, url, test_key }),
            None => {
                child.kill().during("stopping the server")?;
                child.wait().during("stopping the server")?;
                Err(Failure::Check(format!("the server did not start:\n{}", tail(&folder.join("log.txt")))))
            }
        }
    }

    /// Kills the server as a power cut would, then checks every invariant on what it left.
    pub fn verify(mut self) -> Result<(), Failure> {
        self.stop();
        paycore(&self.folder, ["verify"]).run()
    }

    fn stop(&mut self) {
        // It may have ended by itself; what its data is worth is checked by `verify`.
        let _ended_already = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

fn paycore<const N: usize>(folder: &Path, words: [&str; N]) -> Run {
    run(root().join("target/debug/paycore"), words).dir(folder).env("PAYCORE_DATA_DIR", folder)
}

/// The server prints its address and keys once it listens.
fn wait_for_banner(said: &Path) -> Option<(String, String)> {
    let start = Instant::now();
    while start.elapsed() < START {
        let text = fs::read_to_string(said).unwrap_or_default();
        if let Some(found) = banner(&text) {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(50));
    }
    None
}

/// The address and the test key, once both are there with what follows them.
fn banner(text: &str) -> Option<(String, String)> {
    let mut words = text.split_inclusive(char::is_whitespace);
    let complete = |word: &&str| word.ends_with(char::is_whitespace);
    let url = words.clone().filter(complete).find_map(|word| word.trim_end().strip_suffix("/v1"))?;
    let key = words.find(|word| complete(word) && word.starts_with("sk_test_"))?;
    Some((url.to_owned(), key.trim_end().to_owned()))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_key_are_read_once_they_are_complete() {
        let text = "  API  http://127.0.0.1:4/v1\n  Live key  sk_live_a\n  Test key  sk_test_b\n";
        assert_eq!(banner(text), Some(("http://127.0.0.1:4".into(), "sk_test_b".into())));
        assert_eq!(banner(text.trim_end()), None, "the key may still be growing");
        assert_eq!(banner("  API  http://127.0.0.1:4/v1\n"), None);
    }
}
