//! Depth first over every state that can be reached; a state that was seen is not walked again.

use std::collections::HashSet;
use std::fmt;

use crate::protocol::{Rules, State};

/// How something that must hold was broken.
pub(crate) struct Violation {
    pub(crate) what: String,
    /// The steps that lead there.
    trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.what, self.trace.join("\n  "))
    }
}

/// One level of the walk: the steps out of a state that are still to be tried.
struct Level {
    next: Vec<(String, State)>,
    /// The step that led here.
    step: String,
}

/// Walks everything; says how many states there are, or the first violation of which `sought` is a part.
pub(crate) fn explore(start: State, rules: Rules, limit: usize, sought: &str) -> Result<usize, Violation> {
    let mut seen = HashSet::new();
    let mut path = vec![Level { next: vec![("start".to_owned(), start)], step: String::new() }];
    while let Some(level) = path.last_mut() {
        let Some((step, state)) = level.next.pop() else {
            path.pop();
            continue;
        };
        if !seen.insert(state.clone()) {
            continue;
        }
        assert!(seen.len() <= limit, "more than {limit} states");
        let next = state.steps(rules);
        let broken = state.check().or_else(|| if next.is_empty() { state.check_end(rules) } else { None });
        path.push(Level { next, step });
        if let Some(what) = broken.filter(|what| what.contains(sought)) {
            let trace = path.into_iter().map(|level| level.step).filter(|step| !step.is_empty());
            return Err(Violation { what, trace: trace.collect() });
        }
    }
    Ok(seen.len())
}
