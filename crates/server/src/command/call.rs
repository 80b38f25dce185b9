//! `paycore call`: any operation of a running server, from the command line. The program is an API client like any
//! other; the catalogue tells it the method and the path.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, HeaderValue};
use paycore::catalogue::{CATALOGUE, find};
use paycore::time::Rng as _;
use paycore::transport::Transport as _;
use paycore::transport::guard::GuardPolicy;
use paycore::transport::reqwest::ReqwestTransport;
use paycore::transport::system::SystemRng;
use paycore_server::client::{self, Target};

use super::{fail, print};

const TIMEOUT: Duration = Duration::from_secs(60);

/// What to call.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The operation, such as `orders.create`. 操作名。
    operation: String,
    /// Its input as a JSON object, path parameters included. JSON 参数。
    #[arg(default_value = "{}")]
    input: String,
    /// The API key. 密钥。
    #[arg(long, env = "PAYCORE_KEY", hide_env_values = true)]
    key: String,
    /// Where the server is. 服务地址。
    #[arg(long, env = "PAYCORE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Where to keep the file that the operation answers, such as a statement. 保存文件。
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The idempotency key; a new one where absent. 幂等键。
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Prints the answer; ends with 1 where it is an error.
pub async fn run(options: Options) -> ExitCode {
    let request = match request(&options) {
        Ok(request) => request,
        Err(error) => return fail(&error),
    };
    // Whoever types the address may reach it: this is the operator's own machine.
    let everywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse());
    let allow = everywhere.into_iter().filter_map(Result::ok).collect();
    let transport = match ReqwestTransport::new(GuardPolicy { allow, http: true }) {
        Ok(transport) => transport,
        Err(error) => return fail(&error),
    };
    match transport.send(request, TIMEOUT).await {
        Ok(reply) if reply.status().is_success() && options.output.is_some() => {
            let path = options.output.unwrap_or_default();
            match std::fs::write(&path, reply.body()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&format!("{}: {error}", path.display())),
            }
        }
        Ok(reply) => {
            print(&format!("{}\n", String::from_utf8_lossy(reply.body())));
            if reply.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => fail(&error),
    }
}

fn request(options: &Options) -> Result<Request<Bytes>, String> {
    let operation = find(&options.operation).ok_or_else(|| {
        let names: Vec<_> = CATALOGUE.iter().map(|operation| operation.name).collect();
        format!("there is no operation `{}`; there are {}", options.operation, names.join(", "))
    })?;
    let input = serde_json::from_str(&options.input)
        .map_err(|error| format!("the input is not a JSON object: {error}"))?;
    let key = options.idempotency_key.clone().unwrap_or_else(fresh_key);
    let target = Target { url: &options.url, key: &options.key };
    let mut request = client::request(target, operation, input, operation.mutates.then_some(key.as_str()))?;
    if options.output.is_some() {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/octet-stream"));
    }
    Ok(request)
}

fn fresh_key() -> String {
    let mut random = [0u8; 16];
    SystemRng.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}
