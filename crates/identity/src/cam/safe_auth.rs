//! Proofs beside the password, and the networks of a log-in policy, as requests and replies have them.

use ipnet::IpNet;
use rookery_api::cam::{IpPolicy, LoginActionFlag, LoginActionMfaFlag, OffsiteFlag};
use rookery_store::{Global, Read};

use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::settings::{LoginIpPolicies, MfaFlags, Proofs, RootMfa};
use crate::cam::users;

/// How many networks a log-in policy has at most.
const NETWORKS: usize = 50;

/// The proofs of somebody, and whether unusual places are checked.
pub(crate) fn read(rows: &impl Read, account: u64, uin: u64) -> Result<(MfaFlags, bool), Error> {
    let flags = if uin == account {
        rows.get::<RootMfa>(&Global, &account)?.unwrap_or_default()
    } else {
        users::get(rows, account, uin)?.mfa
    };
    let offsite = rows.get::<LoginIpPolicies>(&Global, &account)?.is_some_and(|row| row.offsite_check);
    Ok((flags, offsite))
}

/// The proofs that a request wants.
pub(crate) fn proofs(flag: &LoginActionMfaFlag) -> Result<Proofs, Error> {
    let read = |name, value| Ok::<_, Error>(names::flag(name, value)?.unwrap_or(false));
    Ok(Proofs {
        phone: read("Phone", flag.phone)?,
        stoken: read("Stoken", flag.stoken)?,
        wechat: read("Wechat", flag.wechat)?,
    })
}

/// Sets proofs; a phone has to be there for a proof by phone, and nobody here is bound to a messenger.
pub(crate) fn apply(
    flags: &mut MfaFlags,
    login: Option<Proofs>,
    action: Option<Proofs>,
    has_phone: bool,
) -> Result<(), Error> {
    for wanted in [login, action].into_iter().flatten() {
        if wanted.phone && !has_phone {
            return Err(Error::NoPhone);
        }
        if wanted.wechat {
            return Err(Error::NoWechat);
        }
    }
    flags.login = login.unwrap_or(flags.login);
    flags.action = action.unwrap_or(flags.action);
    Ok(())
}

/// Proofs as replies have them. Those that nothing here can set are never asked for.
pub(crate) fn flag(proofs: Proofs) -> LoginActionFlag {
    LoginActionFlag {
        phone: u64::from(proofs.phone),
        stoken: u64::from(proofs.stoken),
        wechat: u64::from(proofs.wechat),
        ..LoginActionFlag::default()
    }
}

/// The check of unusual places as replies have it; nobody is notified of them.
pub(crate) fn offsite(checked: bool) -> OffsiteFlag {
    OffsiteFlag { verify_flag: u64::from(checked), ..OffsiteFlag::default() }
}

/// The networks of a request, each with whether it is allowed. Two that overlap are refused: which one counted would be a guess.
pub(crate) fn networks(policies: Vec<IpPolicy>) -> Result<Vec<(String, bool)>, Error> {
    if policies.len() > NETWORKS {
        return Err(Error::LoginPolicyFull { limit: NETWORKS });
    }
    let mut read: Vec<IpNet> = Vec::with_capacity(policies.len());
    let mut networks = Vec::with_capacity(policies.len());
    for IpPolicy { ip, effect } in policies {
        let network =
            ip.parse().or_else(|_| ip.parse().map(|address: std::net::IpAddr| IpNet::from(address)));
        let Ok(network) = network else { return Err(Error::Network { network: ip }) };
        if read.iter().any(|other| other.contains(&network) || network.contains(other)) {
            return Err(Error::NetworksOverlap { network: ip });
        }
        let allowed = match effect.as_str() {
            "Allow" => true,
            "Deny" => false,
            _ => return Err(Error::Effect),
        };
        read.push(network);
        networks.push((ip, allowed));
    }
    Ok(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_cidr_and_do_not_overlap() {
        let policy = |ip: &str, effect: &str| IpPolicy { ip: ip.to_owned(), effect: effect.to_owned() };
        let read = networks(vec![
            policy("10.0.0.0/8", "Allow"),
            policy("192.168.1.171", "Deny"),
            policy("::1", "Allow"),
        ]);
        assert_eq!(read.unwrap().len(), 3);
        assert!(matches!(networks(vec![policy("10.0.0", "Allow")]), Err(Error::Network { .. })));
        assert!(matches!(networks(vec![policy("10.0.0.1", "Perhaps")]), Err(Error::Effect)));
        let overlapping = vec![policy("10.0.0.0/8", "Allow"), policy("10.1.0.0/16", "Deny")];
        assert!(matches!(networks(overlapping), Err(Error::NetworksOverlap { .. })));
    }

    #[test]
    fn a_proof_by_phone_needs_a_phone() {
        let phone = Proofs { phone: true, ..Proofs::default() };
        let mut flags = MfaFlags::default();
        assert!(matches!(apply(&mut flags, Some(phone), None, false), Err(Error::NoPhone)));
        apply(&mut flags, None, Some(phone), true).unwrap();
        assert_eq!(flags, MfaFlags { login: Proofs::default(), action: phone });
        let wechat = Proofs { wechat: true, ..Proofs::default() };
        assert!(matches!(apply(&mut flags, Some(wechat), None, true), Err(Error::NoWechat)));
    }
}
