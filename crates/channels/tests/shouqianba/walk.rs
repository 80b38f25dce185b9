//! The adapter against its simulator: every operation and every scripted amount is walked by the conformance suite.

use paycore::testkit::channel_conformance::{Options, run};

use super::*;

#[test]
fn it_conforms_to_every_case_of_the_suite() {
    let readme = String::from_utf8(fixture("../README.md")).unwrap();
    let report = run(&Shouqianba, &NativeKeyring, &Options { seed: 7, exhaustive: false, readme });
    assert_eq!(report.failures().collect::<Vec<_>>(), Vec::<&_>::new(), "{report}");
}
