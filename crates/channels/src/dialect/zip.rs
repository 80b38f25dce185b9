//! ZIP archives read from front to back, entry by entry, in bounded memory and in whatever order they were packed.
//! Statement files come like this. Nothing is believed of the directory at the end but that it tells of the same
//! entries; names are only for telling entries apart and never become paths.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Take};

use encoding_rs::GB18030;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use paycore::channel::Fault;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const END: u32 = 0x0605_4b50;

/// The sizes and the checksum of an entry follow it.
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;
/// The two above and the two that say how hard the packer tried. The others mean encryption or patches.
const FLAGS_KNOWN: u16 = FLAG_DESCRIPTOR | FLAG_UTF8 | 0b110;

/// More entries than any statement has.
const ENTRIES_MAX: usize = 64;
/// More than any statement has, and less than would keep a machine busy for long.
const UNPACKED_MAX: u64 = 2 << 30;

/// Whether a file begins like an archive. Nothing of it is consumed.
pub(crate) fn begins(file: &mut dyn BufRead) -> Result<bool, Fault> {
    Ok(file.fill_buf().map_err(fault)?.starts_with(b"PK"))
}

/// Hands every entry's name and content to `each`, in the order of the file. What `each` leaves unread is skipped.
/// Names are UTF-8 where the archive says so, and else GBK. The contents may be believed only when this returns:
/// sizes and checksums stand behind them.
pub(crate) fn entries(
    file: &mut dyn BufRead,
    mut each: impl FnMut(&str, &mut dyn BufRead) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (mut seen, mut listed) = (Vec::new(), Vec::new());
    let mut left = UNPACKED_MAX;
    loop {
        match number(file)? {
            LOCAL if listed.is_empty() && seen.len() < ENTRIES_MAX => {
                let entry = entry(file, &mut left, &mut each)?;
                seen.push(entry);
            }
            CENTRAL if listed.len() < ENTRIES_MAX => {
                let record = fields::<21>(file)?;
                skip(file, u64::from(record[12]) + u64::from(record[13]) + u64::from(record[14]))?;
                listed.push((long(&record, 6), long(&record, 10)));
            }
            END => {
                let end = fields::<9>(file)?;
                skip(file, end[8].into())?;
                seen.sort_unstable();
                listed.sort_unstable();
                if seen != listed || usize::from(end[3]) != seen.len() {
                    return Err(wrong("the directory does not tell of the entries"));
                }
                let rest = file.fill_buf().map_err(fault)?;
                return if rest.is_empty() { Ok(()) } else { Err(wrong("it does not end here")) };
            }
            _ => return Err(wrong("a part is not understood")),
        }
    }
}

/// Reads one entry behind its mark; its checksum and size.
fn entry(
    file: &mut dyn BufRead,
    left: &mut u64,
    each: &mut impl FnMut(&str, &mut dyn BufRead) -> Result<(), Fault>,
) -> Result<(u32, u32), Fault> {
    let head = fields::<13>(file)?;
    let (flags, method) = (head[1], head[2]);
    let mut name = vec![0; head[11].into()];
    file.read_exact(&mut name).map_err(fault)?;
    skip(file, head[12].into())?;
    let name = if flags & FLAG_UTF8 == 0 {
        GB18030.decode_without_bom_handling_and_without_replacement(&name)
    } else {
        std::str::from_utf8(&name).ok().map(Cow::Borrowed)
    };
    let name = name.ok_or_else(|| wrong("a name"))?;
    let follows = flags & FLAG_DESCRIPTOR != 0;
    let (mut crc, mut packed, mut size) = (long(&head, 5), long(&head, 7), long(&head, 9));
    if flags & !FLAGS_KNOWN != 0 || packed == u32::MAX || size == u32::MAX {
        return Err(wrong("an entry in a form that is not taken"));
    }
    let source: &mut dyn BufRead = &mut *file;
    let source = source.take(if follows { u64::MAX } else { packed.into() });
    let packing = match method {
        0 if !follows => Packing::Stored(source),
        8 => Packing::Deflated(DeflateDecoder::new(source)),
        _ => return Err(wrong("an entry in a form that is not taken")),
    };
    let mut content = BufReader::with_capacity(64 << 10, Content { packing, crc: Crc::new(), left });
    each(&name, &mut content)?;
    io::copy(&mut content, &mut io::sink()).map_err(fault)?;
    let content = content.into_inner();
    let (sum, unpacked, taken) = (content.crc.sum(), content.crc.amount(), content.packing.taken(packed));
    if follows {
        (crc, packed, size) = descriptor(file, sum)?;
    }
    if crc != sum || size != unpacked || taken != u64::from(packed) {
        return Err(wrong("an entry is not what was packed"));
    }
    Ok((crc, size))
}

