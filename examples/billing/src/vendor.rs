//! What the vendor is asked: for calls whose callback never came, and whether those that came are true.

use std::time::SystemTime;

use example_support::variable;
use trtc_call_inbox::{Confirm, Inbox};
use trtc_call_reconcile::Reconcile;
use trtc_call_reconcile::trtc_call_api::{Client, Record, Region, SecretKey};
use trtc_call_webhook_axum::SdkAppId;

/// What `CONFIRM`, `TRTC_SECRET_KEY` and `TRTC_API_URL` ask for.
pub(crate) struct Vendor {
    confirm: Confirm,
    /// Without a key nobody is asked.
    client: Option<Client>,
}

impl Vendor {
    pub(crate) fn from_env(app: SdkAppId) -> Result<Self, String> {
        let confirm = match variable("CONFIRM")? {
            Some(word) => word.parse::<Confirm>().map_err(|error| format!("CONFIRM: {error}"))?,
            None => Confirm::Never,
        };
        let client = client(app)?;
        if confirm != Confirm::Never && client.is_none() {
            return Err(format!("CONFIRM={confirm} needs TRTC_SECRET_KEY"));
        }
        Ok(Self { confirm, client })
    }

    pub(crate) fn reconcile(self, inbox: Inbox) -> Reconcile {
        let reconcile = Reconcile::new(inbox).confirm(self.confirm);
        let Some(client) = self.client else { return reconcile };
        // Nobody but this server ever bills its calls.
        let since =
            SystemTime::now().checked_sub(Record::KEPT_FOR).unwrap_or(SystemTime::UNIX_EPOCH);
        reconcile.app(client).since(since)
    }
}

/// At `TRTC_API_URL`, or else in Singapore.
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
