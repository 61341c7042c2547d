//! Who reconciles an app, and how far that got.

use std::time::Duration;

use tokio_postgres::types::Type;
use trtc_call_inbox::store::{CLOCK_TOLERANCE, Lead};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;

use crate::clock::Clock;
use crate::connect::{Argument, Connection};
use crate::error::Failure;
use crate::schema::VERSION;
use crate::text::{escape, unescape};
use crate::time::Interval;

const LEAD: &str = "SELECT leads, progress, at FROM trtc_call.lead($1, $2, $3, $4, $5)";

const KEEP_PROGRESS: &str = "SELECT leads, at FROM trtc_call.keep_progress($1, $2, $3, $4, $5)";

/// Makes an owner the one who reconciles, for so long, unless another one is.
pub(crate) async fn lead(
    connection: &Connection,
    clock: &Clock,
    app: SdkAppId,
    owner: i64,
    term: Duration,
) -> Result<Option<Lead>, Failure> {
    let arguments: [Argument<'_>; 5] = [
        (&VERSION, Type::INT4),
        (&app.get().cast_signed(), Type::INT8),
        (&owner, Type::INT8),
        (&Interval::of(term), Type::INTERVAL),
        (&Interval::of(CLOCK_TOLERANCE), Type::INTERVAL),
    ];
    let led = connection.row_at(clock, LEAD, &arguments).await?;
    let progress = led.try_get::<_, Option<_>>(1)?.map(unescape);
    Ok(led.try_get::<_, bool>(0)?.then_some(Lead { progress }))
}

/// Keeps how far it got, and says whether the owner still is the one who does.
pub(crate) async fn keep_progress(
    connection: &Connection,
    clock: &Clock,
    app: SdkAppId,
    owner: i64,
    progress: &str,
) -> Result<bool, Failure> {
    let arguments: [Argument<'_>; 5] = [
        (&VERSION, Type::INT4),
        (&app.get().cast_signed(), Type::INT8),
        (&owner, Type::INT8),
        (&Interval::of(CLOCK_TOLERANCE), Type::INTERVAL),
        (&escape(progress), Type::TEXT),
    ];
    Ok(connection.row_at(clock, KEEP_PROGRESS, &arguments).await?.try_get(0)?)
}