/// Checksum and sizes behind an entry; whether they have a mark of their own is up to the packer.
fn descriptor(file: &mut dyn BufRead, sum: u32) -> Result<(u32, u32, u32), Fault> {
    let first = number(file)?;
    let crc = if first == DESCRIPTOR && sum != DESCRIPTOR { number(file)? } else { first };
    Ok((crc, number(file)?, number(file)?))
}

/// An entry's content, unpacked, summed up and limited while it is read.
struct Content<'f, 'l> {
    packing: Packing<'f>,
    crc: Crc,
    left: &'l mut u64,
}

enum Packing<'f> {
    Stored(Take<&'f mut dyn BufRead>),
    Deflated(DeflateDecoder<Take<&'f mut dyn BufRead>>),
}

impl Packing<'_> {
    /// How many bytes of the archive it took; `size` of them were there for a stored entry.
    fn taken(&self, size: u32) -> u64 {
        match self {
            Packing::Stored(source) => u64::from(size) - source.limit(),
            Packing::Deflated(source) => source.total_in(),
        }
    }
}

impl Read for Content<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.packing {
            Packing::Stored(source) => source.read(into)?,
            Packing::Deflated(source) => source.read(into)?,
        };
        self.crc.update(&into[..count]);
        let left = self.left.checked_sub(count as u64);
        *self.left = left.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "too large"))?;
        Ok(count)
    }
}

/// The next 16-bit fields, low byte first.
fn fields<const COUNT: usize>(file: &mut dyn BufRead) -> Result<[u16; COUNT], Fault> {
    let mut fields = [0; COUNT];
    for field in &mut fields {
        let mut bytes = [0; 2];
        file.read_exact(&mut bytes).map_err(fault)?;
        *field = u16::from_le_bytes(bytes);
    }
    Ok(fields)
}

/// The 32-bit field that begins with the 16-bit field `at`.
fn long(fields: &[u16], at: usize) -> u32 {
    u32::from(fields[at]) | u32::from(fields[at + 1]) << 16
}

fn number(file: &mut dyn BufRead) -> Result<u32, Fault> {
    Ok(long(&fields::<2>(file)?, 0))
}

fn skip(file: &mut dyn BufRead, count: u64) -> Result<(), Fault> {
    let skipped = io::copy(&mut file.take(count), &mut io::sink()).map_err(fault)?;
    if skipped == count { Ok(()) } else { Err(wrong("it ends too early")) }
}

fn wrong(what: &str) -> Fault {
    Fault::Unexpected(format!("the archive: {what}"))
}

