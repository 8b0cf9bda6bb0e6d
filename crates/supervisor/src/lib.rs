//! Child processes that are what they are wanted to be: running and proven ready, or gone.
//!
//! A [`Supervisor`] is told which [`Program`] a name is to run ([`Supervisor::start`]) and that it is not to run any more
//! ([`Supervisor::stop`]). One task per name reconciles the two: it starts, asks the program's [`Probe`] until it answers, starts
//! again what ended by itself, and stops with SIGTERM, then SIGKILL. A stop that comes in the middle of a start ends the start.
//!
//! The children outlive a supervisor that is killed. Before each is spawned, a record with a random token is on the disk; the child
//! carries the token in its environment ([`TOKEN_VARIABLE`]), and its process id and start time are added to the record. So the next
//! supervisor on the same directory finds what it owns, even where the former one died between spawn and record, and adopts it if
//! it is the program that is wanted, or ends it. Processes are held by pidfd: no signal reaches a stranger who got the same number.
//!
//! Which names should run is the caller's to remember. It knows nothing of what it runs.

mod keeper;
mod ownership;
mod process;
mod program;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::keeper::{Keeper, Report, Wanted};
use crate::ownership::Ownership;
pub use crate::ownership::TOKEN_VARIABLE;
pub use crate::program::{Probe, Program, Readiness};

/// How much may run at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Processes.
    pub processes: usize,
    /// The sum of what the programs declare, in bytes.
    pub memory: u64,
}

/// What a name is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing runs, and nothing is wanted to.
    Stopped,
    /// A process is being started, and has not yet proven itself.
    Starting,
    /// It answered its probe.
    Ready {
        /// The process.
        pid: u32,
    },
    /// It could not be started, or ended; it will be tried again.
    Failed {
        /// Why, with the last of what it wrote to stderr.
        reason: String,
    },
}

/// Why something was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// As many processes as may be are there.
    #[error("{limit} processes run, which is the limit")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The declared memory would exceed the limit.
    #[error("{asked} bytes of memory are asked for and {free} of {limit} are left")]
    Memory {
        /// What the program declares.
        asked: u64,
        /// What is left.
        free: u64,
        /// The limit.
        limit: u64,
    },
    /// Somebody listens there.
    #[error("the address {address} cannot be used: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// It ended before it was ready, or was not ready in time. It is tried again until it is stopped.
    #[error("{0}")]
    NotReady(String),
    /// It was stopped, or given another program, while it started.
    #[error("it was stopped while it started")]
    Superseded,
    /// Everything is being stopped.
    #[error("nothing is started any more")]
    Closed,
}

/// Keeps the processes of one directory.
#[derive(Debug)]
pub struct Supervisor {
    directory: PathBuf,
    limits: Limits,
    kept: Mutex<HashMap<String, Kept>>,
    /// Nothing is started any more. Read and set while `kept` is held.
    closed: AtomicBool,
}

#[derive(Debug)]
struct Kept {
    wanted: watch::Sender<Wanted>,
    reports: watch::Receiver<Report>,
    memory: u64,
    addresses: Vec<SocketAddr>,
    task: JoinHandle<()>,
}

impl Kept {
    /// The order by which this very program is ready; nothing has to be ordered again then.
    fn runs(&self, program: &Program) -> Option<u64> {
        let (wanted, report) = (self.wanted.borrow(), self.reports.borrow());
        let same = wanted.program.as_ref().is_some_and(|now| now.fingerprint() == program.fingerprint());
        let ready = report.generation == wanted.generation && matches!(report.state, State::Ready { .. });
        (same && ready).then_some(wanted.generation)
    }
}

