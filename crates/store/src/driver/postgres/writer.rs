//! The task that writes: it takes whatever waits, sends it as one batch, and acknowledges after the commit.

use std::sync::Arc;
use std::time::Duration;

use paycore::store::{CommitError, Read, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Config;

use super::batch::{Session, stands_alone};
use super::connection::Connection;
use super::errors::{Failure, store_error};
use super::stopped;
use crate::write::Rows;

/// How many commits share one transaction at most.
const GROUP: usize = 256;
/// How many jobs may wait; more wait in their callers.
const QUEUE: usize = 4 * GROUP;
/// How often a transaction is tried that others were in the way of.
const TRIES: u32 = 8;
/// Longer than this no job waits for the server's answer.
const PATIENCE: Duration = Duration::from_secs(30);

const PROBE: &str = "UPDATE probes SET count = count + 1 WHERE id = 1";

enum Job {
    Commit(Rows, oneshot::Sender<Result<(), CommitError>>),
    Probe(oneshot::Sender<Read<()>>),
}

type Waiting = (Rows, oneshot::Sender<Result<(), CommitError>>);

/// The way to the task.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the task. It connects when the first job comes, and again whenever the connection was lost.
    pub(super) fn start(config: Arc<Config>) -> Writer {
        let (jobs, mut waiting) = mpsc::channel(QUEUE);
        let work = async move {
            let mut session = None;
            let mut taken = Vec::with_capacity(GROUP);
            while waiting.recv_many(&mut taken, GROUP).await > 0 {
                work(&config, &mut session, &mut taken).await;
            }
        };
        tokio::spawn(work);
        Writer { jobs }
    }

    pub(super) async fn commit(&self, rows: Rows) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Commit(rows, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn probe(&self) -> Read<()> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Probe(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// Answers every job that was taken.
async fn work(config: &Config, kept: &mut Option<Session>, taken: &mut Vec<Job>) {
    let session = match kept.take().filter(|session| !session.connection.is_closed()) {
        Some(session) => session,
        None => match connect(config).await {
            Ok(session) => session,
            Err(error) => return taken.drain(..).for_each(|job| job.refuse(&error)),
        },
    };
    let mut together = Vec::with_capacity(taken.len());
    let mut parts = Vec::new();
    let mut probes = Vec::new();
    for job in taken.drain(..) {
        match job {
            Job::Commit(rows, reply) if stands_alone(&rows) => parts.push(vec![(rows, reply)]),
            Job::Commit(rows, reply) => together.push((rows, reply)),
            Job::Probe(reply) => probes.push(reply),
        }
    }
    if !together.is_empty() {
        parts.push(together);
    }
    let mut healthy = commit_parts(&session, parts).await;
    if !probes.is_empty() {
        let probed = session.connection.batch(PROBE).await.map_err(store_error);
        healthy &= probed.is_ok();
        probes.into_iter().for_each(|reply| drop(reply.send(probed.clone())));
    }
    // A session with an error of the engine behind it may be in any state: the next one starts afresh.
    *kept = Some(session).filter(|_| healthy);
}

async fn connect(config: &Config) -> Read<Session> {
    let connect = async {
        let connection = Connection::open(config).await?;
        // The statements are prepared while tables may be empty, and few rows would make a scan look cheap for
        // good. A server that does not know these settings does without them.
        let _ = connection
            .batch("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
            .await;
        Session::prepare(connection).await
    };
    match tokio::time::timeout(PATIENCE, connect).await {
        Ok(session) => session.map_err(store_error),
        Err(_) => Err(StoreError("PostgreSQL: no answer to a new connection".into())),
    }
}

/// Commits part by part. A part with a commit that breaks a rule is halved until that commit is alone; false
/// when the engine failed, after which every part that is left was refused.
async fn commit_parts(session: &Session, mut parts: Vec<Vec<Waiting>>) -> bool {
    while let Some(mut part) = parts.pop() {
        match settle(session, &part).await {
            Ok(()) => part.into_iter().for_each(|(_, reply)| drop(reply.send(Ok(())))),
            Err(Failure::Commit(_)) if part.len() > 1 => {
                let second = part.split_off(part.len() / 2);
                parts.push(second);
                parts.push(part);
            }
            Err(Failure::Commit(error)) => {
                part.into_iter().for_each(|(_, reply)| drop(reply.send(Err(error.clone()))));
            }
            Err(Failure::Again(error) | Failure::Engine(error)) => {
                let refused = part.into_iter().chain(parts.into_iter().flatten());
                refused.for_each(|(_, reply)| drop(reply.send(Err(error.clone().into()))));
                return false;
            }
        }
    }
    true
}

/// One transaction, tried again while others are in its way.
async fn settle(session: &Session, part: &[Waiting]) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        let result = match tokio::time::timeout(PATIENCE, transaction(session, part)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Engine(StoreError(
                "PostgreSQL: no answer in time; the commit may have happened".into(),
            ))),
        };
        if let Err(Failure::Commit(_) | Failure::Again(_)) = &result {
            session.connection.batch("ROLLBACK").await?;
        }
        match result {
            Err(Failure::Again(_)) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(1 << tries)).await;
            }
            result => return result,
        }
    }
}

async fn transaction(session: &Session, part: &[Waiting]) -> Result<(), Failure> {
    match part {
        [(rows, _)] if stands_alone(rows) => session.one(rows).await,
        [(rows, _)] => match session.many(&[rows]).await {
            // Alone and guilty: row by row it says of what.
            Err(Failure::Commit(_)) => {
                session.connection.batch("ROLLBACK").await?;
                session.one(rows).await
            }
            result => result,
        },
        many => session.many(&many.iter().map(|(rows, _)| rows).collect::<Vec<_>>()).await,
    }
}

impl Job {
    fn refuse(self, error: &StoreError) {
        match self {
            Job::Commit(_, reply) => drop(reply.send(Err(error.clone().into()))),
            Job::Probe(reply) => drop(reply.send(Err(error.clone()))),
        }
    }
}
