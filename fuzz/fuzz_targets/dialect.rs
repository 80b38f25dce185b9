//! The readers of hostile bytes that channels share.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| paycore_fuzz::feed_readers(data));
