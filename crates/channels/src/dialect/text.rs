//! References, addresses and texts for people, in the forms that channels take.

use std::borrow::Cow;

use paycore::channel::{References, Refusal};

/// A reference within what the profile takes: ASCII letters and digits.
pub(crate) fn reference<'a>(
    param: &'static str,
    text: &'a str,
    takes: References,
) -> Result<&'a str, Refusal> {
    if (takes.min..=takes.max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Ok(text);
    }
    let detail = format!("must be {} to {} ASCII letters and digits", takes.min, takes.max);
    Err(Refusal::Parameter { param, detail })
}

/// A word of at most `most` letters, digits and these signs, which goes into an address as it stands.
pub(crate) fn word(param: &'static str, text: &str, most: usize, signs: &str) -> Result<(), Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || signs.as_bytes().contains(&byte);
    if (1..=most).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::Parameter { param, detail: format!("must be 1 to {most} letters and digits") })
}

/// An address that is sent and signed as it stands. One whose query has a parameter with one of the `reserved` names
/// would make a signed text read as two parameters, and is refused.
pub(crate) fn address<'a>(param: &'static str, url: &'a str, reserved: &[&str]) -> Result<&'a str, Refusal> {
    let wrong = |detail: String| Err(Refusal::Parameter { param, detail });
    let http = url.starts_with("https://") || url.starts_with("http://");
    if !http || url.len() > 256 || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("must be an http or https address of at most 256 ASCII characters".into());
    }
    let mut names = url.split('&').skip(1).filter_map(|pair| pair.split('=').next());
    match names.find(|name| reserved.contains(name)) {
        Some(name) => wrong(format!("must not have a query parameter `{name}`, which is the gateway's")),
        None => Ok(url),
    }
}

/// Text for people, cut to `chars_max` characters and with the signs that mean something on Chinese gateways in
/// their full-width forms: `&` and `=` would make a signed text ambiguous, `/` is not accepted by all, and commas,
/// once there are enough of them, look like columns of a statement, where text is not quoted.
pub(crate) fn plain(text: &str, chars_max: usize) -> Cow<'_, str> {
    let many_commas = text.bytes().filter(|byte| *byte == b',').count() > 12;
    let full_width = |sign: char| match sign {
        '/' => '／',
        '=' => '＝',
        '&' => '＆',
        ',' if many_commas => '，',
        sign if sign.is_control() => ' ',
        sign => sign,
    };
    if text.len() <= chars_max && text.chars().all(|sign| full_width(sign) == sign) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(chars_max).map(full_width).collect())
}

/// Text for people within so many bytes, which is never more than so many characters, however the provider counts.
pub(crate) fn within(text: &str, bytes_max: usize) -> String {
    let mut short = String::with_capacity(bytes_max);
    for sign in text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }) {
        if short.len() + sign.len_utf8() > bytes_max {
            break;
        }
        short.push(sign);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_the_wire_become_full_width_and_long_text_is_cut() {
        assert_eq!(plain("Tea, 2/3 & more=\n", 99), "Tea, 2／3 ＆ more＝ ");
        assert_eq!(plain("红茶绿茶", 3), "红茶绿");
        assert_eq!(plain(&",".repeat(13), 99), "，".repeat(13));
    }

    #[test]
    fn an_address_that_smuggles_a_parameter_is_refused() {
        let check = |url| address("return_url", url, &["sign_type"]).is_ok();
        assert!(check("https://shop.example/done?sign_type=1&order=2"));
        for wrong in
            ["https://shop.example/?a=1&sign_type=RSA", "ftp://a", "https://商店.example", "https://a b"]
        {
            assert!(!check(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_reference_is_letters_and_digits_of_the_right_length() {
        let takes = References { min: 2, max: 4 };
        assert_eq!(reference("r", "a1", takes), Ok("a1"));
        for wrong in ["", "a", "abcde", "a-b", "a é"] {
            assert!(reference("r", wrong, takes).is_err(), "{wrong}");
        }
    }
}
