//! Which items the vendor is asked about, and what came of it.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use tokio_postgres::types::Type;
use trtc_call_inbox::store::{Answer, AskRequest, Asked, AskedItem, Budget, LONGEST_DELAY, Lease};
use trtc_call_inbox::{Confirmation, ItemId};

use crate::clock::Clock;
use crate::connect::{Argument, Connection};
use crate::error::Failure;
use crate::schema::VERSION;
use crate::text::{escape, unescape};
use crate::time::{Interval, between};

const ASKED: &str = "SELECT due, next_due, spent_until, at FROM trtc_call.asked($1, $2, $3, $4)";

const ASK: &str = "
    SELECT is_granted, items, call_ids, received_at, missing_since, at
    FROM trtc_call.ask($1, $2, $3, $4, $5, $6, $7, $8)";

const ANSWER: &str = "SELECT kept, at FROM trtc_call.answer($1, $2, $3, $4, $5, $6, $7)";

/// Hands out items to be asked about: it is one statement if nothing is to be asked. No transaction holds the
/// budget between the two, so that nobody waits for whoever stands still there: if it was spent by somebody
/// else meanwhile, it is looked at anew.
pub(crate) async fn ask(
    connection: &Connection,
    clock: &Clock,
    request: &AskRequest,
) -> Result<Asked, Failure> {
    loop {
        let Waiting { due, next_due, spent_until, at } =
            waiting(connection, clock, request).await?;
        let budget = Budget::new(request.per_second, spent_until, at);
        let granted = due.min(request.limit).min(budget.available());
        let next = if granted == due { next_due } else { Some(budget.next_after(granted)) };
        if granted == 0 {
            return Ok(Asked::new(Vec::new(), next));
        }
        let spends = [spent_until, Some(budget.spend(granted))];
        if let Some(items) = hand_out(connection, clock, request, granted, spends).await? {
            return Ok(Asked::new(items, next));
        }
    }
}

/// What of an app is to be asked about.
struct Waiting {
    due: usize,
    next_due: Option<Duration>,
    spent_until: Option<SystemTime>,
    at: SystemTime,
}

async fn waiting(
    connection: &Connection,
    clock: &Clock,
    request: &AskRequest,
) -> Result<Waiting, Failure> {
    // One more than are handed out: a budget never has more than a second's worth.
    let per_second = usize::try_from(request.per_second.max(1)).unwrap_or(usize::MAX);
    let at_most = request.limit.min(per_second).saturating_add(1);
    let arguments: [Argument<'_>; 4] = [
        (&VERSION, Type::INT4),
        (&request.sdk_app_id.get().cast_signed(), Type::INT8),
        (&i64::try_from(at_most).unwrap_or(i64::MAX), Type::INT8),
        (&Interval::of(LONGEST_DELAY), Type::INTERVAL),
    ];
    let asked = connection.row_at(clock, ASKED, &arguments).await?;
    let at = asked.try_get(3)?;
    let next_due: Option<SystemTime> = asked.try_get(1)?;
    Ok(Waiting {
        due: usize::try_from(asked.try_get::<_, i64>(0)?).unwrap_or_default(),
        next_due: next_due.map(|due| between(at, due)),
        spent_until: asked.try_get(2)?,
        at,
    })
}

/// Hands out so many, unless the budget was not spent until this time any more.
async fn hand_out(
    connection: &Connection,
    clock: &Clock,
    request: &AskRequest,
    granted: usize,
    [spent_before, spent_until]: [Option<SystemTime>; 2],
) -> Result<Option<Vec<AskedItem>>, Failure> {
    let token = fastrand::i64(1..);
    let arguments: [Argument<'_>; 8] = [
        (&VERSION, Type::INT4),
        (&request.sdk_app_id.get().cast_signed(), Type::INT8),
        (&token, Type::INT8),
        (&i64::try_from(granted).unwrap_or(i64::MAX), Type::INT8),
        (&Interval::of(request.term.min(LONGEST_DELAY)), Type::INTERVAL),
        (&Interval::of(LONGEST_DELAY), Type::INTERVAL),
        (&spent_before, Type::TIMESTAMPTZ),
        (&spent_until, Type::TIMESTAMPTZ),
    ];
    let asked = connection.row_at(clock, ASK, &arguments).await?;
    if !asked.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let items: Option<Vec<i64>> = asked.try_get(1)?;
    let call_ids: Option<Vec<Option<String>>> = asked.try_get(2)?;
    let received_at: Option<Vec<SystemTime>> = asked.try_get(3)?;
    let missing_since: Option<Vec<Option<SystemTime>>> = asked.try_get(4)?;
    let at: SystemTime = asked.try_get(5)?;
    let columns = items.into_iter().flatten().zip(call_ids.into_iter().flatten());
    let times = received_at.into_iter().flatten().zip(missing_since.into_iter().flatten());
    let items = columns.zip(times).map(|((item, call_id), (received_at, missing_since))| {
        let lease = Lease { item: ItemId::new(item), token };
        let call_id = call_id.map(unescape).unwrap_or_default();
        let missing_for = missing_since.map(|since| between(since, at));
        AskedItem::new(lease, call_id, received_at, between(received_at, at), missing_for)
    });
    Ok(Some(items.collect()))
}

/// Keeps answers. Says of each whether it was still to be asked.
pub(crate) async fn answer(
    connection: &Connection,
    clock: &Clock,
    answers: &[(Lease, Answer)],
) -> Result<Vec<bool>, Failure> {
    // Each is answered once.
    let mut seen = HashSet::new();
    let mut columns = Columns::default();
    let mut places = Vec::new();
    for (place, (lease, answer)) in answers.iter().enumerate() {
        if seen.insert(*lease) {
            columns.add(*lease, answer);
            places.push(place);
        }
    }
    let Columns { ids, tokens, are_missing, afters, reasons, errors } = columns;
    let arguments: [Argument<'_>; 7] = [
        (&VERSION, Type::INT4),
        (&ids, Type::INT8_ARRAY),
        (&tokens, Type::INT8_ARRAY),
        (&are_missing, Type::BOOL_ARRAY),
        (&afters, Type::INTERVAL_ARRAY),
        (&reasons, Type::TEXT_ARRAY),
        (&errors, Type::TEXT_ARRAY),
    ];
    let answered = connection.row_at(clock, ANSWER, &arguments).await?;
    let were_kept: Vec<bool> = answered.try_get(0)?;
    let mut kept = vec![false; answers.len()];
    for (place, was_kept) in places.into_iter().zip(were_kept) {
        if let Some(kept) = kept.get_mut(place) {
            *kept = was_kept;
        }
    }
    Ok(kept)
}

/// Answers as the statement takes them.
#[derive(Default)]
struct Columns {
    ids: Vec<i64>,
    tokens: Vec<i64>,
    are_missing: Vec<bool>,
    afters: Vec<Interval>,
    reasons: Vec<Option<&'static str>>,
    errors: Vec<String>,
}

impl Columns {
    fn add(&mut self, lease: Lease, answer: &Answer) {
        let (after, reason, error) = match answer {
            Answer::Missing { after, error } | Answer::Later { after, error } => {
                (*after, None, error)
            }
            Answer::GiveUp { why, error } => (Duration::ZERO, Some(*why), error),
        };
        self.ids.push(lease.item.get());
        self.tokens.push(lease.token);
        self.are_missing.push(matches!(answer, Answer::Missing { .. }));
        self.afters.push(Interval::of(after.min(LONGEST_DELAY)));
        self.reasons.push(reason.map(Confirmation::as_str));
        self.errors.push(escape(error).into_owned());
    }
}
