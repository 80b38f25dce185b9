//! The one thread that writes: it takes whatever waits, runs it in one transaction, and acknowledges after the
//! flush.

mod group;
mod reserve;

use std::path::Path;
use std::thread::JoinHandle;

use paycore::store::{CommitError, Due, Read, StoreError};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::errors::{is_fatal, is_full, store_error};
use super::stopped;
use crate::read::Select;
use crate::statement::Statement;
use crate::write::Rows;
use group::{Group, Outcome};
use reserve::Reserve;

/// How many jobs share one transaction at most.
const GROUP: usize = 256;
/// How many jobs may wait; more wait in their callers.
const QUEUE: usize = 4 * GROUP;
/// After about so many pages the log is copied back into the file.
const CHECKPOINT: usize = 8_192;
/// How many turns the writer leaves to others while it gathers a group.
const TURNS: usize = 32;
/// About how many pages a transaction writes beside its rows.
const PAGES_PER_GROUP: usize = 8;

/// What waits for the writer.
pub(super) enum Job {
    Commit(Rows, oneshot::Sender<Result<(), CommitError>>),
    Lease(Select, oneshot::Sender<Read<Vec<Due>>>),
    Probe(oneshot::Sender<Read<()>>),
}

/// The way to the thread.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection to this file.
    pub(super) fn start(connection: Connection, path: &Path) -> rusqlite::Result<Writer> {
        let reserve = Reserve::beside(path);
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (started, starting) = std::sync::mpsc::channel();
        let run = move || match Group::new(&connection) {
            Ok(group) => {
                let _ = started.send(Ok(()));
                Work { group, reserve, halted: None, pages: 0 }.run(waiting);
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("paycore-sqlite".into()).spawn(run);
        let thread = thread.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        starting.recv().unwrap_or(Err(rusqlite::Error::InvalidQuery))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, rows: Rows) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Commit(rows, reply)).await?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn lease(&self, select: Select) -> Read<Vec<Due>> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Lease(select, reply)).await?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn probe(&self) -> Read<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Probe(reply)).await?;
        answer.await.map_err(|_| stopped())?
    }

    async fn send(&self, job: Job) -> Read<()> {
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(job).await.map_err(|_| stopped())
    }
}

impl Drop for Writer {
    /// Waits for the commits that were sent, so that the file is closed when the store is gone.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked acknowledged nothing after it; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

/// The thread's loop and what it remembers between groups.
struct Work<'c> {
    group: Group<'c>,
    reserve: Reserve,
    halted: Option<StoreError>,
    /// About how many pages were written since the log was copied back.
    pages: usize,
}

impl Work<'_> {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(GROUP);
        let mut last = 0;
        while let Some(first) = waiting.blocking_recv() {
            jobs.push(first);
            gather(&mut jobs, &mut waiting, last);
            last = jobs.len();
            self.answer(&mut jobs);
        }
    }

    /// Answers every job.
    fn answer(&mut self, jobs: &mut Vec<Job>) {
        if let Some(error) = &self.halted {
            return jobs.drain(..).for_each(|job| job.refuse(error));
        }
        if jobs.iter().any(Job::begins) && !self.reserve.refill() {
            refuse_beginnings(jobs);
        }
        self.pages += PAGES_PER_GROUP + jobs.iter().map(Job::rows).sum::<usize>();
        let mut result = self.group.run(jobs);
        // Copied back into the file and cut, the log takes the least room: there may be enough then for these and
        // the reserve, or at least for those of these that record what is under way.
        for keep in [true, false] {
            if result.as_ref().is_err_and(is_full) {
                self.reserve.spend();
                let _ = self.group.checkpoint("TRUNCATE");
                if !(keep && self.reserve.refill()) {
                    refuse_beginnings(jobs);
                }
                result = self.group.run(jobs);
            }
        }
        if let Err(error) = result {
            let told = store_error(&error);
            jobs.drain(..).for_each(|job| job.refuse(&told));
            self.halted = halt(&error);
        }
        if self.halted.is_none() && self.pages >= CHECKPOINT {
            self.pages = 0;
            self.halted = self.group.checkpoint("PASSIVE").err().as_ref().and_then(halt);
        }
    }
}

