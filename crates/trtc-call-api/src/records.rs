//! The records of a span of time.
//!
//! The vendor gives them in pages of a list that changes while it is read: calls arrive, others are
//! forgotten, and what stands behind them moves to other pages. So a part of the span counts as read only if
//! nothing has changed, which [`Pass`] finds out; else it is read again, and then in halves. A page alone
//! cannot change.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use futures_util::Stream;
use futures_util::stream::unfold;

use crate::admin::unix_seconds;
use crate::request::Request;
use crate::{Client, Code, Error, Record, log};

mod page;
mod pass;

use page::{Entry, Page};
use pass::{Pass, Step};

/// The most records of a part that is read page by page, unless it cannot be halved.
const MANY: u64 = 1000;

/// How often a part is read, at most, that changes meanwhile.
const TRIES: u32 = 3;

/// The records of a span of time, in no order that is promised. [`Client::records`] makes it.
///
/// Each record is there once, although calls arrive meanwhile, and none that is there all the time is
/// missing. There is one exception: if the records of two neighbouring seconds are more than a page and
/// change each of the three times that they are read, what was seen of them is all that is given, and a
/// warning is logged.
///
/// Ids are remembered as hashes of 128 bits until the end; records are given as soon as they are read.
pub struct Records {
    client: Client,
    /// In unix seconds; the last one is the one that is being read. Neighbours share a second.
    parts: Vec<RangeInclusive<u64>>,
    pass: Pass,
    /// How often the part was read before.
    tries: u32,
    seen: HashSet<u128>,
    ready: VecDeque<Record>,
    unreadable: u64,
    missing: u64,
}

impl Records {
    pub(crate) fn new(client: Client, span: &Range<SystemTime>) -> Self {
        // A second that has begun belongs to the span.
        let end = span.end.checked_add(Duration::from_nanos(999_999_999)).unwrap_or(span.end);
        let (from, to) = (unix_seconds(span.start), unix_seconds(end));
        let is_empty = span.start >= span.end || from >= to;
        Self {
            client,
            parts: if is_empty { Vec::new() } else { vec![from..=to] },
            pass: Pass::default(),
            tries: 0,
            seen: HashSet::new(),
            ready: VecDeque::new(),
            unreadable: 0,
            missing: 0,
        }
    }

    /// The next record; `None` at the end.
    ///
    /// It may be dropped at any time, and nothing is lost. After an error it may be called again: it goes on
    /// where it was, with the request that failed. Whoever goes on after any error does so without end where
    /// the error does not pass: ask [`Error::is_transient`].
    ///
    /// # Errors
    ///
    /// Of any [kind](crate::ErrorKind).
    pub async fn next(&mut self) -> Option<Result<Record, Error>> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(Ok(record));
            }
            let part = self.parts.last()?;
            match self.read(part, self.pass.page()).await {
                Ok(page) => self.take(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// How many records could not be read so far, and were left out: they have no call id, or a field of
    /// ours that cannot be told.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// How many records the vendor has counted so far and given on no page, however often it was asked: how many
    /// pages it gives is not documented. A warning is logged. Shorter spans may have them.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// As a stream. It is to be left after an error that does not pass, as [`next`](Self::next) says.
    #[must_use]
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<Record, Error>> + Send>> {
        let next = async |mut records: Self| Some((records.next().await?, records));
        Box::pin(unfold(self, next))
    }

    /// Reads a page, which is empty where the vendor says that there is no record.
    async fn read(&self, part: &RangeInclusive<u64>, page: u64) -> Result<Page, Error> {
        let body = page::request(part, page);
        let request = Request::read("v4/call_record_http_srv/get_record_by_filter", body);
        match self.client.call(&request).await {
            Ok(reply) => Page::from_reply(&reply),
            Err(error) if error.code() == Some(Code::NO_RECORD) => Ok(Page::default()),
            Err(error) => Err(error),
        }
    }

    /// Takes what is new of a page, and sees what is to be read next.
    fn take(&mut self, page: Page) {
        let ids: Vec<u128> = page.entries.iter().map(|entry| entry.id).collect();
        for Entry { id, record } in page.entries {
            match record {
                _ if !self.seen.insert(id) => {}
                Ok(record) => self.ready.push_back(record),
                Err(error) => {
                    self.unreadable = self.unreadable.saturating_add(1);
                    log::unreadable(&error);
                }
            }
        }
        let is_first = self.pass.page() == 1;
        let has_many = !ids.is_empty() && page.total.is_some_and(|total| total > MANY);
        let step = self.pass.take(page.total, ids);
        if is_first && has_many && self.halve() {
            return;
        }
        match step {
            Step::Next => {}
            Step::Settled => {
                let missing = self.pass.missing();
                if missing > 0 {
                    self.missing = self.missing.saturating_add(missing);
                    log::missing(missing);
                }
                self.leave();
            }
            Step::Changed => {
                self.tries = self.tries.saturating_add(1);
                self.pass = Pass::default();
                if self.tries >= TRIES && !self.halve() {
                    if let Some(part) = self.parts.last() {
                        log::unsettled(part);
                    }
                    self.leave();
                }
            }
        }
    }

    /// Goes on with the next part.
    fn leave(&mut self) {
        self.parts.pop();
        (self.pass, self.tries) = (Pass::default(), 0);
    }

    /// Goes on with the halves of the part, the older one first; `false` if it cannot be halved.
    fn halve(&mut self) -> bool {
        let Some((&from, &to)) = self.parts.last().map(|part| (part.start(), part.end())) else {
            return false;
        };
        let middle = from.midpoint(to);
        if middle == from {
            return false;
        }
        self.leave();
        self.parts.extend([middle..=to, from..=middle]);
        true
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("parts", &self.parts)
            .field("unreadable", &self.unreadable)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}
