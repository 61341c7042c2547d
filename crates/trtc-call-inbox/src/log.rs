//! What an operator is told. Every line is here, and none holds a body, a signature or a user id.

use trtc_call_webhook::SdkAppId;

use crate::item::ItemId;
use crate::store::StoreError;

pub(crate) fn accepted(app: SdkAppId, what: &'static str) {
    let _ = (app, what);
}

pub(crate) fn disputed(app: SdkAppId, key: &str, item: ItemId, after_done: bool) {
    let _ = (app, key, item, after_done);
}

pub(crate) fn not_stored(app: SdkAppId, error: &StoreError) {
    let _ = (app, error);
}
