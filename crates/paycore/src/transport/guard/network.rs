//! Networks of addresses, and which of all addresses are public.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A network in the notation `address/bits`; an address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// A text that is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a network; write `10.1.0.0/16`, `fd00::/8` or one address, without bits behind the prefix"
)]
pub struct NetworkError(String);

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Self {
        Network { base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    const fn v6(first: u16, second: u16, bits: u8) -> Self {
        Network { base: IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)), bits }
    }

    /// Whether the address lies in this network. The two families never mix: `::ffff:10.0.0.1` does not lie in
    /// `10.0.0.0/8`, nor the other way round.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differ = u32::from(base) ^ u32::from(address);
                differ.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differ = u128::from(base) ^ u128::from(address);
                differ.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    fn width(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let base: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = Network::width(base);
        let bits = match bits {
            None => width,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| wrong())?
            }
            Some(_) => return Err(wrong()),
        };
        // `10.1.2.3/8` is more likely a slip of the hand than the wish for 16 million addresses.
        let tail = match base {
            IpAddr::V4(base) => u128::from(u32::from(base).checked_shl(u32::from(bits)).unwrap_or(0)),
            IpAddr::V6(base) => u128::from(base).checked_shl(u32::from(bits)).unwrap_or(0),
        };
        if bits > width || tail != 0 {
            return Err(wrong());
        }
        Ok(Network { base, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// IPv4 networks that are not public, after the special-purpose registry of IANA (RFC 6890 and its updates).
const NOT_PUBLIC_V4: &[Network] = &[
    Network::v4(0, 0, 0, 0, 8),       // this network
    Network::v4(10, 0, 0, 0, 8),      // private
    Network::v4(100, 64, 0, 0, 10),   // carrier-grade NAT; some clouds keep metadata services here
    Network::v4(127, 0, 0, 0, 8),     // loopback
    Network::v4(169, 254, 0, 0, 16),  // link-local, with the metadata service of most clouds
    Network::v4(172, 16, 0, 0, 12),   // private
    Network::v4(192, 0, 0, 0, 24),    // protocol assignments
    Network::v4(192, 0, 2, 0, 24),    // documentation
    Network::v4(192, 31, 196, 0, 24), // AS112 sink
    Network::v4(192, 52, 193, 0, 24), // multicast tunnels
    Network::v4(192, 88, 99, 0, 24),  // 6to4 relays
    Network::v4(192, 168, 0, 0, 16),  // private
    Network::v4(192, 175, 48, 0, 24), // AS112 sink
    Network::v4(198, 18, 0, 0, 15),   // benchmarking
    Network::v4(198, 51, 100, 0, 24), // documentation
    Network::v4(203, 0, 113, 0, 24),  // documentation
    Network::v4(224, 0, 0, 0, 4),     // multicast
    Network::v4(240, 0, 0, 0, 4),     // reserved, and the broadcast address
];

/// The one block from which public IPv6 addresses are given out. Everything outside is special: loopback, mapped,
/// compatible and NAT64 addresses that hide an IPv4 one, unique local, link-local, multicast.
const UNICAST_V6: Network = Network::v6(0x2000, 0, 3);

/// Networks inside that block that are not public after all.
const NOT_PUBLIC_V6: &[Network] = &[
    Network::v6(0x2001, 0, 23), // protocol assignments: Teredo, benchmarking, ORCHID
    Network::v6(0x2001, 0x0db8, 32), // documentation
    Network::v6(0x2002, 0, 16), // 6to4: hides an IPv4 address
    Network::v6(0x3fff, 0, 20), // documentation
];

/// Whether packets to this address leave for the public internet, as far as the address alone can tell.
pub(super) fn is_public(address: IpAddr) -> bool {
    let within = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
    match address {
        IpAddr::V4(_) => !within(NOT_PUBLIC_V4),
        IpAddr::V6(_) => UNICAST_V6.contains(address) && !within(NOT_PUBLIC_V6),
    }
}
