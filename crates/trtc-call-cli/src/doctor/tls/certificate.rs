//! What is wrong with a chain of certificates.

use std::time::{Duration, SystemTime};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::time;

/// How long before its end a certificate should have been renewed, in days.
const RENEW_DAYS: u64 = 14;

const DAY: u64 = 24 * 60 * 60;

/// The longest name of an authority that is repeated, in characters.
const MAX_NAME: usize = 100;

const RENEW: &str = "renew it, have the server load it, and see why it is not renewed by itself";
const CHAIN: &str = "have the server send the whole chain (`fullchain.pem`) of a certificate by a public \
                     authority: the vendor is not known to trust any other";

pub(super) struct Judged {
    /// What there is to say if nothing is found.
    pub(super) ok: Option<String>,
    /// With what to do.
    pub(super) findings: Vec<(String, &'static str)>,
    /// Whether somebody would connect who trusts these roots.
    pub(super) is_trusted: bool,
}

/// Looks at a chain, the server's own certificate first.
pub(super) fn judge(
    chain: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    roots: &RootCertStore,
) -> Judged {
    let unreadable = || Judged {
        ok: None,
        findings: vec![("it cannot be read".to_owned(), CHAIN)],
        is_trusted: false,
    };
    let Some((own, others)) = chain.split_first() else { return unreadable() };
    let Ok(certificate) = Certificate::from_der(own) else { return unreadable() };
    let Ok(parsed) = ParsedCertificate::try_from(own) else { return unreadable() };

    let mut findings = Vec::new();
    let is_valid_now = dates(&certificate, &mut findings);
    let mut is_trusted = is_valid_now;
    if let Some(text) = untrusted(&certificate, &parsed, others, roots, is_valid_now) {
        findings.push((text, CHAIN));
        is_trusted = false;
    }
    if verify_server_name(&parsed, name).is_err() {
        let text = format!("it is not for {}", name.to_str());
        findings.push((text, "have one made for the name that is set at the vendor"));
        is_trusted = false;
    }
    let until = time::text(certificate.tbs_certificate.validity.not_after.to_system_time());
    let ok = format!("it is for {}, by a trusted authority, until {until}", name.to_str());
    Judged { ok: findings.is_empty().then_some(ok), findings, is_trusted }
}

/// Looks at when it is valid. Whether it is now: if not for much longer, that is found all the same.
fn dates(certificate: &Certificate, findings: &mut Vec<(String, &'static str)>) -> bool {
    let validity = &certificate.tbs_certificate.validity;
    let [from, until] = [validity.not_before, validity.not_after].map(|time| time.to_system_time());
    let now = SystemTime::now();
    let left = until.duration_since(now);
    match &left {
        Err(_) => findings.push((format!("it expired at {}", time::text(until)), RENEW)),
        Ok(_) if from > now => {
            let text = format!("it is not valid before {}", time::text(from));
            findings
                .push((text, "is this machine's clock right, or is the certificate of tomorrow?"));
        }
        Ok(left) if *left < Duration::from_secs(RENEW_DAYS.saturating_mul(DAY)) => {
            let days = left.as_secs() / DAY;
            let text = format!("it expires in {days} days, at {}", time::text(until));
            findings.push((text, RENEW));
        }
        Ok(_) => {}
    }
    left.is_ok() && from <= now
}

/// Why its chain does not lead to a root, if it does not. That its own dates are over is told already.
fn untrusted(
    certificate: &Certificate,
    parsed: &ParsedCertificate<'_>,
    others: &[CertificateDer<'_>],
    roots: &RootCertStore,
    is_valid_now: bool,
) -> Option<String> {
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let now = UnixTime::now();
    let error =
        verify_server_cert_signed_by_trust_anchor(parsed, roots, others, now, algorithms).err()?;
    let is_about_dates = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    );
    let body = &certificate.tbs_certificate;
    if body.issuer == body.subject {
        return Some("it is self-signed".to_owned());
    }
    let issuer: String = body.issuer.to_string().chars().take(MAX_NAME).collect();
    match error {
        _ if is_about_dates && !is_valid_now => None,
        Error::InvalidCertificate(CertificateError::UnknownIssuer) if others.is_empty() => {
            Some(format!(
                "it comes alone, and its issuer ({issuer}) is no root: an intermediate certificate \
                 is missing, or the authority is private"
            ))
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some(format!("its chain leads to no public authority: its issuer is {issuer}"))
        }
        error => Some(format!("its chain is not valid: {error}")),
    }
}
