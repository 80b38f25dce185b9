//! The client secret of an order: what a payer's browser shows in place of a key.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::{MerchantId, OrderId, TEXT_LEN, random_text, text_of};
use crate::secret::same;
use crate::time::Rng;

/// Opens one order of one merchant and nothing else: `cs_test_` or `cs_live_`, then 26 characters each that name the
/// order, name the merchant, and are random. It is shown to secret keys and to the payer's browser, never in events.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientSecret(String);

/// A page of the server that shows one order. Its address is made from the client secret and does not tell it: what
/// stands in the logs of a proxy or in a message opens this page and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderPage {
    /// Where it is paid.
    Pay,
    /// Its receipt.
    Receipt,
}

impl OrderPage {
    /// What goes into the hash beside the secret.
    fn label(self) -> &'static [u8] {
        match self {
            OrderPage::Pay => b"paycore page pay",
            OrderPage::Receipt => b"paycore page receipt",
        }
    }

    /// Reads whose order an address claims to show. Whether it does is for [`ClientSecret::shows`].
    pub fn claim(text: &str) -> Option<(MerchantId, OrderId)> {
        named(text)
    }
}

/// Order and merchant that a text of three parts names.
fn named(body: &str) -> Option<(MerchantId, OrderId)> {
    if body.len() != 3 * TEXT_LEN || !body.is_ascii() {
        return None;
    }
    let (order, rest) = body.split_at(TEXT_LEN);
    let order = format!("ord_{order}").parse().ok()?;
    let merchant = format!("mer_{}", &rest[..TEXT_LEN]).parse().ok()?;
    Some((merchant, order))
}

impl ClientSecret {
    /// A new one.
    pub fn new(order: OrderId, merchant: MerchantId, livemode: bool, rng: &dyn Rng) -> Self {
        let mode = if livemode { "live" } else { "test" };
        ClientSecret(format!("cs_{mode}_{}{}{}", order.bare(), merchant.bare(), random_text(rng)))
    }

    /// Reads whose order a text claims to open. Whether it does is for [`ClientSecret::opens`].
    pub fn claim(text: &str) -> Option<(MerchantId, OrderId)> {
        named(text.strip_prefix("cs_test_").or_else(|| text.strip_prefix("cs_live_"))?)
    }

    /// What the address of a page of this order ends with: 26 characters each that name the order, name the merchant,
    /// and are 128 bits of a hash over the secret.
    pub fn address(&self, page: OrderPage) -> String {
        let hash =
            Sha256::new().chain_update(page.label()).chain_update([0]).chain_update(&self.0).finalize();
        let mut proof = [0; 16];
        proof.copy_from_slice(&hash[..16]);
        let names = self.0.get("cs_test_".len()..).and_then(|body| body.get(..2 * TEXT_LEN));
        format!("{}{}", names.unwrap_or_default(), text_of(proof))
    }

    /// Whether this is the end of a page's address, told in constant time.
    pub fn shows(&self, page: OrderPage, text: &str) -> bool {
        same(self.address(page).as_bytes(), text.as_bytes())
    }

    /// Whether this text is the secret, told in constant time.
    pub fn opens(&self, text: &str) -> bool {
        same(self.0.as_bytes(), text.as_bytes())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SeededRng;

    fn secret(livemode: bool) -> ClientSecret {
        ClientSecret::new(OrderId::from_bits(5), MerchantId::from_bits(7), livemode, &SeededRng::new(1))
    }

    #[test]
    fn a_secret_names_its_order_and_mode_and_opens_only_as_a_whole() {
        let secret = secret(false);
        let text = secret.expose();
        assert!(text.starts_with("cs_test_") && text.len() == 86);
        assert_eq!(ClientSecret::claim(text), Some((MerchantId::from_bits(7), OrderId::from_bits(5))));
        assert!(secret.opens(text));
        let live = text.replace("test", "live");
        for wrong in [&text[..85], "", live.as_str(), &format!("{text}0")] {
            assert!(!secret.opens(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_read_as_a_secret_claims_nothing() {
        let text = secret(true).expose().to_owned();
        for wrong in [&text[..85], &text.replace("cs_", "sk_"), &text.replace("live", "prod"), "cs_test_", ""]
        {
            assert_eq!(ClientSecret::claim(wrong), None, "{wrong}");
        }
        assert_eq!(ClientSecret::claim(&format!("cs_test_{}", "é".repeat(39))), None);
    }

    #[test]
    fn the_address_of_a_page_names_the_order_tells_no_secret_and_opens_no_other_page() {
        let secret = secret(false);
        let (pay, receipt) = (secret.address(OrderPage::Pay), secret.address(OrderPage::Receipt));
        assert_eq!(OrderPage::claim(&pay), Some((MerchantId::from_bits(7), OrderId::from_bits(5))));
        assert!(pay.len() == 78 && !pay.ends_with(&secret.expose()[60..]));
        assert!(secret.shows(OrderPage::Pay, &pay) && secret.shows(OrderPage::Receipt, &receipt));
        for wrong in [&receipt, &pay[..77], secret.expose(), ""] {
            assert!(!secret.shows(OrderPage::Pay, wrong), "{wrong}");
        }
        assert_eq!(OrderPage::claim(secret.expose()), None);
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", secret(true)), "ClientSecret(…)");
    }
}
