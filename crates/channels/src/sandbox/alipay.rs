//! The certificates of an Alipay sandbox: of the app, of the gateway, and the root that issued both.

use md5::{Digest as _, Md5};
use paycore::crypto::{KeyError, Signer};

use super::certificate::{Certificate, Party};

const ROOT: Party<'_> = Party { organization: "paycore", unit: "sandbox", name: "sandbox root" };
/// The serial numbers, in the order of [`certificates`].
const NUMBERS: [u64; 3] = [12_600_571, 7_480_093, 3_190_017];

/// Certificates in PEM form of an app, of the gateway and of the root, for these public keys; the root signs them all.
pub(crate) fn certificates(
    app_id: &str,
    keys: [&str; 3],
    root: &dyn Signer,
) -> Result<[String; 3], KeyError> {
    let issue = |which: usize, name| {
        let subject = Party { name, ..ROOT };
        let (serial, public_key) = (NUMBERS[which], keys[which]);
        Certificate { serial, subject, issuer: ROOT, public_key, is_authority: which == 2 }.issue(root)
    };
    Ok([issue(0, app_id)?, issue(1, "alipay sandbox")?, issue(2, ROOT.name)?])
}

/// By what names the two sides call the certificates.
#[derive(Debug)]
pub(crate) struct Serials {
    pub(crate) app: String,
    pub(crate) alipay: String,
    pub(crate) root: String,
}

impl Serials {
    /// Of the certificates of every sandbox.
    pub(crate) fn new() -> Serials {
        let Party { organization, unit, name } = ROOT;
        let [app, alipay, root] = NUMBERS.map(|serial| {
            let sum = Md5::digest(format!("CN={name},OU={unit},O={organization},C=CN{serial}"));
            sum.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        Serials { app, alipay, root }
    }
}