/// On a full disk nothing new begins; what is under way is still recorded in the room kept for it.
fn refuse_beginnings(jobs: &mut Vec<Job>) {
    let full = StoreError("the disk is full: nothing new begins until there is room".into());
    jobs.extract_if(.., |job| job.begins()).for_each(|job| job.refuse(&full));
}

/// Takes what waits. Those who were just answered are likely to come again at once: while fewer are here than last
/// time, their threads are given a few turns first. A single caller never waits for anybody.
fn gather(jobs: &mut Vec<Job>, waiting: &mut mpsc::Receiver<Job>, last: usize) {
    let mut turns = 0;
    while jobs.len() < GROUP {
        match waiting.try_recv() {
            Ok(job) => jobs.push(job),
            Err(_) if jobs.len() < last && turns < TURNS => {
                turns += 1;
                std::thread::yield_now();
            }
            Err(_) => return,
        }
    }
}

/// What every later job is told, if the error is one after which nothing may be acknowledged any more.
fn halt(error: &rusqlite::Error) -> Option<StoreError> {
    is_fatal(error).then(|| {
        let StoreError(text) = store_error(error);
        StoreError(format!("writing stopped after {text}; check the disk, then restart"))
    })
}

impl Job {
    fn rows(&self) -> usize {
        match self {
            Job::Commit(rows, _) => rows.steps().len(),
            Job::Lease(..) | Job::Probe(_) => 1,
        }
    }

    /// Whether it begins something, rather than recording what became of something: it takes an idempotency key,
    /// or asks whether anything could begin.
    fn begins(&self) -> bool {
        match self {
            Job::Commit(rows, _) => {
                rows.steps().first().is_some_and(|step| step.statement == Statement::ClaimOpen)
            }
            Job::Lease(..) => false,
            Job::Probe(_) => true,
        }
    }

