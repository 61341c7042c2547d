//! One application, and how its callbacks are authenticated.

use super::SdkAppId;
use crate::signature::Token;

/// One Tencent application: its SDKAppID, and how its callbacks are authenticated.
///
/// Nobody documents whether Call signs its callbacks. Begin with [`unsigned`](Self::unsigned), or with
/// [`signed`](Self::signed) and [`insecure_report_only`](Self::insecure_report_only), and a secret
/// segment in the URL's path; look at what comes; then require the signature.
///
/// ```
/// use trtc_call_webhook::{SdkApp, Verifier};
///
/// let verifier = Verifier::builder()
///     .app(SdkApp::unsigned(1400000001))
///     .app(SdkApp::signed(1400000002, "the new token").or_token("the old token"))
///     .build()?;
/// # Ok::<(), trtc_call_webhook::BuildError>(())
/// ```
///
/// Two apps must not share a token: the signature does not cover the SDKAppID.
#[derive(Clone, Debug)]
pub struct SdkApp {
    pub(crate) id: SdkAppId,
    pub(crate) tokens: Vec<Token>,
    pub(crate) policy: Policy,
}

/// What an app asks of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It must be there and right.
    Required,
    /// It is verified, and whatever comes of it is only reported.
    ReportOnly,
    /// It is not verified.
    Unsigned,
}

impl SdkApp {
    /// An app whose callbacks must carry a valid signature by this token.
    ///
    /// The documents describe the signature for the siblings Chat (34354) and Live (64412). If Call
    /// does not send it, this refuses every callback.
    #[must_use]
    pub fn signed(id: impl Into<SdkAppId>, token: impl Into<Token>) -> Self {
        Self { id: id.into(), tokens: vec![token.into()], policy: Policy::Required }
    }

    /// An app for which anyone who knows the URL can post: only the SDKAppID is checked.
    ///
    /// That is all that the vendor's page asks (647/68940), and an SDKAppID is no secret: put a long
    /// random segment into the URL's path.
    #[must_use]
    pub fn unsigned(id: impl Into<SdkAppId>) -> Self {
        Self { id: id.into(), tokens: Vec::new(), policy: Policy::Unsigned }
    }

    /// Takes signatures by another token too, while tokens are rotated.
    #[must_use]
    pub fn or_token(mut self, token: impl Into<Token>) -> Self {
        self.tokens.push(token.into());
        self
    }

    /// Verifies the signature, refuses nothing for it, and logs what would have been refused; the
    /// delivery's [`signature`](crate::Delivery::signature) says what was found.
    ///
    /// Anyone who knows the URL can post. It is there to find out what comes, before the signature is
    /// required.
    #[must_use]
    pub const fn insecure_report_only(mut self) -> Self {
        self.policy = Policy::ReportOnly;
        self
    }

    /// The SDKAppID.
    #[must_use]
    pub const fn id(&self) -> SdkAppId {
        self.id
    }
}
