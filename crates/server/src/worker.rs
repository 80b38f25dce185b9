//! The workers: one loop per queue takes what is due and does it, one sends the simulated providers'
//! notifications, one keeps house. Rows are leased, so that any number of servers may run them.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use paycore::engine::{Engine, Worked};
use paycore::error::{Error, Result};
use paycore::ledger::service::seals::seal_all;
use paycore::sandbox::service as sandbox;
use paycore::store::Queue;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::App;
use crate::metrics::{Meter, queue_name};

/// How a queue is worked on.
struct Plan {
    queue: Queue,
    /// Rows taken at once; they are worked on side by side.
    limit: usize,
    /// Loops on this queue: one slow receiver must not hold up the others.
    loops: usize,
    /// How long to rest when nothing was due.
    idle: Duration,
}

const PLANS: &[Plan] = &[
    Plan { queue: Queue::Orders, limit: 64, loops: 1, idle: Duration::from_millis(500) },
    Plan { queue: Queue::Attempts, limit: 32, loops: 2, idle: Duration::from_millis(500) },
    Plan { queue: Queue::Refunds, limit: 32, loops: 2, idle: Duration::from_millis(500) },
    Plan { queue: Queue::Events, limit: 256, loops: 1, idle: Duration::from_millis(200) },
    Plan { queue: Queue::Deliveries, limit: 16, loops: 4, idle: Duration::from_millis(200) },
    Plan { queue: Queue::Documents, limit: 32, loops: 1, idle: Duration::from_millis(500) },
];
/// After a step that failed as a whole, most likely because the store cannot answer.
const PAUSE: Duration = Duration::from_secs(2);
const SANDBOX_IDLE: Duration = Duration::from_millis(100);
const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// How long what is booked waits for its seal.
const SEALING: Duration = Duration::from_secs(600);

/// Starts every loop; they end soon after `stop`, when what they had taken is done.
pub fn start(app: &Arc<App>, tracker: &TaskTracker, stop: &CancellationToken) {
    for plan in PLANS {
        for _ in 0..plan.loops {
            let (engine, meter) = (Arc::clone(&app.engine), Arc::clone(&app.meter));
            tracker.spawn(queue(engine, meter, plan, stop.clone()));
        }
    }
    tracker.spawn(seals(Arc::clone(&app.engine), Arc::clone(&app.meter), stop.clone()));
    if app.sandbox {
        tracker.spawn(providers(Arc::clone(&app.engine), Arc::clone(&app.meter), stop.clone()));
    }
}

/// Starts what every server does for itself, with workers or without.
pub fn start_housekeeping(app: &Arc<App>, tracker: &TaskTracker, stop: &CancellationToken) {
    let (app, stop) = (Arc::clone(app), stop.clone());
    tracker.spawn(async move {
        while rest(HOUSEKEEPING, &stop).await {
            app.meter.tidy();
            if let Some(limiter) = &app.limiter {
                limiter.tidy();
            }
        }
    });
}

async fn queue(engine: Arc<Engine>, meter: Arc<Meter>, plan: &'static Plan, stop: CancellationToken) {
    let name = queue_name(plan.queue);
    while !stop.is_cancelled() {
        let pause = match guarded(engine.work(plan.queue, plan.limit)).await {
            Ok(worked) => {
                meter.worked(name, worked);
                log(name, worked);
                if worked.taken == plan.limit { continue } else { plan.idle }
            }
            Err(error) => {
                broke(&meter, name, &error);
                PAUSE
            }
        };
        rest(pause, &stop).await;
    }
}

/// The simulated providers' notifications. They are opened at the start, so that what was due goes on.
async fn providers(engine: Arc<Engine>, meter: Arc<Meter>, stop: CancellationToken) {
    let name = "sandbox";
    if let Err(error) = guarded(sandbox::wake(&engine)).await {
        broke(&meter, name, &error);
    }
    while !stop.is_cancelled() {
        let pause = match guarded(Box::pin(sandbox::deliver(&engine))).await {
            Ok(0) => SANDBOX_IDLE,
            Ok(_) => continue,
            Err(error) => {
                broke(&meter, name, &error);
                PAUSE
            }
        };
        rest(pause, &stop).await;
    }
}

/// Seals every merchant's books from time to time.
async fn seals(engine: Arc<Engine>, meter: Arc<Meter>, stop: CancellationToken) {
    while rest(SEALING, &stop).await {
        if let Err(error) = guarded(seal_all(&engine)).await {
            broke(&meter, "seals", &error);
        }
    }
}

/// Runs a step; a panic in it becomes an error, so that the loop goes on. The rows it had taken come again after
/// their lease.
async fn guarded<T>(step: impl Future<Output = Result<T>>) -> Result<T> {
    let result = AssertUnwindSafe(step).catch_unwind().await;
    result.unwrap_or_else(|panic| Err(Error::internal(format!("panicked: {}", said(&*panic)))))
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

fn log(queue: &'static str, worked: Worked) {
    if worked.failed > 0 {
        tracing::warn!(
            queue,
            taken = worked.taken,
            failed = worked.failed,
            "some jobs failed and will come again"
        );
    } else if worked.taken > 0 {
        tracing::debug!(queue, taken = worked.taken, "worked");
    }
}

fn broke(meter: &Meter, queue: &'static str, error: &Error) {
    meter.broke(queue);
    let internal = error.internal.as_deref().unwrap_or_default();
    tracing::error!(queue, code = error.code.text(), internal, "a step of a worker failed");
}

/// Rests; false where the rest was ended by `stop`.
async fn rest(pause: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        () = stop.cancelled() => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_step_is_an_error() {
        let failed: Result<()> = guarded(async { panic!("row {}", 7) }).await;
        assert_eq!(failed.unwrap_err().internal.as_deref(), Some("panicked: row 7"));
        assert_eq!(guarded(async { Ok(3) }).await.unwrap(), 3);
    }
}
