//! Step 6: the rate. Calls per second, counted by arrival time: of one action through one access region by one identity, and, where
//! asked for, of one account and of one address (`protocol.md` §7).
//!
//! The counting is `governor`'s: a second's calls may come at once, and room comes back evenly over the second that follows. A client
//! that never has more calls in any second than the limit is never refused; one that does is held to the limit over time. Off unless
//! asked for: the models carry no rates, and a local cloud is mostly asked by parallel tests.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use rookery_world::World;

use crate::action::Found;
use crate::error::CommonError;

/// The platform's usual limit for an action.
const USUAL: NonZeroU32 = per_second(20);

/// The documented limits that differ from the usual one: product, action, calls per second (`tcr.md` §0.2, `products.md` §1, §3, §4).
/// Of the other actions either the usual limit is documented or none is known.
const DOCUMENTED: [(&str, &str, NonZeroU32); 12] = [
    ("cvm", "StopInstances", per_second(10)),
    ("cvm", "TerminateInstances", per_second(10)),
    ("kms", "SignByAsymmetricKey", per_second(100)),
    ("sts", "AssumeRole", per_second(600)),
    ("sts", "AssumeRoleWithSAML", per_second(200)),
    ("sts", "GetFederationToken", per_second(600)),
    ("tcr", "CreateInstanceCustomizedDomain", per_second(1)),
    ("tcr", "CreateInstanceToken", per_second(100)),
    ("tcr", "DeleteInstanceCustomizedDomain", per_second(1)),
    ("tcr", "DescribeImageManifests", per_second(10)),
    ("tcr", "DescribeImages", per_second(100)),
    ("tcr", "DescribeRepositories", per_second(100)),
];

const fn per_second(calls: u32) -> NonZeroU32 {
    match NonZeroU32::new(calls) {
        Some(calls) => calls,
        None => NonZeroU32::MIN,
    }
}

/// The platform's limit of an action, in calls per second.
#[must_use]
pub fn platform_limit(product: &str, action: &str) -> NonZeroU32 {
    let documented = DOCUMENTED.iter().find(|(of, name, _)| *of == product && *name == action);
    documented.map_or(USUAL, |(_, _, limit)| *limit)
}

/// Which limit actions have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActionLimit {
    /// None.
    #[default]
    Off,
    /// Each action its own, see [`platform_limit`].
    Platform,
    /// The same for every action, in calls per second.
    Fixed(NonZeroU32),
}

/// Text that is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate limit is `off`, `platform` or a number of calls per second from 1")]
pub struct NoLimit;

impl FromStr for ActionLimit {
    type Err = NoLimit;

    fn from_str(text: &str) -> Result<Self, NoLimit> {
        match text {
            "off" => Ok(Self::Off),
            "platform" => Ok(Self::Platform),
            number => number.parse().map(Self::Fixed).map_err(|_| NoLimit),
        }
    }
}

/// What is limited, in calls per second. Nothing by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Of one action through one access region by one identity: `RequestLimitExceeded`.
    pub action: ActionLimit,
    /// Of one account through one access region, whatever the action: `RequestLimitExceeded.UinLimitExceeded`.
    pub account: Option<NonZeroU32>,
    /// Of one account through all regions together: `RequestLimitExceeded.GlobalRegionUinLimitExceeded`.
    pub account_everywhere: Option<NonZeroU32>,
    /// Of one IP address: `RequestLimitExceeded.IPLimitExceeded`.
    pub address: Option<NonZeroU32>,
}

/// One call, as it is counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// What is called.
    pub found: Found,
    /// The gateway's region, not the data's; empty for the nearest.
    pub access_region: &'static str,
    /// The identity.
    pub uin: u64,
    /// Its account.
    pub account: u64,
    /// Where the call comes from.
    pub address: IpAddr,
}

/// The action's part of what is counted together: product, version and position.
type ActionKey = (&'static str, &'static str, usize);

