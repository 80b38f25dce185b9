//! The daily statement: rows of a fixed number of bytes in a ZIP archive, compressed once more and in base64.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use flate2::{Compression, Crc};
use paycore::time::Timestamp;

use super::{Deal, Gateway};

impl Gateway {
    /// The archive of what moved at or after `from` and before `until`. The fee is 0.6 % and comes back with a refund.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> Vec<u8> {
        let moved = self.deals.values().filter(|deal| {
            matches!(deal.kind.0.as_str(), "01" | "03" | "04")
                && deal.done.is_some_and(|at| from <= at && at < until)
        });
        let rows: Vec<u8> = moved.flat_map(|deal| self.row(deal)).collect();
        let date = &from.beijing_compact()[2..8];
        archive(&[
            (format!("INN{date}88ZM_{}", self.mer_id), rows),
            (format!("INN{date}88ZME_{}", self.mer_id), Vec::new()),
        ])
    }

    fn row(&self, deal: &Deal) -> Vec<u8> {
        let is_refund = deal.kind.0 == "04";
        let origin = deal.origin.as_ref().and_then(|key| self.deals.get(key));
        let at = deal.done.map(Timestamp::beijing_compact).unwrap_or_default();
        let fee = (deal.fen * 6 + 500) / 1_000;
        let (fee_side, side) = if is_refund { ('C', 'D') } else { ('D', 'C') };
        let (amount, net) = (format!("{:012}", deal.fen), format!("{side}{:012}", deal.fen - fee));
        let fee = format!("{fee_side}{fee:012}");
        let of_origin = |text: fn(&Deal) -> &str| origin.map_or("", text);
        let fields: [(&str, usize); 42] = [
            (if is_refund { "S30" } else { "S22" }, 3),
            ("01020000", 11),
            ("01020000", 11),
            (&deal.query_id[15..], 6),
            (&at[4..], 10),
            ("6216***********0018", 19),
            (&amount, 12),
            ("5411", 4),
            ("07", 2),
            (&deal.query_id, 21),
            ("", 2),
            (&deal.order_id, 32),
            ("01", 2),
            (of_origin(|deal| &deal.query_id[15..]), 6),
            (of_origin(|deal| &deal.txn_time[4..]), 10),
            (&fee, 13),
            (&net, 13),
            ("0001", 4),
            ("", 15),
            (&deal.kind.0, 2),
            ("", 2),
            (&deal.biz_type, 6),
            ("01", 2),
            ("", 4),
            ("", 32),
            ("0", 1),
            (of_origin(|deal| &deal.query_id), 21),
            (&self.mer_id, 15),
            ("0", 1),
            ("", 15),
            ("", 32),
            ("", 13),
            (&net, 13),
            ("", 8),
            (&deal.subject, 32),
            ("", 13),
            ("", 13),
            ("", 12),
            ("", 2),
            ("0", 1),
            (of_origin(|deal| &deal.order_id), 32),
            ("", 98),
        ];
        fixed(&fields)
    }
}

/// One row of a file: every field as wide as it has to be, a space between two, a line feed at the end.
fn fixed(fields: &[(&str, usize)]) -> Vec<u8> {
    let mut row = Vec::with_capacity(608);
    for (place, (text, width)) in fields.iter().enumerate() {
        if place > 0 {
            row.push(b' ');
        }
        let mut field = Vec::new();
        for sign in text.chars() {
            let bytes = encoding_rs::GBK.encode(sign.encode_utf8(&mut [0; 4])).0.into_owned();
            // A character that does not fit whole is left out.
            if field.len() + bytes.len() > *width {
                break;
            }
            field.extend(bytes);
        }
        field.resize(*width, b' ');
        row.extend(field);
    }
    row.push(b'\n');
    row
}

/// As a reply carries it.
pub(super) fn packed(archive: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into a Vec cannot fail.
    let _ = encoder.write_all(archive);
    STANDARD.encode(encoder.finish().unwrap_or_default())
}

/// A ZIP archive of these files.
fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let (mut all, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let _ = encoder.write_all(content);
        let data = encoder.finish().unwrap_or_default();
        let mut crc = Crc::new();
        crc.update(content);
        let name_len = u16::try_from(name.len()).unwrap_or(0).to_le_bytes();
        // Version 2.0, no flags, deflate, and no time worth telling.
        let mut head = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
        head.extend(crc.sum().to_le_bytes());
        head.extend(number(data.len()));
        head.extend(number(content.len()));
        head.extend(name_len);
        head.extend([0, 0]);
        directory.extend([b"PK\x01\x02".as_slice(), &[20, 0], &head, &[0; 10], &number(all.len())].concat());
        directory.extend(name.bytes());
        all.extend([b"PK\x03\x04".as_slice(), &head, name.as_bytes(), &data].concat());
    }
    let count = u16::try_from(files.len()).unwrap_or(0).to_le_bytes();
    let (at, size) = (number(all.len()), number(directory.len()));
    all.extend(directory);
    all.extend([b"PK\x05\x06".as_slice(), &[0; 4], &count, &count, &size, &at, &[0, 0]].concat());
    all
}
