//! The verdict on a request: what a receiver does with it, and the row that fails.

use std::time::SystemTime;

use trtc_call_webhook::{
    BodyBuffer, CallEnded, CallStarted, Callback, Error, ErrorKind, Event, MemberChanged, Params,
    Receipt, Undecoded, Verifier,
};

use super::capture::{Body, Request};
use super::clock::Clock;
use super::query::Query;
use super::settings::{Settings, made_by};
use crate::args::Takes;
use crate::failure::Failure;

/// A request, and what it is judged by.
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) query: &'a Query<'a>,
    pub(super) settings: &'a Settings,
    pub(super) clock: Clock,
    pub(super) verifier: Verifier,
    /// The app that is served.
    pub(super) sdk_app_id: u64,
}

/// What a receiver does with a request.
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
        query: &'a Query<'a>,
        settings: &'a Settings,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let in_url = || query.value("SdkAppid")?.parse().ok().filter(|id| *id != 0);
        // Whoever names no app wants to know the rest; without one in the URL either, any will do.
        let sdk_app_id = settings.sdk_app_id.or_else(in_url).unwrap_or(1);
        let verifier = settings.verifier(sdk_app_id)?;
        Ok(Self { request, query, settings, clock, verifier, sdk_app_id })
    }

    /// What comes of the request if it arrives at this time.
    pub(super) fn outcome(&self, at: SystemTime) -> Outcome {
        self.try_outcome(at).unwrap_or_else(Outcome::Refused)
    }

    fn try_outcome(&self, at: SystemTime) -> Result<Outcome, Error> {
        let Request { method, query, announced, body, .. } = self.request;
        let mut buffer = self.verifier.check_at(method, query, *announced, at)?.read_body();
        match body {
            Body::Unknown => return Ok(Outcome::HeadOnly),
            Body::Cut { bytes, why } => {
                buffer.push(bytes)?;
                return Err(buffer.unreadable(why.clone()));
            }
            Body::Whole(bytes) => buffer.push(bytes)?,
        }
        match self.settings.takes {
            Takes::CallEnded => receive::<CallEnded>(buffer),
            Takes::CallStarted => receive::<CallStarted>(buffer),
            Takes::MemberChanged => receive::<MemberChanged>(buffer),
            Takes::Callback => receive::<Callback>(buffer),
            Takes::Undecoded => receive::<Undecoded>(buffer),
        }
    }

    /// The parameters, once the head passes at this time.
    pub(super) fn params(&self, at: SystemTime) -> Option<Params> {
        let Request { method, query, announced, .. } = self.request;
        let head = self.verifier.check_at(method, query, *announced, at).ok()?;
        Some(head.params().clone())
    }

    /// The row that an error is of.
    pub(super) fn row(&self, error: &Error) -> u8 {
        match error.kind() {
            ErrorKind::MethodNotAllowed => 1,
            ErrorKind::MalformedQuery if self.query.trouble().is_some() => 2,
            ErrorKind::MalformedQuery => 3,
            ErrorKind::ForeignApp => 4,
            ErrorKind::Unsigned | ErrorKind::BadSignature | ErrorKind::StaleSignature => 5,
            ErrorKind::BodyTooLarge => 6,
            ErrorKind::UnreadableBody => 7,
            ErrorKind::MalformedBody => 8,
            ErrorKind::CommandMismatch => 9,
            ErrorKind::NoCallId => 10,
            // None is left that a receiver which is there can give.
            _ => 0,
        }
    }

    /// `RequestTime` in seconds, if it is a number.
    pub(super) fn request_time(&self) -> Option<i64> {
        self.query.value("RequestTime")?.parse().ok()
    }

    /// How many seconds the clock is behind `RequestTime`; negative if it is before it.
    pub(super) fn age(&self, at: SystemTime) -> Option<i64> {
        let clock = Clock { at, ..self.clock };
        Some(clock.seconds().saturating_sub(self.request_time()?))
    }

    /// The places, from 1, of the tokens that made the signature.
    pub(super) fn makers(&self) -> Vec<usize> {
        let Some(time) = self.request_time() else { return Vec::new() };
        let tokens = self.settings.tokens.iter().zip(1..);
        let makers =
            tokens.filter(|(token, _)| made_by(token, self.query.raw, self.sdk_app_id, time));
        makers.map(|(_, place)| place).collect()
    }
}

fn receive<E: Event>(buffer: BodyBuffer) -> Result<Outcome, Error> {
    Ok(match buffer.receive::<E>()? {
        Receipt::Deliver(_) => Outcome::Delivered,
        Receipt::Acknowledge(_) => Outcome::NotTaken,
    })
}
