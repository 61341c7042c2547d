//! The vendor, asked by the commands that need it.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Runtime;
use trtc_call_api::{BuildError, Client, Error, Region};
use trtc_call_webhook::SdkAppId;
use url::Url;

use crate::args::ApiArgs;
use crate::failure::Failure;
use crate::near::is_near;
use crate::{out, server, settings};

/// A client, and the runtime that it works on.
pub(crate) struct Api {
    pub(crate) client: Client,
    pub(crate) is_json: bool,
    runtime: Runtime,
}

impl Api {
    pub(crate) fn new(args: ApiArgs) -> Result<Self, Failure> {
        let is_json = args.json;
        let client = client(args, None)?;
        Ok(Self { client, is_json, runtime: server::runtime()? })
    }

    pub(crate) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(work)?)
    }

    /// Waits for what cannot fail.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

/// A client that sends a request again for so long, if that is said.
pub(crate) fn client(args: ApiArgs, retry_for: Option<Duration>) -> Result<Client, Failure> {
    let sdk_app_id = sdk_app_id(args.sdk_app_id)?;
    let key = settings::secret_key(args.secret_key_file.as_deref())?;
    let builder = Client::builder(sdk_app_id, key).admin(args.admin);
    let (builder, url) = match (args.region, args.api_url) {
        (Some(_), Some(_)) => {
            return Err(Failure::new("--region and --api-url say both whom to ask: give one"));
        }
        (Some(region), None) => (builder.region(region), None),
        (None, url) => {
            let url = settings::api_url(url)?.ok_or_else(no_region)?;
            (builder.base_url(&*url.text), Some(url))
        }
    };
    let builder = match retry_for {
        Some(time) => builder.retry_for(time),
        None => builder,
    };
    let client = builder.build().map_err(|error| match (&error, &url) {
        (BuildError::BaseUrl, Some(url)) => {
            url.must_be("an http:// or https:// URL without user name, query and fragment")
        }
        _ => refused(&error, "--admin"),
    })?;
    if let Some(url) = url {
        warn_of_clear_text(&client, url.name);
    }
    Ok(client)
}

/// Why there is no client, whose administrator this switch names.
pub(crate) fn refused(error: &BuildError, admin: &str) -> Failure {
    Failure::new(match error {
        BuildError::Admin => format!("{admin} must be 1 to 32 bytes of printable ASCII"),
        error => format!("the vendor cannot be asked: {error}"),
    })
}

/// A UserSig of an administrator may do everything with the app.
fn warn_of_clear_text(client: &Client, name: &str) {
    let url = Url::parse(client.base_url());
    if url.is_ok_and(|url| url.scheme() == "http" && !is_near(&url)) {
        out::note(&format!(
            "{name} is not HTTPS, and leads out: whoever is on the way reads the administrator's UserSig, \
             which lets them do everything with the app"
        ));
    }
}

/// The app: a sample's would be somebody else's.
pub(crate) fn sdk_app_id(flag: Option<String>) -> Result<SdkAppId, Failure> {
    settings::sdk_app_id(flag)?
        .ok_or_else(|| Failure::new("no app is given: --sdk-app-id N says which"))
}

/// An app's data are in one region, and which cannot be guessed.
fn no_region() -> Failure {
    let regions: Vec<&str> = Region::ALL.iter().map(|region| region.as_str()).collect();
    Failure::new(format!(
        "no region is given: --region says where the app's data are ({}), or --api-url whom to ask \
         instead",
        regions.join(", ")
    ))
}
