//! What users build on without a word of ours: that the public types can be sent, shared, cloned,
//! compared and printed, and how large those are that travel through futures.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::fs;
use std::future::{Ready, ready};
use std::hash::Hash;
use std::path::Path;

use actix_web::HttpResponse;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use axum::body::Body;
use axum::extract::FromRequest;
use http::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::util::ServiceFn;
use trtc_call_api::{
    CallbackSettings, Claims, ClientBuilder, Code, Egress, InvalidRegion, InvalidUserSig, Record,
    Records, Region, SecretKey, SecretKeyError, UserSig,
};
use trtc_call_inbox::store::{
    Answer as RecordAnswer, AskRequest, Asked, AskedItem, Budget, Compared, ComparedBodies,
    KnownItem, KnownKey, Lead, Lease, LeaseRequest, Leased, LeasedItem, Outcome, Put, PutRecord,
    Ruling, Scope, Settlement,
};
use trtc_call_inbox::{
    Acceptance, AppStats, Clock, Confirm, Confirmation, DoneAs, Erase, Erased, Filter, Inbox,
    InvalidConfirm, Item, ItemId, Job, JobError, MemoryInbox, NewItem, Pruned, Ran, Resolved,
    Retention, SignatureFound, Source, State, Stats, Stopped, StoreError, StoreErrorKind,
    Unhandled, Worker, WorkerBuilder,
};
use trtc_call_inbox_postgres::{Client, PostgresInbox, PostgresOptions};
use trtc_call_inbox_sqlite::{SqliteInbox, SqliteOptions};
use trtc_call_reconcile::{Reconcile, Reconciler, Report};
use trtc_call_webhook::adapter::{
    Answer, BodyBuffer, Head, Misconfiguration, Query, Receipt, RequestHead,
};
use trtc_call_webhook::{
    Ack, ActionType, AskReason, Billing, BuildError, CallEnded, CallResult, CallStarted, CallType,
    Callback, ClientIp, Command, ContentType, Delivery, Error, ErrorKind, Event, IdempotencyKey,
    InvalidSdkAppId, MediaType, Member, MemberChange, MemberChanged, MemberStatus, OptPlatform,
    OtherCallback, Parameter, Params, Reason, RoomId, RoomIdType, SdkApp, SdkAppId, Sign,
    Signature, Token, Undecoded, UnixMillis, UnixSeconds, Verifier, VerifierBuilder, sender,
};
use {
    trtc_call_webhook_actix_web as actix, trtc_call_webhook_axum as axum_web,
    trtc_call_webhook_tower as tower_web,
};

/// Asserts that each of the types is what the function says.
macro_rules! are {
    ($what:ident: $($type:ty,)*) => { $($what::<$type>();)* };
}

/// Fit to be held by a task that moves between threads, and to be put into its panics and logs.
const fn shareable<T: Send + Sync + Unpin + Debug + 'static>() {}

/// Fit to be handed to several.
const fn cloneable<T: Clone>() {}

/// Fit to be compared, and to be looked up.
const fn value<T: Clone + Eq + Hash>() {}

/// Fit for one's own queue.
const fn storable<T: Serialize + DeserializeOwned>() {}

/// Fit to be moved to another thread, once and for good.
const fn movable<T: Send + Debug + 'static>() {}

/// Fit for one thread, as whatever holds one of actix-web's requests is.
const fn local<T: Unpin + Debug + 'static>() {}

/// Fit for `?` and for what reports errors, across threads.
const fn error<T: StdError + Clone + Send + Sync + 'static>() {}

/// Fit to be told to people.
const fn printable<T: Display>() {}

