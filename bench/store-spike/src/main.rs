//! The measurements behind docs/decisions/0001-embedded-store.md: redb and SQLite as one ordered map of bytes under
//! one group-committing writer. `store-spike all DIRECTORY` runs each measurement in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use redb::{Database, ReadableDatabase, TableDefinition};
use rusqlite::{Connection, OptionalExtension};

type Any<T> = Result<T, Box<dyn std::error::Error>>;
const ROWS: u64 = 100_000;
const ENTRIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("entries");

fn key(number: u64) -> Vec<u8> {
    // Spread over the tree as account, region, name keys are.
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("tcr.namespaces\0{spread:016x}").into_bytes()
}

fn row(number: u64) -> Vec<u8> {
    format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(280)).into_bytes()
}

enum Engine {
    Redb { database: Database, quick: bool },
    Sqlite { connection: Connection, path: PathBuf },
}

fn connect(path: &Path) -> Any<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
    )?;
    Ok(connection)
}

impl Engine {
    fn open(kind: &str, directory: &Path) -> Any<Engine> {
        std::fs::create_dir_all(directory)?;
        if kind == "sqlite" {
            let path = directory.join("state.sqlite");
            return Ok(Engine::Sqlite { connection: connect(&path)?, path });
        }
        let database = redb::Builder::new().set_cache_size(16 << 20).create(directory.join("state.redb"))?;
        if database.begin_read()?.open_table(ENTRIES).is_err() {
            let write = database.begin_write()?;
            write.open_table(ENTRIES)?;
            write.commit()?;
        }
        Ok(Engine::Redb { database, quick: kind == "redb-quick" })
    }

