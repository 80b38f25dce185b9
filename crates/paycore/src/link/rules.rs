//! Who opened a link, and what to offer them.

use crate::channel::Method;

use super::Link;
use crate::money::Money;
use crate::order::OrderStatus;
use crate::time::Timestamp;

/// The note that tells an order's link: its metadata has the link's id under this key.
pub const NOTE: &str = "payment_link";

/// The program that opened a link, as its user agent says. It decides what is offered, never what is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// WeChat's own browser (微信).
    Wechat,
    /// Alipay's own browser (支付宝).
    Alipay,
    /// The UnionPay app or a bank's app that speaks for it (云闪付).
    Unionpay,
    /// QQ's own browser.
    Qq,
    /// Douyin's own browser (抖音).
    Douyin,
    /// A browser on a phone.
    Phone,
    /// A browser on a desk.
    Desk,
}

impl Opener {
    /// Reads a user agent.
    pub fn of(user_agent: &str) -> Opener {
        let has = |word: &str| user_agent.contains(word);
        match () {
            () if has("MicroMessenger/") => Opener::Wechat,
            () if has("AlipayClient/") => Opener::Alipay,
            () if has("UnionPay/") || has("CloudPay") => Opener::Unionpay,
            // QQ's stand-alone browser says "MQQBrowser", which is no wallet.
            () if has(" QQ/") => Opener::Qq,
            // The same makers' other apps say "BytedanceWebview" too, and are no wallets.
            () if has(" aweme") => Opener::Douyin,
            () if has("Mobile") || has("Android") || has("iPhone") => Opener::Phone,
            () => Opener::Desk,
        }
    }

    /// The brand of the wallet that opened it, where one did.
    pub fn brand(self) -> Option<&'static str> {
        match self {
            Opener::Wechat => Some("wechatpay"),
            Opener::Alipay => Some("alipay"),
            Opener::Unionpay => Some("unionpay"),
            Opener::Qq => Some("qq"),
            Opener::Douyin => Some("douyinpay"),
            Opener::Phone | Opener::Desk => None,
        }
    }

    /// Scenes that work here, best first.
    fn scenes(self) -> &'static [&'static str] {
        match self {
            Opener::Wechat | Opener::Qq => &["jsapi", "page", "wap"],
            // Both open the address of their own QR code as if it had been scanned.
            Opener::Alipay => &["jsapi", "wap", "qr", "page"],
            Opener::Unionpay => &["qr", "h5", "page"],
            Opener::Douyin => &["jsapi", "h5", "wap"],
            Opener::Phone => &["h5", "wap", "page", "card", "qr"],
            Opener::Desk => &["qr", "page", "card", "wap"],
        }
    }
}

/// What to offer, best first: inside a wallet only that wallet's own way to pay, elsewhere one scene of each brand.
/// `available` is everything the merchant's channels take, in the merchant's order.
pub fn offers(link: &Link, opener: Opener, available: &[Method]) -> Vec<Method> {
    let allowed: Vec<&Method> = match link.details.methods.as_slice() {
        [] => available.iter().collect(),
        wanted => wanted.iter().filter(|method| available.contains(method)).collect(),
    };
    let mut brands: Vec<&str> = Vec::new();
    for method in &allowed {
        let fits = opener.brand().is_none_or(|brand| brand == method.brand());
        if fits && !brands.contains(&method.brand()) {
            brands.push(method.brand());
        }
    }
    let best = |brand: &&str| {
        let scene = |scene: &&str| allowed.iter().find(|method| method.is(brand, scene));
        opener.scenes().iter().find_map(scene).copied().cloned()
    };
    brands.iter().filter_map(best).collect()
}

/// Whether a payment by this method has to name the payer as the wallet knows them.
pub fn names_payer(method: &Method) -> bool {
    matches!(method.scene(), "jsapi" | "mini")
}

/// Whether it can be paid now, or why not.
pub fn payable(link: &Link, now: Timestamp) -> Result<(), &'static str> {
    if !link.enabled {
        return Err("This payment link is switched off. 该收款码已停用。");
    }
    if link.expires_at.is_some_and(|end| end <= now) {
        return Err("This payment link has expired. 该收款码已过期。");
    }
    Ok(())
}

/// What the payer is charged: the link's amount, or what was typed within its limit.
pub fn charge(link: &Link, typed: Option<i64>) -> Option<Money> {
    let minor = match (link.amount, typed) {
        (Some(fixed), None) => fixed,
        (None, Some(typed)) => typed,
        // A payer may say what is to be paid anyway, and nothing else.
        (Some(fixed), Some(typed)) if fixed == typed => fixed,
        _ => return None,
    };
    let most = link.details.amount_max.unwrap_or(crate::order::input::AMOUNT_MAX);
    (1..=most).contains(&minor).then(|| Money::new(minor, link.currency))
}

/// The number of the n-th order of a link that is paid once. Numbers are unique, so that two payers at once make one.
pub fn number(link: &Link, n: usize) -> String {
    format!("{}-{n}", link.id)
}

