//! The `paycore` program: the server and what its operator needs beside it.

mod command;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use paycore_server::config::Config;

/// A payment makes and drops a few hundred small pieces; with the system's allocator a sixth of all samples under load
/// stood in it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// paycore: takes payments through many channels, keeps the books, tells you by webhook. 支付引擎。
#[derive(Debug, Parser)]
#[command(name = "paycore", version)]
struct Arguments {
    /// The settings file; `paycore.toml` in this folder where it is there. 配置文件。
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server. 启动服务。
    Serve(command::serve::Options),
    /// Bring the schema of the database up to date. 升级数据库结构。
    Migrate,
    /// Make every settlement that is due. 执行全部到期结算。
    Settle,
    /// Seal everything again by the first of `root_keys`, so that an older one can be retired. 用首个根密钥重新封装全部密文。
    Reseal,
    /// Check every invariant on the data at hand. 校验全部数据不变式。
    Verify(command::verify::Options),
    /// Check settings, keys, database, disk, clock and channels. 检查运行环境。
    Doctor,
    /// Make API keys on this machine, for an operator who has lost theirs. 在本机创建 API 密钥。
    Keys(command::keys::Options),
    /// Call an operation of a running server. 调用接口。
    Call(command::call::Options),
    /// Simulate shops, payers, channels and bad weather, and check every invariant. 模拟运行并校验不变式。
    Simulate(paycore_server::simulate::Options),
    /// Print the OpenAPI document. 输出 OpenAPI 文档。
    Openapi,
    /// Print a page of the reference. 输出参考文档。
    Docs {
        #[command(subcommand)]
        page: command::docs::Page,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.command {
        Command::Openapi => return command::docs::openapi(),
        Command::Docs { page } => return command::docs::print(page),
        Command::Simulate(options) => return paycore_server::simulate::run(options),
        _ => {}
    }
    let mut config = match Config::read(arguments.config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(error) => return command::fail(&error),
    };
    if let Command::Serve(options) = &arguments.command {
        options.apply(&mut config);
    }
    let _log = match command::Log::start(&config) {
        Ok(log) => log,
        Err(error) => return command::fail(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return command::fail(&error),
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(_) => command::serve::run(&config).await,
            Command::Migrate => command::migrate(&config).await,
            Command::Settle => command::settle::run(&config).await,
            Command::Reseal => command::reseal::run(&config).await,
            Command::Verify(options) => command::verify::run(&config, &options).await,
            Command::Doctor => command::doctor::run(&config, std::env::vars()).await,
            Command::Keys(options) => command::keys::run(&config, options).await,
            Command::Call(options) => command::call::run(options).await,
            Command::Openapi | Command::Docs { .. } | Command::Simulate(_) => ExitCode::SUCCESS,
        }
    })
}
