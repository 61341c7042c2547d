//! `trtc-call usersig`.

use std::process::ExitCode;
use std::time::SystemTime;

use serde_json::json;
use trtc_call_api::Claims;
use trtc_call_webhook::UnixSeconds;

use crate::api;
use crate::args::UsersigArgs;
use crate::failure::Failure;
use crate::{out, settings};

/// Prints a UserSig: the one command whose purpose is to print a secret.
pub(crate) fn run(args: UsersigArgs) -> Result<ExitCode, Failure> {
    let sdk_app_id = api::sdk_app_id(args.api.sdk_app_id)?;
    let key = settings::secret_key(args.api.secret_key_file.as_deref())?;
    let user = args.user.unwrap_or(args.api.admin);
    if user.is_empty() {
        return Err(Failure::new("--user must be a value, or not be given"));
    }
    let now = u64::try_from(UnixSeconds::from(SystemTime::now()).get()).unwrap_or(0);
    let user_sig = Claims::new(sdk_app_id, &*user, now, args.valid_for.into()).sign(&key);
    let line = if args.api.json {
        json!({ "user_sig": user_sig.as_str(), "user": user }).to_string()
    } else {
        user_sig.as_str().to_owned()
    };
    out::print_line(line.into_bytes())?;
    Ok(ExitCode::SUCCESS)
}
