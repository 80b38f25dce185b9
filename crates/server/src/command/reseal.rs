//! `paycore reseal`: everything that an older root key has sealed, sealed by the first of `root_keys`.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use paycore::vault::service::{Tally, reseal_all};
use paycore_server::assemble;
use paycore_server::config::Config;

use super::{fail, print};

/// Ends with 0 where everything is sealed by the first root key, with 1 where something does not open, with 2 where the
/// data cannot be read or written; what was sealed until then stays so.
pub async fn run(config: &Config) -> ExitCode {
    let store = match paycore_store::open(&config.database_url()).await {
        Ok(store) => store,
        Err(error) => return fail(&error),
    };
    let engine = match assemble::engine(config, store, &config.public_url) {
        Ok(engine) => engine,
        Err(error) => return fail(&error),
    };
    let end = if std::io::stderr().is_terminal() { "\r" } else { "\n" };
    let tell = |tally: &Tally| {
        let _ = write!(std::io::stderr().lock(), "{}{end}", line(tally));
    };
    match reseal_all(&engine, tell).await {
        Ok(tally) => {
            print(&text(&tally));
            if tally.unopened.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => fail(&error),
    }
}

fn line(tally: &Tally) -> String {
    let Tally { merchants, rows, sealed, unopened } = tally;
    format!(
        "merchants 商户 {merchants}, rows 行 {rows}, sealed anew 重新封装 {sealed}, unopened 无法解开 {}",
        unopened.len()
    )
}

fn text(tally: &Tally) -> String {
    let mut text = format!("{}\n", line(tally));
    for (row, why) in &tally.unopened {
        let _ = writeln!(text, "✗ {row}: {why}");
    }
    text.push_str(if tally.unopened.is_empty() {
        "Everything is sealed by the first root key; the others are not needed for it. \
         全部内容均由首个根密钥封装，不再需要其他根密钥。\n"
    } else {
        "Do not remove any root key: the rows above need one that is missing. 请勿移除任何根密钥：以上各行所需的密钥缺失。\n"
    });
    text
}
