//! `rookery state`: the state of a data directory as a whole. The directory must not be in use; the store sees to that.

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rookery_store::{STATE_FILE, Store};

use crate::commands::{State, StateCommand};
use crate::master_key::{self, MASTER_KEY_VARIABLE, NewKey, Rekeyed};
use crate::migrations;

type Ended = Result<(), Box<dyn Error>>;

/// Unfinished uploads and published addresses are not part of a state.
const NOT_STATE: [&str; 2] = ["uploads", "endpoints.json"];

/// Where servers of databases rewrite their files in place.
const REWRITTEN: &str = "mariadb";

pub(crate) fn run(options: State) -> Ended {
    let directory = &options.directory.data;
    if !directory.is_dir() {
        return Err(format!("{}: no such data directory", directory.display()).into());
    }
    let store = migrations::open(directory)?;
    if matches!(options.command, StateCommand::Snapshot { .. } | StateCommand::Restore { .. }) {
        no_server_runs(directory)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match options.command {
        StateCommand::Export => {
            let mut out = BufWriter::new(io::stdout().lock());
            store.export(&mut out)?;
            out.flush()?;
        }
        StateCommand::Import => {
            let entries = runtime.block_on(store.import(io::stdin().lock()))?;
            eprintln!("imported {entries} entries");
        }
        StateCommand::Snapshot { to } => snapshot(&store, directory, &to)?,
        StateCommand::Restore { from } => {
            if !from.join(STATE_FILE).is_file() {
                return Err(format!("{} is no snapshot", from.display()).into());
            }
            // What rows name is there before the rows: files first.
            copy_files(&from, directory, Files::Replaced)?;
            runtime.block_on(store.restore(&from.join(STATE_FILE)))?;
        }
        StateCommand::Rekey => {
            let rekeyed =
                runtime.block_on(master_key::rekey(directory, &store, NewKey::from_environment()?))?;
            let Rekeyed { values, fingerprint, in_environment } = rekeyed;
            eprintln!("rekeyed: {values} sealed values are under the master key {fingerprint}");
            if in_environment {
                eprintln!("start with it as {MASTER_KEY_VARIABLE}; the data directory holds no key any more");
            } else {
                eprintln!("it is in master.key; {MASTER_KEY_VARIABLE} must not be set any more");
            }
        }
        StateCommand::Reset => {
            runtime.block_on(store.reset())?;
            eprintln!(
                "reset: layers of images that nothing names any more go with the next garbage collection"
            );
        }
    }
    Ok(())
}

/// Refuses to go on while servers of databases run that a killed Rookery left: what was copied now would be of no one moment.
fn no_server_runs(directory: &Path) -> Ended {
    let running = rookery_mariadb::servers_left_running(directory)?;
    if running.is_empty() {
        return Ok(());
    }
    Err(format!(
        "servers of databases still run on {}, left by a Rookery that was killed: {}. Start Rookery on it and stop it with SIGTERM or \
         Ctrl-C, which stops them in good order",
        directory.display(),
        running.join(", ")
    )
    .into())
}

fn snapshot(store: &Store, directory: &Path, to: &Path) -> Ended {
    if to.exists() {
        return Err(format!("{} exists already", to.display()).into());
    }
    fs::create_dir_all(to)?;
    copy_files(directory, to, Files::Replaced)?;
    store.snapshot(&to.join(STATE_FILE))?;
    fs::File::open(to)?.sync_all()?;
    Ok(())
}

/// How the files of a directory change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    /// Others take their place, so where the file system allows it a second name for the same file is as good as a copy.
    Replaced,
    /// They are written over.
    Rewritten,
}

/// Copies everything but the store's own files, and sockets.
fn copy_files(from: &Path, to: &Path, files: Files) -> Ended {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.starts_with('.') || text.starts_with("state.") || NOT_STATE.contains(&text.as_ref()) {
            continue;
        }
        let (source, target, kind) = (entry.path(), to.join(&name), entry.file_type()?);
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
            copy_files(&source, &target, if text == REWRITTEN { Files::Rewritten } else { files })?;
            continue;
        }
        if !kind.is_file() {
            continue;
        }
        if target.exists() {
            fs::remove_file(&target)?;
        }
        if files == Files::Rewritten || fs::hard_link(&source, &target).is_err() {
            fs::copy(&source, &target)?;
            fs::File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_copied_but_for_what_is_not_state() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join("registry/uploads")).unwrap();
        fs::create_dir_all(from.path().join("mariadb/node")).unwrap();
        for name in [
            "master.key",
            "endpoints.json",
            STATE_FILE,
            "registry/blob",
            "registry/uploads/half",
            "mariadb/node/ibdata1",
        ] {
            fs::write(from.path().join(name), name).unwrap();
        }
        let _socket =
            std::os::unix::net::UnixListener::bind(from.path().join("mariadb/node/socket")).unwrap();
        copy_files(from.path(), to.path(), Files::Replaced).unwrap();
        assert!(to.path().join("master.key").is_file() && to.path().join("registry/blob").is_file());
        for name in ["endpoints.json", STATE_FILE, "registry/uploads"] {
            assert!(!to.path().join(name).exists(), "{name}");
        }
        let data = "mariadb/node/ibdata1";
        fs::write(from.path().join(data), "written over").unwrap();
        assert_eq!(fs::read_to_string(to.path().join(data)).unwrap(), data);
        assert!(!to.path().join("mariadb/node/socket").exists());
    }
}
