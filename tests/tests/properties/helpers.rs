//! The helpers on events do as their definitions say, whatever the times are.

use std::time::Duration;

use proptest::prelude::*;
use trtc_call_webhook::{CallResult, RoomId, UnixSeconds};

use crate::config;
use crate::strategy::events;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn ringing_and_talking_are_differences_that_are_not_negative(call in events::call_ended()) {
        let ringing = difference(call.start_time, call.accept_time.or(call.end_time));
        prop_assert_eq!(call.ringing_time(), ringing);
        prop_assert_eq!(call.talking_time(), difference(call.accept_time, call.end_time));
    }

    #[test]
    fn ringing_and_talking_are_the_whole_call_where_all_times_are_there_and_in_order(
        mut call in events::call_ended(),
        mut times in any::<[i64; 3]>(),
    ) {
        times.sort_unstable();
        let [start, accept, end] = times.map(UnixSeconds::new);
        call.start_time = Some(start);
        call.end_time = Some(end);
        call.accept_time = Some(accept);
        let parts = call.ringing_time().unwrap() + call.talking_time().unwrap();
        prop_assert_eq!(Some(parts), end.since(start));

        call.accept_time = None;
        prop_assert_eq!(call.ringing_time(), end.since(start));
        prop_assert_eq!(call.talking_time(), None);
    }

    #[test]
    fn a_call_is_connected_for_as_long_as_they_talked_or_not_at_all(call in events::call_ended()) {
        let ended_normally = call.result == Some(CallResult::NormalEnd);
        prop_assert_eq!(call.is_answered(), call.accept_time.is_some() || ended_normally);
        let connected = match call.is_answered() {
            true => call.talking_time(),
            false => Some(Duration::ZERO),
        };
        prop_assert_eq!(call.connected_time(), connected);
    }

    #[test]
    fn callees_are_the_members_in_their_order_without_the_caller(call in events::call_ended()) {
        let mut members: Vec<&str> = call.members.iter().collect();
        members.retain(|member| call.caller.as_deref() != Some(member));
        prop_assert_eq!(call.callees().collect::<Vec<_>>(), members);
    }

    #[test]
    fn a_room_is_there_unless_it_is_empty(call in events::call_ended()) {
        let is_empty = call.room_id == Some(RoomId::from(""));
        prop_assert_eq!(call.room(), if is_empty { None } else { call.room_id.as_ref() });
    }
}

/// The seconds from one time to the other, in whole numbers that no two times exceed.
fn difference(from: Option<UnixSeconds>, to: Option<UnixSeconds>) -> Option<Duration> {
    let seconds = i128::from(to?.get()) - i128::from(from?.get());
    u64::try_from(seconds).ok().map(Duration::from_secs)
}
