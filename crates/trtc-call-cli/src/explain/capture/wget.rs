//! A `wget` command that was pasted.

use super::shell;
use super::url::Target;
use super::{Body, Request, source};
use crate::failure::Failure;

/// The short options that have a value.
const SHORT_WITH_VALUE: &str = "aABDeGiIlOoPQRtTUwX";

pub(super) fn read(command: &str) -> Result<Request, Failure> {
    let (words, _) = shell::words(command);
    let mut words = words.into_iter();
    let (mut url, mut method, mut data) = (None, None, None);
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let mut value = || value.clone().or_else(|| words.next()).unwrap_or_default();
            match name {
                "method" => method = Some(value()),
                "post-data" | "body-data" => data = Some(value().into_bytes()),
                "post-file" | "body-file" => data = Some(source(&format!("@{}", value()))?),
                // Of the others, these alone may stand apart from their values here.
                "header" | "user-agent" | "output-document" | "timeout" | "tries" => _ = value(),
                _ => {}
            }
        } else if let Some(cluster) = word.strip_prefix('-') {
            // The last one's value may be the next word.
            if cluster.ends_with(|option| SHORT_WITH_VALUE.contains(option)) {
                words.next();
            }
        } else if url.is_none() || word.contains("://") {
            url = Some(word);
        }
    }
    let url = url.ok_or_else(|| Failure::new("the wget command has no URL"))?;
    let mut notes = vec!["a wget command".to_owned()];
    let target = Target::captured(&url, &mut notes);
    let implied = if data.is_some() { "POST" } else { "GET" };
    let mut request = Request::new(method.as_deref().unwrap_or(implied), target, notes);
    request.body = Body::Whole(data.unwrap_or_default());
    Ok(request)
}
