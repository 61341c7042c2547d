//! TLS: what of the server is verified, as `sslmode` has it.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use trtc_call_inbox::store::StoreErrorKind;

use crate::error::Failure;

/// What of a server is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verify {
    /// Nothing: whoever sits in between can read along, as with libpq's `prefer` and `require`.
    Nothing,
    /// That somebody trusted has signed its certificate.
    Issuer,
    /// And that it is the one of this name.
    Server,
}

/// What connects by TLS, where the server offers it.
pub(crate) fn connector(
    verify: Verify,
    roots: Option<&Path>,
) -> Result<MakeRustlsConnect, Failure> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failure)?;
    let insecure = |issuer| Arc::new(InsecureName { issuer, provider: Arc::clone(&provider) });
    let webpki = || verifier(roots, Arc::clone(&provider));
    let config = match verify {
        Verify::Nothing => config.dangerous().with_custom_certificate_verifier(insecure(None)),
        Verify::Issuer => {
            config.dangerous().with_custom_certificate_verifier(insecure(Some(webpki()?)))
        }
        Verify::Server => config.with_webpki_verifier(webpki()?),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn verifier(
    roots: Option<&Path>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Failure> {
    let roots = Arc::new(read(roots)?);
    WebPkiServerVerifier::builder_with_provider(roots, provider).build().map_err(failure)
}

fn read(file: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() {
            Err(failure("the system has no certificates"))
        } else {
            Ok(roots)
        };
    };
    let cannot_use =
        |why: &str| failure(format!("cannot use sslrootcert {}: {why}", file.display()));
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| cannot_use(&error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| cannot_use(&error.to_string()))?;
        roots.add(certificate).map_err(|error| cannot_use(&error.to_string()))?;
    }
    if roots.is_empty() { Err(cannot_use("there is no certificate in it")) } else { Ok(roots) }
}

fn failure(error: impl Display) -> Failure {
    Failure::new(StoreErrorKind::Other, format!("TLS: {error}"))
}

/// Takes every server for the right one, or every one that somebody trusted has signed.
#[derive(Debug)]
struct InsecureName {
    issuer: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for InsecureName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};

        let Some(issuer) = &self.issuer else { return Ok(ServerCertVerified::assertion()) };
        match issuer.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
