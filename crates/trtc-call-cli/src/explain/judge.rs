//! The verdict on a request: what a verifier and a handler do with it, and the row that fails.

use std::time::{Duration, SystemTime};

use trtc_call_webhook::adapter::{Answer, BodyBuffer, Query, Receipt, RequestHead};
use trtc_call_webhook::{
    Ack, CallEnded, CallStarted, Callback, Error, ErrorKind, Event, MemberChanged, Parameter,
    Reason, SdkApp, SdkAppId, Signature, Undecoded, Verifier,
};

use super::capture::Request;
use super::clock::Clock;
use crate::args::{Takes, VerifierArgs};
use crate::failure::Failure;
use crate::{settings, time};

/// A request, and what it is judged by. Not `Debug`: the tokens are in it.
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) clock: Clock,
    pub(super) verifier: Verifier,
    pub(super) tokens: Vec<String>,
    /// Whether what is wrong with a signature is only reported.
    pub(super) report_only: bool,
    pub(super) takes: Takes,
    /// The app that is served; none if nobody named one, and the URL names none either.
    pub(super) sdk_app_id: Option<SdkAppId>,
    /// Whether it is the URL's, since nobody named one.
    pub(super) is_any_app: bool,
    /// The parameters in the URL, unless row 2 fails.
    query: Option<Query<'a>>,
}

/// What comes of a request.
pub(super) enum Outcome {
    Refused(Error),
    /// Nothing is wrong with the head, and of the body nothing is known.
    HeadOnly,
    /// The handler runs, with this body.
    Delivered(Vec<u8>),
    /// It is acknowledged, and no handler runs.
    NotTaken,
}

impl Outcome {
    /// What is sent back, if the handler keeps what it is given; none if that cannot be told.
    pub(super) fn answer(&self) -> Option<Answer> {
        match self {
            Self::Refused(error) => Some(error.answer()),
            Self::HeadOnly => None,
            Self::Delivered(_) | Self::NotTaken => Some(Ack::ok().answer()),
        }
    }
}

impl<'a> Case<'a> {
    pub(super) fn new(
        request: &'a Request,
        clock: Clock,
        args: VerifierArgs,
    ) -> Result<Self, Failure> {
        let tokens = settings::tokens(args.token)?;
        let query = Query::parse(&request.query).ok();
        let in_url = || query.as_ref()?.get(Parameter::SdkAppId)?.parse().ok();
        let given = settings::sdk_app_id(args.sdk_app_id)?;
        // Whoever names no app wants to know the rest.
        let sdk_app_id = given.or_else(in_url);
        // Without one in the URL either, any will do: the request fails before it matters.
        let id = sdk_app_id.unwrap_or(SdkAppId::new(1));
        let mut verifier = Verifier::builder().app(settings::app(id, &tokens, args.report_only)?);
        if let Some(seconds) = args.replay_window {
            verifier = verifier.replay_window(Duration::from_secs(seconds));
        }
        if let Some(bytes) = args.body_limit {
            verifier = verifier.body_limit(bytes);
        }
        Ok(Self {
            request,
            clock,
            verifier: verifier.build()?,
            tokens,
            report_only: args.report_only,
            takes: args.takes,
            sdk_app_id,
            is_any_app: given.is_none(),
            query,
        })
    }

    /// A parameter in the URL, decoded and not verified; empty if it is not there.
    pub(super) fn parameter(&self, parameter: Parameter) -> &str {
        self.query.as_ref().and_then(|query| query.get(parameter)).unwrap_or_default()
    }

    /// The head as it arrives at this time, from the vendor if nothing tells the method.
    fn head(&self, at: SystemTime) -> RequestHead<'a> {
        RequestHead::new(self.request.method.as_deref().unwrap_or("POST"), &self.request.query)
            .headers(|name| self.request.header(name))
            .received_at(at)
    }

    /// What comes of the request if it arrives at this time.
    pub(super) fn outcome(&self, at: SystemTime) -> Outcome {
        self.try_outcome(at).unwrap_or_else(Outcome::Refused)
    }

    fn try_outcome(&self, at: SystemTime) -> Result<Outcome, Error> {
        let mut buffer = self.verifier.check(self.head(at))?.read_body();
        let Some(body) = &self.request.body else { return Ok(Outcome::HeadOnly) };
        buffer.push(body)?;
        match self.takes {
            Takes::CallEnded => receive::<CallEnded>(buffer),
            Takes::CallStarted => receive::<CallStarted>(buffer),
            Takes::MemberChanged => receive::<MemberChanged>(buffer),
            Takes::Callback => receive::<Callback>(buffer),
            Takes::Undecoded => receive::<Undecoded>(buffer),
        }
    }

    /// What the signature is found to be, if rows 1 to 5 pass.
    pub(super) fn signature(&self) -> Option<Signature> {
        let head = self.verifier.check(self.head(self.clock.at)).ok()?;
        Some(head.signature())
    }

    /// `RequestTime` in seconds, if it is a number.
    pub(super) fn request_time(&self) -> Option<i64> {
        self.parameter(Parameter::RequestTime).parse().ok()
    }

    /// Whether this token made the signature, whenever that was.
    pub(super) fn is_by(&self, token: &str) -> bool {
        let at = self.request_time().and_then(time::from_unix);
        let (Some(at), Some(id)) = (at, self.sdk_app_id) else { return false };
        // One that no verifier takes made nothing.
        let verifier = Verifier::builder().app(SdkApp::signed(id, token)).build();
        verifier.is_ok_and(|verifier| verifier.check(self.head(at)).is_ok())
    }

    /// The tokens that made the signature, by their places from 1: `1 and 3`. Empty if none did.
    pub(super) fn makers(&self) -> String {
        let makers = self.tokens.iter().zip(1_usize..).filter(|(token, _)| self.is_by(token));
        makers.map(|(_, place)| place.to_string()).collect::<Vec<_>>().join(" and ")
    }
}

fn receive<E: Event>(buffer: BodyBuffer) -> Result<Outcome, Error> {
    Ok(match buffer.receive::<E>()? {
        Receipt::Deliver(delivery) => Outcome::Delivered(delivery.body().to_vec()),
        Receipt::Acknowledge(_) => Outcome::NotTaken,
    })
}

/// The row of the contract that a reason is of; 0 is the host's fault, which none here can be.
pub(super) const fn row(reason: Reason) -> u8 {
    match reason.kind() {
        ErrorKind::MethodNotAllowed => 1,
        ErrorKind::MalformedQuery => match reason {
            Reason::NoSdkAppId | Reason::BadSdkAppId => 3,
            _ => 2,
        },
        ErrorKind::ForeignApp => 4,
        ErrorKind::Unsigned | ErrorKind::BadSignature | ErrorKind::StaleSignature => 5,
        ErrorKind::BodyTooLarge => 6,
        ErrorKind::UnreadableBody => 7,
        ErrorKind::MalformedBody => 8,
        ErrorKind::CommandMismatch => 9,
        ErrorKind::NoCallId => 10,
        _ => 0,
    }
}
