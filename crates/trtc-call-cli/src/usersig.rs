//! `trtc-call usersig`.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use trtc_call_api::Client;

use crate::api;
use crate::args::UsersigArgs;
use crate::failure::Failure;
use crate::{out, settings};

/// Prints a UserSig: the one command whose purpose is to print a secret.
pub(crate) fn run(args: UsersigArgs) -> Result<ExitCode, Failure> {
    let sdk_app_id = api::sdk_app_id(args.api.sdk_app_id)?;
    let key = settings::secret_key(args.api.secret_key_file.as_deref())?;
    let (switch, user) = match args.user {
        Some(user) => ("--user", user),
        None => ("--admin", args.api.admin),
    };
    // It asks nobody, but knows which names the vendor takes.
    let client =
        Client::builder(sdk_app_id, key).admin(&*user).base_url("http://localhost").build();
    let client = client.map_err(|error| api::refused(&error, switch))?;
    let user_sig = client.user_sig(&user, Duration::from_secs(args.valid_for.into()));
    let line = if args.api.json {
        json!({ "user_sig": user_sig.as_str(), "user": user }).to_string()
    } else {
        user_sig.as_str().to_owned()
    };
    out::print_line(line.into_bytes())?;
    Ok(ExitCode::SUCCESS)
}
