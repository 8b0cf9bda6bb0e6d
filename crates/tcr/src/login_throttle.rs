//! Guessing passwords is slowed down: after some wrong ones in a row, a user name of an instance is let try again only after a pause,
//! and the pause doubles with each further failure.

use std::collections::HashMap;

use parking_lot::Mutex;
use time::Duration;

use crate::moments::Moment;

/// Wrong passwords in a row that cost nothing.
const FREE: u32 = 10;
/// The pause after the first one too many.
const FIRST_PAUSE: Duration = Duration::seconds(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::minutes(5);
/// Names that are remembered; when there are more, those whose pause is over go.
const NAMES: usize = 10_000;

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    /// No try before.
    until: Moment,
}

/// The wrong passwords of late, by instance (empty where the address names none) and user name.
#[derive(Default)]
pub(crate) struct LoginThrottle(Mutex<HashMap<(String, String), Failures>>);

impl LoginThrottle {
    /// Whether a password may be tried now, else in how many seconds.
    pub(crate) fn admits(&self, name: &(String, String), now: Moment) -> Result<(), i64> {
        match self.0.lock().get(name) {
            Some(failures) if now < failures.until => Err((failures.until.seconds() - now.seconds()).max(1)),
            _ => Ok(()),
        }
    }

    pub(crate) fn failed(&self, name: (String, String), now: Moment) {
        let mut names = self.0.lock();
        if names.len() >= NAMES {
            names.retain(|_, failures| now < failures.until);
            if names.len() >= NAMES {
                names.clear();
            }
        }
        let failures = names.entry(name).or_insert(Failures { count: 0, until: now });
        failures.count = failures.count.saturating_add(1);
        if let Some(beyond) = failures.count.checked_sub(FREE).filter(|beyond| *beyond > 0) {
            let pause = FIRST_PAUSE * (1_i32 << (beyond - 1).min(16));
            failures.until = now.plus(pause.min(LONGEST_PAUSE));
        }
    }

    pub(crate) fn succeeded(&self, name: &(String, String)) {
        self.0.lock().remove(name);
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn pauses_begin_late_double_and_end() {
        let (throttle, start) = (LoginThrottle::default(), Moment::from(OffsetDateTime::UNIX_EPOCH));
        let name = ("tcr-1".to_owned(), "tcr$ci".to_owned());
        for _ in 0..FREE {
            assert_eq!(throttle.admits(&name, start), Ok(()));
            throttle.failed(name.clone(), start);
        }
        assert_eq!(throttle.admits(&name, start), Ok(()));
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            throttle.failed(name.clone(), start);
            assert_eq!(throttle.admits(&name, start), Err(pause));
        }
        assert_eq!(throttle.admits(&name, start.plus(LONGEST_PAUSE)), Ok(()));
        assert_eq!(throttle.admits(&("tcr-1".to_owned(), "other".to_owned()), start), Ok(()));
        throttle.succeeded(&name);
        assert_eq!(throttle.admits(&name, start), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let (throttle, now) = (LoginThrottle::default(), Moment::from(OffsetDateTime::UNIX_EPOCH));
        for number in 0..NAMES * 2 {
            throttle.failed((String::new(), number.to_string()), now);
            assert!(throttle.0.lock().len() <= NAMES);
        }
    }
}
