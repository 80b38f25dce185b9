//! `paycore doctor`: what has to be right for payments to work, checked one by one, with the cure of what is not.

use std::path::Path;
use std::process::ExitCode;

use paycore::channel::Settings;
use paycore::crypto::Vault;
use paycore::crypto::native::NativeKeyring;
use paycore::engine::Engine;
use paycore::merchant::Merchant;
use paycore::store::Page;
use paycore::time::Timestamp;
use paycore::transport::guard::GuardPolicy;
use paycore_server::assemble;
use paycore_server::config::{Config, unknown_variables};

use super::print;

/// 2026-01-01: a clock before this was never set.
const CLOCK_MIN: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// Below this the database may fill the disk soon.
const FREE_MIN: u64 = 1 << 30;
/// Variables that the tests of paycore use.
const NOT_SETTINGS: &[&str] = &["PAYCORE_BIN", "PAYCORE_PYTHON", "PAYCORE_KEY", "PAYCORE_URL"];

/// Prints one line per check; ends with 1 where one failed.
pub async fn run(config: &Config, env: impl IntoIterator<Item = (String, String)>) -> ExitCode {
    let mut report = Report::default();
    settings(&mut report, config, env);
    disk(&mut report, &config.data_dir);
    match database(&mut report, config).await {
        Some(engine) => data(&mut report, config, &engine).await,
        None => report.skip("channels and webhooks 渠道与回调", "the database has to be open first"),
    }
    if report.failed {
        print("\nSomething needs your attention. 有项目需要处理。\n");
        return ExitCode::FAILURE;
    }
    print("\nEverything is in order. 一切正常。\n");
    ExitCode::SUCCESS
}

#[derive(Default)]
struct Report {
    failed: bool,
}

impl Report {
    fn good(&self, what: &str, detail: impl std::fmt::Display) {
        print(&format!("✓ {what}: {detail}\n"));
    }

    fn bad(&mut self, what: &str, detail: impl std::fmt::Display, cure: &str) {
        self.failed = true;
        print(&format!("✗ {what}: {detail}\n  → {cure}\n"));
    }

    fn skip(&self, what: &str, why: &str) {
        print(&format!("- {what}: {why}\n"));
    }

    fn check<T, E: std::fmt::Display>(
        &mut self,
        what: &str,
        result: Result<T, E>,
        good: &str,
        cure: &str,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.good(what, good);
                Some(value)
            }
            Err(error) => {
                self.bad(what, error, cure);
                None
            }
        }
    }
}

fn settings(report: &mut Report, config: &Config, env: impl IntoIterator<Item = (String, String)>) {
    report.good("settings 配置", config.summary());
    let mut unknown = unknown_variables(env);
    unknown.retain(|name| !NOT_SETTINGS.contains(&name.as_str()));
    if !unknown.is_empty() {
        report.bad(
            "environment 环境变量",
            unknown.join(", "),
            "these name no setting; correct or remove them 请更正或删除",
        );
    }
    let what = "public address 对外地址";
    let url = config.public_url.as_str();
    if url.starts_with("https://") {
        report.good(what, url);
    } else if config.sandbox {
        report.good(what, if url.is_empty() { "not set, the sandbox needs none 沙箱无需设置" } else { url });
    } else {
        let cure =
            "set `public_url` to the https address that channels can reach 请设置渠道可访问的 https 地址";
        report.bad(what, if url.is_empty() { "not set" } else { url }, cure);
    }
    if !config.workers {
        report
            .skip("workers", "off on this server: another one has to run them 请确保另有服务器运行后台任务");
    }
    report.check(
        "webhook networks 回调网段",
        assemble::outbound_policy(config),
        &format!("{} private networks allowed", config.outbound_allow.len()),
        "correct `outbound_allow` 请更正",
    );
}

fn disk(report: &mut Report, folder: &Path) {
    let what = "disk 磁盘";
    if let Err(error) = std::fs::create_dir_all(folder) {
        report.bad(what, error, "make the data folder writable 请确保数据目录可写");
        return;
    }
    match rustix::fs::statvfs(folder) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let text = format!("{} MiB free in {}", free >> 20, folder.display());
            if free < FREE_MIN {
                report.bad(what, text, "make room: below 1 GiB 可用空间不足 1 GiB")
            } else {
                report.good(what, text)
            }
        }
        Err(error) => report.bad(what, error, "look at the data folder 请检查数据目录"),
    }
}

