//! The commands of the program, one file each.

pub mod call;
pub mod docs;
pub mod doctor;
pub mod keys;
pub mod reseal;
pub mod serve;
pub mod settle;
pub mod verify;

use std::io::{IsTerminal as _, Stderr, Write as _};
use std::process::ExitCode;

use paycore_server::config::Config;
use paycore_server::log::Collected;
use tracing_subscriber::EnvFilter;

/// Says what went wrong and ends with 2.
pub fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("paycore: {error}");
    ExitCode::from(2)
}

/// Prints to standard output; a reader who has gone away is no error.
pub fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// The log, on standard error. What it holds back is written when this is dropped.
#[derive(Debug)]
pub struct Log(Collected<Stderr>);

impl Log {
    /// Starts it.
    pub fn start(config: &Config) -> std::io::Result<Log> {
        let collected = Collected::start(std::io::stderr())?;
        let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(collected.clone());
        if config.log_json {
            log.json().flatten_event(true).init();
        } else {
            log.with_ansi(std::io::stderr().is_terminal()).init();
        }
        Ok(Log(collected))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// `paycore migrate`
pub async fn migrate(config: &Config) -> ExitCode {
    let address = config.database_url();
    if let Err(error) = std::fs::create_dir_all(&config.data_dir) {
        return fail(&error);
    }
    match paycore_store::migrate(&address).await {
        Ok(version) => {
            print(&format!("The schema is at version {version}. 数据库结构版本：{version}。\n"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}
