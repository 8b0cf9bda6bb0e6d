//! The protocol of the collector, model-checked: every interleaving of its steps with pushes, mounts, deletions, indexes,
//! dropped requests and a crash is walked through, and what must always hold is looked at after each step.
//!
//! `protocol` is the registry's own order of steps, written down by hand. Each rule of it can be broken, and for each the
//! explorer must find a counterexample: that shows that the rule is needed, and that the explorer can see.

#![allow(clippy::panic, reason = "a test says what it found by failing, in its helpers too")]
#![allow(clippy::struct_excessive_bools, reason = "a model is made of what is there and what is not")]

mod explorer;
mod protocol;

use explorer::explore;
use protocol::{Job, Rules, State};

/// Enough for every scenario by far; one that grows past it would not be exhaustive any more.
const LIMIT: usize = 3_000_000;

fn holds(name: &str, start: State, rules: Rules) {
    match explore(start, rules, LIMIT, "") {
        Ok(states) => assert!(states > 10, "{name}: only {states} states were seen"),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

fn breaks(name: &str, start: State, rules: Rules, expected: &str) {
    if let Ok(states) = explore(start, rules, LIMIT, expected) {
        panic!("{name}: {states} states, and never: {expected}");
    }
}

/// A blob that was pushed long ago and never named, and whoever may want it.
fn abandoned() -> State {
    State::new().with_blob(0)
}

/// An image that nobody tagged.
fn untagged() -> State {
    State::new().with_image(0, false)
}

fn pushes(start: State) -> State {
    start.running(&[Job::Push(0), Job::Push(1), Job::Collect])
}

#[test]
fn pushes_beside_a_collection() {
    holds("fresh", pushes(State::new()), Rules::KEPT);
    holds("abandoned", pushes(abandoned()), Rules::KEPT);
    holds("two of one", abandoned().running(&[Job::Push(0), Job::Push(0), Job::Collect]), Rules::KEPT);
}

#[test]
fn pushes_that_are_slower_than_the_grace() {
    let rules = Rules { grace: false, ..Rules::KEPT };
    holds("abandoned", pushes(abandoned()), rules);
    holds("fresh", pushes(State::new()), rules);
}

#[test]
fn mounts_and_deletions_beside_a_collection() {
    for rules in [Rules::KEPT, Rules { grace: false, ..Rules::KEPT }] {
        holds("mount", abandoned().running(&[Job::Mount, Job::Collect, Job::Push(0)]), rules);
        let image = State::new().with_image(0, true);
        holds("delete", image.clone().running(&[Job::Delete, Job::Collect, Job::Push(0)]), rules);
        holds("delete and mount", image.running(&[Job::Delete, Job::Collect, Job::Mount]), rules);
    }
}

#[test]
fn indexes_beside_a_collection() {
    holds("children", untagged().running(&[Job::Index, Job::Collect]), Rules::KEPT);
    holds(
        "children pushed again",
        untagged().running(&[Job::Index, Job::Collect, Job::Push(0)]),
        Rules::KEPT,
    );
    let tagged = State::new().with_image(0, true);
    holds(
        "a child that loses its tag",
        tagged.running(&[Job::Index, Job::Delete, Job::Collect]),
        Rules::KEPT,
    );
}

#[test]
fn referrers_beside_a_collection() {
    let subject = State::new().with_image(0, true);
    holds("a referrer", subject.clone().running(&[Job::Refer, Job::Collect]), Rules::KEPT);
    holds("its subject goes", subject.running(&[Job::Refer, Job::Delete, Job::Collect]), Rules::KEPT);
}

#[test]
fn crashes_and_dropped_requests() {
    let rules = Rules { grace: false, ..Rules::KEPT };
    for start in [State::new(), abandoned(), State::new().with_file()] {
        holds("crash", start.clone().running(&[Job::Push(0), Job::Collect, Job::Crash]), rules);
        holds("drop", start.running(&[Job::Push(0), Job::Push(1), Job::Collect, Job::DropOne]), rules);
    }
}

#[test]
fn every_rule_is_needed() {
    let slow = Rules { grace: false, ..Rules::KEPT };
    let both = [Job::Push(0), Job::Push(1), Job::Collect];
    breaks(
        "blobs are published without their lock",
        abandoned().running(&both),
        Rules { locks: false, ..slow },
        "a row without a file",
    );
    breaks(
        "a link is dropped on what was seen before the transaction",
        abandoned().running(&both),
        Rules { decide_in_transaction: false, ..slow },
        "a manifest names a blob",
    );
    breaks(
        "the file goes before its row",
        abandoned().running(&both),
        Rules { row_first: false, ..slow },
        "a row without a file",
    );
    breaks(
        "a file is published after its row",
        State::new().running(&both),
        Rules { publish_first: false, ..slow },
        "a row without a file",
    );
    breaks(
        "nobody notes what a client was told",
        abandoned().running(&both),
        Rules { notes: false, ..Rules::KEPT },
        "was told",
    );
    breaks(
        "an answer that a sweep overtook is given",
        abandoned().running(&both),
        Rules { ask_again: false, ..Rules::KEPT },
        "was told",
    );
    breaks(
        "a file is an orphan by a snapshot's word, beside a dropped push",
        State::new().running(&[Job::Push(0), Job::Collect, Job::DropOne]),
        Rules { orphans_by_transaction: false, ..slow },
        "a row without a file",
    );
}
