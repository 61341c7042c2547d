//! One page of records (647/68931).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::reply::{Reply, integer};
use crate::{Error, Record};

/// How many records a page is asked to have.
pub(super) const PER_PAGE: u64 = 100;

#[derive(Default)]
pub(super) struct Page {
    /// How many records there are on all pages, if the vendor says so.
    pub(super) total: Option<u64>,
    pub(super) entries: Vec<Entry>,
}

pub(super) struct Entry {
    /// A hash of the call id, or of a record that has none that can be read.
    pub(super) id: u128,
    pub(super) record: Result<Record, trtc_call_webhook::Error>,
}

/// The body that asks for a page, from 1, of a part in unix seconds.
pub(super) fn request(part: &RangeInclusive<u64>, page: u64) -> String {
    let (start_time, end_time) = (*part.start(), *part.end());
    let filter = Filter { start_time, end_time, number_per_page: PER_PAGE, page };
    // Numbers, written to memory, have no way to fail.
    serde_json::to_string(&filter).unwrap_or_default()
}

impl Page {
    pub(super) fn from_reply(reply: &Reply) -> Result<Self, Error> {
        let wire: Wire<'_> = reply.response()?;
        let total = wire.total_num.and_then(integer).and_then(|total| u64::try_from(total).ok());
        let Some(list) = wire.call_record_list.or_else(|| total.is_some().then(Vec::new)) else {
            return Err(reply.not_as_documented("it has neither CallRecordList nor TotalNum"));
        };
        Ok(Self { total, entries: list.into_iter().map(Entry::from_raw).collect() })
    }
}

impl Entry {
    fn from_raw(raw: &RawValue) -> Self {
        let record = Record::from_raw(raw);
        let id = record.as_ref().map_or(raw.get(), |record| &record.call().call_id);
        Self { id: hash(id), record }
    }
}

/// The first half of a SHA-256.
fn hash(text: &str) -> u128 {
    let hash: [u8; 32] = Sha256::digest(text).into();
    hash.first_chunk().copied().map_or(0, u128::from_be_bytes)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    start_time: u64,
    end_time: u64,
    number_per_page: u64,
    page: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    #[serde(borrow)]
    total_num: Option<&'a RawValue>,
    call_record_list: Option<Vec<&'a RawValue>>,
}
