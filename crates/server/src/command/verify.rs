//! `paycore verify`: the invariants, checked on all data.

use std::fmt::Write as _;
use std::process::ExitCode;

use paycore::ledger::seal::Hash;
use paycore::verify::{Report, run_with as verify};
use paycore_server::config::Config;

use super::{fail, print};

/// How `verify` reports.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Report as JSON. 以 JSON 输出。
    #[arg(long)]
    json: bool,
    /// A hash of a seal that was kept outside; it has to be in the books still. May be given more than once.
    /// 另行保存的封存哈希，必须仍在账中；可重复给出。
    #[arg(long, value_name = "HASH")]
    anchor: Vec<Hash>,
}

/// Ends with 0 where everything is true, with 1 where something is not, with 2 where the data cannot be read.
pub async fn run(config: &Config, options: &Options) -> ExitCode {
    let store = match paycore_store::open(&config.database_url()).await {
        Ok(store) => store,
        Err(error) => return fail(&error),
    };
    let report = match verify(&*store, &options.anchor).await {
        Ok(report) => report,
        Err(error) => return fail(&error),
    };
    if options.json {
        match serde_json::to_string_pretty(&report) {
            Ok(text) => print(&format!("{text}\n")),
            Err(error) => return fail(&error),
        }
    } else {
        print(&text(&report));
    }
    if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn text(report: &Report) -> String {
    let rows: Vec<String> = report.rows.iter().map(|(table, count)| format!("{table} {count}")).collect();
    let mut text = format!("Read 已读取: {}\n", rows.join(", "));
    for rule in &report.checked {
        let broken = report.violations.iter().filter(|violation| violation.rule == rule.id).count();
        let sign = if broken == 0 { "✓" } else { "✗" };
        let _ = writeln!(text, "{sign} {:<4} {}", rule.id, rule.text);
    }
    for violation in &report.violations {
        let _ = writeln!(
            text,
            "✗ {} {} {}: {}",
            violation.rule, violation.merchant, violation.object, violation.detail
        );
    }
    for (merchant, head) in &report.seals {
        let (rows, number, hash) = (head.rows, head.number, head.hash);
        let _ = writeln!(text, "Sealed 已封存 {merchant}: {rows} transactions, seal {number}, {hash}");
    }
    let _ = writeln!(
        text,
        "Outcomes not known yet 结果未知: {}; late payments 关闭后到账: {}",
        report.unknown, report.late_payments
    );
    text.push_str(if report.ok {
        "Every invariant holds. 全部不变式成立。\n"
    } else {
        "SOMETHING IS NOT TRUE. Stop payouts and look at the lines above. 数据不一致，请停止出款并检查以上各项。\n"
    });
    text
}
