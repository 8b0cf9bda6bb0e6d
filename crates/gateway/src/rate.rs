//! Step 6: the rate. Calls per second, counted per action, access region and identity, by arrival time.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::error::CommonError;

/// The platform's usual limit for an action (`protocol.md` §7).
pub const USUAL_LIMIT: u32 = 20;

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Counted {
    /// Product, and the action's position in it.
    pub action: (&'static str, usize),
    /// The gateway's region, not the data's; empty for the nearest.
    pub access_region: &'static str,
    /// The identity.
    pub uin: u64,
}

/// Counters of the second that is running. Off unless asked for: the models carry no rates, and a local cloud is mostly asked by
/// parallel tests, so the usual limit is applied only where the user wants to meet it.
#[derive(Debug, Default)]
pub struct Rates {
    limit: Option<u32>,
    second: Mutex<(i64, HashMap<Counted, u32>)>,
}

impl Rates {
    /// Counters with `limit` calls per second for each thing counted; none where it is `None`.
    #[must_use]
    pub fn new(limit: Option<u32>) -> Self {
        Self { limit, second: Mutex::default() }
    }

    /// Counts a call that arrived in the UNIX second `now`.
    pub fn count(&self, counted: Counted, now: i64) -> Result<(), CommonError> {
        let Some(limit) = self.limit else { return Ok(()) };
        let mut second = self.second.lock();
        if second.0 != now {
            *second = (now, HashMap::new());
        }
        let calls = second.1.entry(counted).or_default();
        *calls += 1;
        if *calls > limit { Err(CommonError::RequestLimitExceeded { limit }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(uin: u64) -> Counted {
        Counted { action: ("tcr", 0), access_region: "", uin }
    }

    #[test]
    fn the_call_over_the_limit_is_refused_until_the_next_second() {
        let rates = Rates::new(Some(2));
        assert!(rates.count(counted(1), 7).is_ok() && rates.count(counted(1), 7).is_ok());
        assert_eq!(rates.count(counted(1), 7), Err(CommonError::RequestLimitExceeded { limit: 2 }));
        assert!(rates.count(counted(2), 7).is_ok(), "another identity is counted apart");
        assert!(rates.count(counted(1), 8).is_ok());
    }

    #[test]
    fn without_a_limit_nothing_is_refused() {
        let rates = Rates::new(None);
        assert!((0..1000).all(|_| rates.count(counted(1), 7).is_ok()));
    }
}
