//! From the body's bytes to an event: contract rows 8, 9 and 10.

use std::borrow::Cow;

use serde::Deserialize;

use crate::error::{Error, Reason};
use crate::event::Command;
use crate::wire::{self, Envelope, Payload, Value};

mod event;

pub(crate) use event::Decoded;
pub use event::{Event, Undecoded};

/// Decodes a body that was stored, by the command that its URL had.
///
/// For bytes that were kept from a [`Delivery`](crate::Delivery), together with the
/// [`command`](crate::Params::command) of its parameters: in another process, or by a later version
/// of this crate. Nothing is verified here; a delivery decodes itself with
/// [`decode`](crate::Delivery::decode).
///
/// `None` means that `E` does not take the command.
///
/// # Errors
///
/// [`MalformedBody`], [`CommandMismatch`], [`NoCallId`].
///
/// [`MalformedBody`]: crate::ErrorKind::MalformedBody
/// [`CommandMismatch`]: crate::ErrorKind::CommandMismatch
/// [`NoCallId`]: crate::ErrorKind::NoCallId
///
/// ```
/// use trtc_call_webhook::{CallEnded, Command, decode};
///
/// let stored = br#"{"CallRecord":{"CallId":"a-1"}}"#;
/// let event = decode::<CallEnded>(Some(&Command::CallEnded), stored)?;
/// assert_eq!(event, Some(CallEnded::new("a-1")));
/// # Ok::<(), trtc_call_webhook::Error>(())
/// ```
pub fn decode<E: Event>(in_url: Option<&Command>, body: &[u8]) -> Result<Option<E>, Error> {
    Ok(match E::decode(in_url, body)? {
        Decoded::Event(event) => Some(event),
        Decoded::NotTaken(_) => None,
    })
}

/// A body that starts as a JSON object, and the command by which it is read.
struct Opened<'a> {
    /// Without a byte order mark.
    text: &'a str,
    in_url: Option<&'a Command>,
    command: Cow<'a, Command>,
}

impl<'a> Opened<'a> {
    /// Takes the URL's command, which every documented callback has; the body's is looked for
    /// only where the URL has none, at the price of parsing it twice.
    fn new(in_url: Option<&'a Command>, body: &'a [u8]) -> Result<Self, Error> {
        // All of the body must be UTF-8, in fields that nobody reads too.
        let text = std::str::from_utf8(body).map_err(|_| Error::new(Reason::BodyNotUtf8))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match text.trim_ascii_start().as_bytes() {
            [b'{', ..] => {}
            [] => return Err(Error::new(Reason::BodyEmpty)),
            _ => return Err(Error::new(Reason::NotAnObject)),
        }
        let in_url = in_url.filter(|command| !command.as_str().is_empty());
        let command = match in_url {
            Some(command) => Cow::Borrowed(command),
            None => match read::<Envelope<'_>>(text)?.callback_command {
                Value::Text(command) if !command.is_empty() => Cow::Owned(command.into()),
                _ => return Err(Error::new(Reason::NoCommand)),
            },
        };
        Ok(Self { text, in_url, command })
    }

    /// Reads the payload of a command; `None` if its wrapper or its call id is missing.
    #[inline]
    fn event<P: Payload<'a>>(&self) -> Result<Option<P::Event>, Error> {
        let payload: P = read(self.text)?;
        self.agree(payload.command())?;
        Ok(payload.into_event())
    }

    /// Reads no more than whether the body is an object whose command agrees with the URL's.
    fn envelope(&self) -> Result<(), Error> {
        self.agree(&read::<Envelope<'_>>(self.text)?.callback_command)
    }

    fn agree(&self, in_body: &Value<'_>) -> Result<(), Error> {
        match (self.in_url, in_body) {
            (Some(_), Value::Null) => Ok(()),
            (Some(url), Value::Text(body)) if body.is_empty() || url.as_str() == body => Ok(()),
            // It is where `self.command` is from.
            (None, _) => Ok(()),
            _ => Err(Error::new(Reason::CommandsDiffer)),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    wire::read(text).map_err(|error| Error::json(&error))
}

/// Decodes a body for those who take one command.
#[inline]
fn single<'a, P: Payload<'a>>(
    in_url: Option<&'a Command>,
    body: &'a [u8],
) -> Result<Decoded<P::Event>, Error> {
    let opened = Opened::new(in_url, body)?;
    if *opened.command != P::COMMAND {
        opened.envelope()?;
        return Ok(Decoded::NotTaken(opened.command.into_owned()));
    }
    let event = opened.event::<P>()?.ok_or(Error::new(Reason::NoCallId))?;
    Ok(Decoded::Event(event))
}
