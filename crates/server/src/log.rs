//! Where log lines go on their way to standard error. A line per request as a system call of its own would cost
//! more than reading the request: lines are collected for a moment and written together.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Lines wait at most this long, and are lost at most this long before a crash.
const MOMENT: Duration = Duration::from_millis(50);
/// Lines wait at most until there are so many bytes of them.
const FULL: usize = 64 * 1024;

/// Collects lines and writes them to a sink. Warnings and errors do not wait.
#[derive(Debug)]
pub struct Collected<W: Write + Send + 'static>(Arc<Mutex<Lines<W>>>);

#[derive(Debug)]
struct Lines<W: Write> {
    waiting: Vec<u8>,
    sink: W,
}

impl<W: Write> Lines<W> {
    /// Writes what waits. Nobody can be told of a log that cannot be written.
    fn flush(&mut self) {
        let _ = self.sink.write_all(&self.waiting).and_then(|()| self.sink.flush());
        self.waiting.clear();
    }
}

impl<W: Write> Drop for Lines<W> {
    /// The last one who collects leaves nothing behind.
    fn drop(&mut self) {
        self.flush();
    }
}

impl<W: Write + Send + 'static> Clone for Collected<W> {
    fn clone(&self) -> Self {
        Collected(Arc::clone(&self.0))
    }
}

impl<W: Write + Send + 'static> Collected<W> {
    /// Starts a thread that writes what waits, as long as anybody collects.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(sink: W) -> io::Result<Self> {
        let lines = Arc::new(Mutex::new(Lines { waiting: Vec::with_capacity(FULL), sink }));
        let weak = Arc::downgrade(&lines);
        std::thread::Builder::new().name("paycore-log".into()).spawn(move || {
            while let Some(lines) = weak.upgrade() {
                lines.lock().unwrap_or_else(PoisonError::into_inner).flush();
                drop(lines);
                std::thread::sleep(MOMENT);
            }
        })?;
        Ok(Collected(lines))
    }

    /// Writes what waits, now: to be called before the program ends.
    pub fn flush(&self) {
        self.lines().flush();
    }

    fn lines(&self) -> MutexGuard<'_, Lines<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the text of one line.
#[derive(Debug)]
pub struct Line<'a, W: Write> {
    lines: MutexGuard<'a, Lines<W>>,
    urgent: bool,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.lines.waiting.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<'_, W> {
    fn drop(&mut self) {
        if self.urgent || self.lines.waiting.len() >= FULL {
            self.lines.flush();
        }
    }
}

impl<'a, W: Write + Send + 'static> MakeWriter<'a> for Collected<W> {
    type Writer = Line<'a, W>;

    fn make_writer(&'a self) -> Line<'a, W> {
        Line { lines: self.lines(), urgent: true }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a, W> {
        Line { lines: self.lines(), urgent: *about.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sink that others can look into.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn lines_wait_for_company_and_errors_do_not() {
        let sink = Shared::default();
        let lines = Lines { waiting: Vec::new(), sink: sink.clone() };
        let collected = Collected(Arc::new(Mutex::new(lines)));
        let log = tracing_subscriber::fmt().with_writer(collected.clone()).finish();
        tracing::subscriber::with_default(log, || {
            tracing::info!("one");
            tracing::info!("two");
            assert_eq!(sink.text(), "");
            tracing::error!("three");
            assert_eq!(sink.text().lines().count(), 3);
            tracing::info!("four");
        });
        collected.flush();
        assert!(sink.text().lines().last().unwrap().ends_with("four"));
    }

    #[test]
    fn nobody_waits_longer_than_a_moment() {
        let sink = Shared::default();
        let collected = Collected::start(sink.clone()).unwrap();
        let log = tracing_subscriber::fmt().with_writer(collected).finish();
        tracing::subscriber::with_default(log, || {
            tracing::info!("one");
            for _ in 0..200 {
                if sink.text().contains("one") {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            panic!("the line did not come");
        });
    }

    #[test]
    fn the_last_lines_come_when_nobody_collects_any_more() {
        let sink = Shared::default();
        let lines = Lines { waiting: Vec::new(), sink: sink.clone() };
        let log = tracing_subscriber::fmt().with_writer(Collected(Arc::new(Mutex::new(lines)))).finish();
        tracing::subscriber::with_default(log, || tracing::info!("one"));
        assert!(sink.text().contains("one"));
    }
}
