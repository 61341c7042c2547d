//! actix-web.

use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::error::ErrorForbidden;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Bytes, Json, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Resource, rt};
use trtc_call_webhook::Verifier;
use trtc_call_webhook_actix_web::{Ack, CallEnded, Webhook};

use super::{PATH, Work, accepts, target, work};
use crate::cases::{ANSWER, Case};
use crate::op::Op;
use crate::{bodies, hand_written, ours};

async fn bare(body: Bytes) -> HttpResponse {
    std::hint::black_box(body);
    HttpResponse::Ok().content_type("application/json").body(ANSWER)
}

async fn working(work: Work, request: HttpRequest, body: Bytes) -> HttpResponse {
    assert!(work(request.query_string(), &body));
    bare(body).await
}

async fn by_hand(
    query: Query<hand_written::Query>,
    body: Json<bodies::CallEnded<String>>,
) -> Result<Json<hand_written::Answer>, actix_web::Error> {
    let answer = accepts(&query, &body).then_some(Json(hand_written::Answer::OK));
    answer.ok_or_else(|| ErrorForbidden("forbidden"))
}

async fn with_the_extractor(Webhook(call): Webhook<CallEnded>) -> Ack {
    std::hint::black_box(&call.call_id);
    Ack::ok()
}

fn resource(handler: &str, verifier: Verifier) -> Resource {
    let resource = web::resource(PATH);
    match (handler, work(handler)) {
        (_, Some(work)) => {
            resource.route(web::post().to(move |request, body| working(work, request, body)))
        }
        ("hand-written", _) => resource.route(web::post().to(by_hand)),
        ("ours", _) => resource.app_data(verifier).route(web::post().to(with_the_extractor)),
        _ => resource.route(web::post().to(bare)),
    }
}

pub(super) fn run(handler: &str, case: Option<&Case>) -> Option<Op> {
    let verifier = ours::verifier();
    let Some(case) = case else {
        let handler = handler.to_owned();
        rt::System::new().block_on(async {
            let app = move || App::new().service(resource(&handler, verifier.clone()));
            let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", 0)).unwrap();
            println!("{}", server.addrs()[0]);
            server.run().await.unwrap();
        });
        return None;
    };
    let app = init_service(App::new().service(resource(handler, verifier)));
    let service = rt::System::new().block_on(app);
    let (target, body) = (target(case), Bytes::from(case.body.clone()));
    let is_handled = handler != "request";
    let once = async move || {
        let request = TestRequest::post()
            .uri(&target)
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-length", body.len()))
            .set_payload(body.clone())
            .to_request();
        if is_handled {
            let response = service.call(request).await.unwrap();
            assert_eq!(response.status(), 200);
            std::hint::black_box(to_bytes(response.into_body()).await.ok());
        } else {
            std::hint::black_box(request);
        }
    };
    Some(Op::awaited(once))
}
