//! The payment channels: pure adapters and their simulators. Each folder is one channel; this file is the only
//! one they share.

use paycore::channel::Driver;

pub mod alipay;
pub mod allinpay;
mod dialect;
pub mod douyinpay;
pub mod ecny;
pub mod epay;
pub mod huifu;
pub mod lakala;
pub mod qq;
mod sandbox;
pub mod shouqianba;
pub mod testpay;
pub mod unionpay;
pub mod wechatpay;

#[cfg(feature = "readers")]
pub use dialect::readers::{READERS, Reader};

/// Every channel of this build.
pub static REGISTRY: &[&dyn Driver] = &[
    &alipay::Alipay,
    &allinpay::Allinpay,
    &douyinpay::DouyinPay,
    &ecny::Ecny,
    &epay::Epay,
    &huifu::Huifu,
    &lakala::Lakala,
    &qq::Qq,
    &shouqianba::Shouqianba,
    &testpay::Testpay,
    &unionpay::UnionPay,
    &wechatpay::WechatPay,
];
