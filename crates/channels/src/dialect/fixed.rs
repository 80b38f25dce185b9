//! Statement files with rows of a fixed number of bytes and a space between two fields. A field begins at a certain byte, not
//! character, so a row must not be decoded before it is cut.

use std::io::{BufRead, Read as _};

use paycore::channel::Fault;

/// Cuts a file into rows with fields of these widths and hands each to `each`, in bounded memory. A row for which `each` has
/// nothing is not understood, and nor is then the file.
pub(crate) fn rows<const N: usize>(
    content: &mut dyn BufRead,
    widths: &[usize; N],
    mut each: impl FnMut(&[&[u8]; N]) -> Option<()>,
) -> Result<(), Fault> {
    let length = widths.iter().sum::<usize>() + N - 1;
    let (mut row, mut number) = (Vec::with_capacity(length + 2), 0_u64);
    loop {
        row.clear();
        number += 1;
        let wrong = |what: &str| Fault::Unexpected(format!("statement row {number}: {what}"));
        let limit = length as u64 + 2;
        let read = (&mut *content).take(limit).read_until(b'\n', &mut row);
        read.map_err(|error| Fault::Transport(error.to_string()))?;
        if row.is_empty() {
            return Ok(());
        }
        let end = row.strip_suffix(b"\n").unwrap_or(&row);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        if end.len() != length {
            return Err(wrong("not of the right length"));
        }
        let (mut fields, mut from) = ([&[][..]; N], 0);
        for (field, width) in fields.iter_mut().zip(widths) {
            *field = &end[from..from + width];
            if end.get(from + width).is_some_and(|space| *space != b' ') {
                return Err(wrong("fields run into one another"));
            }
            from += width + 1;
        }
        each(&fields).ok_or_else(|| wrong("not understood"))?;
    }
}

/// A field without the spaces that fill it; none where it is not ASCII or UTF-8.
pub(crate) fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field).ok().map(str::trim)
}

/// A number of digits only.
pub(crate) fn digits(field: &[u8]) -> Option<i64> {
    let text = text(field)?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// An amount behind `C` for what comes in, or `D` for what goes out.
pub(crate) fn signed(field: &[u8]) -> Option<i64> {
    match field.split_first()? {
        (b'C', rest) => digits(rest),
        (b'D', rest) => digits(rest).map(|amount| -amount),
        _ => None,
    }
}

/// Whether an amount is left out or zero.
pub(crate) fn is_nothing(field: &[u8]) -> bool {
    field.iter().all(|byte| matches!(byte, b' ' | b'0' | b'C' | b'D'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(mut file: &[u8]) -> Result<Vec<String>, Fault> {
        let mut seen = Vec::new();
        rows(&mut file, &[2, 4], |[one, two]| {
            seen.push(format!("{}|{}", text(one)?, two.len()));
            Some(())
        })?;
        Ok(seen)
    }

    #[test]
    fn rows_are_cut_by_bytes() {
        // Two characters of GBK, whose second byte may look like a letter or a backslash.
        let file = b"01 \xd6\xd0\x81\x5c\n2  abcd\r\n33     ";
        assert_eq!(cut(file).ok(), Some(vec!["01|4".into(), "2|4".into(), "33|4".into()]));
        assert_eq!(cut(b"").ok(), Some(vec![]));
        for wrong in [&b"01 abc"[..], b"01 abcde\n", b"01xabcd\n", b"\n", b"01 abcd\n\n", b"\xff\xff abcd"] {
            assert!(cut(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn amounts_are_exact_or_nothing() {
        assert_eq!((signed(b"C000000000123"), signed(b"D000000000005")), (Some(123), Some(-5)));
        for wrong in [&b""[..], b"C", b"X000000000001", b"C00000000 001", b"C-0000000001"] {
            assert_eq!(signed(wrong), None, "{wrong:?}");
        }
    }
}
