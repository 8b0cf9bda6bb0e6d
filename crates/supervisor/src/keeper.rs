//! The task that keeps one name as it is wanted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::State;
use crate::ownership::{Ownership, Record, TOKEN_VARIABLE};
use crate::process::Process;
use crate::program::Program;

/// The first and the longest pause before something that ended is started again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// The longest pause after the end of something that was ready: it can start, so somebody else ended it.
const PAUSE_AFTER_READY: Duration = Duration::from_secs(1);
/// How long something must have run for its end to be a new misfortune.
const STEADY: Duration = Duration::from_secs(10);
/// Between two questions to a probe.
const ASK_EVERY: Duration = Duration::from_millis(10);
/// Between two requests to end.
const ASK_TO_END_EVERY: Duration = Duration::from_secs(1);
/// After SIGTERM, for a process whose program is no longer known.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// After SIGTERM, for a process that is only starting: it has nothing to bring to an end yet, and may be deaf in that moment.
const STOP_START_WITHIN: Duration = Duration::from_secs(5);
/// A log is put aside at this size when its program starts.
const LOG_SIZE: u64 = 16 * 1024 * 1024;
/// How much of stderr a failure quotes.
const QUOTED: u64 = 2000;

/// What a name is wanted to be. Each order has a higher generation than the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) generation: u64,
    /// `None`: nothing is to run.
    pub(crate) program: Option<Arc<Program>>,
}

/// How far the order of that generation is.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) generation: u64,
    pub(crate) state: State,
}

impl Default for Report {
    fn default() -> Self {
        Self { generation: 0, state: State::Stopped }
    }
}

pub(crate) struct Keeper {
    ownership: Ownership,
    orders: watch::Receiver<Wanted>,
    report: watch::Sender<Report>,
}

/// Why a running process is no longer waited for.
enum Change {
    NewOrder,
    /// Nobody gives orders any more. The process stays, as it would if this program had been killed.
    Abandoned,
    Ended(String),
    /// As `Ended`, after it had proven itself.
    Lost(String),
}

impl Keeper {
    pub(crate) fn new(
        ownership: Ownership,
        orders: watch::Receiver<Wanted>,
        report: watch::Sender<Report>,
    ) -> Self {
        Self { ownership, orders, report }
    }

    /// Runs until its orders have no sender any more.
    pub(crate) async fn run(mut self) {
        let mut pause = PAUSES.0;
        // What the channel holds before the first order is not an order: it would end what a former supervisor left.
        if self.orders.changed().await.is_err() {
            return;
        }
        loop {
            let wanted = self.orders.borrow_and_update().clone();
            let Some(program) = &wanted.program else {
                match self.end_former().await {
                    Ok(()) => self.tell(&wanted, State::Stopped),
                    // Somebody may still run: it is not said that nothing does, and it is tried again.
                    Err(error) => {
                        self.tell(&wanted, State::Failed { reason: error.to_string() });
                        if self.pause_or_order(pause).await.is_ok() {
                            pause = longer(pause);
                            continue;
                        }
                    }
                }
                if self.orders.changed().await.is_err() {
                    return;
                }
                continue;
            };
            self.tell(&wanted, State::Starting);
            let began = Instant::now();
            let mut longest = PAUSES.1;
            let reason = match self.keep_running(&wanted, program).await {
                Ok(Change::NewOrder) => {
                    pause = PAUSES.0;
                    continue;
                }
                Ok(Change::Abandoned) => return,
                Ok(Change::Ended(how)) => format!("{how}{}", last_words(&program.logs)),
                Ok(Change::Lost(how)) => {
                    longest = PAUSE_AFTER_READY;
                    format!("{how}{}", last_words(&program.logs))
                }
                Err(error) => error.to_string(),
            };
            tracing::warn!(
                name = self.ownership.name(),
                reason,
                "a process is not running; it is started again"
            );
            self.tell(&wanted, State::Failed { reason });
            pause = if began.elapsed() > STEADY { PAUSES.0 } else { longer(pause).min(longest) };
            if self.pause_or_order(pause).await.is_err() {
                return;
            }
        }
    }

    fn tell(&self, wanted: &Wanted, state: State) {
        self.report.send_replace(Report { generation: wanted.generation, state });
    }

    /// Waits, or shorter if there is a new order. An error says that there will be none.
    async fn pause_or_order(&mut self, pause: Duration) -> Result<(), watch::error::RecvError> {
        timeout(pause, self.orders.changed()).await.unwrap_or(Ok(()))
    }

