//! Lengths of time as statements take them. Times themselves are the server's alone.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The time in a column that comes closest to one: no column has one that is much more than a hundred years
/// away.
pub(crate) fn of_column(time: SystemTime) -> SystemTime {
    let latest = UNIX_EPOCH.checked_add(FOR_EVER.saturating_mul(100)).unwrap_or(UNIX_EPOCH);
    time.clamp(UNIX_EPOCH, latest)
}

/// How long it is from one time to a later one; nothing if it is not later.
pub(crate) fn between(earlier: SystemTime, later: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}