    fn commit(&self, rows: &[(Vec<u8>, Vec<u8>)]) -> Any<()> {
        match self {
            Engine::Redb { database, quick } => {
                let mut write = database.begin_write()?;
                write.set_quick_repair(*quick);
                let mut table = write.open_table(ENTRIES)?;
                for (key, value) in rows {
                    table.insert(key.as_slice(), value.as_slice())?;
                }
                drop(table);
                write.commit()?;
            }
            Engine::Sqlite { connection, .. } => {
                connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
                let mut put = connection.prepare_cached("INSERT OR REPLACE INTO entries VALUES (?1, ?2)")?;
                for (key, value) in rows {
                    put.execute((key, value))?;
                }
                connection.prepare_cached("COMMIT")?.execute([])?;
            }
        }
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Any<Option<Vec<u8>>> {
        match self {
            Engine::Redb { database, .. } => {
                let table = database.begin_read()?.open_table(ENTRIES)?;
                Ok(table.get(key)?.map(|value| value.value().to_vec()))
            }
            Engine::Sqlite { connection, .. } => {
                let mut get = connection.prepare_cached("SELECT value FROM entries WHERE key = ?1")?;
                Ok(get.query_row([key], |row| row.get(0)).optional()?)
            }
        }
    }

    fn scan(&self, from: &[u8], limit: usize) -> Any<usize> {
        let mut bytes = 0;
        match self {
            Engine::Redb { database, .. } => {
                let table = database.begin_read()?.open_table(ENTRIES)?;
                for entry in table.range(from..)?.take(limit) {
                    let (key, value) = entry?;
                    bytes += key.value().to_vec().len() + value.value().to_vec().len();
                }
            }
            Engine::Sqlite { connection, .. } => {
                let mut scan = connection
                    .prepare_cached("SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key LIMIT ?2")?;
                let mut rows = scan.query((from, i64::try_from(limit)?))?;
                while let Some(row) = rows.next()? {
                    bytes += row.get::<_, Vec<u8>>(0)?.len() + row.get::<_, Vec<u8>>(1)?.len();
                }
            }
        }
        Ok(bytes)
    }

    /// A second reader, for another thread.
    fn reader(&self) -> Any<Option<Engine>> {
        match self {
            Engine::Redb { .. } => Ok(None),
            Engine::Sqlite { path, .. } => {
                Ok(Some(Engine::Sqlite { connection: connect(path)?, path: path.clone() }))
            }
        }
    }
}

type Job = (Vec<u8>, Vec<u8>, Sender<()>);

fn writer(engine: &Engine, queue: &Receiver<Job>) -> Any<()> {
    while let Ok(first) = queue.recv() {
        let jobs: Vec<Job> = std::iter::once(first).chain(queue.try_iter().take(255)).collect();
        let mut rows = Vec::new();
        let mut replies = Vec::new();
        for (key, value, reply) in jobs {
            rows.push((key, value));
            replies.push(reply);
        }
        engine.commit(&rows)?;
        for reply in replies {
            let _ = reply.send(());
        }
    }
    Ok(())
}

/// Durable writes per second with so many clients that each wait for their own.
fn write(engine: &Engine, clients: u64, length: Duration) -> Any<f64> {
    let (queue, jobs) = sync_channel::<Job>(1024);
    // New keys in every run: SQLite writes nothing where a row already is what it is set to.
    let first = u64::from(std::process::id()) << 40;
    let started = Instant::now();
    let total: Any<u64> = thread::scope(|scope| {
        let handles: Vec<_> = (0..clients)
            .map(|client| {
                let queue = queue.clone();
                scope.spawn(move || {
                    let mut done = 0;
                    while started.elapsed() < length {
                        let number = first + client * 10_000_000 + done;
                        let (reply, acknowledged) = channel();
                        queue.send((key(number), row(number), reply)).unwrap();
                        acknowledged.recv().unwrap();
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        drop(queue);
        writer(engine, &jobs)?;
        Ok(handles.into_iter().map(|handle| handle.join().unwrap()).sum())
    });
    Ok(total? as f64 / started.elapsed().as_secs_f64())
}

fn per_second(length: Duration, mut once: impl FnMut(u64) -> Any<()>) -> Any<f64> {
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < length {
        for _ in 0..64 {
            once(done)?;
            done += 1;
        }
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn measure(kind: &str, what: &str, directory: &Path) -> Any<String> {
    let started = Instant::now();
    let engine = Engine::open(kind, directory)?;
    let random = |number: u64| key(number.wrapping_mul(7_919) % ROWS);
    let second = Duration::from_secs(2);
    Ok(match what {
        "load" => {
            for start in (0..ROWS).step_by(1000) {
                engine.commit(
                    &(start..start + 1000).map(|number| (key(number), row(number))).collect::<Vec<_>>(),
                )?;
            }
            format!("{:.2} s", started.elapsed().as_secs_f64())
        }
        "reopen" => {
            let found = engine.get(&key(42))?.is_some();
            format!(
                "{:.2} ms (row found: {found}), RSS {:.1} MiB",
                started.elapsed().as_secs_f64() * 1e3,
                resident()
            )
        }
        "victim" => {
            let mut number = 0;
            loop {
                engine.commit(&[(key((u64::from(std::process::id()) << 40) + number), row(number))])?;
                number += 1;
                if number == 2000 {
                    println!("ready");
                }
            }
        }
        "reads" => {
            let gets = per_second(second, |number| {
                engine.get(&random(number))?.ok_or("missing")?;
                Ok(())
            })?;
            let scans = per_second(second, |number| {
                engine.scan(&random(number), 100)?;
                Ok(())
            })?;
            format!("{gets:.0} gets/s, {scans:.0} scans/s, RSS {:.1} MiB", resident())
        }
        "reads4" => {
            let gets: f64 = thread::scope(|scope| {
                let shared = match &engine {
                    Engine::Redb { database, .. } => Some(database),
                    Engine::Sqlite { .. } => None,
                };
                let handles: Vec<_> = (0..4u64)
                    .map(|reader| {
                        let own = engine.reader().unwrap();
                        scope.spawn(move || {
                            per_second(second, |number| {
                                let key = key((number * 4 + reader).wrapping_mul(7_919) % ROWS);
                                match (&own, shared) {
                                    (Some(own), _) => own.get(&key)?.ok_or("missing")?.len(),
                                    (None, Some(database)) => {
                                        let table = database.begin_read()?.open_table(ENTRIES)?;
                                        table.get(key.as_slice())?.ok_or("missing")?.value().to_vec().len()
                                    }
                                    (None, None) => 0,
                                };
                                Ok(())
                            })
                            .unwrap()
                        })
                    })
                    .collect();
                handles.into_iter().map(|handle| handle.join().unwrap()).sum()
            });
            format!("{gets:.0} gets/s on 4 threads, RSS {:.1} MiB", resident())
        }
        clients => {
            let rate = write(&engine, clients.trim_start_matches("write").parse()?, second)?;
            format!("{rate:.0} writes/s, RSS {:.1} MiB", resident())
        }
    })
}

fn all(directory: &Path) -> Any<()> {
    let program = std::env::current_exe()?;
    for kind in ["redb", "redb-quick", "sqlite"] {
        let directory = directory.join(kind);
        let child = |what: &str| {
            let mut command = Command::new(&program);
            command.args([kind, what]).arg(&directory);
            command
        };
        for what in ["load", "reopen", "reads", "reads4", "write1", "write16", "write64"] {
            print!("{kind:10} {what:8} ");
            std::io::stdout().flush()?;
            child(what).status()?;
        }
        for _ in 0..3 {
            let mut victim = child("victim").stdout(Stdio::piped()).spawn()?;
            let mut line = String::new();
            BufReader::new(victim.stdout.take().ok_or("no output")?).read_line(&mut line)?;
            victim.kill()?;
            victim.wait()?;
            print!("{kind:10} after a kill, reopen ");
            std::io::stdout().flush()?;
            child("reopen").status()?;
        }
    }
    Ok(())
}

fn main() -> Any<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["all", directory] => all(Path::new(directory)),
        [kind, what, directory] => {
            println!("{}", measure(kind, what, Path::new(directory))?);
            Ok(())
        }
        _ => Err("usage: store-spike all DIRECTORY".into()),
    }
}
