//! Where a statement comes from, and reading it.

use base64::Engine as _;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::Day;
use crate::channel::{Channel, Line, Operation, Statement, StatementKind};
use crate::engine::{Engine, OpenAccount};
use crate::error::{Code, Error, Result};
use crate::merchant::rules::hex;
use crate::reconciliation::matching::{Book, BookError};
use crate::reconciliation::statement::{Spoil, read};
use crate::time::Timestamp;

/// The largest file that a request may carry, before base64.
const UPLOAD_MAX: usize = 64 * 1024 * 1024;
/// Progress is told after so many lines.
const TOLD_EVERY: u64 = 50_000;

/// A statement with what was read of it.
pub(super) struct Read {
    pub(super) book: Book,
    pub(super) lines: u64,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

/// The bytes of an upload.
pub(super) fn decode(content: &str) -> Result<Bytes> {
    if content.len() > UPLOAD_MAX / 3 * 4 {
        return Err(Error::invalid(
            "content",
            "The file is larger than 64 MiB; let the channel be asked for it.",
        ));
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(content);
    bytes.map(Bytes::from).map_err(|_| Error::invalid("content", "Must be the file's bytes in base64."))
}

/// The file as the channel gives it; in a sandbox whose channel cannot be asked, as its simulator writes it.
pub(super) async fn fetch(
    engine: &Engine,
    open: &OpenAccount,
    kind: StatementKind,
    day: Day,
    now: Timestamp,
) -> Result<Bytes> {
    let profile = open.channel.as_ref().map(|channel| channel.profile());
    if profile.is_some_and(|profile| profile.statements.contains(&kind)) {
        let operation = Operation::Statement(Statement { kind, day: day.from });
        let fetched = engine.fetch(open, &operation, now).await;
        return fetched
            .map_err(|fault| Error::new(Code::ChannelRefused, format!("No statement yet: {fault}.")));
    }
    let written = match open.account.sealed_simulator {
        // What a simulator writes unasked is a statement of trades.
        Some(_) if kind == StatementKind::Trade => {
            engine.simulated_statement(open.account.id, day.from, day.until).await?
        }
        _ => None,
    };
    written.ok_or_else(|| {
        let detail = "This channel gives no statements when asked; upload the file as `content`.";
        Error::new(Code::ChannelRefused, detail).param("content")
    })
}

/// What a file is recognised by.
pub(super) fn sha256(file: &[u8], spoil: &Spoil) -> String {
    let mut hash = Sha256::new();
    hash.update(file);
    if !spoil.is_none() {
        hash.update(crate::engine::json(spoil));
    }
    hex(&hash.finalize())
}

/// Which lines of a file are compared, and as what.
pub(super) type Put = fn(&mut Book, &Line) -> std::result::Result<Option<u32>, BookError>;

/// Reads a file as the channel writes it, and tells how many lines are read.
///
/// # Errors
/// Why it cannot be believed, in words.
pub(super) fn parse(
    channel: &dyn Channel,
    file: &[u8],
    spoil: &Spoil,
    put: Put,
    tell: &dyn Fn(u64),
) -> Result<Read, String> {
    let mut found = Read { book: Book::default(), lines: 0, from: None, until: None };
    let mut wrong = None;
    let mut seen = 0;
    let lines = read(channel, file, spoil, &mut |line| {
        seen += 1;
        if seen % TOLD_EVERY == 0 {
            tell(seen);
        }
        if let Err(error) = put(&mut found.book, &line) {
            wrong.get_or_insert_with(|| format!("line {seen}: {error}"));
        }
        found.from = Some(found.from.map_or(line.at, |from| from.min(line.at)));
        found.until = Some(found.until.map_or(line.at, |until| until.max(line.at)));
    });
    found.lines = lines.map_err(|fault| fault.to_string())?;
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(found),
    }
}
