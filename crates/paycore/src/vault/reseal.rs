//! Sealing again: every kind of row that holds something sealed, and what each is bound to. Once all of them are sealed by the
//! key that seals now, an older root key is needed no more. See ADR 50.

use std::fmt::Display;

use super::rules::{NETWORK_TOKEN, Owner, key_binding};
use super::{CardToken, FingerprintKey, StoredCard};
use crate::account::ChannelAccount;
use crate::crypto::{SealError, Vault};
use crate::dispute::Evidence;
use crate::epay::EpayKey;
use crate::merchant::Merchant;
use crate::payout::{Batch, Beneficiary};
use crate::webhook::Endpoint;

/// A row that holds something sealed.
pub trait SealedRow: Send {
    /// Its id, to name it to an operator.
    fn row(&self) -> String;
    /// Every sealed text in it, with what it is bound to.
    fn sealed(&mut self, owner: Owner) -> Vec<(String, &mut String)>;
}

/// Seals anew what another key than the one that seals now has sealed in a row. Says whether anything was.
///
/// # Errors
/// What does not open; the row is then to be left as it was read.
pub fn reseal(row: &mut impl SealedRow, vault: &dyn Vault, owner: Owner) -> Result<bool, SealError> {
    let mut changed = false;
    for (binding, text) in row.sealed(owner) {
        if let Some(fresh) = vault.reseal(&binding, text)? {
            *text = fresh;
            changed = true;
        }
    }
    Ok(changed)
}

/// What everything but cards is bound to.
fn bound(owner: Owner, id: impl Display) -> String {
    format!("{}/{id}", owner.tenant)
}

/// Rows with texts that are bound to merchant and row.
macro_rules! sealed_rows {
    ($($type:ty: $($field:ident),+;)+) => {
        $(impl SealedRow for $type {
            fn row(&self) -> String {
                self.id.to_string()
            }

            fn sealed(&mut self, owner: Owner) -> Vec<(String, &mut String)> {
                let binding = bound(owner, self.id);
                let texts = [$(self.$field.text()),+].into_iter().flatten();
                texts.map(|text| (binding.clone(), text)).collect()
            }
        })+
    };
}

sealed_rows! {
    ChannelAccount: sealed_settings, sealed_simulator;
    Endpoint: sealed_secret, sealed_previous;
    EpayKey: sealed_key;
    Evidence: sealed;
    Beneficiary: sealed_account;
    Batch: sealed_file;
}

/// A text that may be missing.
trait Text {
    fn text(&mut self) -> Option<&mut String>;
}

impl Text for String {
    fn text(&mut self) -> Option<&mut String> {
        Some(self)
    }
}

impl Text for Option<String> {
    fn text(&mut self) -> Option<&mut String> {
        self.as_mut()
    }
}

impl SealedRow for Merchant {
    fn row(&self) -> String {
        self.id.to_string()
    }

    fn sealed(&mut self, _: Owner) -> Vec<(String, &mut String)> {
        vec![(self.id.to_string(), &mut self.sealed_secret)]
    }
}

impl SealedRow for FingerprintKey {
    fn row(&self) -> String {
        self.id.to_string()
    }

    fn sealed(&mut self, owner: Owner) -> Vec<(String, &mut String)> {
        vec![(key_binding(owner.tenant), &mut self.sealed)]
    }
}

impl SealedRow for CardToken {
    fn row(&self) -> String {
        self.id.to_string()
    }

    fn sealed(&mut self, owner: Owner) -> Vec<(String, &mut String)> {
        let binding = owner.binding(self.id, self.order_id);
        self.sealed.iter_mut().map(|text| (binding.clone(), text)).collect()
    }
}

impl SealedRow for StoredCard {
    fn row(&self) -> String {
        self.id.to_string()
    }

    fn sealed(&mut self, owner: Owner) -> Vec<(String, &mut String)> {
        let (card, token) = (owner.binding(self.id, &self.customer), owner.binding(self.id, NETWORK_TOKEN));
        let mut texts: Vec<_> = self.sealed.iter_mut().map(|text| (card.clone(), text)).collect();
        if let Some(kept) = &mut self.network_token {
            let of_token = [Some(&mut kept.sealed), kept.sealed_cryptogram.as_mut()];
            texts.extend(of_token.into_iter().flatten().map(|text| (token.clone(), text)));
        }
        texts
    }
}
