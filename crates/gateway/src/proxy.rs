//! Rookery as the proxy of its users: with `HTTP_PROXY` and `HTTPS_PROXY` at the HTTP address, clients reach it under the cloud's real
//! names, with no other setting.
//!
//! Plain requests come with the whole URL as target. For TLS a client asks for a tunnel (`CONNECT host:443`), and at the other end of it
//! is Rookery itself, with a certificate of its own authority. Nothing is ever dialled: a name that Rookery does not serve is refused
//! in both forms, so that no call leaves by accident and no foreign call gets an answer of this API.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::address;
use crate::call::RequestId;
use crate::listen::{self, Begun, Connection};
use crate::readers::Taken;
use crate::tls::{CertificateAuthority, TlsError};

/// Domains whose every name is the platform's: the API's own roots (`protocol.md` §6.1) and the registry's.
const PLATFORM: [&str; 3] = ["tencentcloudapi.com", "tencentcloudapi.com.cn", "tencentcloudcr.com"];
/// Domains that exist nowhere but on the machine of the one who uses them (RFC 6761): root domains of one's own.
const NOWHERE: [&str; 2] = ["localhost", "test"];

/// The first byte of a TLS connection: a record of type handshake (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Which names Rookery answers for.
#[derive(Clone, Debug)]
pub struct ServedNames {
    registry_suffix: String,
    ports: Vec<u16>,
}

impl ServedNames {
    /// Names under `registry_suffix` (a port in it is left out) and the platform's, and this machine with one of `ports`.
    #[must_use]
    pub fn new(registry_suffix: &str, ports: &[u16]) -> Self {
        let suffix = registry_suffix.rsplit_once(':').map_or(registry_suffix, |(name, _)| name);
        Self { registry_suffix: suffix.to_ascii_lowercase(), ports: ports.to_vec() }
    }

    /// Whether `host`, without its port and possibly in brackets, is served. Another port of this machine is another server.
    #[must_use]
    pub fn contain(&self, host: &str, port: Option<u16>) -> bool {
        let host = bare(host);
        if is_this_machine(&host) {
            return port.is_some_and(|port| self.ports.contains(&port));
        }
        PLATFORM.iter().any(|domain| is_within(&host, domain))
            || is_within(&host, &self.registry_suffix)
            || (NOWHERE.iter().any(|domain| is_within(&host, domain))
                && address::read(host.as_bytes(), rookery_api::PRODUCTS).product.is_some())
    }
}

/// Lower case, without brackets and a trailing dot.
fn bare(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A request through the proxy that was refused.
#[derive(Clone, Copy, Debug)]
pub struct RefusedTarget<'a> {
    /// Who asked.
    pub peer: SocketAddr,
    /// The request; its target has an authority.
    pub request: &'a Request<Incoming>,
    /// What the client was told.
    pub words: &'a str,
}

/// Where refusals are written down; gives the id under which they are found again.
type Witness = Box<dyn Fn(RefusedTarget<'_>) -> RequestId + Send + Sync>;

/// The header of a refusal that names its record in the trace.
const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-rookery-request-id");

/// The proxy of a plain HTTP listener.
pub struct Proxy {
    witness: Witness,
    names: ServedNames,
    authority: Arc<CertificateAuthority>,
    tls: ServerConfig,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("names", &self.names).finish_non_exhaustive()
    }
}

/// What is to be done with a request.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Answer it.
    Serve,
    /// Open a tunnel to Rookery itself under this name.
    Tunnel(String),
    /// Refuse it, with these words.
    Refuse(String),
}

impl Proxy {
    /// A proxy to `names`, with certificates of `authority` in its tunnels; what it refuses is told to `witness`.
    pub fn new(
        names: ServedNames,
        authority: Arc<CertificateAuthority>,
        witness: impl Fn(RefusedTarget<'_>) -> RequestId + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let tls = authority.server_config()?;
        Ok(Self { witness: Box::new(witness), names, authority, tls })
    }

    fn verdict(
        &self,
        method: &Method,
        version: Version,
        target: Option<&Authority>,
        peer: IpAddr,
    ) -> Verdict {
        // HTTP/2 names an authority in every request, and its tunnels are streams: neither is how a client speaks to a proxy over HTTP.
        let Some(target) = target.filter(|_| version <= Version::HTTP_11) else { return Verdict::Serve };
        if !peer.is_loopback() {
            return Verdict::Refuse("Rookery is a proxy for this machine only.\n".to_owned());
        }
        if !self.names.contain(target.host(), target.port_u16()) {
            return Verdict::Refuse(format!(
                "Rookery is no open proxy: it answers for names of the cloud, and {target} is none of them. Nothing was sent there; to reach it, put it into NO_PROXY.\n"
            ));
        }
        if method == Method::CONNECT { Verdict::Tunnel(bare(target.host())) } else { Verdict::Serve }
    }

    /// What accepts TLS in a tunnel to `name`.
    fn acceptor(&self, name: String) -> TlsAcceptor {
        let mut config = self.tls.clone();
        config.cert_resolver =
            CertificateAuthority::resolver_for((!is_this_machine(&name)).then_some(name), &self.authority);
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Serves a plain connection: requests for Rookery, requests through it, and tunnels.
pub(crate) async fn serve<H, F, B>(
    stream: TcpStream,
    connection: Connection,
    proxy: Arc<Proxy>,
    handler: Arc<H>,
    watchers: [Watcher; 2],
) -> listen::Ended
where
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let peer = connection.peer;
    let [watcher, tunnel_watcher] = watchers;
    // A connection becomes at most one tunnel.
    let tunnel_watcher = Mutex::new(Some(tunnel_watcher));
    let begun = Begun::default();
    let first = begun.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let taking = first.note(request.version());
        let verdict =
            proxy.verdict(request.method(), request.version(), request.uri().authority(), peer.ip());
        let reply = match verdict {
            Verdict::Serve => Ok(handler(request, connection)),
            Verdict::Refuse(words) => {
                tracing::warn!(%peer, "{}", words.trim_end());
                let id = (proxy.witness)(RefusedTarget { peer, request: &request, words: words.trim_end() });
                Err(refusal(words, id))
            }
            Verdict::Tunnel(name) => {
                if let Some(watcher) = tunnel_watcher.lock().take() {
                    let upgraded = hyper::upgrade::on(&mut request);
                    let (acceptor, handler) = (proxy.acceptor(name), Arc::clone(&handler));
                    tokio::spawn(async move {
                        let ended = match upgraded.await {
                            Ok(stream) => serve_tunnel(stream, connection, &acceptor, handler, watcher).await,
                            Err(error) => Err(error.into()),
                        };
                        listen::note(peer, ended);
                    });
                }
                Err(Response::new(Full::default()))
            }
        };
        async move {
            Ok::<_, Infallible>(match reply {
                Ok(answer) => answer.await.map(|body| Either::Left(Taken::new(body, taking))),
                Err(response) => response.map(Either::Right),
            })
        }
    });
    let http = listen::server(connection.patience);
    let served = http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    begun.within(connection.patience, watcher.watch(served)).await
}

