//! Whether the vendor is `trtc-call vendor`, on this machine or near it.

use reqwest::StatusCode;
use url::Url;

use super::clock;
use crate::near::is_near;

/// Whether an API is the fake's. That it is near says too little: a proxy to the vendor may be.
pub(super) async fn is_at_home(api_url: &str) -> bool {
    match Url::parse(api_url) {
        Ok(url) => is_near(&url) && has_calls(&url).await.unwrap_or(false),
        Err(_) => false,
    }
}

/// Whether it gives a list of its calls, as the fake alone does; the vendor answers with objects.
async fn has_calls(api_url: &Url) -> Option<bool> {
    let client = clock::client(api_url.as_str()).ok()?;
    let mut answer = client.get(api_url.join("/calls").ok()?).send().await.ok()?;
    let begin = answer.chunk().await.ok()??;
    Some(answer.status() == StatusCode::OK && begin.starts_with(b"["))
}
