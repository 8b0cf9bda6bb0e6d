//! An address of an instance: connections to it are led to the server that is its primary. So the address stays when the primary
//! changes, and is closed at once when an instance is isolated.
//!
//! A [`Doorman`] says who may come in. Where an account may be led to a standby, the door has to know whose connection it is: then it
//! listens to the login ([`handshake`]), and otherwise bytes are all that it knows. Servers learn from the PROXY protocol where a client
//! is, so that hosts of accounts and lists of sessions tell of clients and not of the door.

pub(crate) mod handshake;

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What decides at a door.
pub(crate) trait Doorman: Send + Sync + 'static {
    /// Whether a client may come in.
    fn admits(&self, client: IpAddr) -> bool;
    /// Whether it depends on the account where a connection is led.
    fn guides(&self) -> bool;
    /// Where the connections of a user are led.
    fn guide(&self, user: &str, client: IpAddr) -> BoxFuture<'_, Way>;
    /// What TLS is spoken with, where it is.
    fn tls(&self) -> Option<Tls>;
}

/// Where a connection is led.
pub(crate) enum Way {
    Primary,
    /// To a standby, until the future ends, if there is one.
    Standby {
        address: SocketAddr,
        until: Option<BoxFuture<'static, ()>>,
    },
    /// Nowhere, with the words that the client is told.
    Nowhere(&'static str),
}

/// TLS to a client, as the instance, and to a server, as its client.
pub(crate) struct Tls {
    pub(crate) server: TlsAcceptor,
    pub(crate) client: TlsConnector,
    pub(crate) name: ServerName<'static>,
}

/// A connection, whatever is spoken on it.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An address that is open. It closes, with every connection through it, when this is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    primary: watch::Sender<SocketAddr>,
    task: JoinHandle<()>,
}

impl Door {
    pub(crate) async fn open(
        address: SocketAddr,
        primary: SocketAddr,
        doorman: impl Doorman,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (sender, receiver) = watch::channel(primary);
        Ok(Self { primary: sender, task: tokio::spawn(serve(listener, receiver, Arc::new(doorman))) })
    }

    /// Leads to another server from now on; connections to the former one are cut, so that nobody goes on asking a standby.
    pub(crate) fn lead_to(&self, primary: SocketAddr) {
        self.primary.send_if_modified(|current| {
            let differs = *current != primary;
            *current = primary;
            differs
        });
    }

    /// Cuts every connection through it; new ones may come.
    pub(crate) fn cut_off(&self) {
        self.primary.send_modify(|_| {});
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, primary: watch::Receiver<SocketAddr>, doorman: Arc<dyn Doorman>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, from)) if doorman.admits(from.ip()) => {
                    connections.spawn(lead(client, from, primary.clone(), Arc::clone(&doorman)));
                }
                Ok((_, from)) => tracing::debug!(%from, "a client is not let in"),
                Err(error) => {
                    // Out of descriptors: those that end give some back.
                    tracing::warn!(%error, "a connection to an instance could not be accepted");
                    connections.join_next().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn lead(
    mut client: TcpStream,
    from: SocketAddr,
    mut primary: watch::Receiver<SocketAddr>,
    doorman: Arc<dyn Doorman>,
) {
    let address = *primary.borrow_and_update();
    let conversation = async {
        let mut server = dial(address, client.local_addr()?, from).await?;
        client.set_nodelay(true)?;
        if doorman.guides() {
            return handshake::lead(client, server, from, &*doorman).await;
        }
        copy_bidirectional(&mut client, &mut server).await.map(drop)
    };
    tokio::select! {
        // First: nothing that the server says after that reaches the client.
        biased;
        _ = primary.changed() => {}
        // A client sees a server that is down as a connection that ends.
        _ = conversation => {}
    }
}

/// Connects to a server on behalf of a client that came `from` there `to` the door, and says so.
async fn dial(server: SocketAddr, to: SocketAddr, from: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    stream.write_all(introduction(from, to).as_bytes()).await?;
    Ok(stream)
}

/// The line of the PROXY protocol, version 1.
fn introduction(from: SocketAddr, to: SocketAddr) -> String {
    let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
    let mut line = String::new();
    // Writing to a String cannot fail.
    let _ = write!(line, "PROXY {family} {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port());
    line
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt, AsyncWriteExt, BufReader};

    use super::*;

    /// Lets in whoever comes, or nobody, and leads everybody to the primary.
    struct Everybody(bool);

    impl Doorman for Everybody {
        fn admits(&self, _: IpAddr) -> bool {
            self.0
        }

        fn guides(&self) -> bool {
            false
        }

        fn guide(&self, _: &str, _: IpAddr) -> BoxFuture<'_, Way> {
            Box::pin(async { Way::Primary })
        }

        fn tls(&self) -> Option<Tls> {
            None
        }
    }

    /// A server that wants to know who comes, says `name`, and then echoes.
    async fn server(name: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                assert!(line.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 ") && line.ends_with("\r\n"));
                stream.write_all(name.as_bytes()).await.unwrap();
                tokio::spawn(async move {
                    let (mut reader, mut writer) = tokio::io::split(stream);
                    tokio::io::copy(&mut reader, &mut writer).await
                });
            }
        });
        address
    }

    async fn greeted(address: SocketAddr) -> (TcpStream, u8) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let name = stream.read_u8().await.unwrap();
        (stream, name)
    }

    fn free() -> SocketAddr {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    #[tokio::test]
    async fn it_leads_to_the_primary_and_cuts_what_went_to_the_former() {
        let (free, one, two) = (free(), server("1").await, server("2").await);
        let door = Door::open(free, one, Everybody(true)).await.unwrap();
        let (mut old, name) = greeted(free).await;
        assert_eq!(name, b'1');
        old.write_all(b"x").await.unwrap();
        assert_eq!(old.read_u8().await.unwrap(), b'x');
        door.lead_to(two);
        assert!(old.read_u8().await.is_err(), "the connection to the former primary ends");
        assert_eq!(greeted(free).await.1, b'2');
        let (mut last, _) = greeted(free).await;
        drop(door);
        assert!(last.read_u8().await.is_err());
    }

    #[tokio::test]
    async fn who_is_not_admitted_hears_nothing_of_the_server() {
        let (free, one) = (free(), server("1").await);
        let _door = Door::open(free, one, Everybody(false)).await.unwrap();
        let mut stream = TcpStream::connect(free).await.unwrap();
        assert!(stream.read_u8().await.is_err());
    }

    #[test]
    fn clients_of_both_families_are_introduced() {
        let line = introduction("[2001:db8::1]:1".parse().unwrap(), "[::1]:3306".parse().unwrap());
        assert_eq!(line, "PROXY TCP6 2001:db8::1 ::1 1 3306\r\n");
    }
}
