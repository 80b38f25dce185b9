//! What Prometheus reads at `/metrics`. Counting a request is an atomic addition: the series of every operation
//! are registered once, those of errors when they first happen.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Histogram, Label};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use paycore::catalogue::CATALOGUE;
use paycore::engine::{Engine, Worked};
use paycore::store::Queue;

/// Upper ends of the latency buckets, seconds.
const BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0];
const OK: &str = "ok";

/// Counts requests and the work of the workers.
pub struct Meter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    doors: HashMap<&'static str, Door>,
}

struct Door {
    ok: Counter,
    latency: Histogram,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("doors", &self.doors.len()).finish_non_exhaustive()
    }
}

impl Meter {
    /// A meter for the operations of the catalogue and these other doors of the server.
    pub fn new(others: &[&'static str]) -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(BUCKETS)?.build_recorder();
        let handle = recorder.handle();
        let names = CATALOGUE.iter().map(|operation| operation.name).chain(others.iter().copied());
        let doors = metrics::with_local_recorder(&recorder, || {
            describe();
            names.map(|name| (name, Door::new(name))).collect()
        });
        Ok(Meter { recorder, handle, doors })
    }

    /// Counts one answered request. The code is `None` for success.
    pub fn request(&self, operation: &'static str, code: Option<&'static str>, latency: Duration) {
        if let Some(door) = self.doors.get(operation) {
            door.latency.record(latency.as_secs_f64());
            if code.is_none() {
                door.ok.increment(1);
                return;
            }
        }
        metrics::with_local_recorder(&self.recorder, || requests(operation, code.unwrap_or(OK)).increment(1));
    }

    /// Counts one step of a worker.
    pub fn worked(&self, queue: &'static str, worked: Worked) {
        self.add("paycore_worker_jobs_total", queue, "done", worked.taken - worked.failed);
        self.add("paycore_worker_jobs_total", queue, "failed", worked.failed);
    }

    /// Counts a step of a worker that failed as a whole.
    pub fn broke(&self, queue: &'static str) {
        self.add("paycore_worker_jobs_total", queue, "broken", 1);
    }

    fn add(&self, name: &'static str, queue: &'static str, result: &'static str, count: usize) {
        if count > 0 {
            let labels =
                vec![Label::from_static_parts("queue", queue), Label::from_static_parts("result", result)];
            metrics::with_local_recorder(&self.recorder, || {
                metrics::counter!(name, labels).increment(count as u64)
            });
        }
    }

    /// Folds what was recorded into the buckets. To be called every few seconds, scraped or not.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }

    /// The text for Prometheus, with the queues and what is not settled as they are now.
    pub async fn render(&self, engine: &Engine) -> String {
        self.look_at_queues(engine).await;
        self.look_at_trouble(engine).await;
        self.handle.render()
    }

    async fn look_at_trouble(&self, engine: &Engine) {
        let Ok(trouble) = engine.store().trouble().await else { return };
        let age = trouble.unknown_since.map_or(Duration::ZERO, |since| engine.wall().since(since));
        metrics::with_local_recorder(&self.recorder, || {
            metrics::gauge!("paycore_unknown_outcomes").set(trouble.unknown as f64);
            metrics::gauge!("paycore_unknown_oldest_seconds").set(age.as_secs_f64());
            metrics::gauge!("paycore_exceptions_open").set(trouble.exceptions as f64);
        });
    }

    async fn look_at_queues(&self, engine: &Engine) {
        for queue in Queue::ALL {
            let Ok(backlog) = engine.store().backlog(*queue, engine.wall()).await else { continue };
            let wait = Duration::from_micros(u64::try_from(backlog.oldest_wait).unwrap_or_default());
            metrics::with_local_recorder(&self.recorder, || {
                let name = queue_name(*queue);
                metrics::gauge!("paycore_queue_due", "queue" => name).set(backlog.due as f64);
                metrics::gauge!("paycore_queue_oldest_seconds", "queue" => name).set(wait.as_secs_f64());
            });
        }
    }
}

impl Door {
    fn new(name: &'static str) -> Self {
        let latency = metrics::histogram!("paycore_request_duration_seconds", "operation" => name);
        Door { ok: requests(name, OK), latency }
    }
}

fn requests(operation: &'static str, code: &'static str) -> Counter {
    metrics::counter!("paycore_requests_total", "operation" => operation, "code" => code)
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!("paycore_requests_total", "Requests by operation and error code (ok: no error).");
    describe_histogram!("paycore_request_duration_seconds", "Time from the request's head to its answer.");
    describe_counter!(
        "paycore_worker_jobs_total",
        "Rows the workers took from a queue, by what became of them."
    );
    describe_gauge!("paycore_unknown_outcomes", "Attempts and refunds whose outcome is not known.");
    describe_gauge!("paycore_unknown_oldest_seconds", "How long the oldest of them has been open.");
    describe_gauge!("paycore_exceptions_open", "Exceptions that wait for a person.");
    describe_gauge!("paycore_queue_due", "Rows of a queue that are due and not yet worked on.");
    describe_gauge!("paycore_queue_oldest_seconds", "How long the oldest due row of a queue has waited.");
}

/// The name of a queue in logs and metrics.
pub fn queue_name(queue: Queue) -> &'static str {
    match queue {
        Queue::Orders => "orders",
        Queue::Attempts => "attempts",
        Queue::Refunds => "refunds",
        Queue::Events => "events",
        Queue::Documents => "documents",
        Queue::Deliveries => "deliveries",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation_and_code() {
        let meter = Meter::new(&["notify"]).unwrap();
        meter.request("orders.create", None, Duration::from_millis(3));
        meter.request("orders.create", Some("invalid_amount"), Duration::from_millis(1));
        meter.worked("events", Worked { taken: 5, failed: 2 });
        let text = meter.handle.render();
        assert!(text.contains("paycore_requests_total{operation=\"orders.create\",code=\"ok\"} 1"), "{text}");
        assert!(
            text.contains("paycore_requests_total{operation=\"orders.create\",code=\"invalid_amount\"} 1")
        );
        assert!(text.contains("paycore_request_duration_seconds_count{operation=\"orders.create\"} 2"));
        assert!(text.contains("paycore_worker_jobs_total{queue=\"events\",result=\"failed\"} 2"));
    }
}
