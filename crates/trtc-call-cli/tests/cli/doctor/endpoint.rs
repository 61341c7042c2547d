//! Endpoints that are wrong in a way of their own, with and without TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use conformance::descriptors::skipped;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The documented acknowledgement.
pub(crate) const OK: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;

/// An answer with a status line's end, headers and a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What a receiver of the app answers that requires no signature.
pub(crate) fn receiver(head: &str) -> String {
    if head.starts_with("POST") && head.contains("SdkAppid=1400000001&") {
        answer("200 OK", "content-type: application/json\r\n", OK)
    } else {
        answer("403 Forbidden", "", "")
    }
}

/// Serves each request by its head, and never those that have no answer.
pub(crate) fn serve(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> SocketAddr {
    accept(None, answer)
}

fn accept(
    tls: Option<Arc<ServerConfig>>,
    answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, tls, answer) = (stream.unwrap(), tls.clone(), Arc::clone(&answer));
            thread::spawn(move || match tls {
                None => talk(stream, &*answer),
                Some(config) => {
                    let connection = ServerConnection::new(config).unwrap();
                    talk(StreamOwned::new(connection, stream), &*answer);
                }
            });
        }
    });
    addr
}

/// Reads a head and answers it. Who only looks whether somebody listens sends none.
fn talk(mut stream: impl Read + Write, answer: &dyn Fn(&str) -> Option<String>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    if let Some(answer) = answer(&String::from_utf8(head).unwrap()) {
        let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
    }
    // Until the peer closes: what it has sent and nobody has read would reset the connection.
    let _ = stream.read_to_end(&mut Vec::new());
}

/// An authority of the tests' own, below it one that signs, and certificates of both.
pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// `None` where there is no `openssl`: a line has said so.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-{name}"));
        fs::create_dir_all(&folder).unwrap();
        if Command::new("openssl").arg("version").output().is_err() {
            skipped("certificates (openssl is not installed)");
            return None;
        }
        let authority = Self { folder };
        let root = "-subj /CN=root -days 30 -keyout root.key -out root.pem";
        authority.openssl(&format!("req -x509 {KEY} {root}"));
        authority.sign("middle", "root", "basicConstraints=critical,CA:TRUE", 30);
        Some(authority)
    }

    /// The file of its own certificate.
    pub(crate) fn file(&self) -> String {
        self.folder.join("root.pem").to_str().unwrap().to_owned()
    }

    /// Serves by TLS with a certificate for this `subjectAltName`, signed by `root`, `middle` or itself, and
    /// with others behind it.
    pub(crate) fn serve(
        &self,
        alt_name: &str,
        issuer: &str,
        days: i32,
        others: &[&str],
    ) -> SocketAddr {
        let file = |name: &str| self.folder.join(name);
        let extension = format!("subjectAltName={alt_name}");
        if issuer == "server" {
            let own = "-subj /CN=server -keyout server.key -out server.pem";
            self.openssl(&format!("req -x509 {KEY} -addext {extension} -days {days} {own}"));
        } else {
            self.sign("server", issuer, &extension, days);
        }
        let chain: Vec<_> = std::iter::once("server")
            .chain(others.iter().copied())
            .map(|name| CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap())
            .collect();
        let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        accept(Some(Arc::new(config)), |head| Some(receiver(head)))
    }

    fn sign(&self, name: &str, issuer: &str, extension: &str, days: i32) {
        fs::write(self.folder.join("extensions"), format!("{extension}\n")).unwrap();
        self.openssl(&format!("req {KEY} -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial \
             -days {days} -extfile extensions -out {name}.pem"
        ));
    }

    fn openssl(&self, arguments: &str) {
        let mut openssl = Command::new("openssl");
        let output = openssl.current_dir(&self.folder).args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
