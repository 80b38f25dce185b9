//! The one thread that writes: it takes whatever waits, runs it in one transaction, and acknowledges after the
//! flush.

mod group;

use std::thread::JoinHandle;

use paycore::store::{CommitError, Due, Read, StoreError};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::errors::{is_fatal, store_error};
use super::stopped;
use crate::read::Select;
use crate::write::Rows;
use group::{Group, Outcome};

/// How many jobs share one transaction at most.
const GROUP: usize = 256;
/// How many jobs may wait; more wait in their callers.
const QUEUE: usize = 4 * GROUP;
/// After about so many pages the log is copied back into the file.
const CHECKPOINT: usize = 8_192;
/// How many turns the writer leaves to others while it gathers a group.
const TURNS: usize = 128;
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
    /// Starts the thread on a connection.
    pub(super) fn start(connection: Connection) -> rusqlite::Result<Writer> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (started, starting) = std::sync::mpsc::channel();
        let run = move || match Group::new(&connection) {
            Ok(group) => {
                let _ = started.send(Ok(()));
                work(group, waiting);
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

fn work(mut group: Group<'_>, mut waiting: mpsc::Receiver<Job>) {
    let mut halted: Option<StoreError> = None;
    let mut pages = 0;
    let mut last = 0;
    let mut jobs = Vec::with_capacity(GROUP);
    while let Some(first) = waiting.blocking_recv() {
        jobs.push(first);
        gather(&mut jobs, &mut waiting, last);
        last = jobs.len();
        if let Some(error) = &halted {
            jobs.drain(..).for_each(|job| job.refuse(error));
            continue;
        }
        pages += PAGES_PER_GROUP + jobs.iter().map(Job::rows).sum::<usize>();
        if let Err(error) = group.run(&mut jobs) {
            halted = halt(error);
        }
        if halted.is_none() && pages >= CHECKPOINT {
            pages = 0;
            halted = group.checkpoint().err().and_then(halt);
        }
    }
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
fn halt(error: rusqlite::Error) -> Option<StoreError> {
    is_fatal(&error).then(|| {
        let StoreError(text) = store_error(&error);
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

    /// Tells the caller what became of it. A caller that is gone does not need to know.
    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Job::Commit(_, reply), Outcome::Commit(result)) => drop(reply.send(result)),
            (Job::Lease(_, reply), Outcome::Lease(due)) => drop(reply.send(Ok(due))),
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
