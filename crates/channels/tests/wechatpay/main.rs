//! The WeChat Pay channel: golden requests and recorded replies, forged and damaged messages, and the adapter against
//! its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use paycore::crypto::native::NativeKeyring;
use paycore::testkit::channel_conformance::{Options, run};
use paycore_channels::wechatpay::WechatPay;

#[test]
fn it_conforms() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/wechatpay/README.md")).unwrap();
    let options = Options { seed: 7, exhaustive: std::env::var_os("EX").is_some(), readme };
    let report = run(&WechatPay, &NativeKeyring, &options);
    println!("{report}");
    assert_eq!(report.failures().count(), 0);
}
