//! Statements that come as archives from an address, and tables inside them: a line of names, then rows of cells that
//! commas part and nothing quotes.

use std::io::BufRead;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use paycore::channel::{Call, Effect, Fault, Reply, Stage, Step};

use super::lines::{Lines, cells};
use super::zip;

/// Fetches the archive from the address that a verified reply has named.
pub(crate) fn fetch(url: Option<&str>, stage: Stage) -> Result<Step, Fault> {
    let request = url.and_then(|url| Request::get(url).body(Bytes::new()).ok());
    let request = request.filter(|request| request.uri().host().is_some());
    let request = request.ok_or_else(|| Fault::Unexpected(format!("the address of the file {url:?}")))?;
    let timeout = Duration::from_secs(60);
    Ok(Step::send(Call { stage, request, timeout, effect: Effect::None, identity: None }))
}

/// The archive, once it is one.
pub(crate) fn file(reply: &Reply) -> Result<Step, Fault> {
    if reply.status() == StatusCode::OK && reply.body().starts_with(b"PK") {
        return Ok(Step::File(reply.body().clone()));
    }
    Err(Fault::Unexpected(format!("HTTP status {} and no archive", reply.status().as_u16())))
}

/// Hands the cells of every row of every file in the archive to `each`. The names of `columns` have to stand at their
/// places, and there are at least `width`; providers put new ones behind. A row with another number of cells leaves
/// several readings, because a comma may stand in a free text, and is refused, as is one for which `each` has nothing.
pub(crate) fn rows(
    file: &mut dyn BufRead,
    (width, columns): (usize, &[(usize, &str)]),
    mut each: impl FnMut(&[&str]) -> Result<Option<()>, Fault>,
) -> Result<(), Fault> {
    if !zip::begins(file)? {
        return Err(Fault::Unexpected("the statement is no archive".into()));
    }
    zip::entries(file, |_, content| {
        let mut lines = Lines::new(content);
        let head = lines.required()?;
        let head = cells(&head);
        let known = |(at, name): &(usize, &str)| head.get(*at) == Some(name);
        if head.len() < width || !columns.iter().all(known) {
            return Err(lines.wrong("not this kind of statement, or without some columns"));
        }
        while let Some(text) = lines.next()? {
            if text.is_empty() {
                continue;
            }
            let cells = cells(&text);
            if cells.len() != head.len() {
                return Err(lines.wrong("the cells are not understood"));
            }
            each(&cells)?.ok_or_else(|| lines.wrong("the row is not understood"))?;
        }
        Ok(())
    })
}
