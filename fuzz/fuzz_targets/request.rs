//! A simulator reads requests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use paycore::testkit::channel_conformance::hostile::Kind;

fuzz_target!(
    init: paycore_fuzz::begin(),
    |data: &[u8]| paycore_fuzz::feed(Kind::Request, data)
);
