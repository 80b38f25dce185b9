//! The payment channels: pure adapters and their simulators. Each folder is one channel; this file is the only
//! one they share.

use paycore::channel::Driver;

pub mod alipay;
pub mod allinpay;
pub mod antom;
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
pub mod wechatpay_mandate;
pub mod wechatpay_v2;

#[cfg(feature = "readers")]
pub use dialect::readers::{READERS, Reader};

/// Every channel of this build: wallets first, then those who collect for several of them. A sandbox is connected to
/// all in this order, so that a wallet's method goes to the wallet itself.
pub static REGISTRY: &[&dyn Driver] = &[
    &alipay::Alipay,
    &wechatpay::WechatPay,
    &unionpay::UnionPay,
    &qq::Qq,
    &douyinpay::DouyinPay,
    &ecny::Ecny,
    &testpay::Testpay,
    &antom::Antom,
    &allinpay::Allinpay,
    &epay::Epay,
    &huifu::Huifu,
    &lakala::Lakala,
    &shouqianba::Shouqianba,
    &wechatpay_v2::WechatPayV2,
    &wechatpay_mandate::WechatPayMandate,
];
