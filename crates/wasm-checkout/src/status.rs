//! Words for where an order stands, as a payer reads them.

use paycore::order::OrderStatus;

/// The words for a status, in Chinese for `zh` and its variants, otherwise in English.
pub(crate) fn words(status: &str, language: &str) -> Option<&'static str> {
    let status = OrderStatus::parse(status)?;
    let language = language.split(['-', '_']).next().unwrap_or_default();
    Some(if language.eq_ignore_ascii_case("zh") { status.text_zh() } else { english(status) })
}

fn english(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "Waiting for payment",
        OrderStatus::Processing => "Processing",
        OrderStatus::Authorized => "Authorized",
        OrderStatus::Succeeded => "Paid",
        OrderStatus::Failed => "Payment failed",
        OrderStatus::Closed => "Closed",
        OrderStatus::PartiallyRefunded => "Partly refunded",
        OrderStatus::Refunded => "Refunded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_words_of_its_own_in_both_languages() {
        for language in ["zh", "en"] {
            let mut all: Vec<_> = OrderStatus::ALL.iter().filter_map(|s| words(s.text(), language)).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), OrderStatus::ALL.len(), "{language}");
        }
    }

    #[test]
    fn variants_of_chinese_are_chinese_and_everything_else_english() {
        for language in ["zh", "zh-CN", "zh_TW", "ZH-Hant"] {
            assert_eq!(words("succeeded", language), Some("支付成功"), "{language}");
        }
        for language in ["en", "en-GB", "de", "", "zhx"] {
            assert_eq!(words("succeeded", language), Some("Paid"), "{language}");
        }
        assert_eq!(words("paid", "en"), None);
    }
}
