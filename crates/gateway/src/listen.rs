//! Sockets: accepting connections, with or without TLS, and ending them well.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::proxy::{self, Proxy};

/// How long a client may take for the head of a request, and for the TLS handshake.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a shutdown waits for requests that have begun.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// The head of an HTTP/2 request.
const HTTP2_HEAD_LIMIT: u32 = 64 * 1024;
/// Read buffer of a connection: layers arrive in pieces of this size at most.
const BUFFER_SIZE: usize = 1024 * 1024;

/// What a handler knows of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl From<SocketAddr> for Connection {
    fn from(peer: SocketAddr) -> Self {
        Self { peer, secure: false }
    }
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    /// The address, with the port that was given where 0 was asked for.
    pub address: SocketAddr,
    proxy: Option<Arc<Proxy>>,
}

impl Listener {
    /// Binds `address`; port 0 takes any free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let address = tcp.local_addr()?;
        Ok(Self { tcp, address, proxy: None })
    }

    /// Answers requests that come through it as through a proxy, too. It has to be a listener without TLS.
    #[must_use]
    pub fn proxying(self, proxy: Proxy) -> Self {
        Self { proxy: Some(Arc::new(proxy)), ..self }
    }

    /// Serves connections until `stop` turns true, then lets begun requests finish (for a while).
    pub async fn serve<H, F, B>(
        self,
        tls: Option<TlsAcceptor>,
        handler: Arc<H>,
        mut stop: watch::Receiver<bool>,
    ) where
        H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Small replies must not wait for the other side's delayed acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let handler = Arc::clone(&handler);
                    match (&tls, &self.proxy) {
                        (Some(tls), _) => {
                            let (tls, watcher) = (tls.clone(), graceful.watcher());
                            tokio::spawn(async move {
                                note(peer, serve_tls(stream, peer, &tls, handler, watcher).await);
                            });
                        }
                        (None, Some(proxy)) => {
                            let (proxy, watchers) =
                                (Arc::clone(proxy), [graceful.watcher(), graceful.watcher()]);
                            tokio::spawn(async move {
                                note(peer, proxy::serve(stream, peer, proxy, handler, watchers).await);
                            });
                        }
                        (None, None) => {
                            let connection = Connection { peer, secure: false };
                            let watcher = graceful.watcher();
                            tokio::spawn(async move {
                                note(peer, serve_stream(stream, connection, handler, watcher).await);
                            });
                        }
                    }
                }
                // Out of descriptors, most likely: wait for some to close instead of spinning.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.tcp);
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }
}

/// How a connection ended.
pub(crate) type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Says so where a connection broke.
pub(crate) fn note(peer: SocketAddr, ended: Ended) {
    if let Err(error) = ended {
        tracing::debug!(%peer, error, "a connection ended early");
    }
}

/// What speaks HTTP/1.1 and HTTP/2, with the limits of every connection.
pub(crate) fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(BUFFER_SIZE);
    // Room for the largest GET, which the gateway itself refuses above its own limit and with its own words.
    server.http2().timer(TokioTimer::new()).max_header_list_size(HTTP2_HEAD_LIMIT);
    server
}

/// Serves a connection that begins with a TLS handshake.
pub(crate) async fn serve_tls<S, H, F, B>(
    stream: S,
    peer: SocketAddr,
    tls: &TlsAcceptor,
    handler: Arc<H>,
    watcher: Watcher,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await??;
    serve_stream(stream, Connection { peer, secure: true }, handler, watcher).await
}

/// Serves a connection whose requests can be read as they come.
pub(crate) async fn serve_stream<S, H, F, B>(
    stream: S,
    connection: Connection,
    handler: Arc<H>,
    watcher: Watcher,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = service_fn(move |request| {
        let reply = handler(request, connection);
        async move { Ok::<_, Infallible>(reply.await) }
    });
    watcher.watch(server().serve_connection(TokioIo::new(stream), service).into_owned()).await
}
