//! The network between a server and its clients, and what becomes of it.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the network does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Network {
    passes: bool,
    resets: u64,
}

/// Passes on what clients and the server say to each other, for as long as it is not dropped.
pub struct Relay {
    address: SocketAddr,
    network: watch::Sender<Network>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// A relay to a port of this machine.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (network, watched) = watch::channel(Network { passes: true, resets: 0 });
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, port, watched.clone()));
            }
        });
        Self { address, network, accepting }
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on nothing passes, in neither direction, and nobody is told: connections stay open, new
    /// ones are taken and lead nowhere. What is said meanwhile arrives once it is [healed](Self::heal).
    pub fn cut(&self) {
        self.network.send_modify(|network| network.passes = false);
    }

    /// All passes again.
    pub fn heal(&self) {
        self.network.send_modify(|network| network.passes = true);
    }

    /// Every connection is reset, on both sides. New ones pass.
    pub fn reset(&self) {
        self.network.send_modify(|network| network.resets += 1);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
        self.reset();
    }
}

async fn relay(mut client: TcpStream, port: u16, mut network: watch::Receiver<Network>) {
    let resets = network.borrow().resets;
    let mut watched = network.clone();
    let is_reset = async {
        let _ = watched.wait_for(|network| network.resets != resets).await;
    };
    let mut server = None;
    let passing = async {
        passes(&mut network).await;
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
        let _ = (client.set_nodelay(true), stream.set_nodelay(true));
        let server = server.insert(stream);
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::join!(
            pass(from_client, to_server, network.clone()),
            pass(from_server, to_client, network.clone())
        );
    };
    tokio::select! {
        () = passing => {}
        () = is_reset => {
            // A socket that is closed with a linger of nothing is reset.
            for stream in [Some(client), server].into_iter().flatten() {
                let _ = stream.set_zero_linger();
            }
        }
    }
}

/// One direction, until its end is passed on.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut network: watch::Receiver<Network>,
) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        passes(&mut network).await;
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            let _ = to.shutdown().await;
            return;
        }
    }
}

async fn passes(network: &mut watch::Receiver<Network>) {
    let _ = network.wait_for(|network| network.passes).await;
}