    /// Tells the caller what became of it. A caller that is gone does not need to know.
    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Job::Commit(_, reply), Outcome::Commit(result)) => drop(reply.send(result)),
            (Job::Lease(_, reply), Outcome::Lease(due)) => drop(reply.send(due)),
            (Job::Probe(reply), Outcome::Probe) => drop(reply.send(Ok(()))),
            (job, _) => job.refuse(&StoreError("the writer mixed up its answers".into())),
        }
    }

    fn refuse(self, error: &StoreError) {
        match self {
            Job::Commit(_, reply) => drop(reply.send(Err(error.clone().into()))),
            Job::Lease(_, reply) => drop(reply.send(Err(error.clone()))),
            Job::Probe(reply) => drop(reply.send(Err(error.clone()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use paycore::store::{Changes, Put};
    use paycore::testkit::store_conformance::fixture;

    use super::*;

    type Answer = oneshot::Receiver<Result<(), CommitError>>;

    fn commit(number: u128, begins: bool) -> (Job, Answer) {
        let mut order = fixture::order(number);
        order.details.description = Some("x".repeat(20_000));
        let record = fixture::record(&format!("key-{number}"));
        let claim = begins.then_some(paycore::idempotency::Claim::Open(record));
        let changes = Changes { claim, puts: vec![Put::Order(order)], ..Changes::new() };
        let (reply, answer) = oneshot::channel();
        (Job::Commit(Rows::of(fixture::TENANT, &changes).unwrap(), reply), answer)
    }

    fn outcome(work: &mut Work<'_>, number: u128, begins: bool) -> Result<(), CommitError> {
        let (job, mut answer) = commit(number, begins);
        work.answer(&mut vec![job]);
        answer.try_recv().expect("every job is answered")
    }

    #[test]
    fn on_a_full_disk_nothing_begins_and_writing_goes_on_when_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.db");
        super::super::migrate(path.to_str().unwrap()).unwrap();
        let connection = super::super::connect(&path).unwrap();
        let pages: i64 = connection.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
        let limit = |pages: i64| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(())).unwrap();
        };
        limit(pages + 40);
        let reserve = Reserve::beside(&path);
        let kept = folder.path().join("full.db-reserve");
        assert!(kept.exists());
        let mut work = Work { group: Group::new(&connection).unwrap(), reserve, halted: None, pages: 0 };
        let stood = (0..100).take_while(|number| outcome(&mut work, *number, true).is_ok()).count();
        assert!((1..40).contains(&stood), "{stood}");
        assert!(!kept.exists(), "the room that was kept is given up");
        // The limit of this test stays whatever is given up, so that even what is under way finds no room: it is
        // refused, not acknowledged.
        assert!(matches!(outcome(&mut work, 200, false), Err(CommitError::Store(_))));
        limit(pages + 1_000);
        assert_eq!(outcome(&mut work, 201, false), Ok(()));
        assert_eq!(outcome(&mut work, 202, true), Ok(()));
        assert!(kept.exists(), "room is kept again before anything begins");
        let stored: i64 = connection.query_row("SELECT count(*) FROM orders", (), |row| row.get(0)).unwrap();
        assert_eq!(stored, stood as i64 + 2);
    }

    #[test]
    fn without_room_to_keep_nothing_begins_but_what_is_under_way_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.db");
        super::super::migrate(path.to_str().unwrap()).unwrap();
        let connection = super::super::connect(&path).unwrap();
        // A folder in its place: the reserve cannot be made.
        std::fs::create_dir(folder.path().join("full.db-reserve")).unwrap();
        let reserve = Reserve::beside(&path);
        let mut work = Work { group: Group::new(&connection).unwrap(), reserve, halted: None, pages: 0 };
        let Err(CommitError::Store(error)) = outcome(&mut work, 1, true) else { panic!("nothing may begin") };
        assert!(error.0.contains("full"), "{error}");
        assert_eq!(outcome(&mut work, 2, false), Ok(()));
        std::fs::remove_dir(folder.path().join("full.db-reserve")).unwrap();
        assert_eq!(outcome(&mut work, 1, true), Ok(()));
    }

    #[test]
    fn commits_that_fail_in_a_group_are_told_apart_from_those_that_stand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("group.db");
        super::super::migrate(path.to_str().unwrap()).unwrap();
        let connection = super::super::connect(&path).unwrap();
        let reserve = Reserve::beside(&path);
        let mut work = Work { group: Group::new(&connection).unwrap(), reserve, halted: None, pages: 0 };
        // The same order four times in one group, each under a key of its own, and others around it.
        let numbers = [1, 2, 2, 3, 2, 2, 4];
        let (mut jobs, mut answers) = (Vec::new(), Vec::new());
        for (at, number) in (0..).zip(numbers) {
            let record = fixture::record(&format!("own-{at}"));
            let changes = Changes {
                claim: Some(paycore::idempotency::Claim::Open(record)),
                puts: vec![Put::Order(fixture::order(number))],
                events: vec![fixture::event(at, format!("o{at}"), 1)],
                ..Changes::new()
            };
            let (reply, answer) = oneshot::channel();
            jobs.push(Job::Commit(Rows::of(fixture::TENANT, &changes).unwrap(), reply));
            answers.push(answer);
        }
        work.answer(&mut jobs);
        let stood: Vec<bool> =
            answers.into_iter().map(|mut answer| answer.try_recv().unwrap().is_ok()).collect();
        assert_eq!(stood, [true, true, false, true, false, false, true]);
        let positions = "SELECT group_concat(position) FROM (SELECT position FROM events ORDER BY position)";
        let positions: String = connection.query_row(positions, (), |row| row.get(0)).unwrap();
        assert_eq!(positions, "1,2,3,4");
        let keys: i64 =
            connection.query_row("SELECT count(*) FROM idempotency", (), |row| row.get(0)).unwrap();
        assert_eq!(keys, 4);
    }
}
