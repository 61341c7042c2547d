//! What the vendor is asked: for calls whose callback never came, and whether those that came are true.

use std::time::{Duration, SystemTime};

use example_support::variable;
use trtc_call_inbox::{Confirm, Inbox};
use trtc_call_reconcile::Reconcile;
use trtc_call_reconcile::trtc_call_api::{Client, Region, SecretKey};
use trtc_call_webhook_axum::SdkAppId;

/// For as long as the vendor keeps records: nobody but this server bills its calls, ever.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What `CONFIRM`, `TRTC_SECRET_KEY` and `TRTC_API_URL` ask for; without a key nobody is asked.
pub(crate) fn reconcile(inbox: Inbox, app: SdkAppId) -> Result<Reconcile, String> {
    let confirm = match variable("CONFIRM")? {
        Some(word) => word.parse::<Confirm>().map_err(|error| format!("CONFIRM: {error}"))?,
        None => Confirm::Never,
    };
    let mut reconcile = Reconcile::new(inbox).confirm(confirm);
    match client(app)? {
        Some(client) => {
            let since = SystemTime::now().checked_sub(KEPT).unwrap_or(SystemTime::UNIX_EPOCH);
            reconcile = reconcile.app(client).since(since);
        }
        None if confirm != Confirm::Never => {
            return Err(format!("CONFIRM={confirm} needs TRTC_SECRET_KEY"));
        }
        None => {}
    }
    Ok(reconcile)
}

fn client(app: SdkAppId) -> Result<Option<Client>, String> {
    let Some(key) = variable("TRTC_SECRET_KEY")? else { return Ok(None) };
    let key = SecretKey::new(key).map_err(|error| format!("TRTC_SECRET_KEY: {error}"))?;
    let client = Client::builder(app, key);
    let client = match variable("TRTC_API_URL")? {
        Some(url) => client.base_url(url),
        None => client.region(Region::Singapore),
    };
    client.build().map(Some).map_err(|error| format!("TRTC_API_URL: {error}"))
}
