//! One process, our child or adopted, held by a descriptor that no later process of the same number can take over.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;
use tokio::process::Child;

use crate::ownership::{Identity, Record, TOKEN_VARIABLE};

/// A process that was alive when this was made.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) identity: Identity,
    descriptor: AsyncFd<OwnedFd>,
    /// Where it is our child: waiting for it is what removes it from the system's table.
    child: Option<Child>,
}

impl Process {
    /// A child that was spawned just now.
    pub(crate) fn of_child(child: Child) -> io::Result<Self> {
        let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
        let descriptor = open(pid)?;
        // It may have ended already; as our child it keeps its entry until it is waited for.
        let (start_time, _) = start_and_state(pid).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { identity: Identity { pid, start_time }, descriptor, child: Some(child) })
    }

    /// The process that `record` speaks of, if it lives.
    pub(crate) fn of_record(record: &Record) -> io::Result<Option<Self>> {
        identity_of(record).map_or(Ok(None), Self::adopt)
    }

    fn adopt(identity: Identity) -> io::Result<Option<Self>> {
        let descriptor = match open(identity.pid) {
            Ok(descriptor) => descriptor,
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // Asked after the descriptor is held, so it is the descriptor's process that answers.
        if !is_there(identity) {
            return Ok(None);
        }
        Ok(Some(Self { identity, descriptor, child: None }))
    }

    /// Waits until it has ended; says how, where that can be known.
    pub(crate) async fn ended(&mut self) -> String {
        if let Some(child) = &mut self.child {
            return match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
        }
        match self.descriptor.readable().await {
            Ok(_) => "ended".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Sends a signal. One that has ended already is no error.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(self.descriptor.get_ref(), signal) {
            Err(error) if error != rustix::io::Errno::SRCH => Err(error.into()),
            _ => Ok(()),
        }
    }
}

#[expect(
    deprecated,
    reason = "its flaw are types that may exchange their descriptor, which OwnedFd cannot; what replaces it is unsafe to call"
)]
fn open(pid: u32) -> io::Result<AsyncFd<OwnedFd>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    AsyncFd::new(pidfd_open(pid, PidfdFlags::NONBLOCK)?)
}

/// Whether the process that `record` speaks of lives.
pub(crate) fn lives(record: &Record) -> bool {
    identity_of(record).is_some_and(is_there)
}

/// The process that `record` speaks of, which may have ended.
fn identity_of(record: &Record) -> Option<Identity> {
    // Where there is none, who wrote the record died before it knew the process, if there ever was one.
    record.process.or_else(|| find_by_token(&record.token))
}

fn is_there(identity: Identity) -> bool {
    start_time(identity.pid) == Some(identity.start_time)
}

/// When the process of that number started; `None` where there is none, or only its exit status.
fn start_time(pid: u32) -> Option<u64> {
    start_and_state(pid).filter(|(_, state)| !matches!(state, 'Z' | 'X')).map(|(start_time, _)| start_time)
}

fn start_and_state(pid: u32) -> Option<(u64, char)> {
    start_and_state_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 22 and 3 of `/proc/<pid>/stat`. The name in field 2 may hold anything, parentheses and spaces included.
fn start_and_state_in(stat: &str) -> Option<(u64, char)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.nth(18)?.parse().ok()?, state))
}

/// The living process with `token` in its environment. Its own children carry it as well, so it is the eldest that counts.
fn find_by_token(token: &str) -> Option<Identity> {
    let wanted = format!("{TOKEN_VARIABLE}={token}");
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let carries = environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes());
        carries.then(|| start_time(pid).map(|start_time| Identity { pid, start_time })).flatten()
    })
    .min_by_key(|identity| (identity.start_time, identity.pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_read_past_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1";
        assert_eq!(start_and_state_in(stat), Some((987_654, 'S')));
        assert_eq!(start_and_state_in("42 (a) S 1"), None);
        assert_eq!(start_and_state_in(""), None);
        assert!(start_time(std::process::id()).is_some());
    }
}
