//! Statement files: where one is, plain or sealed, and the file itself. The reply that says where is signed and names the hash of the file;
//! the file comes unsigned, so that only the hash proves it.

use std::io::{BufRead, BufReader, Read};

use aes::Aes256;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::StatusCode;
use paycore::channel::{Fault, Memo, Reply};
use paycore::crypto::{Decrypter, Encryption};
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

/// Where the files of a merchant are whom somebody else serves, each sealed with a key of its own that only that somebody
/// can open.
#[derive(Debug, Deserialize)]
pub(crate) struct SealedFiles {
    #[serde(default)]
    download_bill_list: Vec<SealedFile>,
}

#[derive(Debug, Deserialize)]
struct SealedFile {
    #[serde(flatten)]
    located: Located,
    encrypt_key: String,
    nonce: String,
}

impl SealedFiles {
    /// As [`Located::path`], with what opens the file to be remembered besides.
    pub(crate) fn path(&self, base: &str) -> Result<(String, Memo), Fault> {
        let [file] = self.download_bill_list.as_slice() else {
            let count = self.download_bill_list.len();
            return Err(Fault::Unexpected(format!("{count} files where one is read")));
        };
        let (path, Memo(hash)) = file.located.path(base)?;
        Ok((path, Memo(format!("{hash} {} {}", file.encrypt_key, file.nonce))))
    }
}

/// The file in a reply, out of its seal, once it is found to be the one whose hash was said.
pub(crate) fn sealed_file(reply: &Reply, key: &dyn Decrypter) -> Result<Bytes, Fault> {
    let wrong = || Fault::Unacceptable("the file does not open with the key that was said".into());
    let mut parts = remembered(reply)?.split(' ');
    let (Some(hash), Some(sealed), Some(nonce)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let sealed = STANDARD.decode(sealed).map_err(|_| wrong())?;
    let key = key.decrypt(Encryption::RsaOaepSha1, &sealed).map_err(|_| wrong())?;
    let (nonce, body) = (nonce.as_bytes(), reply.body().as_ref());
    // Documents show sixteen characters, although twelve are the rule of the algorithm.
    let clear = match nonce.len() {
        12 => AesGcm::<Aes256, U12>::new_from_slice(&key)
            .map_err(|_| wrong())?
            .decrypt(&Nonce::<U12>::try_from(nonce).map_err(|_| wrong())?, body),
        16 => AesGcm::<Aes256, U16>::new_from_slice(&key)
            .map_err(|_| wrong())?
            .decrypt(&Nonce::<U16>::try_from(nonce).map_err(|_| wrong())?, body),
        _ => return Err(wrong()),
    };
    let clear = Bytes::from(clear.map_err(|_| wrong())?);
    hashed(&clear, hash)?;
    Ok(clear)
}

/// The file in a reply, as it came, once it is found to be the one whose hash was said.
pub(crate) fn file(reply: &Reply) -> Result<Bytes, Fault> {
    hashed(reply.body(), remembered(reply)?)?;
    Ok(reply.body().clone())
}

/// What was to be remembered of a file that has come.
fn remembered(reply: &Reply) -> Result<&str, Fault> {
    if reply.status() != StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {} instead of a file", reply.status().as_u16())));
    }
    let memo = reply.extensions().get().map(|Memo(text)| text.as_str());
    memo.ok_or_else(|| Fault::Unexpected("no hash of the file".into()))
}

/// Whether the bytes, unpacked, have this hash.
fn hashed(file: &[u8], expected: &str) -> Result<(), Fault> {
    let mut unpacked = unpacked(file);
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
    if hash == expected {
        return Ok(());
    }
    Err(Fault::Unacceptable(format!("the file's hash is {hash}, not {expected}")))
}

/// A file out of its GZIP, if it is in one.
pub(crate) fn unpacked<'f>(mut file: impl BufRead + 'f) -> Box<dyn BufRead + 'f> {
    match file.fill_buf() {
        Ok(start) if start.starts_with(&GZIP) => Box::new(BufReader::new(GzDecoder::new(file))),
        _ => Box::new(file),
    }
}
