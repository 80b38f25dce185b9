//! `paycore settle`: every settlement that is due, on this machine, with its progress on the terminal.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use paycore::settlement::service::{Tally, settle_all};
use paycore_server::assemble;
use paycore_server::config::Config;

use super::{fail, print};

/// Ends with 0 where all that was due is settled, with 1 where some merchant's failed.
pub async fn run(config: &Config) -> ExitCode {
    let store = match paycore_store::open(&config.database_url()).await {
        Ok(store) => store,
        Err(error) => return fail(&error),
    };
    let engine = match assemble::engine(config, store, &config.public_url) {
        Ok(engine) => engine,
        Err(error) => return fail(&error),
    };
    let on_terminal = std::io::stderr().is_terminal();
    let tell = |tally: &Tally| {
        let end = if on_terminal { "\r" } else { "\n" };
        let _ = write!(std::io::stderr().lock(), "{}{end}", line(tally));
    };
    match settle_all(&engine, tell).await {
        Ok(tally) => {
            print(&format!("{}\n", line(&tally)));
            if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => fail(&error),
    }
}

fn line(tally: &Tally) -> String {
    let Tally { done, total, closed, failed } = tally;
    format!("merchants 商户 {done}/{total}, settlements 结算单 {closed}, failed 失败 {failed}")
}
