//! The barcodes that payers' wallets show to a shop's scanner (付款码): which wallet a code belongs to, from its first
//! digits and its length.

/// Why a code cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    /// Something else than digits.
    #[error("a payer's barcode has digits only")]
    NotDigits,
    /// It begins like a wallet's code, but none of that wallet's has so many digits. Guessing would ask the wrong
    /// wallet for money.
    #[error("{start}… is how {brand} begins, but its codes have {digits} digits, not {found}; scan again")]
    Length {
        /// The first two digits.
        start: String,
        /// The wallet that begins so.
        brand: &'static str,
        /// How many digits its codes have.
        digits: &'static str,
        /// How many there are.
        found: usize,
    },
    /// No wallet's code begins so.
    #[error(
        "no wallet known here shows codes that begin with {start}; name the method, such as `alipay.barcode`"
    )]
    Unknown {
        /// The first two digits.
        start: String,
    },
}

/// One wallet's codes.
struct Wallet {
    brand: &'static str,
    /// The first two digits, from and to.
    starts: (u8, u8),
    /// How many digits, from and to.
    lengths: (usize, usize),
    digits: &'static str,
}

/// As the wallets publish them. No two begin alike, so that a code belongs to one wallet or to none.
const WALLETS: &[Wallet] = &[
    Wallet { brand: "wechatpay", starts: (10, 15), lengths: (18, 18), digits: "18" },
    Wallet { brand: "alipay", starts: (25, 30), lengths: (16, 24), digits: "16 to 24" },
    Wallet { brand: "unionpay", starts: (62, 62), lengths: (19, 19), digits: "19" },
    Wallet { brand: "qq", starts: (91, 91), lengths: (18, 18), digits: "18" },
];

/// The brand whose wallet shows this code.
pub fn brand(code: &str) -> Result<&'static str, BarcodeError> {
    if code.len() < 2 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BarcodeError::NotDigits);
    }
    let start = code[..2].to_owned();
    let number: u8 = start.parse().map_err(|_| BarcodeError::NotDigits)?;
    let begins = |wallet: &&Wallet| (wallet.starts.0..=wallet.starts.1).contains(&number);
    let Some(wallet) = WALLETS.iter().find(begins) else { return Err(BarcodeError::Unknown { start }) };
    if (wallet.lengths.0..=wallet.lengths.1).contains(&code.len()) {
        return Ok(wallet.brand);
    }
    let (brand, digits, found) = (wallet.brand, wallet.digits, code.len());
    Err(BarcodeError::Length { start, brand, digits, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_and_length_belongs_to_one_wallet_or_to_none() {
        for start in 0..100 {
            for length in 2..40 {
                let code = format!("{start:02}{}", "7".repeat(length - 2));
                let expected = match (start, length) {
                    (10..=15, 18) => Some("wechatpay"),
                    (25..=30, 16..=24) => Some("alipay"),
                    (62, 19) => Some("unionpay"),
                    (91, 18) => Some("qq"),
                    _ => None,
                };
                assert_eq!(brand(&code).ok(), expected, "{code}");
            }
        }
    }

    #[test]
    fn a_code_that_is_not_told_says_why() {
        assert_eq!(brand("13450000000000000x"), Err(BarcodeError::NotDigits));
        assert_eq!(brand("１３"), Err(BarcodeError::NotDigits));
        assert_eq!(brand(""), Err(BarcodeError::NotDigits));
        let short = brand("134500").unwrap_err().to_string();
        assert!(short.contains("wechatpay") && short.contains("18 digits, not 6"), "{short}");
        assert_eq!(brand("990000000000000000"), Err(BarcodeError::Unknown { start: "99".to_owned() }));
    }
}
