//! The helpers on events do as their definitions say, whatever the times are.

use proptest::prelude::*;
use trtc_call_webhook::{Billing, CallResult, RoomId, UnixSeconds};

use crate::config;
use crate::strategy::events;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_is_billed_that_the_times_do_not_say(call in events::call_ended()) {
        let seconds = |time: Option<UnixSeconds>| time.map(|time| i128::from(time.get()));
        let [start, accept, end] =
            [call.start_time, call.accept_time, call.end_time].map(seconds);
        match call.billing() {
            Billing::Connected(time) => {
                let (accept, end) = (accept.unwrap(), end.unwrap());
                let in_seconds = 1_000_000_000..100_000_000_000_i128;
                prop_assert_eq!(i128::from(time.as_secs()), end - accept);
                prop_assert!(start.is_none_or(|start| start <= accept && in_seconds.contains(&start)));
                prop_assert!(in_seconds.contains(&accept) && in_seconds.contains(&end));
                prop_assert!(!call.accept_time_unreadable);
            }
            Billing::Unanswered => {
                prop_assert!(accept.is_none_or(|accept| accept <= 0) && !call.accept_time_unreadable);
                let result = call.result.clone().unwrap();
                prop_assert!(result != CallResult::NormalEnd && CallResult::KNOWN.contains(&result));
            }
            Billing::AskRecord(_) => prop_assert_eq!(call.billing().seconds(), None),
        }
    }

    #[test]
    fn a_call_whose_times_are_in_order_rings_and_is_connected_for_all_of_it(
        mut call in events::call_ended(),
        mut times in any::<[u32; 3]>(),
    ) {
        times.sort_unstable();
        let [start, accept, end] =
            times.map(|time| UnixSeconds::new(1_000_000_000 + i64::from(time)));
        call.start_time = Some(start);
        call.end_time = Some(end);
        call.accept_time = Some(accept);
        call.accept_time_unreadable = false;
        call.result = Some(CallResult::NormalEnd);
        let connected = Billing::Connected(end.since(accept).unwrap());
        prop_assert_eq!(call.billing(), connected);
        prop_assert_eq!(call.ringing_time(), accept.since(start));

        call.accept_time = None;
        call.result = Some(CallResult::Reject);
        prop_assert_eq!(call.billing(), Billing::Unanswered);
        prop_assert_eq!(call.ringing_time(), end.since(start));
    }

    #[test]
    fn callees_are_the_members_in_their_order_without_the_caller(call in events::call_ended()) {
        let mut members: Vec<&str> = call.members.iter().map(String::as_str).collect();
        members.retain(|member| call.caller.as_deref() != Some(member));
        prop_assert_eq!(call.callees().collect::<Vec<_>>(), members);
    }

    #[test]
    fn a_room_is_there_unless_it_is_empty(call in events::call_ended()) {
        let is_empty = call.room_id == Some(RoomId::from(""));
        prop_assert_eq!(call.room(), if is_empty { None } else { call.room_id.as_ref() });
    }
}
