//! Which handler takes an item.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

use trtc_call_webhook::{Callback, Command, Error, Event, decode};

use super::Unhandled;
use crate::item::DoneAs;
use crate::job::{Held, Job};
use crate::job_error::JobError;
use crate::store::LeasedItem;

/// The handlers, in the order in which they are asked.
#[derive(Default)]
pub(super) struct Handlers(Vec<Handler>);

struct Handler {
    takes: fn(Option<&Command>) -> bool,
    handle: Box<Handle>,
}

type Handle = dyn Fn(&Held) -> Result<Handling, Error> + Send + Sync;

type Handling = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;

impl Handlers {
    pub(super) fn add<E, H, F, R>(&mut self, handler: H)
    where
        E: Event,
        H: Fn(Job<E>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), R>> + Send + 'static,
        R: Into<JobError>,
    {
        let handle = move |held: &Held| -> Result<Handling, Error> {
            let item = held.item();
            let Some(event) = decode::<E>(item.command_of_event(), item.event_body())? else {
                return Ok(Box::pin(async { Err(JobError::dead(NO_HANDLER)) }));
            };
            let handling = handler(Job::new(event, held.clone()));
            Ok(Box::pin(async move { handling.await.map_err(Into::into) }))
        };
        self.0.push(Handler { takes: takes::<E>, handle: Box::new(handle) });
    }

    /// Has the first handler that takes the item's command work it.
    pub(super) async fn work(&self, held: &Held, unhandled: Unhandled) -> Result<DoneAs, JobError> {
        let command = command(held.item());
        let known = command.as_ref().ok().map(AsRef::as_ref);
        match (self.0.iter().find(|handler| (handler.takes)(known)), command) {
            (Some(handler), _) => {
                let handling = (handler.handle)(held).map_err(JobError::dead)?;
                handling.await.map(|()| DoneAs::Handled)
            }
            (None, Err(error)) => Err(JobError::dead(error)),
            (None, Ok(_)) if unhandled == Unhandled::Done => Ok(DoneAs::NoHandler),
            (None, Ok(_)) => Err(JobError::dead(NO_HANDLER)),
        }
    }
}

const NO_HANDLER: &str = "no handler takes its command";

/// The command of the URL, or else of the body.
fn command(item: &LeasedItem) -> Result<Cow<'_, Command>, Error> {
    if let Some(command) = item.command_of_event().filter(|command| !command.as_str().is_empty()) {
        return Ok(Cow::Borrowed(command));
    }
    // All callbacks are one of those.
    let callback = decode::<Callback>(None, item.event_body())?;
    let command = callback.map_or_else(|| Command::from(""), |callback| callback.command().clone());
    Ok(Cow::Owned(command))
}

/// Whether `E` takes a command. An empty object is enough to see: who does not take the command passes
/// it. Without a command it is an error to all but those who take whatever comes.
fn takes<E: Event>(command: Option<&Command>) -> bool {
    let decoded = decode::<E>(command, b"{}");
    if command.is_some() { !matches!(decoded, Ok(None)) } else { decoded.is_ok() }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} handlers", self.0.len())
    }
}
