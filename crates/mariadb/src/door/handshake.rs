//! A login, listened to: whose connection it is decides to which server it is led.
//!
//! The client has been greeted with the primary's challenge by then. A connection that goes to a standby is answered there: the standby
//! is told the user, the database and everything else, with an authentication method that nobody has, so that it asks the client
//! itself, with its own challenge and the method of the account (`AuthSwitchRequest`, which every client since 2010 knows). The number
//! of the connection that clients read in a greeting is the primary's; `CONNECTION_ID()` tells the right one.
//!
//! Where a client asks for TLS, it is spoken with the client and with the server: nothing is ever led on in the clear that came in
//! under TLS.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::door::{Doorman, Stream, Way, dial};

/// As long as the server's own `connect_timeout`.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than a login with all its attributes has.
const LARGEST: usize = 1 << 18;
const CONNECT_WITH_DB: u32 = 0x0000_0008;
const SSL: u32 = 0x0000_0800;
const SECURE_CONNECTION: u32 = 0x0000_8000;
const PLUGIN_AUTH: u32 = 0x0008_0000;
const PLUGIN_AUTH_LENGTH_ENCODED: u32 = 0x0020_0000;
/// Capabilities, largest packet, character set and what is reserved: what a request for TLS is, and a login begins with.
const HEAD: usize = 32;
/// A method that no account has.
const NO_METHOD: &[u8] = b"rookery_asks_again";
/// `ER_UNKNOWN_ERROR`.
const NUMBER: u16 = 1105;

/// A packet, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Packet {
    number: u8,
    payload: Vec<u8>,
}

impl Packet {
    async fn read(stream: &mut (impl Stream + ?Sized)) -> io::Result<Self> {
        let mut head = [0; 4];
        stream.read_exact(&mut head).await?;
        let [low, middle, high, number] = head;
        let length = usize::try_from(u32::from_le_bytes([low, middle, high, 0])).unwrap_or(usize::MAX);
        if length > LARGEST {
            return Err(malformed());
        }
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        Ok(Self { number, payload })
    }

    async fn write(&self, stream: &mut (impl Stream + ?Sized)) -> io::Result<()> {
        let length = u32::try_from(self.payload.len()).map_err(|_| malformed())?.to_le_bytes();
        let mut framed = Vec::with_capacity(self.payload.len() + 4);
        framed.extend_from_slice(&length[..3]);
        framed.push(self.number);
        framed.extend_from_slice(&self.payload);
        stream.write_all(&framed).await?;
        stream.flush().await
    }

    fn is_refusal(&self) -> bool {
        self.payload.first() == Some(&255)
    }

    /// Whether TLS begins after it.
    fn asks_for_tls(&self) -> bool {
        let capabilities = self.payload.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        self.payload.len() == HEAD && capabilities.is_some_and(|capabilities| capabilities & SSL != 0)
    }

    fn refusal(number: u8, words: &str) -> Self {
        let mut payload = vec![255];
        payload.extend_from_slice(&NUMBER.to_le_bytes());
        payload.extend_from_slice(b"#HY000");
        payload.extend_from_slice(words.as_bytes());
        Self { number, payload }
    }
}

fn malformed() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

/// The parts of a login (`HandshakeResponse41`).
#[derive(Debug, PartialEq, Eq)]
pub struct Login<'p> {
    capabilities: u32,
    head: &'p [u8],
    /// Who logs in.
    pub user: &'p [u8],
    /// The database that the connection begins in.
    pub database: Option<&'p [u8]>,
    /// Attributes of the connection, as they come.
    pub rest: &'p [u8],
}

impl<'p> Login<'p> {
    /// Reads the payload of a packet; `None` for what is no login of the protocol of 4.1.
    #[must_use]
    pub fn parse(payload: &'p [u8]) -> Option<Self> {
        let (head, rest) = payload.split_at_checked(HEAD)?;
        let capabilities = u32::from_le_bytes(*head.first_chunk()?);
        let (user, rest) = until_nul(rest)?;
        let rest = if capabilities & PLUGIN_AUTH_LENGTH_ENCODED != 0 {
            after_length_encoded(rest)?
        } else if capabilities & SECURE_CONNECTION != 0 {
            let (length, rest) = rest.split_first()?;
            rest.get(usize::from(*length)..)?
        } else {
            until_nul(rest)?.1
        };
        let (database, rest) = if capabilities & CONNECT_WITH_DB != 0 {
            let (database, rest) = until_nul(rest)?;
            (Some(database), rest)
        } else {
            (None, rest)
        };
        // Old clients leave the end of the name away.
        let rest = match until_nul(rest) {
            _ if capabilities & PLUGIN_AUTH == 0 => rest,
            Some((_method, rest)) => rest,
            None => &[],
        };
        Some(Self { capabilities, head, user, database, rest })
    }

