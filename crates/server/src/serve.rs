//! Starting and stopping a server: an engine and its settings become an open port with workers behind it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use paycore::engine::Engine;
use paycore::time::Rng;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::config::Config;
use crate::http::{App, Doors, OTHER_DOORS, RequestIds};
use crate::limit::Limiter;
use crate::metrics::Meter;
use crate::{listen, worker};

/// How long workers and unfinished calls get to end after the last request.
const GRACE: Duration = Duration::from_secs(30);
const BACKLOG: u32 = 4_096;

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    accepting: JoinHandle<()>,
    background: TaskTracker,
    unfinished: TaskTracker,
}

/// Opens the port of the settings. The address is known before the engine is made, because the engine has to know
/// where the server is reached.
pub async fn bind(config: &Config) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "`listen` names no address");
    for address in tokio::net::lookup_host(&config.listen).await? {
        match open(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket =
        if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    // A server that was killed may start again at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Starts answering on the port.
pub fn start(
    config: &Config,
    engine: Arc<Engine>,
    listener: TcpListener,
    rng: &dyn Rng,
) -> io::Result<Running> {
    let address = listener.local_addr()?;
    let (stop, unfinished) = (CancellationToken::new(), TaskTracker::new());
    let app = Arc::new(App {
        engine,
        keys: Keys::default(),
        limiter: Limiter::new(config.rate_per_second, config.rate_burst),
        meter: Arc::new(Meter::new(OTHER_DOORS).map_err(io::Error::other)?),
        public_url: config.public_url(address),
        body_bytes_max: config.body_bytes_max,
        upload_bytes_max: config.upload_bytes_max,
        sandbox: config.sandbox,
        metrics_key: config.metrics_key(),
        unfinished: unfinished.clone(),
        request_ids: RequestIds::new(rng),
        stop: stop.clone(),
    });
    let background = TaskTracker::new();
    worker::start_housekeeping(&app, &background, &stop);
    if config.workers {
        worker::start(&app, &background, &stop);
    }
    let doors = Doors::new(app);
    let accepting = tokio::spawn(listen::accept(listener, doors, config.connections_max, stop.clone()));
    Ok(Running { address, stop, accepting, background, unfinished })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new connections, running requests end, then the workers and what callers left behind.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.accepting.await.is_err() {
            tracing::error!("the accepting task panicked");
        }
        self.background.close();
        self.unfinished.close();
        let all = async { tokio::join!(self.background.wait(), self.unfinished.wait()) };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("some work was still running and was cut off; it goes on at the next start");
        }
    }
}