#[test]
fn core_s_types_are_what_one_relies_on() {
    are! { shareable:
        Ack, ActionType, Answer, AskReason, Billing, BodyBuffer, BuildError, CallEnded, CallResult,
        CallStarted, CallType, Callback, ClientIp, Command, ContentType, Delivery<CallEnded>, Error,
        ErrorKind, Head, IdempotencyKey, InvalidSdkAppId, MediaType, Member, MemberChange, Misconfiguration,
        MemberChanged, MemberStatus, OptPlatform, OtherCallback, Parameter, Params, Query<'static>,
        Reason, Receipt<CallEnded>, RequestHead<'static>, RoomId, RoomIdType, SdkApp, SdkAppId, Sign,
        Signature, Token, Undecoded, UnixMillis, UnixSeconds, Verifier, VerifierBuilder,
        sender::Request,
    }
    // Not a request on its way.
    are! { cloneable:
        Ack, Answer, Delivery<CallEnded>, Error, Params, RequestHead<'_>, SdkApp, Sign, Token,
        Verifier, VerifierBuilder, sender::Request,
    }
    are! { value:
        ActionType, AskReason, Billing, BuildError, CallEnded, CallResult, CallStarted, CallType,
        Callback, ClientIp, Command, ContentType, ErrorKind, IdempotencyKey, InvalidSdkAppId,
        MediaType, Member, MemberChange, Misconfiguration, MemberChanged, MemberStatus, OptPlatform, OtherCallback,
        Parameter, Reason, RoomId, RoomIdType, SdkAppId, Signature, Undecoded, UnixMillis,
        UnixSeconds,
    }
    are! { storable:
        ActionType, CallEnded, CallResult, CallStarted, CallType, Callback, Command, ContentType,
        IdempotencyKey, MediaType, Member, MemberChange, MemberChanged, MemberStatus, OptPlatform,
        OtherCallback, RoomId, RoomIdType, SdkAppId, Undecoded, UnixMillis, UnixSeconds,
    }
    are! { printable:
        ActionType, AskReason, CallResult, CallType, ClientIp, Command, ContentType, ErrorKind,
        IdempotencyKey, MediaType, MemberStatus, OptPlatform, Parameter, Reason, RoomId, RoomIdType,
        SdkAppId, UnixMillis, UnixSeconds,
    }
    are! { error: BuildError, Error, InvalidSdkAppId, }
}

/// A service of tower, and our future around it.
type Inner =
    ServiceFn<fn(Request<tower_web::WebhookBody>) -> Ready<Result<Response<Body>, Infallible>>>;
type TowerFuture = tower_web::ResponseFuture<Inner, CallEnded, tower_web::WebhookBody, Body>;

/// A service of actix-web.
#[derive(Debug)]
struct Resource;

impl actix_web::dev::Service<ServiceRequest> for Resource {
    type Response = ServiceResponse;
    type Error = actix_web::Error;
    type Future = Ready<Result<ServiceResponse, actix_web::Error>>;

    actix_web::dev::always_ready!();

    fn call(&self, request: ServiceRequest) -> Self::Future {
        ready(Ok(request.into_response(HttpResponse::Ok())))
    }
}

#[test]
fn the_adapters_types_are_what_one_relies_on() {
    are! { shareable:
        axum_web::Ack, axum_web::Webhook, axum_web::WebhookRejection,
        tower_web::WebhookBody, tower_web::WebhookLayer<CallEnded>,
        tower_web::WebhookService<Inner, CallEnded>,
        actix::Ack, actix::MaybeWebhook, actix::Refusal, actix::Webhook, actix::WebhookConfig, actix::WebhookMiddleware,
        actix::WebhookRejection,
    }
    are! { cloneable:
        axum_web::Ack, axum_web::Webhook, axum_web::WebhookRejection,
        tower_web::WebhookBody, tower_web::WebhookLayer<CallEnded>,
        tower_web::WebhookService<Inner, CallEnded>,
        actix::Ack, actix::MaybeWebhook, actix::Refusal, actix::Webhook, actix::WebhookConfig, actix::WebhookMiddleware,
        actix::WebhookRejection,
    }
    are! { movable: TowerFuture, tower_web::ResponseBody<Body>, }
    are! { local:
        actix::ExtractFuture<CallEnded, actix::Webhook>, actix::MiddlewareFuture<Resource, CallEnded>,
        actix::WebhookService<Resource, CallEnded>,
    }
    are! { error: axum_web::WebhookRejection, actix::WebhookRejection, }
}

#[test]
fn the_inbox_s_types_are_what_one_relies_on() {
    are! { shareable:
        AskRequest, Asked, AskedItem, Budget, Confirm, Confirmation, InvalidConfirm, KnownItem, KnownKey, Lead,
        PutRecord, RecordAnswer, Ruling, Scope,
        Acceptance, AppStats, Clock, Compared, ComparedBodies, DoneAs, Erase, Erased, Filter, Inbox, Item,
        ItemId, Job<CallEnded>, JobError, Lease, LeaseRequest, Leased, LeasedItem, MemoryInbox, NewItem,
        Client, Outcome, PostgresInbox, PostgresOptions, Pruned, Put, Ran, Resolved, Retention, Settlement, SignatureFound, Source, SqliteInbox,
        SqliteOptions, State, Stats, Stopped, StoreError, StoreErrorKind, Unhandled, Worker, WorkerBuilder,
    }
    are! { cloneable:
        AskRequest, Asked, AskedItem, Budget, KnownItem, KnownKey, Lead, PutRecord, RecordAnswer, Ruling,
        Clock, Compared, ComparedBodies, Erase, Erased, Filter, Inbox, Item, LeaseRequest, Leased,
        LeasedItem, MemoryInbox, NewItem, Outcome, PostgresInbox, PostgresOptions, Settlement, SqliteInbox, SqliteOptions, Stats,
    }
    are! { value:
        Confirm, Confirmation, DoneAs, ItemId, Lease, Scope, SignatureFound, Source, State, StoreErrorKind,
    }
    are! { printable:
        Confirm, Confirmation, DoneAs, InvalidConfirm, ItemId, JobError, SignatureFound, Source, State,
        StoreError,
    }
    are! { error: InvalidConfirm, }
}

