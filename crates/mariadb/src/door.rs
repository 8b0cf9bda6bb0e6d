//! The address of an instance: connections to it are led to the server that is its primary. So the address stays when the primary
//! changes, and is closed at once when an instance is isolated.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// An address that is open. It closes, with every connection through it, when this is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    primary: watch::Sender<SocketAddr>,
    task: JoinHandle<()>,
}

impl Door {
    pub(crate) async fn open(address: SocketAddr, primary: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (sender, receiver) = watch::channel(primary);
        Ok(Self { primary: sender, task: tokio::spawn(serve(listener, receiver)) })
    }

    /// Leads to another server from now on; connections to the former one are cut, so that nobody goes on asking a standby.
    pub(crate) fn lead_to(&self, primary: SocketAddr) {
        self.primary.send_if_modified(|current| {
            let differs = *current != primary;
            *current = primary;
            differs
        });
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, primary: watch::Receiver<SocketAddr>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(lead(client, primary.clone()));
                }
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

async fn lead(mut client: TcpStream, mut primary: watch::Receiver<SocketAddr>) {
    let address = *primary.borrow_and_update();
    // A client sees a server that is down as a connection that ends.
    let Ok(mut server) = TcpStream::connect(address).await else { return };
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = primary.changed() => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that says `name` to whoever connects, and then echoes.
    async fn server(name: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(name.as_bytes()).await.unwrap();
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
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

    #[tokio::test]
    async fn it_leads_to_the_primary_and_cuts_what_went_to_the_former() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (one, two) = (server("1").await, server("2").await);
        let door = Door::open(free, one).await.unwrap();
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
}