/// Whether another order may follow this one under a link that is paid once.
pub fn is_spent(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Closed | OrderStatus::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;
    use crate::id::LinkId;
    use crate::link::LinkDetails;

    fn link() -> Link {
        Link {
            id: LinkId::from_bits(1),
            version: 1,
            amount: Some(500),
            currency: Currency::CNY,
            enabled: true,
            details: LinkDetails::default(),
            expires_at: None,
            created_at: Timestamp::ZERO,
        }
    }

    fn methods(words: &[&str]) -> Vec<Method> {
        words.iter().map(|word| word.parse().expect("a method")).collect()
    }

    #[test]
    fn user_agents_are_told_apart() {
        let wechat = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 \
                      MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/zh_CN";
        let alipay = "Mozilla/5.0 (Linux; U; Android 15; zh-CN) AppleWebKit/537.36 Chrome/109 Mobile Safari/537.36 \
                      NebulaSDK/1.8.100112 Nebula AlipayDefined(nt:WIFI) AliApp(AP/10.7.50) AlipayClient/10.7.50";
        let unionpay = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 \
                        (com.unionpay.chsp) (cordova 4.5.4) (updebug 0) (version 1020) (UnionPay/1.0 CloudPay)";
        let qq = "Mozilla/5.0 (Linux; Android 15) Mobile MQQBrowser/6.2 V1_AND_SQ_9.1 QQ/9.1.75 NetType/WIFI";
        let qq_browser = "Mozilla/5.0 (Linux; Android 15) Chrome/121 MQQBrowser/16.3 Mobile Safari/537.36";
        let douyin = "Mozilla/5.0 (Linux; Android 15) Chrome/121 Mobile Safari/537.36 aweme_330700 JsSdk/1.0 \
                      NetType/WIFI AppName/aweme app_version/33.7.0 ByteLocale/zh-CN BytedanceWebview/d8a21c6";
        let tiktok = "Mozilla/5.0 (Linux; Android 15) Chrome/125 Mobile Safari/537.36 trill_340002 \
                      AppName/musical_ly BytedanceWebview/d8a21c6";
        let desk = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36";
        for (agent, opener) in [
            (wechat, Opener::Wechat),
            (alipay, Opener::Alipay),
            (unionpay, Opener::Unionpay),
            (qq, Opener::Qq),
            (qq_browser, Opener::Phone),
            (douyin, Opener::Douyin),
            (tiktok, Opener::Phone),
            (desk, Opener::Desk),
            ("", Opener::Desk),
        ] {
            assert_eq!(Opener::of(agent), opener, "{agent}");
        }
    }

    #[test]
    fn a_wallet_is_offered_its_own_way_and_a_browser_one_of_each() {
        let available =
            methods(&["wechatpay.qr", "wechatpay.jsapi", "alipay.qr", "alipay.wap", "wechatpay.h5"]);
        let offered = |opener| offers(&link(), opener, &available);
        assert_eq!(offered(Opener::Wechat), methods(&["wechatpay.jsapi"]));
        assert_eq!(offered(Opener::Alipay), methods(&["alipay.wap"]));
        assert_eq!(
            offers(&link(), Opener::Alipay, &methods(&["alipay.wap", "alipay.jsapi"])),
            methods(&["alipay.jsapi"])
        );
        assert_eq!(offered(Opener::Unionpay), []);
        assert_eq!(offered(Opener::Phone), methods(&["wechatpay.h5", "alipay.wap"]));
        assert_eq!(offered(Opener::Desk), methods(&["wechatpay.qr", "alipay.qr"]));
        let details = LinkDetails { methods: methods(&["alipay.qr", "qq.qr"]), ..LinkDetails::default() };
        let narrow = Link { details, ..link() };
        assert_eq!(offers(&narrow, Opener::Desk, &available), methods(&["alipay.qr"]));
        assert_eq!(offers(&narrow, Opener::Wechat, &available), []);
    }

    #[test]
    fn the_price_is_the_links_unless_the_payer_names_it() {
        let money = |minor| Some(Money::new(minor, Currency::CNY));
        assert_eq!(charge(&link(), None), money(500));
        assert_eq!(charge(&link(), Some(500)), money(500));
        assert_eq!(charge(&link(), Some(499)), None, "a payer does not change the price");
        let details = LinkDetails { amount_max: Some(1_000), ..LinkDetails::default() };
        let open = Link { amount: None, details, ..link() };
        for (typed, charged) in [(None, None), (Some(0), None), (Some(-5), None), (Some(1_001), None)] {
            assert_eq!(charge(&open, typed), charged, "{typed:?}");
        }
        assert_eq!(charge(&open, Some(1_000)), money(1_000));
    }

    #[test]
    fn a_link_that_is_off_or_over_cannot_be_paid() {
        let now = Timestamp::from_secs(100);
        assert_eq!(payable(&link(), now), Ok(()));
        assert!(payable(&Link { enabled: false, ..link() }, now).is_err());
        assert!(payable(&Link { expires_at: Some(now), ..link() }, now).is_err());
        assert!(payable(&Link { expires_at: Some(Timestamp::from_secs(101)), ..link() }, now).is_ok());
    }
}
