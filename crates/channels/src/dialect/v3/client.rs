//! The parameters that start the wallet's own client, with our signature.

use paycore::channel::{Action, Context, Refusal};
use sha2::{Digest as _, Sha256};

use super::Merchant;

/// Those of a web page or mini program inside the wallet, or, of the scene `app`, of another app. A combined payment is that
/// of whoever combines it, and not of a merchant that is acted for.
pub(crate) fn client(
    merchant: &Merchant,
    scene: &str,
    (prepay_id, combined): (String, bool),
    cx: &Context<'_>,
) -> Result<Action, Refusal> {
    let (mut appid, mut partner) = (&merchant.appid, &merchant.identity.mchid);
    if let Some(sub) = merchant.sub.as_ref().filter(|_| !combined) {
        (appid, partner) = (sub.appid.as_ref().unwrap_or(appid), &sub.mchid);
    }
    let (appid, partner, timestamp) = (appid.clone(), partner.clone(), cx.now.secs().to_string());
    // Of the order and the instant, so that the same reply always means the same.
    let digest = Sha256::digest(format!("{prepay_id}\n{timestamp}"));
    let nonce: String = digest.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
    let parameters = if scene == "app" {
        let sign = merchant.identity.sign(&[&appid, &timestamp, &nonce, &prepay_id])?;
        let names = ["appid", "partnerid", "prepayid", "package", "noncestr", "timestamp", "sign"];
        named(names, [appid, partner, prepay_id, "Sign=WXPay".to_owned(), nonce, timestamp, sign])
    } else {
        let package = format!("prepay_id={prepay_id}");
        let sign = merchant.identity.sign(&[&appid, &timestamp, &nonce, &package])?;
        let names = ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"];
        named(names, [appid, timestamp, nonce, package, "RSA".to_owned(), sign])
    };
    Ok(Action::Client { parameters })
}

fn named<const N: usize>(names: [&str; N], values: [String; N]) -> Vec<(String, String)> {
    names.map(str::to_owned).into_iter().zip(values).collect()
}
