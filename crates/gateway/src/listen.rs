//! Sockets: accepting connections, with or without TLS, and ending them well.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
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

use crate::head_timer::HeadTimer;
use crate::proxy::{self, Proxy};
use crate::readers::{self, Taken, Taking};

/// How long a client may keep the server waiting, unless something else is asked for: for a TLS handshake, the head of a request, the next
/// request of a connection.
pub const PATIENCE: Duration = Duration::from_secs(75);
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
    /// How long the other end may keep the server waiting.
    pub patience: Duration,
}

impl From<SocketAddr> for Connection {
    fn from(peer: SocketAddr) -> Self {
        Self { peer, secure: false, patience: PATIENCE }
    }
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    /// The address, with the port that was given where 0 was asked for.
    pub address: SocketAddr,
    proxy: Option<Arc<Proxy>>,
    patience: Duration,
}

impl Listener {
    /// Binds `address`; port 0 takes any free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let address = tcp.local_addr()?;
        Ok(Self { tcp, address, proxy: None, patience: PATIENCE })
    }

    /// Answers requests that come through it as through a proxy, too. It has to be a listener without TLS.
    #[must_use]
    pub fn proxying(self, proxy: Proxy) -> Self {
        Self { proxy: Some(Arc::new(proxy)), ..self }
    }

    /// Lets clients keep the server waiting for that long and no longer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
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
        B: Body<Data = Bytes> + Send + Unpin + 'static,
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
                    if let Err(error) = readers::limit(&stream, self.patience) {
                        tracing::debug!(%peer, %error, "a client that does not read will be kept");
                    }
                    let handler = Arc::clone(&handler);
                    let connection = Connection { peer, secure: tls.is_some(), patience: self.patience };
                    match (&tls, &self.proxy) {
                        (Some(tls), _) => {
                            let (tls, watcher) = (tls.clone(), graceful.watcher());
                            tokio::spawn(async move {
                                note(peer, serve_tls(stream, connection, &tls, handler, watcher).await);
                            });
                        }
                        (None, Some(proxy)) => {
                            let (proxy, watchers) =
                                (Arc::clone(proxy), [graceful.watcher(), graceful.watcher()]);
                            tokio::spawn(async move {
                                note(peer, proxy::serve(stream, connection, proxy, handler, watchers).await);
                            });
                        }
                        (None, None) => {
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

/// What speaks HTTP/1.1 and HTTP/2 on one connection, with the limits of every connection.
pub(crate) fn server(patience: Duration) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(HeadTimer::default()).header_read_timeout(patience).max_buf_size(BUFFER_SIZE);
    // Room for the largest GET, which the gateway itself refuses above its own limit and with its own words.
    server.http2().timer(TokioTimer::new()).max_header_list_size(HTTP2_HEAD_LIMIT);
    // An HTTP/2 connection may be idle, but its client has to be there.
    server.http2().keep_alive_interval(patience).keep_alive_timeout(patience);
    server
}

/// Whether a connection has brought a request, and how its client gets on with the answers. Until the first one nothing else looks at the
/// clock: which version of HTTP is spoken is read without a limit, and `P` may begin either.
#[derive(Clone, Default)]
pub(crate) struct Begun {
    begun: Arc<AtomicBool>,
    taking: Taking,
}

impl Begun {
    /// There is a request. The result is what counts its answer, where its version of HTTP needs that.
    pub(crate) fn note(&self, version: Version) -> Option<Taking> {
        self.begun.store(true, Ordering::Relaxed);
        (version == Version::HTTP_2).then(|| self.taking.clone())
    }

    /// Lets `connection` go on to its end, where a request has come after `patience`, and something of the answers is taken in each such time.
    pub(crate) async fn within(&self, patience: Duration, connection: impl Future<Output = Ended>) -> Ended {
        let mut connection = std::pin::pin!(connection);
        loop {
            let mark = self.taking.mark();
            match tokio::time::timeout(patience, &mut connection).await {
                Ok(ended) => return ended,
                Err(_) if !self.begun.load(Ordering::Relaxed) => return Err("no request came".into()),
                Err(_) if self.taking.has_stalled(mark) => {
                    return Err("nothing was taken of what was asked for".into());
                }
                Err(_) => {}
            }
        }
    }
}

/// Serves a connection that begins with a TLS handshake.
pub(crate) async fn serve_tls<S, H, F, B>(
    stream: S,
    connection: Connection,
    tls: &TlsAcceptor,
    handler: Arc<H>,
    watcher: Watcher,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = tokio::time::timeout(connection.patience, tls.accept(stream)).await??;
    serve_stream(stream, Connection { secure: true, ..connection }, handler, watcher).await
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
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let begun = Begun::default();
    let first = begun.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let taking = first.note(request.version());
        let reply = handler(request, connection);
        async move { Ok::<_, Infallible>(reply.await.map(|body| Taken::new(body, taking))) }
    });
    let http = server(connection.patience);
    let served = http.serve_connection(TokioIo::new(stream), service).into_owned();
    begun.within(connection.patience, watcher.watch(served)).await
}