/// The counters.
#[derive(Debug)]
pub struct Rates {
    limits: Limits,
    clock: Steady,
    actions: Buckets<(ActionKey, &'static str, u64)>,
    accounts: Buckets<(u64, &'static str)>,
    accounts_everywhere: Buckets<u64>,
    addresses: Buckets<IpAddr>,
}

impl Rates {
    /// Counters for `limits`, by the clock of `world`.
    #[must_use]
    pub fn new(limits: Limits, world: World) -> Self {
        Self {
            limits,
            clock: Steady { world, state: Mutex::default() },
            actions: Buckets::default(),
            accounts: Buckets::default(),
            accounts_everywhere: Buckets::default(),
            addresses: Buckets::default(),
        }
    }

    /// Counts a call. The widest limit is asked first, and a call that it refuses is not counted by the narrower ones.
    pub fn count(&self, counted: &Counted) -> Result<(), CommonError> {
        let Limits { action, account, account_everywhere, address } = self.limits;
        let action = match action {
            ActionLimit::Off => None,
            ActionLimit::Platform => {
                Some(platform_limit(counted.found.product.name, counted.found.shape.name))
            }
            ActionLimit::Fixed(limit) => Some(limit),
        };
        if action.or(account).or(account_everywhere).or(address).is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        let region = counted.access_region;
        if !self.addresses.has_room(counted.address, address, now) {
            return Err(CommonError::IpLimitExceeded);
        }
        if !self.accounts_everywhere.has_room(counted.account, account_everywhere, now) {
            return Err(CommonError::GlobalRegionUinLimitExceeded);
        }
        if !self.accounts.has_room((counted.account, region), account, now) {
            return Err(CommonError::UinLimitExceeded);
        }
        let Found { product, position, .. } = counted.found;
        let key = ((product.name, product.version, position), region, counted.uin);
        match action {
            Some(limit) if !self.actions.has_room(key, action, now) => {
                Err(CommonError::RequestLimitExceeded { limit: limit.get() })
            }
            _ => Ok(()),
        }
    }
}

/// Buckets of one kind, each made when its key is first counted.
struct Buckets<K> {
    kept: Mutex<Kept<K>>,
}

struct Kept<K> {
    buckets: HashMap<K, Bucket>,
    until_sweep: u32,
}

struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Duration>>,
    last: Duration,
}

/// How many calls are counted between two sweeps.
const SWEEP_EVERY: u32 = 1024;
const SECOND: Duration = Duration::from_secs(1);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { buckets: HashMap::new(), until_sweep: SWEEP_EVERY }) }
    }
}

impl<K> std::fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buckets({})", self.kept.lock().buckets.len())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Whether another call of `key` fits; counts it if so. Without a limit everything fits.
    fn has_room(&self, key: K, limit: Option<NonZeroU32>, now: Duration) -> bool {
        let Some(limit) = limit else { return true };
        let mut kept = self.kept.lock();
        kept.until_sweep -= 1;
        if kept.until_sweep == 0 {
            kept.until_sweep = SWEEP_EVERY;
            // A bucket that rested for a second is as good as new.
            kept.buckets.retain(|_, bucket| now.saturating_sub(bucket.last) < SECOND);
            kept.buckets.shrink_to_fit();
        }
        let bucket = kept.buckets.entry(key).or_insert_with(|| {
            let limiter = RateLimiter::direct_with_clock(Quota::per_second(limit), Told(Cell::new(now)));
            Bucket { limiter, last: now }
        });
        bucket.last = now;
        bucket.limiter.clock().0.set(now);
        bucket.limiter.check().is_ok()
    }
}

/// The time of a bucket, told to it before it is asked: one reading serves all limits of a call.
#[derive(Debug)]
struct Told(Cell<Duration>);

impl Clock for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.get()
    }
}

/// The world's clock, made to run forwards only: when the system's is set back, time goes on from where it was.
#[derive(Debug)]
struct Steady {
    world: World,
    state: Mutex<SteadyState>,
}

#[derive(Debug, Default)]
struct SteadyState {
    last: i128,
    set_back: i128,
}

