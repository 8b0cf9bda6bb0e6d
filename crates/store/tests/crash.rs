//! Kills a process that writes, at random points, and looks at what is there afterwards.
//!
//! The test starts itself again as the victim: workers that each take numbered steps, every step one transaction over
//! three tables and an index, and print every step that was acknowledged. What must hold after each kill: every worker
//! is at the step it printed last or at the one after it, and all that belongs to its steps, and nothing else, is there.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]
#![allow(clippy::print_stdout, reason = "it has no harness that would print for it")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rookery_store::{
    Account, ErasedIndex, Global, Index, OpenError, Read, Scan, Store, StoreError, Table, Transaction,
};
use serde::{Deserialize, Serialize};

const SIGKILL: i32 = 9;
const ROUNDS: u64 = 24;
const WORKERS: u64 = 16;
/// How many rows a worker has at most: a step makes one and removes the one so many steps back.
const WINDOW: u64 = 40;
/// The steps of all workers that a round waits for at most before the kill.
const STEPS: u64 = 600;

/// The step that each worker has reached.
struct Reached;
impl Table for Reached {
    const NAME: &'static str = "crash.reached";
    type Scope = Account;
    type Key = u64;
    type Row = u64;
}

#[derive(Serialize, Deserialize)]
struct Made {
    token: String,
    padding: String,
}

/// What the steps have made, by step.
struct Rows;
impl Table for Rows {
    const NAME: &'static str = "crash.rows";
    type Scope = Account;
    type Key = u64;
    type Row = Made;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByToken];
}

struct ByToken;
impl Index for ByToken {
    type Table = Rows;
    type Value = String;
    const NAME: &'static str = "token";
    const UNIQUE: bool = true;

    fn value(_: &Account, _: &u64, row: &Made) -> Option<String> {
        Some(row.token.clone())
    }
}

/// The steps of all workers together.
struct Total;
impl Table for Total {
    const NAME: &'static str = "crash.total";
    type Scope = Global;
    type Key = bool;
    type Row = u64;
}

fn token(worker: u64, step: u64) -> String {
    format!("{worker} at {step}")
}

/// One step of a worker; every fifth attempt fails at its end, as a refused call would.
fn step(tx: &mut Transaction<'_>, worker: u64, step: u64, fails: bool) -> Result<(), StoreError> {
    let scope = Account { uin: worker };
    let made =
        Made { token: token(worker, step), padding: "x".repeat(usize::try_from(step % 1500).unwrap_or(0)) };
    tx.put::<Rows>(&scope, &step, &made)?;
    if let Some(old) = step.checked_sub(WINDOW) {
        tx.delete::<Rows>(&scope, &old)?;
    }
    tx.put::<Reached>(&scope, &0, &step)?;
    let total = tx.get::<Total>(&Global, &true)?.unwrap_or(0);
    tx.put::<Total>(&Global, &true, &(total + 1))?;
    if fails { Err(StoreError::Closed) } else { Ok(()) }
}

async fn work(store: Store, worker: u64) {
    let scope = Account { uin: worker };
    let reached = store.read(|view| view.get::<Reached>(&scope, &0)).unwrap().unwrap_or(0);
    for next in reached + 1.. {
        if next % 5 == 0 {
            assert!(store.write(move |tx| step(tx, worker, next, true)).await.is_err());
        }
        store.write(move |tx| step(tx, worker, next, false)).await.unwrap();
        // One write to the pipe, so that a kill leaves whole lines.
        io::stdout().write_all(format!("{worker} {next}\n").as_bytes()).unwrap();
    }
}

fn victim(directory: &Path) {
    let store = Store::open(directory).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..WORKERS {
            workers.spawn(work(store.clone(), worker));
        }
        workers.join_all().await;
    });
}

/// Starts a victim and kills it when it has printed so many lines (0: at once); returns the last step that each worker
/// printed.
fn kill_after(lines: u64, directory: &Path) -> BTreeMap<u64, u64> {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    let mut victim = victim.arg("victim").arg(directory).stdout(Stdio::piped()).spawn().unwrap();
    if lines == 0 {
        victim.kill().unwrap();
    }
    let mut printed = BTreeMap::new();
    // What was printed between the line that is waited for and the kill counts, too.
    for (number, line) in (1..).zip(BufReader::new(victim.stdout.take().unwrap()).lines()) {
        let line = line.unwrap();
        let (worker, step) = line.split_once(' ').unwrap();
        printed.insert(worker.parse().unwrap(), step.parse().unwrap());
        if number == lines {
            assert!(
                matches!(Store::open(directory), Err(OpenError::Held { .. })),
                "the victim holds its state"
            );
            victim.kill().unwrap();
        }
    }
    let status = victim.wait().unwrap();
    assert_eq!(status.signal(), Some(SIGKILL), "the victim ended by itself");
    printed
}

/// Looks at the state; returns the step that each worker has reached.
fn examine(directory: &Path, acknowledged: &BTreeMap<u64, u64>) -> BTreeMap<u64, u64> {
    let store = Store::open(directory).unwrap();
    let reached = store.read(|view| {
        let mut reached = BTreeMap::new();
        let mut rows = 0;
        for worker in 0..WORKERS {
            let scope = Account { uin: worker };
            let at = view.get::<Reached>(&scope, &0)?.unwrap_or(0);
            let printed = acknowledged.get(&worker).copied().unwrap_or(0);
            assert!(at == printed || at == printed + 1, "worker {worker} printed {printed} and is at {at}");
            let expected: Vec<u64> = (1..=at).skip_while(|step| step + WINDOW <= at).collect();
            assert_eq!(view.scan_keys::<Rows>(&scope, Scan::all())?, expected, "the rows of worker {worker}");
            for step in expected {
                let found = view.find::<ByToken>(&token(worker, step))?;
                assert_eq!(found.map(|(scope, key, _)| (scope.uin, key)), Some((worker, step)));
                rows += 1;
            }
            reached.insert(worker, at);
        }
        assert_eq!(view.count_index::<ByToken>(Scan::all())?, rows, "no index entry without its row");
        let total = view.get::<Total>(&Global, &true)?.unwrap_or(0);
        assert_eq!(total, reached.values().sum::<u64>(), "every step was counted once");
        Ok::<_, StoreError>(reached)
    });
    reached.unwrap()
}

fn rounds(seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut random = seed | 1;
    let mut reached = BTreeMap::new();
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // The first kill comes before the first step, perhaps before the state is made.
        let lines = if round == 0 { 0 } else { 1 + random % STEPS };
        reached.extend(kill_after(lines, directory.path()));
        reached = examine(directory.path(), &reached);
    }
    let steps: u64 = reached.values().sum();
    println!("crash: {ROUNDS} kills, {steps} steps, none lost");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, directory] = arguments.as_slice()
        && mode == "victim"
    {
        return victim(Path::new(directory));
    }
    // The words of a test runner: a name selects, options (with two dashes) do not concern this one.
    let names: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    if !names.is_empty() && !names.iter().any(|name| "crash".contains(name.as_str())) {
        return;
    }
    let seed = match std::env::var("CRASH_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => u64::from(std::process::id()).wrapping_mul(0x9E37_79B9_7F4A_7C15),
    };
    println!("crash: CRASH_SEED={seed}");
    rounds(seed);
}
