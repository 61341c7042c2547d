//! Core without a framework.

use std::rc::Rc;

use trtc_call_webhook::adapter::{self, Receipt, RequestHead};
use trtc_call_webhook::{Error, Verifier};

use crate::{Answer, Driver, Endpoint, Kind, Notebook, Request, Taken};

/// Calls core as an adapter does.
pub enum Core {
    /// The length is announced and the body comes at once.
    Whole,
    /// The length is not known and the body comes byte by byte.
    Bytes,
}

/// A receiver and a handler.
pub struct Call(Rc<dyn Fn(&Request) -> Answer>);

impl Driver for Core {
    type Endpoint = Call;

    fn name(&self) -> String {
        match self {
            Self::Whole => "core".to_owned(),
            Self::Bytes => "core, byte by byte".to_owned(),
        }
    }

    async fn open<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Call {
        let whole = matches!(self, Self::Whole);
        Call(Rc::new(move |request| match receive::<E>(&verifier, request, whole) {
            Ok(Receipt::Deliver(delivery)) => {
                to_answer(notebook.note(&delivery).answer(), Kind::None)
            }
            Ok(Receipt::Acknowledge(ack)) => to_answer(ack.answer(), Kind::None),
            Err(error) => to_answer(error.answer(), Kind::Some(error.kind().to_string())),
        }))
    }
}

impl Endpoint for Call {
    async fn answer(&mut self, request: &Request) -> Result<Answer, String> {
        Ok((self.0)(request))
    }
}

fn receive<E: Taken>(
    verifier: &Verifier,
    request: &Request,
    whole: bool,
) -> Result<Receipt<E>, Error> {
    let head = RequestHead::new(&request.method, &request.query);
    let length = u64::try_from(request.body.len()).ok().filter(|_| whole);
    let length = request.announce.or(length);
    let head = length.map_or(head, |length| head.content_length(length));
    let head = verifier.check(head)?;
    if whole {
        return head.receive(&request.body);
    }
    let mut buffer = head.read_body();
    for byte in request.body.chunks(1) {
        buffer.push(byte)?;
    }
    buffer.receive()
}

fn to_answer(answer: adapter::Answer, kind: Kind) -> Answer {
    Answer {
        status: answer.status(),
        content_type: vec![answer.content_type().to_owned()],
        allow: answer.allow().map(str::to_owned).into_iter().collect(),
        body: answer.into_body().to_vec(),
        kind,
    }
}
