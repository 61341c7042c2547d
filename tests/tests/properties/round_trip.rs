//! What is written reads back: requests by the sender, events and words by `serde`.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trtc_call_webhook::{
    ActionType, CallEnded, CallResult, CallStarted, CallType, Callback, Command, ContentType,
    MediaType, MemberChanged, MemberStatus, OptPlatform, RoomIdType, Undecoded,
};

use crate::config;
use crate::strategy::events::{self, word};
use crate::strategy::peer::Peer;
use crate::strategy::text;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_the_sender_makes_the_receiver_takes(
        callback in events::callback(),
        peer in Peer::any(),
        platform in text(),
        client_ip in text(),
    ) {
        let event = events::on_the_wire(callback.clone());
        let request = peer.request(callback).platform(&*platform).client_ip(&*client_ip);

        let delivery = peer.deliver::<Callback>(&request);
        prop_assert_eq!(delivery.event(), &event);
        prop_assert_eq!(delivery.body(), request.body());
        prop_assert!(delivery.signature().is_valid());

        let params = delivery.params();
        prop_assert_eq!(params.sdk_app_id().get(), peer.app);
        prop_assert_eq!(params.command(), Some(event.command()));
        prop_assert_eq!(params.content_type(), Some(&ContentType::Json));
        let platform = Some(platform).filter(|text| !text.is_empty()).map(OptPlatform::from);
        prop_assert_eq!(params.platform(), platform.as_ref());
        let client_ip = Some(client_ip).filter(|text| !text.is_empty());
        prop_assert_eq!(params.client_ip().map(ToString::to_string), client_ip);

        let undecoded = peer.deliver::<Undecoded>(&request);
        prop_assert_eq!(undecoded.body(), request.body());
        prop_assert_eq!(undecoded.params(), params);
        prop_assert_eq!(undecoded.decode::<Callback>().unwrap(), Some(event.clone()));

        match event {
            Callback::CallEnded(event) => {
                prop_assert_eq!(peer.deliver::<CallEnded>(&request).into_event(), event);
            }
            Callback::CallStarted(event) => {
                prop_assert_eq!(peer.deliver::<CallStarted>(&request).into_event(), event);
            }
            Callback::MemberChanged(event) => {
                prop_assert_eq!(peer.deliver::<MemberChanged>(&request).into_event(), event);
            }
            _ => {}
        }
    }

    #[test]
    fn events_survive_a_queue(callback in events::callback()) {
        survives(&callback)?;
        match &callback {
            Callback::CallEnded(event) => survives(event)?,
            Callback::CallStarted(event) => survives(event)?,
            Callback::MemberChanged(event) => survives(event)?,
            Callback::Other(event) => survives(event)?,
            _ => {}
        }
    }

    #[test]
    fn words_survive_a_queue(
        words in (
            word(Command::KNOWN),
            word(CallResult::KNOWN),
            word(MediaType::KNOWN),
            word(CallType::KNOWN),
            word(MemberStatus::KNOWN),
            word(ActionType::KNOWN),
            word(OptPlatform::KNOWN),
            word(ContentType::KNOWN),
        ),
        room_id_type in any::<i64>(),
    ) {
        survives(&words)?;
        survives(&RoomIdType::from(room_id_type))?;
    }

    /// So that a word that is not known today is known to the version that knows it.
    #[test]
    fn a_word_is_read_and_written_as_its_text(text in text()) {
        let json = serde_json::to_string(&text).unwrap();
        let word = ActionType::from(text);
        prop_assert_eq!(serde_json::from_str::<ActionType>(&json).unwrap(), word.clone());
        prop_assert_eq!(serde_json::to_string(&word).unwrap(), json);
    }
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(whole: &T) -> TestCaseResult {
    let json = serde_json::to_string(whole).unwrap();
    prop_assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), whole);
    Ok(())
}
