//! A bound on the time that a connection waits for its next request.
//!
//! actix-web bounds the first head of a connection and the time without a byte, but not a later head
//! that has begun: a client that sends a byte of it keeps the connection for good.

use std::any::Any;
use std::net::Shutdown;

use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt;
use actix_web::rt::net::TcpStream;
use example_support::HEAD_TIME;
use socket2::SockRef;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// When a connection was answered and began to wait for its next head; `None` while it has a request
/// in flight, whose body and handler have bounds of their own, and before the first.
type WaitingSince = Option<Instant>;

/// Watches a new connection, and ends it if it waits for too long.
pub(crate) fn watch_connection(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    // A descriptor of its own, since the connection belongs to actix-web.
    let Ok(watched) = socket.try_clone() else {
        let _ = socket.shutdown(Shutdown::Both);
        return;
    };
    let (state, changes) = watch::channel::<WaitingSince>(None);
    data.insert(state);
    rt::spawn(async move {
        if waits_too_long(changes).await {
            let _ = watched.shutdown(Shutdown::Both);
        }
    });
}

/// Whether a connection waits for longer than a head may take; not, once it is no more.
async fn waits_too_long(mut changes: watch::Receiver<WaitingSince>) -> bool {
    loop {
        let waiting_since = *changes.borrow_and_update();
        let change = match waiting_since {
            None => changes.changed().await,
            Some(since) => {
                let left = HEAD_TIME.saturating_sub(since.elapsed());
                match timeout(left, changes.changed()).await {
                    Ok(change) => change,
                    Err(_) => return true,
                }
            }
        };
        // Its state went with it.
        if change.is_err() {
            return false;
        }
    }
}

/// The middleware that tells when a head has arrived and when it is answered.
pub(crate) async fn tell_state(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.conn_data::<watch::Sender<WaitingSince>>().cloned();
    let tell = |waiting_since| state.as_ref().map(|state| state.send_replace(waiting_since));
    tell(None);
    let response = next.call(request).await;
    tell(Some(Instant::now()));
    response
}