impl Steady {
    fn now(&self) -> Duration {
        let mut state = self.state.lock();
        let reading = self.world.now().unix_timestamp_nanos();
        state.set_back += (state.last - reading).max(0);
        state.last = reading;
        // 2^64 ns after 1970 is the year 2554.
        Duration::from_nanos(u64::try_from(reading + state.set_back).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn found(product: &str, action: &str) -> Found {
        let product = rookery_api::PRODUCTS.iter().find(|candidate| candidate.name == product).unwrap();
        let position = product.actions.iter().position(|candidate| candidate.name == action).unwrap();
        Found { product, position, shape: &product.actions[position] }
    }

    fn call(uin: u64) -> Counted {
        Counted {
            found: found("tcr", "DescribeInstances"),
            access_region: "",
            uin,
            account: 100,
            address: IpAddr::from([127, 0, 0, 1]),
        }
    }

    fn world() -> World {
        World::pinned(OffsetDateTime::from_unix_timestamp(1_551_113_065).unwrap(), 1)
    }

    fn fixed(limit: u32) -> Limits {
        Limits { action: ActionLimit::Fixed(per_second(limit)), ..Limits::default() }
    }

    #[test]
    fn the_call_over_the_limit_is_refused_until_there_is_room() {
        let world = world();
        let rates = Rates::new(fixed(2), world.clone());
        assert!(rates.count(&call(1)).is_ok() && rates.count(&call(1)).is_ok());
        assert_eq!(rates.count(&call(1)), Err(CommonError::RequestLimitExceeded { limit: 2 }));
        assert!(rates.count(&call(2)).is_ok(), "another identity is counted apart");
        let elsewhere = Counted { access_region: "ap-tokyo", ..call(1) };
        assert!(rates.count(&elsewhere).is_ok(), "another access region is counted apart");
        let other = Counted { found: found("tcr", "CreateInstance"), ..call(1) };
        assert!(rates.count(&other).is_ok(), "another action is counted apart");
        world.advance(time::Duration::SECOND);
        assert!(rates.count(&call(1)).is_ok() && rates.count(&call(1)).is_ok());
        assert!(rates.count(&call(1)).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let world = world();
        let rates = Rates::new(fixed(1), world.clone());
        assert!(rates.count(&call(1)).is_ok());
        world.advance(-time::Duration::HOUR);
        assert!(rates.count(&call(1)).is_err());
        world.advance(time::Duration::SECOND);
        assert!(rates.count(&call(1)).is_ok());
    }

    #[test]
    fn without_a_limit_nothing_is_refused() {
        let rates = Rates::new(Limits::default(), world());
        assert!((0..1000).all(|_| rates.count(&call(1)).is_ok()));
    }

    #[test]
    fn the_platforms_limits_are_the_documented_ones() {
        let rates = Rates::new(Limits { action: ActionLimit::Platform, ..Limits::default() }, world());
        for (product, action, limit) in DOCUMENTED.into_iter().chain([
            ("tcr", "DescribeInstances", per_second(20)),
            ("sts", "GetCallerIdentity", per_second(20)),
        ]) {
            let call = Counted { found: found(product, action), ..call(1) };
            let answered = (0..=limit.get()).filter(|_| rates.count(&call).is_ok()).count();
            assert_eq!(u32::try_from(answered), Ok(limit.get()), "{product}:{action}");
        }
    }

    #[test]
    fn accounts_and_addresses_have_limits_of_their_own() {
        let one = Some(per_second(1));
        let second_call = |limits, second: Counted| {
            let rates = Rates::new(limits, world());
            assert!(rates.count(&call(1)).is_ok());
            rates.count(&second)
        };
        let elsewhere = Counted { access_region: "ap-tokyo", ..call(2) };
        let stranger = Counted { account: 200, ..call(3) };
        let other_address = Counted { address: IpAddr::from([192, 0, 2, 1]), ..call(1) };

        let account = Limits { account: one, ..Limits::default() };
        assert_eq!(second_call(account, call(2)), Err(CommonError::UinLimitExceeded));
        assert!(second_call(account, elsewhere).is_ok() && second_call(account, stranger).is_ok());
        let everywhere = Limits { account_everywhere: one, ..Limits::default() };
        assert_eq!(second_call(everywhere, elsewhere), Err(CommonError::GlobalRegionUinLimitExceeded));
        assert!(second_call(everywhere, stranger).is_ok());
        let address = Limits { address: one, ..Limits::default() };
        assert_eq!(second_call(address, stranger), Err(CommonError::IpLimitExceeded));
        assert!(second_call(address, other_address).is_ok());
    }

    #[test]
    fn identities_that_rest_are_forgotten() {
        let world = world();
        let rates = Rates::new(fixed(1), world.clone());
        for uin in 0..10_000 {
            assert!(rates.count(&call(uin)).is_ok());
            world.advance(time::Duration::milliseconds(10));
        }
        // A hundred are busy within a second, and as many as fit between two sweeps wait for theirs.
        assert!(rates.actions.kept.lock().buckets.len() <= 100 + SWEEP_EVERY as usize);
    }

    #[test]
    fn limits_are_read_from_text() {
        assert_eq!("off".parse(), Ok(ActionLimit::Off));
        assert_eq!("platform".parse(), Ok(ActionLimit::Platform));
        assert_eq!("7".parse(), Ok(ActionLimit::Fixed(per_second(7))));
        for text in ["", "0", "-1", "on", "4294967296"] {
            assert_eq!(text.parse::<ActionLimit>(), Err(NoLimit), "{text}");
        }
    }
}