    /// Starts or adopts, proves it ready, and stays with it until it ends or another order comes. What does not become ready is ended.
    async fn keep_running(&mut self, wanted: &Wanted, program: &Program) -> io::Result<Change> {
        let mut process = if let Some(process) = self.former(program)? {
            process
        } else {
            self.end_former().await?;
            self.launch(program)?
        };
        let proven = tokio::select! {
            proven = timeout(program.ready_within, prove(program)) => proven.is_ok(),
            how = process.ended() => return Ok(Change::Ended(format!("it ended before it was ready: {how}"))),
            changed = self.orders.changed() => {
                if changed.is_err() {
                    return Ok(Change::Abandoned);
                }
                if !self.still_wanted(program) {
                    self.end(&mut process, program.stop_within.min(STOP_START_WITHIN)).await?;
                }
                return Ok(Change::NewOrder);
            }
        };
        if !proven {
            self.end(&mut process, program.stop_within).await?;
            let within = program.ready_within;
            return Ok(Change::Ended(format!("it was not ready within {within:?}")));
        }
        self.tell(wanted, State::Ready { pid: process.identity.pid });
        tokio::select! {
            how = process.ended() => Ok(Change::Lost(how)),
            changed = self.orders.changed() => {
                if changed.is_err() {
                    return Ok(Change::Abandoned);
                }
                // The same program wanted once more is no reason to end it.
                if !self.still_wanted(program) {
                    self.end(&mut process, program.stop_within).await?;
                }
                Ok(Change::NewOrder)
            }
        }
    }

    /// A process that runs this program already.
    fn former(&self, program: &Program) -> io::Result<Option<Process>> {
        match self.ownership.read()? {
            Some(record) if record.fingerprint == program.fingerprint() => {
                let process = Process::of_record(&record)?;
                if let Some(process) = &process {
                    self.ownership.write(&Record { process: Some(process.identity), ..record })?;
                }
                Ok(process)
            }
            _ => Ok(None),
        }
    }

    /// Ends whatever process the record speaks of, and removes the record.
    async fn end_former(&self) -> io::Result<()> {
        if let Some(record) = self.ownership.read()?
            && let Some(mut process) = Process::of_record(&record)?
        {
            self.end(&mut process, STOP_WITHIN).await?;
        }
        self.ownership.remove()
    }

    /// Owns first, spawns then.
    fn launch(&self, program: &Program) -> io::Result<Process> {
        let record = Record {
            token: uuid::Uuid::new_v4().simple().to_string(),
            fingerprint: program.fingerprint(),
            process: None,
        };
        self.ownership.write(&record)?;
        fs::create_dir_all(&program.logs)?;
        let mut command = Command::new(&program.executable);
        command
            .args(&program.arguments)
            .current_dir(&program.directory)
            .env_clear()
            .env(TOKEN_VARIABLE, &record.token)
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(log(&program.logs, "stdout")?)
            .stderr(log(&program.logs, "stderr")?)
            // An interrupt at the terminal is for the supervisor, which ends its children in their own way.
            .process_group(0);
        let process = Process::of_child(command.spawn()?)?;
        self.ownership.write(&Record { process: Some(process.identity), ..record })?;
        Ok(process)
    }

    /// SIGTERM, then SIGKILL; the record goes when the process has.
    async fn end(&self, process: &mut Process, within: Duration) -> io::Result<()> {
        let asking = timeout(within, async {
            loop {
                process.signal(Signal::TERM)?;
                // Asked again, because a program that is only starting may not have heard it.
                if timeout(ASK_TO_END_EVERY, process.ended()).await.is_ok() {
                    return Ok::<_, io::Error>(());
                }
            }
        });
        if let Ok(asked) = asking.await {
            asked?;
        } else {
            tracing::warn!(name = self.ownership.name(), "a process did not end when asked; it is killed");
            process.signal(Signal::KILL)?;
            process.ended().await;
        }
        self.ownership.remove()
    }

    /// Whether what is wanted now is what runs already.
    fn still_wanted(&self, program: &Program) -> bool {
        let wanted = self.orders.borrow();
        wanted.program.as_ref().is_some_and(|next| next.fingerprint() == program.fingerprint())
    }
}

async fn prove(program: &Program) {
    while !program.probe.ready().await {
        sleep(ASK_EVERY).await;
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(PAUSES.1)
}

fn log(directory: &Path, name: &str) -> io::Result<File> {
    let path = directory.join(format!("{name}.log"));
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_SIZE) {
        fs::rename(&path, directory.join(format!("{name}.log.1")))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// The end of what it wrote to stderr, in words that follow a reason.
fn last_words(logs: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(logs.join("stderr.log"))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(QUOTED)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    match read() {
        Ok(words) if !words.is_empty() => format!("; it wrote: {words}"),
        _ => String::new(),
    }
}