    /// The login without an answer to any challenge; `None` for a client that cannot be asked again.
    #[must_use]
    pub fn asked_again(&self) -> Option<Vec<u8>> {
        if self.capabilities & PLUGIN_AUTH == 0 || self.capabilities & SECURE_CONNECTION == 0 {
            return None;
        }
        let mut payload = self.head.to_vec();
        payload.extend_from_slice(self.user);
        payload.extend_from_slice(&[0, 0]); // the end of the name, and no answer: both of its forms begin with its length
        if let Some(database) = self.database {
            payload.extend_from_slice(database);
            payload.push(0);
        }
        payload.extend_from_slice(NO_METHOD);
        payload.push(0);
        payload.extend_from_slice(self.rest);
        Some(payload)
    }
}

fn until_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn after_length_encoded(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = match first {
        0..=250 => (usize::from(*first), rest),
        252 => (usize::from(u16::from_le_bytes(*rest.first_chunk()?)), rest.get(2..)?),
        _ => return None,
    };
    rest.get(length..)
}

/// What a client asked for and who it is.
struct Arrival {
    client: Box<dyn Stream>,
    /// Its request for TLS, where it made one.
    request: Option<Packet>,
    login: Packet,
}

/// Leads a connection to the server that is its user's.
pub(super) async fn lead(
    mut client: TcpStream,
    mut primary: TcpStream,
    from: SocketAddr,
    doorman: &dyn Doorman,
) -> io::Result<()> {
    let arriving = async {
        let greeting = Packet::read(&mut primary).await?;
        greeting.write(&mut client).await?;
        if greeting.is_refusal() {
            return Ok(None);
        }
        Ok::<_, io::Error>(Some(Packet::read(&mut client).await?))
    };
    let Some(first) = timeout(PATIENCE, arriving).await?? else { return Ok(()) };
    let to = client.local_addr()?;
    let mut arrival = timeout(PATIENCE, arrive(client, first, doorman)).await??;
    let payload = std::mem::take(&mut arrival.login.payload);
    let login = Login::parse(&payload).ok_or_else(malformed)?;
    let user = String::from_utf8_lossy(login.user);
    let refused = arrival.login.number.wrapping_add(1);
    let (address, until) = match doorman.guide(&user, from.ip()).await {
        Way::Primary => {
            let request = arrival.request.as_ref();
            let mut server = enter(primary, request, doorman).await?;
            Packet { number: arrival.login.number, payload: payload.clone() }.write(&mut *server).await?;
            return copy_bidirectional(&mut *arrival.client, &mut *server).await.map(drop);
        }
        Way::Nowhere(words) => return Packet::refusal(refused, words).write(&mut *arrival.client).await,
        Way::Standby { address, until } => (address, until),
    };
    drop(primary);
    let Some(payload) = login.asked_again() else {
        let words = "This client is too old to be led to a standby.";
        return Packet::refusal(refused, words).write(&mut *arrival.client).await;
    };
    let mut standby = dial(address, to, from).await?;
    let greeting = timeout(PATIENCE, Packet::read(&mut standby)).await??;
    if greeting.is_refusal() {
        return Packet { number: refused, ..greeting }.write(&mut *arrival.client).await;
    }
    let mut server = enter(standby, arrival.request.as_ref(), doorman).await?;
    Packet { number: arrival.login.number, payload }.write(&mut *server).await?;
    let conversation = copy_bidirectional(&mut *arrival.client, &mut *server);
    let Some(until) = until else { return conversation.await.map(drop) };
    tokio::select! {
        ended = conversation => ended.map(drop),
        () = until => Ok(()),
    }
}

/// Speaks TLS with a client that asks for it, and reads its login.
async fn arrive(mut client: TcpStream, first: Packet, doorman: &dyn Doorman) -> io::Result<Arrival> {
    if !first.asks_for_tls() {
        return Ok(Arrival { client: Box::new(client), request: None, login: first });
    }
    let Some(tls) = doorman.tls() else {
        let words = "TLS is off for this instance.";
        Packet::refusal(first.number.wrapping_add(1), words).write(&mut client).await?;
        return Err(malformed());
    };
    let mut client = tls.server.accept(client).await?;
    let login = Packet::read(&mut client).await?;
    Ok(Arrival { client: Box::new(client), request: Some(first), login })
}

