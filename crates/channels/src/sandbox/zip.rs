//! ZIP archives of small files.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// An archive of these files, in this order: the name as bytes in whatever encoding, the content, and whether it is
/// deflated or stored as it is.
pub(crate) fn archive(files: &[(&[u8], &[u8], bool)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content, deflated) in files {
        let mut crc = Crc::new();
        crc.update(content);
        let packed = if *deflated { deflate(content) } else { content.to_vec() };
        let mut head = Vec::new();
        for field in [20, 0, if *deflated { 8 } else { 0 }, 0, 0x2821] {
            short(&mut head, field);
        }
        for field in [crc.sum(), packed.len() as u32, content.len() as u32] {
            head.extend(field.to_le_bytes());
        }
        short(&mut head, name.len() as u16);
        short(&mut head, 0);
        let at = archive.len() as u32;
        archive.extend([b"PK\x03\x04", &head[..], name, &packed].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &head[..], &[0; 10]].concat());
        directory.extend(at.to_le_bytes());
        directory.extend_from_slice(name);
    }
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    for _ in 0..2 {
        short(&mut end, files.len() as u16);
    }
    for field in [directory.len() as u32, archive.len() as u32] {
        end.extend(field.to_le_bytes());
    }
    short(&mut end, 0);
    [archive, directory, end].concat()
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let _ = packer.write_all(content);
    packer.finish().unwrap_or_default()
}

fn short(bytes: &mut Vec<u8>, field: u16) {
    bytes.extend(field.to_le_bytes());
}
