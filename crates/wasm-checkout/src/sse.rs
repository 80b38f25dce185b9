//! Server-sent events (HTML Living Standard, 9.2), read from pieces as they arrive.

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) data: String,
    pub(crate) id: Option<String>,
}

/// What has arrived and is not an event yet.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    rest: String,
    kind: String,
    /// Each line with its end, as the standard collects them.
    data: String,
    id: Option<String>,
}

impl Reader {
    /// Takes a piece in; the events that are complete with it.
    pub(crate) fn take(&mut self, piece: &str) -> Vec<Event> {
        self.rest.push_str(piece);
        let mut events = Vec::new();
        while let Some(end) = self.rest.find('\n') {
            let line: String = self.rest.drain(..=end).collect();
            events.extend(self.line(line.trim_end_matches(['\n', '\r'])));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (kind, data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
            let data = data.strip_suffix('\n')?.to_owned();
            let kind = if kind.is_empty() { "message".to_owned() } else { kind };
            return Some(Event { kind, data, id: self.id.clone() });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment has an empty name; `retry` is ours to decide.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&str]) -> Vec<(String, String, Option<String>)> {
        let mut reader = Reader::default();
        let all = pieces.iter().flat_map(|piece| reader.take(piece));
        all.map(|event| (event.kind, event.data, event.id)).collect()
    }

    #[test]
    fn events_are_read_wherever_the_pieces_are_cut() {
        let text = "id: 3\nevent: order\ndata: {\"a\":\ndata: 1}\n\n: ping\n\nevent: end\ndata: {}\n\n";
        let expected = [
            ("order".to_owned(), "{\"a\":\n1}".to_owned(), Some("3".to_owned())),
            ("end".to_owned(), "{}".to_owned(), Some("3".to_owned())),
        ];
        for at in 0..text.len() {
            assert_eq!(events(&[&text[..at], &text[at..]]), expected, "cut at {at}");
        }
    }

    #[test]
    fn what_is_not_finished_or_empty_is_no_event() {
        assert!(events(&["data: a\n", "event: x\n"]).is_empty());
        assert!(events(&["event: x\n\n", "retry: 5\n\n", ": c\n\n"]).is_empty());
        assert_eq!(events(&["data\r\n\r\n"]), [("message".to_owned(), String::new(), None)]);
    }
}