async fn database(report: &mut Report, config: &Config) -> Option<Engine> {
    let cure = "keep `root.key` of the data folder, or set `root_keys` 请保留 root.key 或设置 root_keys";
    report.check("root key 根密钥", assemble::vault(config), "present and well formed 正常", cure)?;
    let address = config.database_url();
    let kind = address.split(':').next().unwrap_or_default();
    let cure = "check `database_url`, then `paycore migrate` 请检查 database_url 并执行 paycore migrate";
    let store = report.check("database 数据库", paycore_store::open(&address).await, kind, cure)?;
    let cure = "the database answers but cannot write 数据库不可写";
    report.check("writing 写入", store.ready().await, "a write succeeds 正常", cure)?;
    let cure = "correct the settings above 请更正以上配置";
    let engine = report.check(
        "engine 引擎",
        assemble::engine(config, store, &config.public_url),
        "assembled 正常",
        cure,
    )?;
    let now = engine.wall();
    if now > CLOCK_MIN {
        report.good("clock 时钟", now);
    } else {
        report.bad("clock 时钟", now, "set the clock, best by NTP 请校准系统时间");
    }
    Some(engine)
}

/// What merchants have set up: channel accounts have to open, webhooks have to be allowed targets.
async fn data(report: &mut Report, config: &Config, engine: &Engine) {
    let (Ok(vault), Ok(policy)) = (assemble::vault(config), assemble::outbound_policy(config)) else {
        return;
    };
    let mut page = Page { limit: 100, after: None, before: None };
    let mut accounts = 0;
    loop {
        let merchants = match engine.store().merchants(&page).await {
            Ok(merchants) => merchants,
            Err(error) => {
                return report.bad("merchants 商户", error, "the database cannot be read 数据库不可读");
            }
        };
        let Some(last) = merchants.last() else { break };
        page.after = Some(last.id.to_string());
        for merchant in &merchants {
            accounts += channels(report, engine, &*vault, merchant).await;
            webhooks(report, engine, &policy, merchant).await;
        }
    }
    report.good("channel accounts 渠道账户", format!("{accounts} open"));
}

async fn channels(report: &mut Report, engine: &Engine, vault: &dyn Vault, merchant: &Merchant) -> usize {
    let mut open = 0;
    for account in engine.store().channel_accounts(merchant.id).await.unwrap_or_default() {
        let what = format!("{} {} ({})", account.channel, account.id, merchant.name);
        let driver = engine.drivers().iter().find(|driver| driver.profile().id == account.channel);
        let clear = vault.open(&format!("{}/{}", merchant.id, account.id), &account.sealed_settings);
        let settings = clear.ok().and_then(|clear| serde_json::from_str::<Settings>(clear.expose()).ok());
        match (driver, settings) {
            (Some(driver), Some(settings)) => match driver.open(&settings, &NativeKeyring) {
                Ok(_) => open += 1,
                Err(error) => report.bad(&what, error, "enter the settings again 请重新填写配置"),
            },
            (None, _) => report.bad(
                &what,
                "this build has no such channel",
                "use a build that has it 请使用包含该渠道的版本",
            ),
            (_, None) => report.bad(
                &what,
                "its settings do not open with the root keys at hand",
                "restore the root key 请恢复根密钥",
            ),
        }
    }
    open
}

async fn webhooks(report: &mut Report, engine: &Engine, policy: &GuardPolicy, merchant: &Merchant) {
    let endpoints = engine.store().endpoints(merchant.id).await.unwrap_or_default();
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.enabled) {
        let admitted = endpoint.url.parse().map_err(|error: http::uri::InvalidUri| error.to_string());
        let admitted = admitted.and_then(|uri| policy.admit(&uri).map_err(|error| error.to_string()));
        if let Err(error) = admitted {
            let cure =
                "correct the endpoint, or allow its network with `outbound_allow` 请更正地址或放行其网段";
            report.bad(&format!("webhook {} ({})", endpoint.id, merchant.name), error, cure);
        }
    }
}
