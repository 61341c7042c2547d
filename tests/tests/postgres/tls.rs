//! What of the server is verified.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use conformance::descriptors::skipped;
use conformance::postgres::Server;
use trtc_call_inbox_postgres::PostgresInbox;

/// A certificate of a name, signed by an authority of its own.
struct Certificate {
    authority: PathBuf,
    certificate: String,
    key: String,
}

impl Certificate {
    /// `None` where there is no `openssl`: a line has said so.
    fn new(folder: &Path, name: &str) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let openssl = |arguments: &str| {
            let mut openssl = Command::new("openssl");
            openssl.current_dir(folder).args(arguments.split(' ')).output()
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        let authority = format!("req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem");
        if openssl(&authority).is_err() {
            skipped("TLS to PostgreSQL (openssl is not installed)");
            return None;
        }
        fs::write(folder.join("extensions"), format!("subjectAltName=DNS:{name}\n")).unwrap();
        for arguments in [
            format!("req {key} -subj /CN={name} -keyout server.key -out server.csr")
                .replace(" -days 2", ""),
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \
             extensions -out server.pem"
                .to_owned(),
        ] {
            let output = openssl(&arguments).unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let read = |name| fs::read_to_string(folder.join(name)).unwrap();
        Some(Self {
            authority: folder.join("ca.pem"),
            certificate: read("server.pem"),
            key: read("server.key"),
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode_decides_what_is_verified() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls");
    let Some(right) = Certificate::new(&folder.join("right"), "localhost") else { return };
    let Some(elsewhere) = Certificate::new(&folder.join("elsewhere"), "elsewhere.example") else {
        return;
    };
    for (certificate, is_of_that_name) in [(&right, true), (&elsewhere, false)] {
        let Some(server) = Server::start(&[]) else { return };
        server.install_certificate(&certificate.certificate, &certificate.key).await;
        let database = server.database("tls").await;
        let url = database.url().replace("127.0.0.1", "localhost");
        let trusted = certificate.authority.display().to_string();
        let other =
            if is_of_that_name { &elsewhere } else { &right }.authority.display().to_string();
        for (mode, authority, is_taken, is_encrypted) in [
            ("disable", None, true, false),
            ("prefer", None, true, true),
            ("require", None, true, true),
            ("verify-ca", Some(&trusted), true, true),
            ("verify-ca", Some(&other), false, true),
            ("verify-full", Some(&trusted), is_of_that_name, true),
            ("verify-full", Some(&other), false, true),
            ("verify-full", None, false, true),
        ] {
            let root = authority.map(|path| format!("&sslrootcert={path}")).unwrap_or_default();
            let connected = PostgresInbox::connect(&format!("{url}?sslmode={mode}{root}")).await;
            let what = format!("{mode} {root} {is_of_that_name}: {connected:?}");
            assert_eq!(connected.is_ok(), is_taken, "{what}");
            let Ok(inbox) = connected else { continue };
            let client = inbox.client().await.unwrap();
            let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            let row = client.query_one(encrypted, &[]).await.unwrap();
            assert_eq!(row.get::<_, bool>(0), is_encrypted, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("plain").await;
    PostgresInbox::connect(&format!("{}?sslmode=prefer", database.url())).await.unwrap();
    PostgresInbox::connect(&format!("{}?sslmode=require", database.url())).await.unwrap_err();
}
