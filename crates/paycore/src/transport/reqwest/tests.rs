//! The transport against small servers that answer whatever a test tells them, byte for byte.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const ENOUGH: Duration = Duration::from_secs(10);

/// A server that answers every connection with the same bytes, piece by piece with a pause after each, and then
/// closes it.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    async fn new(pieces: Vec<Vec<u8>>, pause: Duration) -> Server {
        Server::at(Ipv4Addr::LOCALHOST, 0, pieces, pause).await
    }

    async fn answering(text: &str) -> Server {
        Server::new(vec![text.as_bytes().to_vec()], Duration::ZERO).await
    }

    async fn at(host: Ipv4Addr, port: u16, pieces: Vec<Vec<u8>>, pause: Duration) -> Server {
        let listener = TcpListener::bind((host, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server { port, connections: Arc::default(), heard: Arc::default() };
        let (connections, heard) = (Arc::clone(&server.connections), Arc::clone(&server.heard));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (pieces, heard) = (pieces.clone(), Arc::clone(&heard));
                tokio::spawn(async move {
                    let mut buffer = vec![0; 16 * 1024];
                    let read = stream.read(&mut buffer).await.unwrap_or(0);
                    heard.lock().unwrap().extend_from_slice(&buffer[..read]);
                    for piece in pieces {
                        if stream.write_all(&piece).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A name server that gives each of these answers once, and then none.
#[derive(Default)]
struct Script(Mutex<VecDeque<Vec<&'static str>>>);

impl Script {
    fn new(answers: &[&[&'static str]]) -> Arc<Script> {
        Arc::new(Script(Mutex::new(answers.iter().map(|answer| answer.to_vec()).collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl Names for Script {
    async fn addresses(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let answer = self.0.lock().unwrap().pop_front().ok_or(io::ErrorKind::NotFound)?;
        Ok(answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect())
    }
}

/// A policy for tests: plain http, and the whole of loopback.
fn open() -> GuardPolicy {
    allowing("127.0.0.0/8")
}

fn allowing(network: &str) -> GuardPolicy {
    GuardPolicy { allow: vec![network.parse().unwrap()], http: true }
}

async fn post(transport: &ReqwestTransport, url: &str, timeout: Duration) -> Result<Reply, TransportError> {
    let request =
        http::Request::post(url).header("webhook-id", "evt_1").body(Bytes::from_static(b"{\"a\":1}"));
    transport.send(request.unwrap(), timeout).await
}

async fn post_to(server: &Server) -> Result<Reply, TransportError> {
    post(&ReqwestTransport::new(open()).unwrap(), &server.url(), ENOUGH).await
}

fn is_broken(result: &Result<Reply, TransportError>) -> bool {
    matches!(result, Err(TransportError::Broken(_)))
}

#[tokio::test]
async fn a_reply_is_handed_on_whole_and_the_request_is_sent_as_it_was_given() {
    let server = Server::answering(
        "HTTP/1.1 418 I'm a teapot\r\nx-a: 1\r\nx-a: 2\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnot gzip",
    )
    .await;
    let reply = post_to(&server).await.unwrap();
    assert_eq!(reply.status(), 418);
    assert_eq!(reply.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(reply.headers()["content-encoding"], "gzip");
    assert_eq!(reply.body().as_ref(), b"not ");
    let expected = format!(
        "POST /hook HTTP/1.1\r\nwebhook-id: evt_1\r\nhost: 127.0.0.1:{}\r\ncontent-length: 7\r\n\r\n{{\"a\":1}}",
        server.port
    );
    let heard = server.heard();
    let mut lines: Vec<&str> = heard.split("\r\n").filter(|line| *line != "accept: */*").collect();
    let mut wanted: Vec<&str> = expected.split("\r\n").collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
}

#[tokio::test]
async fn redirects_are_replies_and_lead_nowhere() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: http://127.0.0.1:{}/", elsewhere.port);
        let server =
            Server::answering(&format!("HTTP/1.1 {status} Go\r\n{location}\r\ncontent-length: 0\r\n\r\n"))
                .await;
        assert_eq!(post_to(&server).await.unwrap().status().as_u16(), status);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_cookie_is_not_brought_back() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\nset-cookie: a=b; path=/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let transport = ReqwestTransport::new(open()).unwrap();
    for _ in 0..2 {
        post(&transport, &server.url(), ENOUGH).await.unwrap();
    }
    assert_eq!(server.connections(), 2);
    assert!(!server.heard().to_lowercase().contains("cookie"));
}

#[tokio::test]
async fn one_deadline_covers_a_silent_server_a_slow_head_and_a_slow_body() {
    let letters = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
    let slow_head = letters("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let mut slow_body = vec![b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n".to_vec()];
    slow_body.extend(letters(&"x".repeat(600)));
    for pieces in [vec![Vec::new(), Vec::new()], slow_head, slow_body] {
        // Each piece comes well within the deadline; only all of them together do not.
        let server = Server::new(pieces, Duration::from_millis(100)).await;
        let transport = ReqwestTransport::new(open()).unwrap();
        let started = Instant::now();
        let deadline = Duration::from_millis(150);
        assert_eq!(post(&transport, &server.url(), deadline).await.err(), Some(TransportError::Timeout));
        assert!(
            started.elapsed() >= deadline && started.elapsed() < deadline + SECOND,
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_not_a_byte_larger() {
    let reply = |length: usize| {
        let mut bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        bytes.resize(bytes.len() + length, b'x');
        vec![bytes]
    };
    let server = Server::new(reply(REPLY_BYTES_MAX), Duration::ZERO).await;
    assert_eq!(post_to(&server).await.unwrap().body().len(), REPLY_BYTES_MAX);
    let server = Server::new(reply(REPLY_BYTES_MAX + 1), Duration::ZERO).await;
    assert!(is_broken(&post_to(&server).await));
}

#[tokio::test]
async fn a_body_without_end_is_given_up_at_the_limit() {
    let mut pieces = vec![b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec()];
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    pieces.extend(std::iter::repeat_n(chunk, 4 * REPLY_BYTES_MAX / 0x10000));
    let server = Server::new(pieces, Duration::ZERO).await;
    assert!(is_broken(&post_to(&server).await));
}

#[tokio::test]
async fn a_reply_that_is_cut_or_is_no_http_is_broken_and_its_text_is_not_shown() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\ninside",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\ninside\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ninside\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\ninside",
        "HTTP/1.1 abc inside\r\n\r\n",
        "SSH-2.0-inside\r\n",
        "-ERR unknown command inside\r\n",
    ] {
        let server = Server::answering(text).await;
        let result = post_to(&server).await;
        assert!(is_broken(&result), "{text:?} gives {result:?}");
        assert!(!format!("{result:?}").contains("inside"), "{result:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_listens_or_the_name_is_unknown() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let transport = ReqwestTransport::with(open(), Vec::new(), Script::new(&[])).unwrap();
    for host in ["127.0.0.1", "nowhere.test"] {
        assert_eq!(
            post(&transport, &format!("http://{host}:{port}/"), ENOUGH).await.err(),
            Some(TransportError::Connect)
        );
    }
}

#[tokio::test]
async fn a_blocked_address_gets_no_connection_and_its_answer_is_not_shown() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    let names = Script::new(&[&["127.0.0.1"], &["127.0.0.1", "::1", "169.254.169.254"]]);
    let policy = GuardPolicy { http: true, ..GuardPolicy::default() };
    let transport = ReqwestTransport::with(policy, Vec::new(), names.clone()).unwrap();
    for host in ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "shop.test"] {
        let result = post(&transport, &format!("http://{host}:{}/", server.port), ENOUGH).await;
        let text = Blocked::Address.to_string();
        assert_eq!(result.err(), Some(TransportError::Forbidden(text)), "{host}");
    }
    assert_eq!((names.left(), server.connections()), (0, 0));
}

#[tokio::test]
async fn of_several_addresses_only_the_permitted_is_called() {
    let inside = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npublic".to_vec();
    let outside = Server::at(Ipv4Addr::new(127, 0, 0, 2), inside.port, vec![reply], Duration::ZERO).await;
    let names = Script::new(&[&["127.0.0.1", "127.0.0.2", "127.0.0.1"]]);
    let transport = ReqwestTransport::with(allowing("127.0.0.2"), Vec::new(), names).unwrap();
    let reply = post(&transport, &format!("http://shop.test:{}/", outside.port), ENOUGH).await.unwrap();
    assert_eq!(reply.body().as_ref(), b"public");
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_leads_only_where_it_was_judged() {
    let inside = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    let reply = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\npublic".to_vec();
    let outside = Server::at(Ipv4Addr::new(127, 0, 0, 2), inside.port, vec![reply], Duration::ZERO).await;
    // Stands for a public address first and a private one from then on.
    let names = Script::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let transport = ReqwestTransport::with(allowing("127.0.0.2"), Vec::new(), names.clone()).unwrap();
    let url = format!("http://rebind.test:{}/", inside.port);
    assert_eq!(post(&transport, &url, ENOUGH).await.unwrap().body().as_ref(), b"public");
    assert_eq!(names.left(), 1, "the name was asked for once, and what it said then was called");
    assert!(matches!(post(&transport, &url, ENOUGH).await, Err(TransportError::Forbidden(_))));
    assert_eq!((outside.connections(), inside.connections(), names.left()), (1, 0, 0));
}

/// A certificate authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A TLS server for a name, good until the end of a year; it counts the bytes of requests it understood.
    async fn server(&self, name: &str, until_year: i32) -> (u16, Arc<AtomicUsize>) {
        self.server_that(name, until_year, false).await
    }

    /// The same, and where `asks` it only talks to clients with a certificate of this authority.
    async fn server_that(&self, name: &str, until_year: i32, asks: bool) -> (u16, Arc<AtomicUsize>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until_year, 12, 31);
        let certificate: CertificateDer<'static> =
            params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        } else {
            ServerConfig::builder().with_no_client_auth()
        };
        let config = config.with_single_cert(vec![certificate], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, heard) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut buffer = [0; 4096];
                count.fetch_add(stream.read(&mut buffer).await.unwrap_or(0), Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (port, heard)
    }

    async fn call(&self, port: u16) -> Result<Reply, TransportError> {
        let names = Script::new(&[&["127.0.0.1"]]);
        let transport =
            ReqwestTransport::with(open(), Certificate::from_pem_bundle(self.pem.as_bytes()).unwrap(), names)
                .unwrap();
        post(&transport, &format!("https://shop.test:{port}/"), ENOUGH).await
    }
}

#[tokio::test]
async fn a_certificate_that_is_good_for_the_name_is_trusted() {
    let authority = Authority::new();
    let (port, heard) = authority.server("shop.test", 4000).await;
    assert_eq!(authority.call(port).await.unwrap().body().as_ref(), b"ok");
    assert!(heard.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_the_call_has_one() {
    let authority = Authority::new();
    let (port, _) = authority.server_that("shop.test", 4000, true).await;
    assert!(authority.call(port).await.is_err(), "the server asks for a certificate");
    let (key, params) =
        (KeyPair::generate().unwrap(), CertificateParams::new(["merchant".to_owned()]).unwrap());
    let certificate = params.signed_by(&key, &authority.issuer).unwrap().pem();
    let roots = Certificate::from_pem_bundle(authority.pem.as_bytes()).unwrap();
    let transport =
        ReqwestTransport::with(open(), roots, Script::new(&[&["127.0.0.1"], &["127.0.0.1"]])).unwrap();
    let send = async |pem: String| {
        let mut request = http::Request::new(Bytes::new());
        *request.uri_mut() = format!("https://shop.test:{port}/").parse().unwrap();
        request.extensions_mut().insert(Identity::new(crate::secret::Secret::new(pem)));
        transport.send(request, ENOUGH).await
    };
    let reply = send(format!("{certificate}{}", key.serialize_pem())).await.unwrap();
    assert_eq!(reply.body().as_ref(), b"ok");
    assert!(matches!(send("no key".to_owned()).await, Err(TransportError::Forbidden(_))));
}

#[tokio::test]
async fn no_byte_of_a_request_is_sent_to_an_expired_foreign_or_untrusted_certificate() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (signer, name, until) in
        [(&authority, "shop.test", 2020), (&authority, "other.test", 4000), (&stranger, "shop.test", 4000)]
    {
        let (port, heard) = signer.server(name, until).await;
        assert_eq!(authority.call(port).await.err(), Some(TransportError::Connect), "{name} {until}");
        assert_eq!(heard.load(Ordering::SeqCst), 0, "{name} {until}");
    }
}

#[tokio::test]
async fn no_byte_of_a_request_is_sent_in_clear_to_a_server_without_tls() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    assert_eq!(Authority::new().call(server.port).await.err(), Some(TransportError::Connect));
    assert!(!server.heard().contains("POST") && !server.heard().contains("webhook-id"), "{}", server.heard());
}

/// Runs another test of this file in a process of its own, with these words in its environment.
fn in_child(test: &str, environment: &[(&str, &str)]) {
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let program = std::env::current_exe().unwrap();
    let child =
        Command::new(program).args(["--exact", &name]).envs(environment.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn proxies_named_by_the_environment_are_not_used() {
    let proxies = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let environment: Vec<_> = proxies.iter().map(|name| (*name, "http://127.0.0.1:9")).collect();
    in_child("a_reply_is_handed_on_whole_and_the_request_is_sent_as_it_was_given", &environment);
    in_child("a_certificate_that_is_good_for_the_name_is_trusted", &environment);
}

#[test]
fn a_machine_without_certificates_can_still_be_worked_on() {
    let nowhere = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    in_child("a_reply_is_handed_on_whole_and_the_request_is_sent_as_it_was_given", &nowhere);
}
