//! The load generator: HTTP/1.1 by hand over kept connections, one request at a time on each, in a process of its
//! own with one thread. It costs as little as it can, because it runs on the same processors.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Failure;

/// What to send.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub path: String,
    #[arg(long)]
    pub key: String,
    #[arg(long)]
    pub body: String,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Outcome {
    /// Answers with 200 per second.
    pub per_second: u64,
    pub p50_us: u64,
    pub p99_us: u64,
    /// Any other answer.
    pub errors: u64,
}

impl Options {
    /// Runs the generator as a child process.
    pub async fn spawn(&self) -> Result<Outcome, Failure> {
        let child = tokio::process::Command::new(std::env::current_exe()?)
            .arg("load")
            .args(["--address", &self.address.to_string(), "--path", &self.path, "--key", &self.key])
            .args(["--body", &self.body, "--connections", &self.connections.to_string()])
            .args(["--seconds", &self.seconds.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.wait_with_output().await?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The child process.
pub fn run(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(generate(options))?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

async fn generate(options: &Options) -> Result<Outcome, Failure> {
    // The first second fills caches and is not counted.
    let start = Instant::now();
    let (from, until) = (start + Duration::from_secs(1), start + Duration::from_secs(1 + options.seconds));
    let tasks: Vec<_> = (0..options.connections)
        .map(|number| tokio::spawn(connection(options.clone(), number, from, until)))
        .collect();
    let (mut all, mut errors) = (Vec::new(), 0);
    for task in tasks {
        let (latencies, failed) = task.await??;
        all.extend(latencies);
        errors += failed;
    }
    all.sort_unstable();
    let at =
        |percent: usize| all.get(all.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
    let per_second = all.len() as u64 / options.seconds;
    Ok(Outcome { per_second, p50_us: at(50).into(), p99_us: at(99).into(), errors })
}

/// One connection: the latencies of its good answers in microseconds, and how many were not good.
async fn connection(
    options: Options,
    number: usize,
    from: Instant,
    until: Instant,
) -> Result<(Vec<u32>, u64), Failure> {
    let mut stream = TcpStream::connect(options.address).await?;
    stream.set_nodelay(true)?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nidempotency-key: bench-{}-{number}-",
        options.path,
        options.key,
        options.body.len(),
        std::process::id(),
    );
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    for turn in 0u64.. {
        request.clear();
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(turn.to_string().as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(options.body.as_bytes());
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        stream.write_all(&request).await?;
        let good = read_answer(&mut stream, &mut answer).await?;
        if sent < from {
            continue;
        }
        if good {
            latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        } else {
            errors += 1;
        }
    }
    Ok((latencies, errors))
}

/// Reads one answer whole; whether it is 200.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<bool, Failure> {
    answer.clear();
    let mut whole = None;
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        if whole.is_none() {
            whole = length(answer);
        }
        if whole.is_some_and(|whole| answer.len() >= whole) {
            return Ok(answer.starts_with(b"HTTP/1.1 200"));
        }
    }
}

/// The length of head and body together, once the head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let body = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    Some(head + 4 + body.unwrap_or(0))
}
