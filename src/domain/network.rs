//! Networks in CIDR notation, IPv4 and IPv6: reading them, and whether an address lies in one.
//! Knows nothing of keys or proxies, which use them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// One network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// Why a text is no network; a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// It cannot be read.
    #[error("\"{0}\" is not a network such as 192.0.2.0/24, 2001:db8::/32 or a single address")]
    Unreadable(String),
    /// Bits are set behind the length: most likely a typo.
    #[error("{0} has bits behind its length; the network is {1}")]
    HostBits(String, Network),
}

impl Network {
    /// The network of `bits` leading bits around an address; `None` where the address hasn't so many.
    fn around(address: IpAddr, bits: u8) -> Option<Self> {
        let base = match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX
                    .checked_shl(32_u32.checked_sub(u32::from(bits))?)
                    .unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX
                    .checked_shl(128_u32.checked_sub(u32::from(bits))?)
                    .unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        };
        Some(Self { base, bits })
    }

    /// The address lies in the network. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) counts
    /// as the IPv4 address that it is.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.base.is_ipv4() == address.is_ipv4() && Self::around(address, self.bits) == Some(self)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let unreadable = || NotANetwork::Unreadable(text.chars().take(64).collect());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => longest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| unreadable())?
            }
            Some(_) => return Err(unreadable()),
        };
        let (address, bits) = plain(address, bits);
        let network = Self::around(address, bits).ok_or_else(unreadable)?;
        if network.base == address {
            Ok(network)
        } else {
            Err(NotANetwork::HostBits(text.to_owned(), network))
        }
    }
}

/// IPv4 that is written within IPv6 (`::ffff:192.0.2.0/120`) is IPv4: so are the addresses that are held against it.
fn plain(address: IpAddr, bits: u8) -> (IpAddr, u8) {
    match (address.to_canonical(), bits.checked_sub(96)) {
        (IpAddr::V4(v4), Some(bits)) if address.is_ipv6() => (IpAddr::V4(v4), bits),
        _ => (address, bits),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// The address as far as it names one customer of a provider: IPv4 whole, IPv6 by its first 64 bits.
pub fn household(address: IpAddr) -> IpAddr {
    let address = address.to_canonical();
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(_) => Network::around(address, 64).map_or(address, |network| network.base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lies_in(address: &str, network: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_of_ipv4_may_be_written_within_ipv6() {
        assert!(lies_in("192.0.2.7", "::ffff:192.0.2.0/120"));
        assert!(lies_in("::ffff:192.0.2.7", "::ffff:192.0.2.0/120"));
        assert!(!lies_in("192.0.3.7", "::ffff:192.0.2.0/120"));
        let network: Network = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(network.to_string(), "192.0.2.1/32");
    }

    #[test]
    fn addresses_lie_in_networks() {
        assert!(lies_in("192.0.2.7", "192.0.2.0/24"));
        assert!(!lies_in("192.0.3.7", "192.0.2.0/24"));
        assert!(lies_in("203.0.113.9", "0.0.0.0/0"));
        assert!(!lies_in("2001:db8::1", "0.0.0.0/0"));
        assert!(lies_in("2001:db8:1::1", "2001:db8::/32"));
        assert!(lies_in("2001:db8::1", "::/0"));
        assert!(!lies_in("2001:db9::1", "2001:db8::/32"));
        assert!(lies_in("198.51.100.1", "198.51.100.1"));
        assert!(!lies_in("198.51.100.2", "198.51.100.1"));
        assert!(lies_in("::ffff:192.0.2.7", "192.0.2.0/24"));
    }

    #[test]
    fn what_is_no_network_is_refused_in_words() {
        for text in [
            "",
            "x",
            "192.0.2.0/33",
            "::/129",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/999",
            "1.2.3",
        ] {
            assert!(
                matches!(text.parse::<Network>(), Err(NotANetwork::Unreadable(_))),
                "{text}"
            );
        }
        let fault = "10.1.2.3/8".parse::<Network>().unwrap_err();
        assert_eq!(
            fault.to_string(),
            "10.1.2.3/8 has bits behind its length; the network is 10.0.0.0/8"
        );
    }

    #[test]
    fn a_household_is_an_ipv4_address_or_64_bits() {
        assert_eq!(
            household("192.0.2.7".parse().unwrap()).to_string(),
            "192.0.2.7"
        );
        assert_eq!(
            household("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(),
            "2001:db8:1:2::"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(address in any::<u128>(), bits in 0_u8..=128) {
            let network = Network::around(IpAddr::V6(Ipv6Addr::from_bits(address)), bits).unwrap();
            prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
            prop_assert!(network.contains(network.base));
        }
    }
}