/// Speaks TLS with a server that has greeted, where the client asked for it.
async fn enter(
    mut server: TcpStream,
    request: Option<&Packet>,
    doorman: &dyn Doorman,
) -> io::Result<Box<dyn Stream>> {
    let Some(request) = request else { return Ok(Box::new(server)) };
    let tls = doorman.tls().ok_or_else(malformed)?;
    request.write(&mut server).await?;
    Ok(Box::new(tls.client.connect(tls.name, server).await?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn login(capabilities: u32, body: &[u8]) -> Vec<u8> {
        let mut payload = capabilities.to_le_bytes().to_vec();
        payload.extend_from_slice(&[7; 28]);
        payload.extend_from_slice(body);
        payload
    }

    #[test]
    fn a_login_is_read_in_each_of_its_forms() {
        let all = SECURE_CONNECTION | PLUGIN_AUTH | CONNECT_WITH_DB;
        let payload = login(all, b"app\0\x03xyzshop\0mysql_native_password\0attributes");
        let read = Login::parse(&payload).unwrap();
        assert_eq!(
            (read.user, read.database, read.rest),
            (&b"app"[..], Some(&b"shop"[..]), &b"attributes"[..])
        );
        let again = read.asked_again().unwrap();
        assert_eq!(again, login(all, b"app\0\0shop\0rookery_asks_again\0attributes"));
        let payload =
            login(PLUGIN_AUTH_LENGTH_ENCODED | all & !CONNECT_WITH_DB, b"app\0\xfc\x01\x00xmethod\0");
        let read = Login::parse(&payload).unwrap();
        assert_eq!((read.user, read.database, read.rest), (&b"app"[..], None, &b""[..]));
        let payload = login(SECURE_CONNECTION, b"app\0\0");
        let old = Login::parse(&payload).unwrap();
        assert_eq!((old.user, old.asked_again()), (&b"app"[..], None), "it cannot be asked again");
        let payload = login(0, b"app\0answer\0");
        assert_eq!(Login::parse(&payload).unwrap().user, b"app");
        for cut in [&b""[..], b"app", b"app\0", b"app\0\x09x"] {
            assert_eq!(Login::parse(&login(SECURE_CONNECTION, cut)), None);
        }
    }

    #[test]
    fn a_request_for_tls_is_a_login_s_head_alone() {
        let packet = |payload: Vec<u8>| Packet { number: 1, payload };
        assert!(packet(login(SSL, b"")).asks_for_tls());
        assert!(!packet(login(SSL, b"app\0\0")).asks_for_tls() && !packet(login(0, b"")).asks_for_tls());
        assert!(!packet(Vec::new()).asks_for_tls());
    }

    #[tokio::test]
    async fn packets_are_written_as_they_are_read_and_none_is_too_long() {
        let (mut one, mut other) = tokio::io::duplex(1 << 16);
        let packet = Packet::refusal(2, "no");
        packet.write(&mut one).await.unwrap();
        let read = Packet::read(&mut other).await.unwrap();
        assert!(read == packet && read.is_refusal());
        one.write_all(&[255, 255, 255, 0]).await.unwrap();
        assert_eq!(Packet::read(&mut other).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn no_login_panics(capabilities: u32, body: Vec<u8>, raw: Vec<u8>) {
            let _ = Login::parse(&raw);
            if let Some(read) = Login::parse(&login(capabilities, &body)) {
                let _ = read.asked_again();
            }
        }

        #[test]
        fn what_is_asked_again_names_the_same(user in "[a-z]{1,32}", database in proptest::option::of("[a-z]{1,9}"), answer in proptest::collection::vec(1_u8.., 0..100)) {
            let capabilities = SECURE_CONNECTION | PLUGIN_AUTH | if database.is_some() { CONNECT_WITH_DB } else { 0 };
            let mut body = user.clone().into_bytes();
            body.push(0);
            body.push(u8::try_from(answer.len()).unwrap());
            body.extend_from_slice(&answer);
            if let Some(database) = &database {
                body.extend_from_slice(database.as_bytes());
                body.push(0);
            }
            body.extend_from_slice(b"method\0rest");
            let payload = login(capabilities, &body);
            let again = Login::parse(&payload).unwrap().asked_again().unwrap();
            let read = Login::parse(&again).unwrap();
            prop_assert_eq!(read.user, user.as_bytes());
            prop_assert_eq!(read.database, database.as_deref().map(str::as_bytes));
            prop_assert_eq!(read.rest, b"rest");
        }
    }
}
