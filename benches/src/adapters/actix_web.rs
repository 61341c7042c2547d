//! actix-web.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::error::ErrorForbidden;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Bytes, Json, Query, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use trtc_call_webhook::Verifier;
use trtc_call_webhook_actix_web::{Ack, CallEnded, Webhook};

use super::{Variant, Work, accepts, say, target};
use crate::cases::{ANSWER, Case};
use crate::op::Op;
use crate::{hand_written, ours};

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
    body: Json<hand_written::CallEnded>,
) -> Result<Json<hand_written::Answer>, actix_web::Error> {
    if accepts(&query, &body) {
        Ok(Json(hand_written::Answer::OK))
    } else {
        Err(ErrorForbidden("forbidden"))
    }
}

async fn with_the_extractor(Webhook(call): Webhook<CallEnded>) -> Ack {
    std::hint::black_box(&call.call_id);
    Ack::ok()
}

fn configure(variant: Variant, verifier: Verifier) -> impl FnOnce(&mut ServiceConfig) {
    let resource = web::resource(super::PATH);
    let resource = match variant {
        Variant::Request => resource,
        Variant::Bare => resource.route(web::post().to(bare)),
        Variant::Floor | Variant::Core => {
            let work = variant.work().unwrap();
            resource.route(web::post().to(move |request, body| working(work, request, body)))
        }
        Variant::HandWritten => resource.route(web::post().to(by_hand)),
        Variant::Ours => resource.app_data(verifier).route(web::post().to(with_the_extractor)),
    };
    move |config| {
        config.service(resource);
    }
}

pub(super) fn op(variant: Variant, case: &Case) -> Op {
    let system = rt::System::new();
    let app = App::new().configure(configure(variant, ours::verifier()));
    let service = system.block_on(init_service(app));
    let (target, body) = (target(case), Bytes::from(case.body.clone()));
    Op::repeated(move |times| {
        system.block_on(async {
            for _ in 0..times {
                let request = TestRequest::post()
                    .uri(&target)
                    .insert_header(("content-type", "application/json"))
                    .insert_header(("content-length", body.len()))
                    .set_payload(body.clone())
                    .to_request();
                if variant == Variant::Request {
                    std::hint::black_box(request);
                } else {
                    assert_eq!(answer(service.call(request).await).await, 200);
                }
            }
        });
    })
}

async fn answer<B: MessageBody<Error: std::fmt::Debug>>(
    response: Result<ServiceResponse<B>, actix_web::Error>,
) -> u16 {
    let response = response.unwrap();
    let status = response.status().as_u16();
    std::hint::black_box(to_bytes(response.into_body()).await.ok());
    status
}

pub(super) fn serve(variant: Variant) {
    let verifier = ours::verifier();
    let serving = async {
        let app = move || App::new().configure(configure(variant, verifier.clone()));
        let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", 0)).unwrap();
        say(server.addrs()[0]);
        server.run().await.unwrap();
    };
    rt::System::new().block_on(serving);
}
