//! What is checked of every request to the API (647/68926).

use std::collections::HashMap;
use std::time::SystemTime;

use axum::http::{Method, Uri};
use serde_json::{Map, Value};
use trtc_call_api::{InvalidUserSig, UserSig};
use trtc_call_webhook::UnixSeconds;
use url::form_urlencoded;

use super::Setup;
use super::reply::Refusal;

/// A request of the app's administrator.
pub(super) struct Request {
    /// Behind `/v4/`.
    pub(super) api: String,
    pub(super) query: HashMap<String, String>,
    pub(super) body: Map<String, Value>,
}

impl Request {
    /// Checks who asks, and reads what is asked. Names are case-sensitive, as the page says.
    pub(super) fn read(
        setup: &Setup,
        method: &Method,
        uri: &Uri,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let api = uri.path().strip_prefix("/v4/").ok_or(Refusal::WRONG_PATH)?.to_owned();
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query: HashMap<String, String> = query.into_owned().collect();
        let given = |key| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
        if *method != Method::POST || given("contenttype") != Some("json") {
            return Err(Refusal::NOT_HTTP);
        }
        let sdk_app_id = given("sdkappid").ok_or(Refusal::NO_APP)?;
        if sdk_app_id.parse() != Ok(setup.sdk_app_id) {
            return Err(Refusal::WRONG_APP);
        }
        if given("identifier") != Some(&*setup.admin) {
            return Err(Refusal::NOT_ADMIN);
        }
        check_signature(setup, given("usersig").ok_or(Refusal::NO_SIGNATURE)?)?;
        // An empty object at least.
        let body = serde_json::from_slice(body).map_err(|_| Refusal::NOT_JSON)?;
        Ok(Self { api, query, body })
    }

    /// A value of the body that may be missing, but not be something else.
    pub(super) fn optional<'a, T>(
        &'a self,
        key: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.body.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or(Refusal::WRONG_PARAMETER)
    }
}

fn check_signature(setup: &Setup, usersig: &str) -> Result<(), Refusal> {
    let claims = UserSig::verify(usersig, &setup.key).map_err(|invalid| match invalid {
        InvalidUserSig::WrongSignature => Refusal::OTHER_KEY,
        _ => Refusal::MALFORMED,
    })?;
    if claims.sdk_app_id != setup.sdk_app_id {
        return Err(Refusal::OTHER_APP);
    }
    if claims.identifier != setup.admin {
        return Err(Refusal::OTHER_USER);
    }
    let now = u64::try_from(UnixSeconds::from(SystemTime::now()).get()).unwrap_or(0);
    if claims.issued_at.saturating_add(claims.valid_for) <= now {
        return Err(Refusal::EXPIRED);
    }
    Ok(())
}
