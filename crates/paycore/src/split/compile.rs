//! From shares to requests that a channel takes: its limits as data, and the batches that keep them.

use std::time::Duration;

use super::WHOLE;
use crate::channel::{AccountKind, Method, Profile, Verb};
use crate::currency::Currency;
use crate::money::Money;

/// What a channel allows of sharing. Read from the channels' public documentation; contracts may allow more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Id of the channel.
    pub channel: &'static str,
    /// Receivers in one request.
    pub receivers_max: usize,
    /// Requests for one order, the one that releases the rest included.
    pub requests_max: usize,
    /// How long after the payment the first request is taken.
    pub wait: Duration,
    /// The largest part of an order that may be shared where the contract says nothing else, millionths.
    pub cap: u32,
    /// The amount is frozen at the payment only if it says that it will be shared, and the rest has to be released.
    pub freezes: bool,
    /// Days after which the channel releases the rest by itself.
    pub hold_days: u16,
    /// The accounts from which a share can be taken back.
    pub returns: &'static [AccountKind],
    /// Days in which it can be taken back.
    pub return_days: u16,
    /// How often it can be taken back from one receiver of one share.
    pub returns_max: usize,
}

/// The limits of the channels that are known to share.
pub static LIMITS: &[Limits] = &[
    Limits {
        channel: "wechatpay",
        receivers_max: 50,
        requests_max: 50,
        wait: Duration::from_secs(60),
        cap: 300_000,
        freezes: true,
        hold_days: 30,
        returns: &[AccountKind::Merchant],
        return_days: 180,
        returns_max: 20,
    },
    Limits {
        channel: "douyinpay",
        receivers_max: 50,
        requests_max: 50,
        wait: Duration::from_secs(60),
        cap: 300_000,
        freezes: true,
        hold_days: 30,
        returns: &[AccountKind::Merchant],
        return_days: 180,
        returns_max: 20,
    },
    // Shares go asynchronously there; the synchronous way would take 5 receivers and 50 requests.
    Limits {
        channel: "alipay",
        receivers_max: 50,
        requests_max: 300,
        wait: Duration::from_secs(1),
        cap: 300_000,
        freezes: true,
        hold_days: 30,
        returns: &[],
        return_days: 0,
        returns_max: 0,
    },
];

/// What is assumed of a channel that shares and has no row: the narrowest of what is known.
pub static NARROWEST: Limits = Limits {
    channel: "",
    receivers_max: 5,
    requests_max: 50,
    wait: Duration::from_secs(60),
    cap: 300_000,
    freezes: true,
    hold_days: 30,
    returns: &[],
    return_days: 0,
    returns_max: 0,
};

/// The limits of a channel.
pub fn limits(channel: &str) -> &'static Limits {
    LIMITS.iter().find(|limits| limits.channel == channel).unwrap_or(&NARROWEST)
}

/// Whether a channel shares payments of this method.
pub fn can_share(profile: &Profile, method: &Method, currency: Currency) -> bool {
    profile.capability(method, currency).is_some_and(|row| row.verbs.contains(&Verb::Share))
}

/// Why shares cannot go through the channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// More than the contract allows or than is left of the order.
    #[error("the shares sum to {total}, the channel allows {most}")]
    TooMuch {
        /// The sum of the shares.
        total: Money,
        /// What may be shared.
        most: Money,
    },
    /// More receivers than fit into the requests of one order.
    #[error(
        "{receivers} receivers need more requests than the {requests} that the channel allows for an order"
    )]
    TooMany {
        /// The receivers.
        receivers: usize,
        /// Requests for one order.
        requests: usize,
    },
}

/// What may be shared of an order: what the contract allows of it, and never more than what is left of it without the fee.
pub fn most(limits: &Limits, cap: Option<u32>, gross: Money, fee: Money, refunded: i64) -> Money {
    let share = i128::from(gross.minor()) * i128::from(cap.unwrap_or(limits.cap)) / i128::from(WHOLE);
    let left = i128::from(gross.minor()) - i128::from(fee.minor()) - i128::from(refunded);
    let most = share.min(left).max(0);
    Money::new(i64::try_from(most).expect("no more than the payment"), gross.currency())
}

/// The batches in which shares are requested, as places in `shares`; none where there is nothing to give. A request for
/// the release of the rest always fits behind them.
pub fn batches(limits: &Limits, shares: &[Money], most: Money) -> Result<Vec<Vec<usize>>, Misfit> {
    let total: i128 = shares.iter().map(|share| i128::from(share.minor())).sum();
    if total > i128::from(most.minor()) {
        let total = Money::new(i64::try_from(total).unwrap_or(i64::MAX), most.currency());
        return Err(Misfit::TooMuch { total, most });
    }
    let places: Vec<usize> = (0..shares.len()).filter(|place| shares[*place].is_positive()).collect();
    let batches: Vec<Vec<usize>> = places.chunks(limits.receivers_max).map(<[usize]>::to_vec).collect();
    if batches.len() >= limits.requests_max {
        return Err(Misfit::TooMany { receivers: places.len(), requests: limits.requests_max });
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    #[test]
    fn no_request_names_more_receivers_and_no_order_more_requests_than_the_channel_takes() {
        for limits in LIMITS.iter().chain([&NARROWEST]) {
            let fit = limits.receivers_max * (limits.requests_max - 1);
            for count in [0, 1, limits.receivers_max, limits.receivers_max + 1, fit] {
                let shares = vec![cny(1); count];
                let batches = batches(limits, &shares, cny(1_000_000)).expect("they fit");
                assert!(batches.iter().all(|batch| (1..=limits.receivers_max).contains(&batch.len())));
                assert!(batches.len() < limits.requests_max, "one request is left to release the rest");
                let mut places: Vec<usize> = batches.concat();
                places.sort_unstable();
                assert_eq!(places, (0..count).collect::<Vec<_>>(), "everybody once");
            }
            let refused = batches(limits, &vec![cny(1); fit + 1], cny(1_000_000));
            assert!(matches!(refused, Err(Misfit::TooMany { .. })), "{}", limits.channel);
        }
    }

    #[test]
    fn the_cap_counts_over_all_requests_and_never_reaches_into_fee_and_refunds() {
        let wechat = limits("wechatpay");
        assert_eq!(most(wechat, None, cny(10_000), cny(60), 0), cny(3_000));
        assert_eq!(most(wechat, Some(1_000_000), cny(10_000), cny(60), 0), cny(9_940));
        assert_eq!(most(wechat, Some(1_000_000), cny(10_000), cny(60), 9_000), cny(940));
        assert_eq!(most(wechat, None, cny(10_000), cny(60), 9_990), cny(0));
        assert_eq!(batches(wechat, &[cny(1_500), cny(1_500)], cny(3_000)).unwrap(), [[0, 1]]);
        let over = batches(wechat, &[cny(1_500), cny(1_501)], cny(3_000));
        assert_eq!(over, Err(Misfit::TooMuch { total: cny(3_001), most: cny(3_000) }));
    }
}
