//! The check of the head, in its order: contract rows 1 to 6.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::config::{BuildError, Config, Policy, VerifierBuilder};
use crate::error::{Error, Reason};
use crate::event::Command;
use crate::head::{Head, RequestHead};
use crate::log::About;
use crate::parameter::Parameter;
use crate::params::Params;
use crate::query::Query;
use crate::signature::{Signature, Signed};

/// Checks requests for one or more [apps](crate::SdkApp). Cheap to clone; clones share what they
/// logged.
///
/// An adapter calls it. Without a framework it is called with a
/// [`RequestHead`](crate::adapter::RequestHead):
///
/// ```
/// use trtc_call_webhook::adapter::{Receipt, RequestHead};
/// use trtc_call_webhook::{CallEnded, SdkApp, Verifier};
///
/// let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build()?;
///
/// let query = "SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall&contenttype=json";
/// let head = verifier.check(RequestHead::new("POST", query))?;
///
/// // Only now the body is read.
/// let body = r#"{"CallRecord":{"CallId":"a-1","Caller_Account":"10001"}}"#;
/// let Receipt::Deliver(delivery) = head.receive::<CallEnded>(body)? else { unreachable!() };
/// assert_eq!(delivery.event().call_id, "a-1");
///
/// let error = verifier.check(RequestHead::new("POST", "SdkAppid=1400000002")).unwrap_err();
/// assert_eq!(error.answer().status(), 403);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Config>);

impl Verifier {
    /// Starts to configure a verifier.
    pub const fn builder() -> VerifierBuilder {
        VerifierBuilder::new()
    }

    /// Checks what is known before the body is read.
    ///
    /// # Errors
    ///
    /// The first check that fails, in this order: [`MethodNotAllowed`], [`MalformedQuery`],
    /// [`ForeignApp`], [`Unsigned`], [`BadSignature`] or [`StaleSignature`], [`BodyTooLarge`].
    ///
    /// [`MethodNotAllowed`]: crate::ErrorKind::MethodNotAllowed
    /// [`MalformedQuery`]: crate::ErrorKind::MalformedQuery
    /// [`ForeignApp`]: crate::ErrorKind::ForeignApp
    /// [`Unsigned`]: crate::ErrorKind::Unsigned
    /// [`BadSignature`]: crate::ErrorKind::BadSignature
    /// [`StaleSignature`]: crate::ErrorKind::StaleSignature
    /// [`BodyTooLarge`]: crate::ErrorKind::BodyTooLarge
    pub fn check(&self, request: RequestHead<'_>) -> Result<Head, Error> {
        let mut query = Query::default();
        let (params, signature) =
            self.check_to_signature(&request, &mut query).map_err(|reason| {
                let error = Error::new(reason);
                about(&query, |about| self.0.log.refused(&error, about));
                error
            })?;
        let framing = request.framing();
        let head = Head::new(Arc::clone(&self.0), params, signature, framing);
        let limit = u64::try_from(self.0.body_limit).unwrap_or(u64::MAX);
        if request.least_length() > limit { Err(head.refuse_too_large(limit)) } else { Ok(head) }
    }

    /// Rows 1 to 5.
    #[inline]
    fn check_to_signature<'a>(
        &self,
        request: &RequestHead<'a>,
        query: &mut Query<'a>,
    ) -> Result<(Params, Signature), Reason> {
        if request.method != "POST" {
            return Err(Reason::NotPost);
        }
        query.read(request.query)?;
        let id = query.sdk_app_id()?;
        let app = self.0.apps.iter().find(|app| app.id == id).ok_or(Reason::ForeignApp)?;
        let signed = Signed::read(query.get(Parameter::Sign), query.get(Parameter::RequestTime));
        let signature = if app.policy == Policy::Unsigned {
            signed.unverified()
        } else {
            let now = request.received_at.unwrap_or_else(SystemTime::now);
            signed.verify(&app.tokens, now, self.0.replay_window)
        };
        match (app.policy, signature.reason()) {
            (Policy::Required, Some(reason)) => return Err(reason),
            (Policy::ReportOnly, Some(reason)) => {
                about(query, |about| self.0.log.reported(reason, about));
            }
            _ => {}
        }
        Ok((Params::new(id, query, &signed), signature))
    }

    /// The longest body that is taken, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// How far `RequestTime` may be from the clock, before or after it.
    #[must_use]
    pub fn replay_window(&self) -> Duration {
        self.0.replay_window
    }
}

/// What a query says of its request, for a line of the log.
#[cold]
fn about(query: &Query<'_>, log: impl FnOnce(About<'_>)) {
    let command = query.get(Parameter::Command).map(Command::from);
    let (app, command) = (query.sdk_app_id().ok(), command.as_ref());
    log(About { app, command, ..About::default() });
}

impl VerifierBuilder {
    /// Makes the verifier.
    ///
    /// # Errors
    ///
    /// What can never work, with the field's name: no app, an app of 0, the same app twice, a token
    /// that is empty or begins or ends with white space, a control character or a byte order mark, an
    /// app that is both signed and not, a replay window of less than a second, a body limit of 0.
    pub fn build(self) -> Result<Verifier, BuildError> {
        Ok(Verifier(Arc::new(self.check()?)))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("apps", &self.0.apps)
            .field("replay_window", &self.0.replay_window)
            .field("body_limit", &self.0.body_limit)
            .finish()
    }
}
