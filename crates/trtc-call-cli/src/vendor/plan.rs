//! What befalls the callbacks of a call on their way, drawn in an order that a seed repeats.

use std::time::Duration;

use fastrand::Rng;
use trtc_call_webhook::{Callback, Command, OtherCallback};

use super::book::Settings;
use super::call::Call;
use crate::args::ChancesArgs;

/// How long a callback is held back, so that later ones overtake it.
const HELD_BACK: Duration = Duration::from_secs(1);

/// What becomes of a callback.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Sent,
    /// It is never sent.
    Lost,
    /// It is sent again.
    Repeated,
    /// The vendor knows nothing of it.
    Forged(Forged),
}

/// How a forged callback is signed where true ones are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Forged {
    Unsigned,
    WronglySigned,
}

impl What {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Lost => "lost",
            Self::Repeated => "repeated",
            Self::Forged(_) => "forged",
        }
    }
}

/// A callback that is to be sent, or lost.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) what: What,
    pub(super) call_id: String,
    pub(super) callback: Callback,
    /// What the callback says: none at a start, and where the record must be asked.
    pub(super) talk_seconds: Option<u64>,
    /// How long from now on.
    pub(super) after: Duration,
}

impl Planned {
    fn new(call: &Call, callback: impl Into<Callback>) -> Self {
        Self {
            what: What::Sent,
            call_id: call.id().to_owned(),
            callback: callback.into(),
            talk_seconds: None,
            after: Duration::ZERO,
        }
    }

    /// The end of a call.
    fn end(call: &Call) -> Self {
        // The record may hold more than a `CallEnded` does.
        let callback = OtherCallback::new(Command::CallEnded, call.body());
        let talk_seconds = call.ended().and_then(|ended| ended.billing().seconds());
        Self { talk_seconds, ..Self::new(call, callback) }
    }
}

pub(super) struct Planner {
    chances: ChancesArgs,
    /// How many calls had a forged callback.
    forged: u64,
}

impl Planner {
    pub(super) const fn new(chances: ChancesArgs) -> Self {
        Self { chances, forged: 0 }
    }

    /// The callbacks of a call in the order in which they are due.
    pub(super) fn plan(&mut self, call: &Call, set: &Settings, rng: &mut Rng) -> Vec<Planned> {
        let mut plan = Vec::new();
        if set.has(&Command::CallStarted)
            && let Some(start) = call.started()
        {
            self.draw(Planned::new(call, start), rng, &mut plan);
        }
        if set.has(&Command::CallEnded) {
            let first = plan.len();
            self.draw(Planned::end(call), rng, &mut plan);
            self.forge(call, first, rng, &mut plan);
        }
        // A stable sort: what is due at the same time stays in order.
        plan.sort_by_key(|planned| planned.after);
        plan
    }

    /// Draws what becomes of a callback.
    fn draw(&self, mut planned: Planned, rng: &mut Rng, plan: &mut Vec<Planned>) {
        let chances = &self.chances;
        planned.after = chances.delay.mul_f64(rng.f64());
        if is_drawn(chances.reorder, rng) {
            planned.after = planned.after.saturating_add(HELD_BACK);
        }
        let (is_lost, is_repeated) = (is_drawn(chances.lose, rng), is_drawn(chances.repeat, rng));
        let again = planned.after.saturating_add(chances.delay.mul_f64(rng.f64()));
        if is_lost {
            plan.push(Planned { what: What::Lost, ..planned });
            return;
        }
        plan.push(planned.clone());
        if is_repeated {
            plan.push(Planned { what: What::Repeated, after: again, ..planned });
        }
    }

    /// Draws whether there is a forged callback, and puts it before or behind the true one.
    fn forge(&mut self, call: &Call, place: usize, rng: &mut Rng, plan: &mut Vec<Planned>) {
        if !is_drawn(self.chances.forge, rng) {
            return;
        }
        self.forged = self.forged.wrapping_add(1);
        let false_call =
            if self.forged % 2 == 1 { call.stranger(rng) } else { call.lengthened(rng) };
        let forged = if rng.bool() { Forged::Unsigned } else { Forged::WronglySigned };
        let after = plan.get(place).map_or(Duration::ZERO, |planned| planned.after);
        let planned = Planned { what: What::Forged(forged), after, ..Planned::end(&false_call) };
        let place = if rng.bool() { place } else { place.saturating_add(1) };
        plan.insert(place.min(plan.len()), planned);
    }
}

fn is_drawn(rate: f64, rng: &mut Rng) -> bool {
    rng.f64() < rate
}
