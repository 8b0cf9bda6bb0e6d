//! Whether the network that a request comes from may call at all: the platform's IP lists, as a configuration of the gateway.
//!
//! The platform keeps these lists for each account; here they belong to whoever runs the cloud, so they are asked before anything of
//! the request but its size is looked at, and hold for unsigned calls too.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::error::CommonError;

/// The networks that may call, and those that may not.
#[derive(Debug)]
pub struct Admission {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
}

impl Admission {
    /// Lets in what is in `allow`, or everybody where it is empty, except what is in `deny`.
    #[must_use]
    pub fn new(allow: Vec<IpNet>, deny: Vec<IpNet>) -> Self {
        Self { allow, deny }
    }

    /// Lets `address` in, or says which list keeps it out.
    pub fn admit(&self, address: IpAddr) -> Result<(), CommonError> {
        // A listener on `::` reports IPv4 peers as `::ffff:10.1.2.3`.
        let address = address.to_canonical();
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        if is_in(&self.deny) {
            Err(CommonError::IpInBlacklist)
        } else if self.allow.is_empty() || is_in(&self.allow) {
            Ok(())
        } else {
            Err(CommonError::IpNotInWhitelist)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|network| network.parse().unwrap()).collect()
    }

    #[test]
    fn lists_are_held_in_both_families() {
        let admission =
            Admission::new(networks(&["10.0.0.0/8", "fd00::/8"]), networks(&["10.9.0.0/16", "fd00::9/128"]));
        for (address, expected) in [
            ("10.1.2.3", Ok(())),
            ("::ffff:10.1.2.3", Ok(())),
            ("fd00::1", Ok(())),
            ("10.9.0.1", Err(CommonError::IpInBlacklist)),
            ("::ffff:10.9.255.255", Err(CommonError::IpInBlacklist)),
            ("fd00::9", Err(CommonError::IpInBlacklist)),
            ("11.0.0.0", Err(CommonError::IpNotInWhitelist)),
            ("fe80::1", Err(CommonError::IpNotInWhitelist)),
        ] {
            assert_eq!(admission.admit(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn without_lists_everybody_comes_in() {
        assert_eq!(Admission::new(Vec::new(), Vec::new()).admit([203, 0, 113, 7].into()), Ok(()));
    }

    #[test]
    fn a_list_of_refused_networks_alone_lets_in_the_rest() {
        let admission = Admission::new(Vec::new(), networks(&["127.0.0.0/8"]));
        assert_eq!(admission.admit([127, 0, 0, 1].into()), Err(CommonError::IpInBlacklist));
        assert_eq!(admission.admit([192, 168, 0, 1].into()), Ok(()));
    }
}
