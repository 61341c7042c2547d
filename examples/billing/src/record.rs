//! A delivery as it stands in the journal.
//!
//! ```text
//! 039ff222 {"key":"1400000001:Call.CallbackAfterEndCall:a-1","app":1400000001,…,"length":31}
//! {"CallRecord":{"CallId":"a-1"}}
//! ```
//!
//! A line, then the body's bytes as they came, then the end of a line. The first word is the CRC-32
//! of the rest of the line and the body: it tells what was written from what was half written. The
//! line can be searched for by the key; the body is found by its length, whatever is in it.

use std::io::{self, BufRead, Read};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use trtc_call_webhook_axum::{Command, Delivery, Undecoded};

/// Everything that is needed to decode it later. The signature is not kept: it could be used again.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    /// By which it is known when it is delivered again.
    pub(crate) key: String,
    app: u64,
    /// The URL's, not the body's.
    pub(crate) command: Option<Command>,
    /// When, in Unix seconds.
    received: u64,
    /// The body's, in bytes.
    length: usize,
    #[serde(skip)]
    pub(crate) body: Bytes,
}

impl Record {
    /// A delivery that is received now.
    pub(crate) fn new(callback: &Delivery<Undecoded>) -> Self {
        let received = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            key: callback.idempotency_key().to_string(),
            app: callback.params().sdk_app_id().get(),
            command: callback.params().command().cloned(),
            received: received.as_secs(),
            length: callback.body().len(),
            body: callback.body().clone(),
        }
    }

    pub(crate) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok([checksum(&line, &self.body).as_bytes(), &line, &self.body, b"\n"].concat())
    }

    /// Reads the next one; `None` if what comes next is none, or not all of one.
    pub(crate) fn read(journal: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = Vec::new();
        journal.read_until(b'\n', &mut line)?;
        let Some((sum, line)) = line.split_at_checked("01234567 ".len()) else { return Ok(None) };
        let Ok(mut record) = serde_json::from_slice::<Self>(line) else { return Ok(None) };
        let length = u64::try_from(record.length).unwrap_or(u64::MAX);
        let mut body = Vec::new();
        journal.take(length.saturating_add(1)).read_to_end(&mut body)?;
        let is_whole = body.pop() == Some(b'\n')
            && body.len() == record.length
            && sum == checksum(line, &body).as_bytes();
        record.body = body.into();
        Ok(is_whole.then_some(record))
    }
}

fn checksum(line: &[u8], body: &[u8]) -> String {
    let mut sum = crc32fast::Hasher::new();
    sum.update(line);
    sum.update(body);
    format!("{:08x} ", sum.finalize())
}
