//! From the body's bytes to an event: contract rows 8, 9 and 10.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::event::decode::Decoded;
use crate::json::{self, Object, Scalar, object};
use crate::names::Command;
use crate::wire;

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
/// [`MalformedBody`](ErrorKind::MalformedBody), [`CommandMismatch`](ErrorKind::CommandMismatch),
/// [`NoCallId`](ErrorKind::NoCallId).
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

/// The body of one command, and how its event is made of it.
pub(crate) trait Body<'a>: Object<'a> {
    /// The command that has this body.
    const COMMAND: Command;
    /// What it becomes.
    type Event;

    /// The body's own `CallbackCommand`.
    fn command(&self) -> &Scalar<'a>;

    /// The event, unless the wrapper or the key is missing. Inlined where the body was read, so that
    /// its fields move once.
    fn into_event(self) -> Option<Self::Event>;
}

object! {
    /// What is read of a body that nobody asked for.
    struct Envelope {
        command: Scalar<'de> = wire::COMMAND,
    }
}

/// The body of a verified request, known to be UTF-8, and the command that it is read by.
pub(crate) struct Opened<'a> {
    text: &'a str,
    in_url: Option<&'a Command>,
    command: Cow<'a, Command>,
}

impl<'a> Opened<'a> {
    /// Takes the URL's command, which every documented callback has; the body's is looked for
    /// only where the URL has none, at the price of parsing it twice.
    pub(crate) fn new(in_url: Option<&'a Command>, body: &'a [u8]) -> Result<Self, Error> {
        let text = text(body)?;
        let in_url = in_url.filter(|command| !command.as_str().is_empty());
        let command = match in_url {
            Some(command) => Cow::Borrowed(command),
            None => Cow::Owned(match command_in(text)? {
                Scalar::Text(command) if !command.is_empty() => Command::from(command),
                _ => return Err(mismatch()),
            }),
        };
        Ok(Self { text, in_url, command })
    }

    pub(crate) fn command(&self) -> &Command {
        &self.command
    }

    /// The JSON, without a byte order mark.
    pub(crate) const fn text(&self) -> &'a str {
        self.text
    }

    /// Reads the event of the command `B::COMMAND`; `None` if its wrapper or key is missing.
    #[inline]
    pub(crate) fn event<B: Body<'a>>(&self) -> Result<Option<B::Event>, Error> {
        let mut body = B::default();
        read(self.text, &mut body)?;
        self.agree(body.command())?;
        Ok(body.into_event())
    }

    /// Reads no more than whether the body is an object whose command agrees with the URL's.
    pub(crate) fn envelope(&self) -> Result<(), Error> {
        self.agree(&command_in(self.text)?)
    }

    fn agree(&self, in_body: &Scalar<'_>) -> Result<(), Error> {
        let agree = match (self.in_url, in_body) {
            (Some(_), Scalar::Null) => true,
            (Some(in_url), Scalar::Text(in_body)) => {
                in_body.is_empty() || in_url.as_str() == in_body
            }
            // It is where `self.command` is from.
            (None, Scalar::Text(_)) => true,
            _ => false,
        };
        if agree { Ok(()) } else { Err(mismatch()) }
    }
}

/// Decodes a body for those who take one command.
pub(crate) fn single<'a, B: Body<'a>>(
    in_url: Option<&'a Command>,
    body: &'a [u8],
) -> Result<Decoded<B::Event>, Error> {
    let opened = Opened::new(in_url, body)?;
    if *opened.command() != B::COMMAND {
        opened.envelope()?;
        return Ok(Decoded::NotTaken(opened.command.into_owned()));
    }
    match opened.event::<B>()? {
        Some(event) => Ok(Decoded::Event(event)),
        None => Err(Error::new(ErrorKind::NoCallId, "the event has no call id")),
    }
}

/// All of the body must be UTF-8, in fields that nobody reads too; then it is parsed as text.
fn text(body: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Error::new(ErrorKind::MalformedBody, "the body is not UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The body's own command, and no more of the body than that it is an object.
fn command_in(text: &str) -> Result<Scalar<'_>, Error> {
    let mut envelope = Envelope::default();
    read(text, &mut envelope)?;
    Ok(envelope.command.into_scalar())
}

fn read<'a, T: Object<'a>>(text: &'a str, object: &mut T) -> Result<(), Error> {
    json::read(text, object).map_err(|error| Error::json(&error))
}

const fn mismatch() -> Error {
    Error::new(ErrorKind::CommandMismatch, "the command in the URL and the body's do not agree")
}
