//! A batch of payouts as a file for a bank: ISO 20022 customer credit transfer initiation, `pain.001.001.09`.

use crate::money::Money;
use crate::time::Timestamp;

/// Who pays, as the bank knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debtor {
    /// The name of the account's owner.
    pub name: String,
    /// The account.
    pub account: String,
    /// The bank.
    pub bank: Bank,
}

/// A bank, by whatever it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bank {
    /// BIC (ISO 9362).
    pub bic: Option<String>,
    /// Number in a clearing system, such as CNAPS.
    pub clearing: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: String,
}

/// One credit transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Our reference, 1 to 35 characters; comes back on the statement.
    pub reference: String,
    /// How much.
    pub money: Money,
    /// The name of the account's owner.
    pub name: String,
    /// The account.
    pub account: String,
    /// The beneficiary's bank.
    pub bank: Bank,
    /// Shown to the beneficiary.
    pub memo: String,
}

/// The message of a batch. All instructions are in one currency; `batch` is its reference, 1 to 35 characters.
pub fn message(batch: &str, debtor: &Debtor, instructions: &[Instruction], now: Timestamp) -> String {
    let sum: i128 = instructions.iter().map(|each| i128::from(each.money.minor())).sum();
    let sum = instructions.first().map_or_else(|| "0".to_owned(), |first| decimal(sum, first.money));
    let mut xml = Xml(String::with_capacity(1_024 + 800 * instructions.len()));
    xml.0.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.0.push_str("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"><CstmrCdtTrfInitn>");
    xml.within("GrpHdr", |xml| {
        xml.leaf("MsgId", batch).leaf("CreDtTm", &now.to_rfc3339_seconds(0));
        xml.leaf("NbOfTxs", &instructions.len().to_string()).leaf("CtrlSum", &sum);
        xml.within("InitgPty", |xml| _ = xml.leaf("Nm", &text(&debtor.name, 140)));
    });
    xml.within("PmtInf", |xml| {
        xml.leaf("PmtInfId", batch).leaf("PmtMtd", "TRF").leaf("BtchBookg", "true");
        xml.leaf("NbOfTxs", &instructions.len().to_string()).leaf("CtrlSum", &sum);
        let day = now.to_rfc3339_seconds(0);
        xml.within("ReqdExctnDt", |xml| _ = xml.leaf("Dt", day.get(..10).unwrap_or_default()));
        xml.within("Dbtr", |xml| _ = xml.leaf("Nm", &text(&debtor.name, 140)));
        xml.within("DbtrAcct", |xml| account(xml, &debtor.account));
        xml.within("DbtrAgt", |xml| agent(xml, &debtor.bank));
        instructions.iter().for_each(|each| xml.within("CdtTrfTxInf", |xml| instruction(xml, each)));
    });
    xml.0.push_str("</CstmrCdtTrfInitn></Document>\n");
    xml.0
}

fn instruction(xml: &mut Xml, each: &Instruction) {
    xml.within("PmtId", |xml| _ = xml.leaf("InstrId", &each.reference).leaf("EndToEndId", &each.reference));
    let amount = decimal(each.money.minor().into(), each.money);
    let currency = each.money.currency().code();
    xml.within("Amt", |xml| {
        xml.0.push_str(&format!("<InstdAmt Ccy=\"{currency}\">{amount}</InstdAmt>"));
    });
    xml.within("CdtrAgt", |xml| agent(xml, &each.bank));
    xml.within("Cdtr", |xml| _ = xml.leaf("Nm", &text(&each.name, 140)));
    xml.within("CdtrAcct", |xml| account(xml, &each.account));
    if !each.memo.is_empty() {
        xml.within("RmtInf", |xml| _ = xml.leaf("Ustrd", &text(&each.memo, 140)));
    }
}

fn account(xml: &mut Xml, account: &str) {
    xml.within("Id", |xml| {
        if is_iban(account) {
            xml.leaf("IBAN", account);
        } else {
            xml.within("Othr", |xml| _ = xml.leaf("Id", &text(account, 34)));
        }
    });
}

fn agent(xml: &mut Xml, bank: &Bank) {
    xml.within("FinInstnId", |xml| {
        if let Some(bic) = &bank.bic {
            xml.leaf("BICFI", bic);
        }
        if let Some(clearing) = &bank.clearing {
            xml.within("ClrSysMmbId", |xml| {
                if bank.country == "CN" {
                    xml.within("ClrSysId", |xml| _ = xml.leaf("Cd", "CNAPS"));
                }
                xml.leaf("MmbId", clearing);
            });
        }
        xml.within("PstlAdr", |xml| _ = xml.leaf("Ctry", &bank.country));
    });
}

/// Whether a text is an IBAN: form and check digits (ISO 13616, modulo 97).
pub fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let form = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let digit = |sum: u32, byte: &u8| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    };
    form && bytes[4..].iter().chain(&bytes[..4]).fold(0, digit) == 1
}

/// A plain decimal. The format has at most five decimals and no currency has more than four.
fn decimal(minor: i128, like: Money) -> String {
    let exponent = usize::from(like.currency().exponent());
    if exponent == 0 {
        return minor.to_string();
    }
    let digits = format!("{minor:0>width$}", width = exponent + 1);
    let (whole, rest) = digits.split_at(digits.len() - exponent);
    format!("{whole}.{rest}")
}

/// The first characters of a text, without control characters.
fn text(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

struct Xml(String);

impl Xml {
    fn leaf(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.push_str(&format!("<{name}>"));
        for c in value.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                c => self.0.push(c),
            }
        }
        self.0.push_str(&format!("</{name}>"));
        self
    }

    fn within(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>"));
        inner(self);
        self.0.push_str(&format!("</{name}>"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_has_check_digits() {
        for good in ["DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947"] {
            assert!(is_iban(good), "{good}");
        }
        for wrong in ["DE88370400440532013000", "6222020200012345678", "de89370400440532013000", "DE8", ""] {
            assert!(!is_iban(wrong), "{wrong}");
        }
    }

    #[test]
    fn sums_are_decimals_of_the_currency() {
        let money = |text: &str| Money::new(0, text.parse().unwrap());
        assert_eq!(decimal(5, money("CNY")), "0.05");
        assert_eq!(decimal(5, money("JPY")), "5");
        assert_eq!(decimal(123_456, money("KWD")), "123.456");
    }
}
