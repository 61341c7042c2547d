//! One request and its answer, as bytes.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use rustls::RootCertStore;

use crate::redact::Secrets;
use crate::{Error, tls};

/// The most of an answer that is read: a page of a hundred calls of hundreds of members has room.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How long a connection is waited for, if a request may take that long.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection that is not used is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The most of a cause that is told, in bytes.
const MAX_CAUSE: usize = 256;

/// What sends requests to this URL; `None` if TLS cannot be set up.
///
/// For `https` a proxy is taken from the environment, as in companies that have no other way out: it sees
/// the host, no more. Without TLS it would see the UserSig, and what is asked is near: there is none.
pub(crate) fn connect(base: &Url, timeout: Duration) -> Option<reqwest::Client> {
    // Without TLS nobody is to be trusted, and the system need not have certificates.
    let is_https = base.scheme() == "https";
    let roots = if is_https { tls::system_roots()? } else { RootCertStore::empty() };
    build(is_https, roots, timeout)
}

fn build(is_https: bool, roots: RootCertStore, timeout: Duration) -> Option<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("trtc-call-api/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls::config(roots).ok()?)
        .http1_only()
        // It would carry the UserSig elsewhere.
        .redirect(Policy::none())
        .connect_timeout(CONNECT.min(timeout))
        .pool_idle_timeout(IDLE)
        .timeout(timeout);
    if !is_https {
        builder = builder.no_proxy();
    }
    builder.build().ok()
}

/// Posts JSON and returns the body of an answer whose status is 200.
pub(crate) async fn post(
    http: &reqwest::Client,
    url: Url,
    body: String,
    secrets: Secrets<'_>,
) -> Result<Bytes, Error> {
    let failure = |error| failure(error, secrets);
    let request = http.post(url).header(CONTENT_TYPE, "application/json").body(body);
    let mut response = request.send().await.map_err(failure)?;
    if response.status() != StatusCode::OK {
        return Err(Error::http_status(response.status().as_u16()));
    }
    let mut answer = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if answer.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(Error::answer("it is longer than 8 MiB"));
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer.freeze())
}

/// Whose text names the URL, and so the UserSig: nothing is kept of it but its innermost cause.
#[expect(clippy::needless_pass_by_value, reason = "nobody is to use it after")]
fn failure(error: reqwest::Error, secrets: Secrets<'_>) -> Error {
    if error.is_timeout() && !error.is_connect() {
        return Error::timed_out();
    }
    let cause = chain(&error).last().map_or_else(String::new, ToString::to_string);
    let cause = secrets.redact(&cause, MAX_CAUSE);
    if error.is_connect() {
        let mut causes = chain(&error).filter_map(|cause| cause.downcast_ref());
        let is_untrusted =
            causes.any(|cause| matches!(cause, rustls::Error::InvalidCertificate(_)));
        return Error::no_connection(cause, is_untrusted);
    }
    Error::broken(cause)
}

/// What an error comes from, from the outside to the inside.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            // One that wraps another does not name it as its source.
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use rustls::ServerConfig;
    use rustls::crypto::ring;
    use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Signed by itself, for 127.0.0.1 until 2120, and nobody else's secret.
    const CERTIFICATE: &str = "MIIBTTCB9aADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATCb8eT4dBJYIX2J+g78edLp8q257UvSSD/MLw4l7lB1kvsZ+q5fItvQkUYsHosDpH6yCEn+dxI5zh6lWXVVsQMo0AwPjAMBgNVHRMBAf8EAjAAMA8GA1UdEQQIMAaHBH8AAAEwHQYDVR0OBBYEFEwSqw31uf/6FXQFQm4oy31fuS/XMAoGCCqGSM49BAMCA0cAMEQCIGkkymzf3liLKNniWRxVvA2iecB5+AZ7lkfJN4/ny6xtAiAvL0Nt/5txHEBxcCDYLH9RmPOEMqc4NqP1aMn8lYqvIg==";
    const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvIL5fe0e4NgNgitBd8aqZi5W5AmStuJL81kZZrAQ/aahRANCAATCb8eT4dBJYIX2J+g78edLp8q257UvSSD/MLw4l7lB1kvsZ+q5fItvQkUYsHosDpH6yCEn+dxI5zh6lWXVVsQM";

    fn certificate() -> CertificateDer<'static> {
        STANDARD.decode(CERTIFICATE).unwrap().into()
    }

    /// A server that answers the first request.
    async fn serve() -> Url {
        let key = PrivatePkcs8KeyDer::from(STANDARD.decode(KEY).unwrap());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else {
                return;
            };
            let mut request = [0; 4096];
            assert_ne!(stream.read(&mut request).await.unwrap(), 0);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        url
    }

    async fn ask(roots: RootCertStore) -> Result<Bytes, Error> {
        let http = build(true, roots, Duration::from_secs(10)).unwrap();
        post(&http, serve().await, "{}".to_owned(), Secrets::default()).await
    }

    #[tokio::test]
    async fn a_server_is_spoken_to_only_if_its_certificate_is_trusted() {
        let mut roots = RootCertStore::empty();
        roots.add(certificate()).unwrap();
        assert_eq!(ask(roots).await.unwrap(), "{}");

        let error = ask(RootCertStore::empty()).await.unwrap_err();
        assert!(!error.is_transient(), "it does not pass by itself");
        assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    }
}