/// The names of which a process runs that a former supervisor on `directory` left; none where there is no such directory. For those who
/// want the files of these processes and no supervisor: while they run, nobody else may touch what is theirs.
pub fn left_running(directory: &Path) -> io::Result<Vec<String>> {
    let names = match Ownership::names(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    let mut running = Vec::new();
    for name in names {
        if Ownership::at(directory, &name).read()?.is_some_and(|record| process::lives(&record)) {
            running.push(name);
        }
    }
    Ok(running)
}

impl Supervisor {
    /// Keeps its records in `directory`, which is made where it is missing.
    pub fn open(directory: &Path, limits: Limits) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            limits,
            kept: Mutex::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// The names of which a process may be left from a former supervisor, or that are kept now.
    pub fn recorded(&self) -> io::Result<Vec<String>> {
        Ownership::names(&self.directory)
    }

    /// Wants `name` to run `program`, and waits until it is ready. A process that a former supervisor left is adopted where it runs
    /// the same program, and ended where not; the same holds for one that runs now.
    pub async fn start(&self, name: &str, program: Program) -> Result<(), StartError> {
        let (generation, mut reports) = self.want(name, program)?;
        let reached = reports.wait_for(|report| {
            report.generation > generation
                || (report.generation == generation
                    && matches!(report.state, State::Ready { .. } | State::Failed { .. }))
        });
        match reached.await {
            Ok(report) if report.generation == generation => match &report.state {
                State::Failed { reason } => Err(StartError::NotReady(reason.clone())),
                _ => Ok(()),
            },
            _ => Err(StartError::Superseded),
        }
    }

    fn want(&self, name: &str, program: Program) -> Result<(u64, watch::Receiver<Report>), StartError> {
        let mut kept = self.kept.lock();
        if self.closed.load(Ordering::Relaxed) {
            return Err(StartError::Closed);
        }
        self.admit(&kept, name, &program)?;
        let (memory, addresses) = (program.memory, program.addresses.clone());
        let entry = kept.entry(name.to_owned()).or_insert_with(|| self.keep(name));
        (entry.memory, entry.addresses) = (memory, addresses);
        if let Some(generation) = entry.runs(&program) {
            return Ok((generation, entry.reports.clone()));
        }
        let mut generation = 0;
        entry.wanted.send_modify(|wanted| {
            generation = wanted.generation + 1;
            *wanted = Wanted { generation, program: Some(Arc::new(program)) };
        });
        Ok((generation, entry.reports.clone()))
    }

    /// Refuses what would exceed a limit or could not listen where it is to, before anything is made.
    fn admit(&self, kept: &HashMap<String, Kept>, name: &str, program: &Program) -> Result<(), StartError> {
        let others = || kept.iter().filter(|(other, _)| *other != name).map(|(_, kept)| kept);
        if others().count() >= self.limits.processes {
            return Err(StartError::TooMany { limit: self.limits.processes });
        }
        let used: u64 = others().map(|kept| kept.memory).sum();
        let free = self.limits.memory.saturating_sub(used);
        if program.memory > free {
            return Err(StartError::Memory { asked: program.memory, free, limit: self.limits.memory });
        }
        for &address in &program.addresses {
            let taken = |source| StartError::Address { address, source };
            if others().any(|kept| kept.addresses.contains(&address)) {
                return Err(taken(io::ErrorKind::AddrInUse.into()));
            }
            // Where the process runs already, by us or by a former supervisor, it holds the address itself.
            if !kept.contains_key(name) && !Ownership::at(&self.directory, name).exists() {
                TcpListener::bind(address).map_err(taken)?;
            }
        }
        Ok(())
    }

    fn keep(&self, name: &str) -> Kept {
        let (wanted, orders) = watch::channel(Wanted::default());
        let (report, reports) = watch::channel(Report::default());
        let keeper = Keeper::new(Ownership::at(&self.directory, name), orders, report);
        let task = tokio::spawn(keeper.run());
        Kept { wanted, reports, memory: 0, addresses: Vec::new(), task }
    }

    /// Wants `name` not to run, and waits until no process of it is left: neither one that runs, nor one that is being started, nor
    /// one that a former supervisor left.
    pub async fn stop(&self, name: &str) {
        let (wanted, mut reports, generation) = {
            let mut kept = self.kept.lock();
            let entry = kept.entry(name.to_owned()).or_insert_with(|| self.keep(name));
            let mut generation = 0;
            entry.wanted.send_modify(|wanted| {
                generation = wanted.generation + 1;
                *wanted = Wanted { generation, program: None };
            });
            (entry.wanted.clone(), entry.reports.clone(), generation)
        };
        // A newer order takes over what this one began.
        let reached = reports.wait_for(|report| {
            report.generation > generation
                || (report.generation == generation && report.state == State::Stopped)
        });
        let _ended = reached.await.is_err();
        drop(wanted);
        let mut kept = self.kept.lock();
        let still = |entry: &Kept| entry.wanted.borrow().generation == generation;
        if kept.get(name).is_some_and(still)
            && let Some(entry) = kept.remove(name)
        {
            entry.task.abort();
        }
    }

    /// Stops everything that is kept, all at once. Whatever is asked for meanwhile or later is not started.
    pub async fn stop_all(self: &Arc<Self>) {
        let names: Vec<String> = {
            let kept = self.kept.lock();
            self.closed.store(true, Ordering::Relaxed);
            kept.keys().cloned().collect()
        };
        let stops: Vec<_> = names
            .into_iter()
            .map(|name| {
                let supervisor = Arc::clone(self);
                tokio::spawn(async move { supervisor.stop(&name).await })
            })
            .collect();
        for stop in stops {
            if stop.await.is_err() {
                tracing::error!("stopping a process panicked");
            }
        }
    }

    /// What `name` is at the moment.
    #[must_use]
    pub fn state(&self, name: &str) -> State {
        self.kept.lock().get(name).map_or(State::Stopped, |kept| kept.reports.borrow().state.clone())
    }
}

#[cfg(test)]
mod tests;
