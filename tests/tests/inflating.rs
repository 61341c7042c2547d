//! What a layer that inflates bodies does in front of the webhook, over sockets. No other test is
//! here: it counts the memory of the process that it runs in.

use std::io::Write;

use conformance::driver::{axum as router, in_time, tower as service};
use conformance::memory::Memory;
use conformance::raw::{BODY, QUERY, Raw, head, ok, refusal};
use conformance::{Notebook, Table};
use flate2::Compression;
use flate2::write::GzEncoder;
use tower::ServiceBuilder;
use tower_http::decompression::RequestDecompressionLayer;
use trtc_call_webhook::CallEnded;

fn gzip(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for piece in pieces {
        encoder.write_all(piece.as_ref()).unwrap();
    }
    encoder.finish().unwrap()
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let headers = format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", body.len());
    [head(QUERY, &headers).as_bytes(), body].concat()
}

/// The limit counts inflated bytes. The server is this process, and so its memory is counted.
///
/// Without such a layer, and in actix-web with its compression features too, a compressed body is
/// no JSON: cases.json has that.
#[tokio::test(flavor = "multi_thread")]
async fn a_gzip_bomb_is_refused_for_what_it_inflates_to() {
    in_time(gzip_bombs()).await;
}

/// One after the other.
async fn gzip_bombs() {
    let verifier = || Table::load().verifier("open");
    let notebook = Notebook::default();
    let inflating = RequestDecompressionLayer::new;
    let axum = router::router::<CallEnded>(verifier(), notebook.clone()).layer(inflating());
    let hyper = service::service::<CallEnded, _>(verifier(), notebook.clone());
    let hyper = ServiceBuilder::new().layer(inflating()).service(hyper);

    let bomb = gzip(std::iter::repeat_n(" ".repeat(1 << 20), 200));
    for (name, server) in
        [("axum", router::serve(axum).await), ("hyper", service::serve(hyper).await)]
    {
        let memory = Memory::of(std::process::id());
        for (body, expected) in [
            (gzip([BODY]), ok()),
            (bomb.clone(), refusal(413, "body too large")),
            (gzip([BODY]), ok()),
        ] {
            let mut raw = Raw::connect(server.address()).await;
            raw.send(zipped(&body)).await;
            assert_eq!(raw.answer().await, expected, "{name}");
        }
        assert_eq!(notebook.runs(), 2);
        memory.has_hardly_grown(name, "a gzip bomb of 200 MiB");
    }
}
