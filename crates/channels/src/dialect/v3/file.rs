//! Statement files: where one is, and the file itself. The reply that says where is signed and names the hash of the file;
//! the file comes unsigned, so that only the hash proves it.

use std::io::{BufRead, BufReader, Read};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::StatusCode;
use paycore::channel::{Fault, Memo, Reply};
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

/// How a file begins that is packed.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// More than a day of any merchant: a file that unpacks to more is made to do harm.
const UNPACKED_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Where a file is, and how to know it.
#[derive(Debug, Deserialize)]
pub(crate) struct Located {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl Located {
    /// The path of the file below `base`, the gateway, and the hash to remember until it is here. A file elsewhere is
    /// asked for by its path alone: there is a proxy in between that knows where.
    pub(crate) fn path(&self, base: &str) -> Result<(String, Memo), Fault> {
        let hash = self.hash_value.to_ascii_lowercase();
        let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.hash_type != "SHA1" || !is_hash {
            return Err(Fault::Unexpected(format!("a hash of type {:?}", self.hash_type)));
        }
        let wrong = || Fault::Unexpected("the address of the file".into());
        let path = match self.download_url.strip_prefix(base).filter(|path| path.starts_with('/')) {
            Some(path) => path.to_owned(),
            None => {
                let url: http::Uri = self.download_url.parse().map_err(|_| wrong())?;
                url.path_and_query().filter(|_| url.host().is_some()).ok_or_else(wrong)?.as_str().to_owned()
            }
        };
        Ok((path, Memo(hash)))
    }
}

/// The file in a reply, as it came, once it is found to be the one whose hash was said.
pub(crate) fn file(reply: &Reply) -> Result<Bytes, Fault> {
    if reply.status() != StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {} instead of a file", reply.status().as_u16())));
    }
    let Memo(expected) =
        reply.extensions().get().ok_or_else(|| Fault::Unexpected("no hash of the file".into()))?;
    let mut unpacked = unpacked(reply.body().as_ref());
    let (mut hash, mut buffer, mut length) = (Sha1::new(), vec![0; 64 * 1024], 0_u64);
    loop {
        let read = unpacked.read(&mut buffer);
        let read = read.map_err(|error| Fault::Unexpected(format!("the file does not unpack: {error}")))?;
        if read == 0 {
            break;
        }
        length += read as u64;
        if length > UNPACKED_MAX {
            return Err(Fault::Unexpected("the file unpacks to more than any statement has".into()));
        }
        hash.update(&buffer[..read]);
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if hash != *expected {
        return Err(Fault::Unacceptable(format!("the file's hash is {hash}, not {expected}")));
    }
    Ok(reply.body().clone())
}

/// A file out of its GZIP, if it is in one.
pub(crate) fn unpacked<'f>(mut file: impl BufRead + 'f) -> Box<dyn BufRead + 'f> {
    match file.fill_buf() {
        Ok(start) if start.starts_with(&GZIP) => Box::new(BufReader::new(GzDecoder::new(file))),
        _ => Box::new(file),
    }
}
