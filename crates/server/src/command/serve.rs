//! `paycore serve`: the server, until it is told to stop.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use paycore::transport::system::SystemRng;
use paycore_server::config::Config;
use paycore_server::first_start::{self, Started};
use paycore_server::{assemble, serve};
use tokio::signal::unix::{SignalKind, signal};

use super::{fail, print};

/// Settings that are often given by hand; they are over the file and the environment.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Switch sandbox keys and the simulated providers on. 开启沙箱。
    #[arg(long)]
    sandbox: bool,
    /// Address and port to listen on. 监听地址。
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where the server is reached from outside. 对外地址。
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Where keys and the database are kept. 数据目录。
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<std::path::PathBuf>,
    /// The database. 数据库地址。
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A network that webhooks may be sent to although it is not public; may be given several times. 允许回调的内网网段。
    #[arg(long, value_name = "NETWORK")]
    outbound_allow: Vec<String>,
    /// Log JSON lines. 以 JSON 记录日志。
    #[arg(long)]
    log_json: bool,
}

impl Options {
    /// Lays these over the settings.
    pub fn apply(&self, config: &mut Config) {
        config.sandbox |= self.sandbox;
        config.log_json |= self.log_json;
        config.outbound_allow.extend(self.outbound_allow.iter().cloned());
        let set = |to: &mut String, from: &Option<String>| {
            if let Some(from) = from {
                to.clone_from(from);
            }
        };
        set(&mut config.listen, &self.listen);
        set(&mut config.public_url, &self.public_url);
        set(&mut config.database_url, &self.database_url);
        if let Some(folder) = &self.data_dir {
            config.data_dir.clone_from(folder);
        }
    }
}

/// Runs until SIGTERM or SIGINT; the second of either ends it at once.
pub async fn run(config: &Config) -> ExitCode {
    match serve_until_stopped(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn serve_until_stopped(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let listener = serve::bind(config).await.map_err(|error| format!("{}: {error}", config.listen))?;
    let public_url = config.public_url(listener.local_addr()?);
    let engine = Arc::new(assemble::engine(config, assemble::store(config).await?, &public_url)?);
    let started = first_start::run(&engine, &config.data_dir, config.sandbox).await?;
    let mut stop = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = serve::start(config, engine, listener, &SystemRng)?;
    print(&banner(config, &public_url, &started));
    tracing::info!(address = %running.address(), "ready");
    tokio::select! {
        _ = stop.0.recv() => {}
        _ = stop.1.recv() => {}
    }
    tracing::info!("stopping: running requests end first; a second signal ends at once");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        _ = stop.0.recv() => {}
        _ = stop.1.recv() => {}
    }
    Ok(())
}

fn banner(config: &Config, url: &str, started: &Started) -> String {
    let mut text = format!("\n  paycore {}\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "  {what}  {value}");
    };
    line("API          接口", &format!("{url}/v1"));
    line("Docs         文档", &format!("{url}/docs"));
    line("Health       健康", &format!("{url}/readyz"));
    line("Data         数据", &config.data_dir.display().to_string());
    if let Some(first) = &started.first {
        let live = first.merchant.live_key.key.as_deref().unwrap_or_default();
        line("Operator key 运营", first.operator_key.expose());
        line("Live key     生产", live);
        text.push_str(
            "\n  These two keys are shown this once; keep them safe. `paycore keys` makes new ones.\n  \
             以上两个密钥仅显示一次，请妥善保存；可用 `paycore keys` 重新创建。\n\n",
        );
    }
    match &started.test_key {
        Some(key) => {
            let _ =
                writeln!(text, "  Test key     测试  {}\n\n{}", key.expose(), first_call(url, key.expose()));
        }
        None => text.push_str(
            "  The sandbox is off; `--sandbox` switches it on. 沙箱未开启，可用 `--sandbox` 开启。\n\n",
        ),
    }
    text
}

/// A call to paste: the first order.
fn first_call(url: &str, key: &str) -> String {
    let body = r#"{"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "method": "alipay.qr"}"#;
    format!(
        "  Try it: an order to be paid by an Alipay QR code. 试一试：创建一笔支付宝扫码订单。\n\n\
         curl {url}/v1/orders -H 'Authorization: Bearer {key}' -H \"Idempotency-Key: $(date +%s)\" \
         -H 'Content-Type: application/json' -d '{body}'\n\n"
    )
}