/// Serves what comes through a tunnel: TLS, and plain requests, because the SDK of Node tunnels these, too.
async fn serve_tunnel<H, F, B>(
    stream: Upgraded,
    connection: Connection,
    acceptor: &TlsAcceptor,
    handler: Arc<H>,
    watcher: Watcher,
) -> listen::Ended
where
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut stream = BufReader::new(TokioIo::new(stream));
    let first = tokio::time::timeout(connection.patience, stream.fill_buf()).await??.first().copied();
    match first {
        None => Ok(()),
        Some(TLS_HANDSHAKE) => listen::serve_tls(stream, connection, acceptor, handler, watcher).await,
        Some(_) => listen::serve_stream(stream, connection, handler, watcher).await,
    }
}

fn refusal(words: String, id: RequestId) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(words)));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use time::OffsetDateTime;

    use super::*;

    fn names() -> ServedNames {
        ServedNames::new("cr.localhost:8080", &[8080, 8443])
    }

    #[test]
    fn names_of_the_cloud_are_served_and_no_others() {
        for host in [
            "sts.tencentcloudapi.com",
            "STS.TencentCloudAPI.com.",
            "tcr.ap-guangzhou.tencentcloudapi.com",
            "nosuch.tencentcloudapi.com",
            "sts.tencentcloudapi.com.cn",
            "demo.tencentcloudcr.com",
            "demo.cr.localhost",
            "cr.localhost",
            "kms.tc.localhost",
            "sts.tencentcloudapi.test",
        ] {
            assert!(names().contain(host, Some(443)) && names().contain(host, None), "{host}");
        }
        for host in [
            "example.com",
            "eviltencentcloudapi.com",
            "tencentcloudapi.com.evil.example",
            "sts.amazonaws.com",
            "sts.my.cloud.example",
            "shop.test",
            "shop.localhost",
            "metadata.tencentyun.com",
            "192.0.2.1",
            "",
        ] {
            assert!(!names().contain(host, Some(443)) && !names().contain(host, None), "{host}");
        }
    }

    #[test]
    fn this_machine_is_served_at_ports_of_rookery_only() {
        for host in ["127.0.0.1", "localhost", "[::1]", "LOCALHOST", "127.0.0.2"] {
            assert!(names().contain(host, Some(8080)) && names().contain(host, Some(8443)), "{host}");
            assert!(!names().contain(host, Some(3000)) && !names().contain(host, None), "{host}");
        }
    }

    #[test]
    fn a_request_is_served_tunnelled_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let authority =
            CertificateAuthority::open_or_create(directory.path(), OffsetDateTime::now_utc()).unwrap();
        let proxy = Proxy::new(names(), Arc::new(authority), |_| RequestId(uuid::Uuid::nil())).unwrap();
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let verdict = |method: Method, version, target: Option<&'static str>, peer| {
            proxy.verdict(&method, version, target.map(Authority::from_static).as_ref(), peer)
        };
        assert_eq!(verdict(Method::POST, Version::HTTP_11, None, here), Verdict::Serve);
        assert_eq!(verdict(Method::POST, Version::HTTP_2, Some("example.com"), here), Verdict::Serve);
        let ours = Some("sts.tencentcloudapi.com:443");
        assert_eq!(verdict(Method::GET, Version::HTTP_10, ours, here), Verdict::Serve);
        let tunnel = Verdict::Tunnel("sts.tencentcloudapi.com".to_owned());
        assert_eq!(verdict(Method::CONNECT, Version::HTTP_11, ours, here), tunnel);
        for method in [Method::CONNECT, Method::GET] {
            let foreign = verdict(method.clone(), Version::HTTP_11, Some("example.com:443"), here);
            assert!(
                matches!(foreign, Verdict::Refuse(words) if words.contains("example.com:443 is none of them"))
            );
            let remote = verdict(method, Version::HTTP_11, ours, IpAddr::from([192, 0, 2, 1]));
            assert!(matches!(remote, Verdict::Refuse(words) if words.contains("this machine only")));
        }
    }
}
