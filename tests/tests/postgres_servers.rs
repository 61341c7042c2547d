//! What the tests of PostgreSQL rest on: no server of theirs is left behind, and a network that is cut is.

#![cfg(unix)]

use std::env;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use conformance::driver::in_time;
use conformance::postgres::{Relay, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// Set in the process that is killed.
const IS_KILLED: &str = "CONFORMANCE_IS_KILLED";

const PAUSE: Duration = Duration::from_millis(20);

/// Long enough for what passes to arrive.
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_with_the_process_that_started_it_even_if_that_is_killed() {
    if env::var_os(IS_KILLED).is_some() {
        let server = Server::start(&[]).expect("a server");
        println!("\nfolder: {}", server.folder().display());
        // What stands still must end, too.
        server.pause();
        std::future::pending::<()>().await;
    }
    if Server::start(&[]).is_none() {
        return;
    }
    let test = "a_server_ends_with_the_process_that_started_it_even_if_that_is_killed";
    let mut process = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(IS_KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let folder = lines.map_while(Result::ok).find_map(|line| {
        let folder = line.strip_prefix("folder: ")?;
        Some(folder.to_owned())
    });
    let folder = folder.expect("a server");
    assert!(is_used(&folder));
    process.kill().unwrap();
    process.wait().unwrap();
    in_time(async {
        while Path::new(&folder).exists() || is_used(&folder) {
            sleep(PAUSE).await;
        }
    })
    .await;
}

/// Whether a process was started with this folder.
fn is_used(folder: &str) -> bool {
    Command::new("pgrep").args(["-f", folder]).output().unwrap().status.success()
}

/// Nothing passes while it is cut, in either direction, and nothing is lost by that.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_cut_holds_back_what_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay::to(listener.local_addr().unwrap().port()).await;
    let mut client = TcpStream::connect(("127.0.0.1", relay.port())).await.unwrap();
    let mut server = listener.accept().await.unwrap().0;
    client.write_all(b"a").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'a');
    relay.cut();
    client.write_all(b"b").await.unwrap();
    server.write_all(b"c").await.unwrap();
    let mut other = TcpStream::connect(("127.0.0.1", relay.port())).await.unwrap();
    other.write_all(b"d").await.unwrap();
    let to_server = timeout(A_WHILE, async { server.read_u8().await.unwrap() });
    let to_client = timeout(A_WHILE, async { client.read_u8().await.unwrap() });
    let to_other = timeout(A_WHILE, async { other.read_u8().await.unwrap() });
    let passed = tokio::join!(to_server, to_client, to_other, timeout(A_WHILE, listener.accept()));
    assert!(matches!(passed, (Err(_), Err(_), Err(_), Err(_))), "{passed:?}");
    relay.heal();
    assert_eq!((server.read_u8().await.unwrap(), client.read_u8().await.unwrap()), (b'b', b'c'));
    let mut other = listener.accept().await.unwrap().0;
    assert_eq!(other.read_u8().await.unwrap(), b'd');
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_resets_ends_all_connections_and_takes_new_ones() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay::to(listener.local_addr().unwrap().port()).await;
    let mut client = TcpStream::connect(("127.0.0.1", relay.port())).await.unwrap();
    let mut server = listener.accept().await.unwrap().0;
    relay.reset();
    for end in [&mut client, &mut server] {
        assert_eq!(end.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    let _client = TcpStream::connect(("127.0.0.1", relay.port())).await.unwrap();
    listener.accept().await.unwrap();
}
