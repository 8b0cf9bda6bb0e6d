//! One connection.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::sql::packet::{self, Reader};
use crate::sql::{Rows, SqlError};

/// How long any one answer may take; an `ALTER` of a large table by us does not happen.
const PATIENCE: Duration = Duration::from_mins(1);
const COMMAND_QUERY: u8 = 3;
/// The whole packet of the command that ends a connection.
const QUIT: [u8; 5] = [1, 0, 0, 0, 1];

#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<UnixStream>,
    sequence: u8,
}

impl Connection {
    /// Connects to the socket `socket` in `directory`, as `user`, who has to be the user that this process runs as.
    pub(crate) async fn open(directory: &Path, socket: &str, user: &str) -> Result<Self, SqlError> {
        // The path of a socket may have 107 bytes; through the descriptor of its directory it is short wherever that is.
        let held = File::open(directory)?;
        let path = format!("/proc/self/fd/{}/{socket}", held.as_raw_fd());
        let stream = UnixStream::connect(path).await?;
        drop(held);
        let mut connection = Self { stream: BufReader::new(stream), sequence: 0 };
        connection.log_in(user).await?;
        // What we say may hold passwords, so none of it is written to the log of slow statements.
        connection.run("SET SESSION sql_mode = '', time_zone = '+00:00', slow_query_log = OFF").await?;
        Ok(connection)
    }

    async fn log_in(&mut self, user: &str) -> Result<(), SqlError> {
        let greeting = self.read().await?;
        if greeting.first() == Some(&255) {
            return Err(packet::refusal(&greeting));
        }
        self.write(&packet::login(user, "unix_socket")).await?;
        loop {
            let answer = self.read().await?;
            match answer.first() {
                Some(0) => return Ok(()),
                Some(255) => return Err(packet::refusal(&answer)),
                // Another method is proposed, to which there is nothing to say: the socket speaks for us.
                Some(254) => self.write(&[]).await?,
                _ => return Err(SqlError::Protocol("an unknown step of the login")),
            }
        }
    }

    /// Runs one statement and reads its whole result.
    pub(crate) async fn query(&mut self, statement: &str) -> Result<Rows, SqlError> {
        self.sequence = 0;
        let mut command = Vec::with_capacity(statement.len() + 1);
        command.push(COMMAND_QUERY);
        command.extend_from_slice(statement.as_bytes());
        self.write(&command).await?;
        let head = self.read().await?;
        match head.first() {
            Some(0) => return Ok(Rows::default()),
            Some(255) => return Err(packet::refusal(&head)),
            Some(251) => return Err(SqlError::Protocol("a file is asked for")),
            _ => {}
        }
        let count = Reader(&head).length()?.and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or(SqlError::Protocol("a result without columns"))?;
        let mut rows = Rows::default();
        for _ in 0..count {
            rows.columns.push(packet::column(&self.read().await?)?);
        }
        if !packet::ends(&self.read().await?) {
            return Err(SqlError::Protocol("the columns have no end"));
        }
        loop {
            let next = self.read().await?;
            if packet::ends(&next) {
                return Ok(rows);
            }
            if next.first() == Some(&255) {
                return Err(packet::refusal(&next));
            }
            rows.rows.push(packet::row(&next, count)?);
        }
    }

    /// Runs one statement whose result does not matter.
    pub(crate) async fn run(&mut self, statement: &str) -> Result<(), SqlError> {
        self.query(statement).await.map(drop)
    }

    async fn write(&mut self, payload: &[u8]) -> Result<(), SqlError> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length < 0x00FF_FFFF);
        let length = length.ok_or(SqlError::Protocol("a statement is too long"))?.to_le_bytes();
        let mut framed = Vec::with_capacity(payload.len() + 4);
        framed.extend_from_slice(&length[..3]);
        framed.push(self.sequence);
        framed.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        Ok(self.stream.get_mut().write_all(&framed).await?)
    }

    async fn read(&mut self) -> Result<Vec<u8>, SqlError> {
        match timeout(PATIENCE, self.read_whole()).await {
            Ok(read) => read,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    async fn read_whole(&mut self) -> Result<Vec<u8>, SqlError> {
        let mut whole = Vec::new();
        loop {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head).await?;
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
            self.sequence = head[3].wrapping_add(1);
            let begun = whole.len();
            let length = usize::try_from(length).map_err(|_| SqlError::Protocol("a packet is too long"))?;
            whole.resize(begun + length, 0);
            self.stream.read_exact(&mut whole[begun..]).await?;
            // A packet of the largest size is continued by the next.
            if length < 0x00FF_FFFF {
                return Ok(whole);
            }
        }
    }
}

impl Drop for Connection {
    /// Says goodbye, or the server notes an aborted connection in the log of errors that users read.
    fn drop(&mut self) {
        // One that is gone needs none, and a socket without room for five bytes waits for nobody.
        self.stream.get_ref().try_write(&QUIT).ok();
    }
}
