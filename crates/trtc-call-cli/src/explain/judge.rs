//! The verdict on a request: what a verifier and a handler do with it, and the row that fails.

use std::time::SystemTime;

use trtc_call_webhook::adapter::{BodyBuffer, Query, Receipt, RequestHead};
use trtc_call_webhook::{
    CallEnded, CallStarted, Callback, Error, ErrorKind, Event, MemberChanged, Parameter, Reason,
    SdkApp, SdkAppId, Signature, Undecoded, Verifier,
};

use super::capture::{Body, Request};
use super::clock::{self, Clock};
use super::settings::Settings;
use crate::args::Takes;
use crate::failure::Failure;

/// A request, and what it is judged by.
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) settings: &'a Settings,
    pub(super) clock: Clock,
    pub(super) verifier: Verifier,
    /// The app that is served; none if nobody named one, and the URL names none either.
    pub(super) sdk_app_id: Option<SdkAppId>,
    /// The parameters in the URL, unless row 2 fails.
    query: Option<Query<'a>>,
}

/// What comes of a request.
pub(super) enum Outcome {
    Refused(Error),
    /// Nothing is wrong with the head, and of the body nothing is known.
    HeadOnly,
    /// The handler runs.
    Delivered,
    /// It is acknowledged, and no handler runs.
    NotTaken,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        request: &'a Request,
        settings: &'a Settings,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let query = Query::parse(&request.query).ok();
        let in_url = || query.as_ref()?.get(Parameter::SdkAppId)?.parse().ok();
        // Whoever names no app wants to know the rest.
        let sdk_app_id = settings.sdk_app_id.or_else(in_url);
        // Without one in the URL either, any will do: the request fails before it matters.
        let verifier = settings.verifier(sdk_app_id.unwrap_or(SdkAppId::new(1)))?;
        Ok(Self { request, settings, clock, verifier, sdk_app_id, query })
    }

    /// A parameter in the URL, decoded and not verified.
    pub(super) fn parameter(&self, parameter: Parameter) -> Option<&str> {
        self.query.as_ref()?.get(parameter)
    }

    /// The command in the URL, if it has one.
    pub(super) fn command_in_url(&self) -> Option<&str> {
        self.parameter(Parameter::Command).filter(|command| !command.is_empty())
    }

    /// The head as it arrives at this time, without its length.
    fn head(&self, at: SystemTime) -> RequestHead<'a> {
        RequestHead::new(&self.request.method, &self.request.query).received_at(at)
    }

    /// What comes of the request if it arrives at this time.
    pub(super) fn outcome(&self, at: SystemTime) -> Outcome {
        self.try_outcome(at).unwrap_or_else(Outcome::Refused)
    }

    fn try_outcome(&self, at: SystemTime) -> Result<Outcome, Error> {
        let head = self.head(at);
        let head = self.request.announced.map_or(head, |length| head.content_length(length));
        let mut buffer = self.verifier.check(head)?.read_body();
        match &self.request.body {
            Body::Unknown => return Ok(Outcome::HeadOnly),
            Body::Whole(bytes) => buffer.push(bytes)?,
            Body::Cut(bytes) => {
                buffer.push(bytes)?;
                return Err(buffer.refuse_broken("the chunks end too early"));
            }
        }
        match self.settings.takes {
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
        self.parameter(Parameter::RequestTime)?.parse().ok()
    }

    /// How many seconds `RequestTime` is before a time; negative if it is after it.
    pub(super) fn age(&self, at: SystemTime) -> Option<i64> {
        let clock = Clock { at, ..self.clock };
        Some(clock.seconds().saturating_sub(self.request_time()?))
    }

    /// Whether this token made the signature, whenever that was.
    pub(super) fn is_by(&self, token: &str) -> bool {
        let at = self.request_time().and_then(clock::from_unix);
        let (Some(at), Some(id)) = (at, self.sdk_app_id) else { return false };
        // One that no verifier takes made nothing.
        let verifier = Verifier::builder().app(SdkApp::signed(id, token)).build();
        verifier.is_ok_and(|verifier| verifier.check(self.head(at)).is_ok())
    }

    /// The tokens that made the signature, by their places from 1: `1 and 3`. Empty if none did.
    pub(super) fn makers(&self) -> String {
        let tokens = self.settings.tokens.iter().zip(1..);
        let makers = tokens.filter(|(token, _)| self.is_by(token));
        makers.map(|(_, place): (_, usize)| place.to_string()).collect::<Vec<_>>().join(" and ")
    }
}

fn receive<E: Event>(buffer: BodyBuffer) -> Result<Outcome, Error> {
    Ok(match buffer.receive::<E>()? {
        Receipt::Deliver(_) => Outcome::Delivered,
        Receipt::Acknowledge(_) => Outcome::NotTaken,
    })
}

/// The row of the contract that a reason is of; 0 is the host's fault, which none here can be.
pub(super) const fn row(reason: Reason) -> u8 {
    match reason {
        Reason::NoSdkAppId | Reason::BadSdkAppId => 3,
        reason => match reason.kind() {
            ErrorKind::MethodNotAllowed => 1,
            ErrorKind::MalformedQuery => 2,
            ErrorKind::ForeignApp => 4,
            ErrorKind::Unsigned | ErrorKind::BadSignature | ErrorKind::StaleSignature => 5,
            ErrorKind::BodyTooLarge => 6,
            ErrorKind::UnreadableBody => 7,
            ErrorKind::MalformedBody => 8,
            ErrorKind::CommandMismatch => 9,
            ErrorKind::NoCallId => 10,
            _ => 0,
        },
    }
}
