//! Work that goes on when nobody waits for it any more. A caller that hangs up, or whose time is over, must not
//! stop a payment between two commits: the store would stay right, but the outcome would be known later.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::task::TaskTracker;

/// A future that is finished in the background when it is dropped after it began.
pub(super) struct Finish<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    begun: bool,
    tracker: TaskTracker,
}

impl<T: Send + 'static> Finish<T> {
    /// The tracker knows what is still being finished.
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, tracker: TaskTracker) -> Self {
        Finish { work: Some(Box::pin(work)), begun: false, tracker }
    }
}

impl<T: Send + 'static> Future for Finish<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        let Some(work) = &mut self.work else { return Poll::Pending };
        let result = std::task::ready!(work.as_mut().poll(cx));
        self.work = None;
        Poll::Ready(result)
    }
}

impl<T: Send + 'static> Drop for Finish<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take().filter(|_| self.begun) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.tracker.spawn_on(async move { drop(work.await) }, &runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    fn slow(done: &Arc<AtomicBool>, tracker: &TaskTracker) -> Finish<()> {
        let done = Arc::clone(done);
        let work = async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            done.store(true, Ordering::SeqCst);
        };
        Finish::new(work, tracker.clone())
    }

    #[tokio::test]
    async fn what_began_is_finished_after_the_caller_left() {
        let (done, tracker) = (Arc::new(AtomicBool::new(false)), TaskTracker::new());
        let waited = tokio::time::timeout(Duration::from_millis(1), slow(&done, &tracker)).await;
        assert!(waited.is_err() && !done.load(Ordering::SeqCst));
        tracker.close();
        tracker.wait().await;
        assert!(done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn what_never_began_is_dropped() {
        let (done, tracker) = (Arc::new(AtomicBool::new(false)), TaskTracker::new());
        drop(slow(&done, &tracker));
        assert!(tracker.is_empty());
    }
}