/// Damage is the file's fault; anything else is the way it came.
fn fault(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => wrong("it is damaged"),
        io::ErrorKind::UnexpectedEof => wrong("it ends too early"),
        _ => Fault::Transport(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Made by another implementation: the summary, stored, before the details, deflated; names in GBK.
    const PACKED: &str = "UEsDBBQAAAAAAABIeF3heCsWBwAAAAcAAAAgAAAAMjA4OF8yMDI2MTEyM1/Stc7xw/fPuCi749fcKS5jc3Yju+PX3\
        A0KUEsDBBQAAAAIAABIeF0KLRF/DgAAABgBAAAaAAAAMjA4OF8yMDI2MTEyM1/Stc7xw/fPuC5jc3ZTPvz9/A5eLuVRCpUCAFBLAQIUAxQAAAAA\
        AABIeF3heCsWBwAAAAcAAAAgAAAAAAAAAAAAAACAAQAAAAAyMDg4XzIwMjYxMTIzX9K1zvHD98+4KLvj19wpLmNzdlBLAQIUAxQAAAAIAABIeF0\
        KLRF/DgAAABgBAAAaAAAAAAAAAAAAAACAAUUAAAAyMDg4XzIwMjYxMTIzX9K1zvHD98+4LmNzdlBLBQYAAAAAAgACAJYAAACLAAAAAAA=";
    /// As well, by a packer that could not go back to write sizes down; names in UTF-8, the second entry empty.
    const STREAMED: &str = "UEsDBBQACAgIAABIeF0AAAAAAAAAAAAAAAAKAAAA5piO57uGLmNzdjv8/fwOXq7DdCcBUEsHCDskFJsLAAAAeAAAAFBLA\
        wQUAAgACAAASHhdAAAAAAAAAAAAAAAABQAAAGIudHh0AwBQSwcIAAAAAAIAAAAAAAAAUEsBAhQDFAAICAgAAEh4XTskFJsLAAAAeAAAAAoAAAAA\
        AAAAAAAAAIABAAAAAOaYjue7hi5jc3ZQSwECFAMUAAgACAAASHhdAAAAAAIAAAAAAAAABQAAAAAAAAAAAAAAgAFDAAAAYi50eHRQSwUGAAAAAAI\
        AAgBrAAAAeAAAAAAA";

    fn bytes(text: &str) -> Vec<u8> {
        STANDARD.decode(text).unwrap_or_default()
    }

    fn unpacked(archive: &[u8]) -> Result<Vec<(String, String)>, Fault> {
        let mut found = Vec::new();
        entries(&mut Cursor::new(archive), |name, content| {
            let mut text = Vec::new();
            content.read_to_end(&mut text).map_err(fault)?;
            found.push((name.to_owned(), GB18030.decode(&text).0.into_owned()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn entries_come_in_the_order_of_the_file_with_names_in_either_encoding() {
        let expected = [
            ("2088_20261123_业务明细(汇总).csv".to_owned(), "#汇总\r\n".to_owned()),
            ("2088_20261123_业务明细.csv".to_owned(), "#明细\r\n".repeat(40)),
        ];
        assert_eq!(unpacked(&bytes(PACKED)).as_deref(), Ok(&expected[..]));
        let expected = [("明细.csv".to_owned(), "明细\r\n".repeat(20)), ("b.txt".to_owned(), String::new())];
        assert_eq!(unpacked(&bytes(STREAMED)).as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn what_is_left_unread_is_skipped_and_still_checked() {
        let mut names = Vec::new();
        let whole = bytes(PACKED);
        let read = entries(&mut Cursor::new(&whole), |name, _| {
            names.push(name.to_owned());
            Ok(())
        });
        assert_eq!((read, names.len()), (Ok(()), 2));
        let mut damaged = whole.clone();
        // A byte of the stored summary.
        damaged[63] ^= 1;
        assert!(entries(&mut Cursor::new(&damaged), |_, _| Ok(())).is_err());
    }

    #[test]
    fn an_archive_that_was_cut_off_lengthened_or_changed_in_its_content_is_refused() {
        for whole in [PACKED, STREAMED].map(bytes) {
            for length in 0..whole.len() {
                assert!(unpacked(&whole[..length]).is_err(), "{length} bytes");
            }
            assert!(unpacked(&[&whole[..], b"\0"].concat()).is_err());
            let (truth, mut believed) = (unpacked(&whole), 0);
            for bit in 0..whole.len() * 8 {
                let mut damaged = whole.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                if let Ok(read) = unpacked(&damaged) {
                    // Times and names may change; content may not.
                    let texts = |all: &[(String, String)]| {
                        all.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>()
                    };
                    assert_eq!(Some(texts(&read)), truth.as_deref().ok().map(texts), "bit {bit}");
                    believed += 1;
                }
            }
            assert!(believed < whole.len() * 8 * 2 / 3);
        }
    }

    #[test]
    fn a_fault_of_the_reader_ends_it() {
        let stop = entries(&mut Cursor::new(&bytes(PACKED)), |_, _| Err(Fault::Unsupported));
        assert_eq!(stop, Err(Fault::Unsupported));
    }

    #[test]
    fn only_archives_begin_like_archives() {
        assert_eq!(begins(&mut Cursor::new(&bytes(PACKED))), Ok(true));
        assert_eq!(begins(&mut Cursor::new(b"#")), Ok(false));
        assert_eq!(begins(&mut Cursor::new(b"")), Ok(false));
    }
}
