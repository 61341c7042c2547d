//! Lengths of time as statements take them. Times themselves are the server's alone.

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use trtc_call_inbox::store::FOR_EVER;

/// A length of time as PostgreSQL's `interval`: never so long that it could not be added to a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval(Duration);

impl Interval {
    pub(crate) fn of(duration: Duration) -> Self {
        Self(duration.min(FOR_EVER))
    }
}

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // Microseconds, then days and months, which are of different lengths: there are none.
        out.put_i64(i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX));
        out.put_i32(0);
        out.put_i32(0);
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::INTERVAL
    }

    to_sql_checked!();
}

/// How long it is from one time to a later one; nothing if it is not later.
pub(crate) fn between(earlier: SystemTime, later: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}
