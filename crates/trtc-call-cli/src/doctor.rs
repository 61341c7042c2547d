//! `trtc-call doctor`: why no callbacks arrive, and what to do.
//!
//! What a check finds out decides which of the later ones make sense. Each says at least one line, also
//! where it is left out. Of the callback's URL nothing is printed but its origin: its path may be a secret.

mod calls;
mod clock;
mod home;
mod place;
mod probe;
mod reach;
mod report;
mod setting;
mod tls;

use std::process::ExitCode;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::runtime::Runtime;
use trtc_call_api::Client;
use trtc_call_inbox::Inbox;
use trtc_call_webhook::{SdkAppId, Token};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use self::place::Place;
use self::probe::Signatures;
use self::report::{Check, Report};
use crate::api;
use crate::args::DoctorArgs;
use crate::client::authorities;
use crate::failure::Failure;
use crate::store::Store;
use crate::{server, settings};

/// A person waits for it.
const RETRY_FOR: Duration = Duration::from_secs(2);

/// What is examined, and with what.
struct Exam {
    sdk_app_id: SdkAppId,
    /// Signs a probe.
    token: Option<Token>,
    /// Examined instead of the one that is set at the vendor.
    url: Option<String>,
    /// Whom an endpoint's certificate may be signed by.
    authorities: Vec<CertificateDer<'static>>,
    /// None where there is no secret key.
    vendor: Option<Client>,
    inbox: Option<Inbox>,
}

pub(crate) fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let mut report = Report::new(args.api.json);
    let (exam, runtime) = Exam::new(args)?;
    runtime.block_on(exam.run(&mut report));
    // A look-up of a name that hangs is not waited for.
    runtime.shutdown_background();
    report.end()
}

impl Exam {
    fn new(args: DoctorArgs) -> Result<(Self, Runtime), Failure> {
        let sdk_app_id = api::sdk_app_id(args.api.sdk_app_id.clone())?;
        let token = settings::tokens(args.token)?.into_iter().next().map(Token::from);
        let authorities = match &args.ca_cert {
            Some(file) => authorities(file)?,
            // Those of this machine may hold a company's own, whom the vendor does not know.
            None => TLS_SERVER_ROOT_CERTS.to_vec(),
        };
        let inbox = settings::inbox(args.inbox)?;
        let has_key = settings::has_secret_key(args.api.secret_key_file.as_deref());
        let vendor = match &args.url {
            Some(_) if !has_key => None,
            _ => Some(api::client(args.api, Some(RETRY_FOR))?),
        };
        let runtime = server::runtime()?;
        let (inbox, runtime) = match inbox {
            None => (None, runtime),
            Some(place) => {
                let (store, runtime) = Store::open(place, true, runtime)?;
                (Some(store.inbox()), runtime)
            }
        };
        Ok((Self { sdk_app_id, token, url: args.url, authorities, vendor, inbox }, runtime))
    }

    async fn run(&self, report: &mut Report) {
        let set = match &self.vendor {
            Some(vendor) => {
                clock::check(vendor, report).await;
                setting::check(vendor, self.url.as_deref(), report).await
            }
            None => {
                for check in [Check::Clock, Check::Credentials, Check::Setting, Check::Commands] {
                    report.skip(check, "there is no secret key");
                }
                None
            }
        };
        let has_answered = set.is_some();
        let url = self.url.clone().or_else(|| Some(set??.url));
        let signatures = self.endpoint(url.as_deref(), report).await;
        match (&self.vendor, &self.inbox) {
            (None, _) => report.skip(Check::Calls, "there is no secret key"),
            (_, None) => report.skip(Check::Calls, "no inbox is given: --inbox names one"),
            (Some(_), _) if !has_answered => {
                report.skip(Check::Calls, "the vendor does not answer");
            }
            (Some(vendor), Some(inbox)) => calls::check(vendor, inbox, signatures, report).await,
        }
    }

    /// Looks at the endpoint; gives what it wants of signatures, if it answers.
    async fn endpoint(&self, url: Option<&str>, report: &mut Report) -> Option<Signatures> {
        let is_at_home = match &self.vendor {
            Some(vendor) => home::is_at_home(vendor.base_url()).await,
            None => false,
        };
        let place = match url {
            Some(url) => Place::check(url, is_at_home, report),
            None => {
                report.skip(Check::Url, "there is none to look at");
                None
            }
        };
        let Some(place) = place else {
            for check in [Check::Dns, Check::Tcp, Check::Certificate] {
                report.skip(check, "there is no URL to look at");
            }
            probe::skip("there is no URL to look at", report);
            return None;
        };
        let addresses = reach::check(&place, report).await;
        let is_trusted = tls::check(&place, &addresses, &self.authorities, report).await;
        if addresses.is_empty() {
            probe::skip("nothing takes connections", report);
            None
        } else if !is_trusted {
            probe::skip("the vendor would not get past the certificate", report);
            None
        } else {
            probe::check(self, &place, report).await
        }
    }
}