#[test]
fn the_vendor_s_types_are_what_one_relies_on() {
    use trtc_call_api as api;

    are! { shareable:
        api::BuildError, CallbackSettings, Claims, api::Client, ClientBuilder, Code, Egress, api::Error,
        api::ErrorKind, InvalidRegion, InvalidUserSig, Record, Region, SecretKey, SecretKeyError, UserSig,
        Reconcile, Reconciler, Report, trtc_call_reconcile::Error,
    }
    are! { movable: Records, }
    are! { cloneable:
        api::BuildError, CallbackSettings, Claims, api::Client, Record, Reconcile, Report, SecretKey, UserSig,
    }
    are! { value: Code, Egress, api::ErrorKind, Region, }
    are! { printable: Code, Region, api::Error, SecretKeyError, trtc_call_reconcile::Error, }
    are! { error: api::BuildError, InvalidRegion, InvalidUserSig, }
}

/// An event may be large, and what holds it costs a count to clone.
#[test]
fn a_delivery_is_cloned_whatever_its_event_is() {
    const fn of<E: Event>() {
        are! { cloneable: Delivery<E>, axum_web::Webhook<E>, actix::Webhook<E>, }
    }
    of::<Callback>();
}

/// Whatever a future holds across an await is moved and kept for each request that is under way, so
/// none of it may grow unseen. The bounds are what was needed when they were set, rounded up.
#[test]
#[cfg(target_pointer_width = "64")]
fn what_travels_through_futures_stays_small() {
    macro_rules! at_most {
        ($($bytes:literal: $type:ty,)*) => { $(
            let size = size_of::<$type>();
            assert!(size <= $bytes, "{} has {size} bytes", stringify!($type));
        )* };
    }
    at_most! {
        // Shared: cloning and moving them costs a count and a pointer.
        8: Verifier,
        8: Delivery<Callback>,
        8: axum_web::Webhook<Callback>,
        8: actix::Webhook<Callback>,
        // In the `Err` of everything: clippy's `result_large_err` begins at 128.
        64: Error,
        64: axum_web::WebhookRejection,
        // It knows whether the connection ends, too.
        72: actix::WebhookRejection,
        64: Ack,
        64: Result<Receipt<Callback>, Error>,
        // Held while the body arrives: most of it is `Params`.
        208: Head,
        208: Result<Head, Error>,
        288: BodyBuffer,
        // Those and the request itself, of which hyper's parts alone are 224.
        592: TowerFuture,
        336: actix::ExtractFuture<CallEnded, actix::Webhook>,
        368: actix::MiddlewareFuture<Resource, CallEnded>,
        // For each answer, and for each request that is put back together.
        32: tower_web::WebhookBody,
        48: tower_web::ResponseBody<Body>,
    }

    // An `async fn` has a place of its own for each of its values: the request is in it three times.
    let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build().unwrap();
    let request = Request::new(Body::empty());
    let size = size_of_val(&axum_web::Webhook::<CallEnded>::from_request(request, &verifier));
    assert!(size <= 1280, "axum's extractor has {size} bytes");
}

#[test]
fn no_public_type_is_forgotten_here() {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api");
    let here = include_str!("public_types.rs");
    let words: Vec<_> = here.split(|c: char| !c.is_alphanumeric()).collect();
    for list in fs::read_dir(lists).unwrap() {
        let list = fs::read_to_string(list.unwrap().path()).unwrap();
        for item in list.lines() {
            let item = item.trim_start_matches("#[non_exhaustive] ");
            let path = item.strip_prefix("pub struct ").or_else(|| item.strip_prefix("pub enum "));
            let path = path.and_then(|path| path.split(['<', '(', ' ']).next());
            let Some(name) = path.and_then(|path| path.rsplit("::").next()) else { continue };
            assert!(words.contains(&name), "{name} is not asked for anything");
        }
    }
}
