//! A pool of connections in front of a server, which gives each transaction another of them.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::{PAUSE, free_port};
use super::guard::Guard;
use super::installed::program;
use super::{OWNER, Server, own};
use crate::descriptors::skipped;

const PATIENCE: Duration = Duration::from_secs(20);

/// The pooler, until this is dropped.
pub struct PgBouncer {
    _guard: Guard,
    port: u16,
}

impl PgBouncer {
    /// Starts it with `pool_mode = transaction`. `None` where it is missing: a line has said so.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(server: &Server) -> Option<Self> {
        let Some(pgbouncer) = program("pgbouncer") else {
            skipped("PgBouncer (it is not installed)");
            return None;
        };
        let mut guard = Guard::start(own()?, "TERM");
        let (folder, port) = (guard.folder().display().to_string(), free_port());
        let users = format!("\"{OWNER}\" \"\"\n\"postgres\" \"\"\n");
        fs::write(guard.folder().join("users"), users).expect("its users");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n\
            [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
            pool_mode = transaction\nauth_type = trust\nauth_file = {folder}/users\n",
            server.port()
        );
        fs::write(guard.folder().join("settings"), settings).expect("its settings");
        let pgbouncer = pgbouncer.display();
        guard.run(&format!(
            r#""{pgbouncer}" "$FOLDER/settings" >>"$FOLDER/log" 2>&1 & server=$!; echo $server"#
        ));
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "it does not start: {}", guard.log());
            thread::sleep(PAUSE);
        }
        Some(Self { _guard: guard, port })
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}
