//! The URL of a server. It has a password in it: no error says what stands there.

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use trtc_call_inbox::store::{StoreError, StoreErrorKind};

use crate::tls::Verify;

/// What a URL says.
pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) verify: Verify,
    /// The file of the certificates that are trusted, where it is not the system's.
    pub(crate) roots: Option<PathBuf>,
    /// The server's name for people: hosts and database.
    pub(crate) place: String,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(invalid("it does not begin with postgres://"));
        }
        // With another one, a part of the password would be taken for the host, and shown.
        if url.matches('@').count() > 1 {
            return Err(invalid("each @ but the one before the host is written %40"));
        }
        // Whatever stands before the first @ is a user and a password, also with a question mark.
        let host = url.find('@').unwrap_or_default();
        let query =
            url.get(host..).and_then(|rest| rest.find('?')).map(|query| host.saturating_add(query));
        let (base, query) =
            query.and_then(|query| url.split_at_checked(query)).unwrap_or((url, ""));
        let (mut ssl_mode, mut verify, mut roots) = (SslMode::Prefer, Verify::Nothing, None);
        let mut others = Vec::new();
        for parameter in
            query.trim_start_matches('?').split('&').filter(|parameter| !parameter.is_empty())
        {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => (ssl_mode, verify) = mode_of(mode)?,
                Some(("sslrootcert", "system")) => roots = None,
                Some(("sslrootcert", path)) => roots = Some(decoded(path)?),
                _ => others.push(parameter),
            }
        }
        let known = [base, "?", &others.join("&")].concat();
        let known = if others.is_empty() { base } else { &known };
        // Whoever names certificates wants them to be looked at: libpq does, too.
        if roots.is_some() && verify == Verify::Nothing && ssl_mode == SslMode::Require {
            verify = Verify::Issuer;
        }
        // What tokio-postgres says may quote a part of the URL.
        let mut config: Config = known.parse().map_err(|_| {
            invalid("its form is postgres://user:password@host:5432/database?sslmode=verify-full")
        })?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        config.ssl_mode(ssl_mode);
        let place = place(&config);
        Ok(Self { config, verify, roots, place })
    }

    /// Whether it goes over a network, and nobody verifies to whom.
    pub(crate) fn is_unverified(&self) -> bool {
        let is_far = |host: &Host| match host {
            Host::Tcp(host) => !["localhost", "127.0.0.1", "::1"].contains(&&**host),
            #[cfg(unix)]
            Host::Unix(_) => false,
        };
        self.verify != Verify::Server && self.config.get_hosts().iter().any(is_far)
    }
}

/// As libpq has them.
fn mode_of(mode: &str) -> Result<(SslMode, Verify), StoreError> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Verify::Nothing),
        "allow" | "prefer" => (SslMode::Prefer, Verify::Nothing),
        "require" => (SslMode::Require, Verify::Nothing),
        "verify-ca" => (SslMode::Require, Verify::Issuer),
        "verify-full" => (SslMode::Require, Verify::Server),
        _ => {
            return Err(invalid(
                "its sslmode must be disable, prefer, require, verify-ca or verify-full",
            ));
        }
    })
}

/// A path without its percent-encoding.
fn decoded(text: &str) -> Result<PathBuf, StoreError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit().zip(digit()).map(|(high, low)| (high << 4) | low);
                value.and_then(|value| u8::try_from(value).ok())
            }
            byte => Some(byte),
        };
        bytes.push(byte.ok_or_else(|| invalid("its sslrootcert is no path"))?);
    }
    String::from_utf8(bytes).map(PathBuf::from).map_err(|_| invalid("its sslrootcert is no path"))
}

fn place(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let ports = config.get_ports();
            let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(host) => format!("{host}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => path.display().to_string(),
            }
        })
        .collect();
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or_default();
    format!("PostgreSQL at {}, database {database}", hosts.join(","))
}

fn invalid(why: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Other, format!("the URL of PostgreSQL cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_says_what_is_verified() {
        for (url, mode, verify) in [
            ("postgres://h/d", SslMode::Prefer, Verify::Nothing),
            ("postgresql://h/d?sslmode=disable", SslMode::Disable, Verify::Nothing),
            ("postgres://h/d?connect_timeout=3&sslmode=require", SslMode::Require, Verify::Nothing),
            (
                "postgres://h/d?sslmode=verify-ca&application_name=a",
                SslMode::Require,
                Verify::Issuer,
            ),
            ("postgres://h/d?sslmode=verify-full", SslMode::Require, Verify::Server),
            ("postgres://h/d?sslmode=require&sslrootcert=/r", SslMode::Require, Verify::Issuer),
            ("postgres://h/d?sslrootcert=/r&sslmode=require", SslMode::Require, Verify::Issuer),
            ("postgres://h/d?sslmode=verify-full&sslrootcert=/r", SslMode::Require, Verify::Server),
            ("postgres://h/d?sslmode=prefer&sslrootcert=/r", SslMode::Prefer, Verify::Nothing),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((target.config.get_ssl_mode(), target.verify), (mode, verify), "{url}");
        }
        let roots = Target::parse("postgres://h/d?sslrootcert=/a%20b/c.pem").unwrap().roots;
        assert_eq!(roots.unwrap(), PathBuf::from("/a b/c.pem"));
    }

    /// What stands behind a question mark of the password counts, too.
    #[test]
    fn a_password_may_hold_whatever_tokio_postgres_takes() {
        let target =
            Target::parse("postgres://me:p?p&sslmode=disable@h/d?sslmode=verify-full").unwrap();
        assert_eq!(target.config.get_password(), Some(&b"p?p&sslmode=disable"[..]));
        assert_eq!(target.verify, Verify::Server);
    }

    #[test]
    fn only_what_leaves_the_machine_has_to_be_verified() {
        let is_unverified = |url| Target::parse(url).unwrap().is_unverified();
        assert!(is_unverified("postgres://db.example/d"));
        assert!(is_unverified("postgres://localhost,db.example/d?sslmode=require"));
        assert!(!is_unverified("postgres://db.example/d?sslmode=verify-full"));
        assert!(!is_unverified("postgres://localhost/d"));
        assert!(!is_unverified("postgres:///d?host=/run/postgresql"));
    }

    #[test]
    fn no_error_and_no_name_shows_the_password() {
        for url in [
            "postgres://me:s3cret@h:port/d",
            "postgres://me:pw@h/d?s3cret",
            "postgres://me:pw@h/d?sslmode=s3cret",
            "postgres://me:pw@h/d?s3cret=1",
            "postgres://me:pw@h/d?sslrootcert=s3cret%",
            "mysql://me:s3cret@h/d",
            "postgres://me:pw@s3cret@h/d",
            "postgres://me:pw@a/s3cret@h/d",
        ] {
            let error = Target::parse(url).err().expect(url);
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
        let place = Target::parse("postgres://me:s3cret@a:1,b:2/d").unwrap().place;
        assert_eq!(place, "PostgreSQL at a:1,b:2, database d");
    }
}
