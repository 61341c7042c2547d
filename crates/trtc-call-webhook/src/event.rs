//! What happened: plain types that know nothing of JSON, nor of the request that brought them.

mod billing;
mod call_ended;
mod call_started;
mod callback;
mod member_changed;
mod room;
mod time;
mod words;

pub use billing::{AskReason, Billing};
pub use call_ended::CallEnded;
pub use call_started::CallStarted;
pub use callback::{Callback, OtherCallback};
pub use member_changed::{Member, MemberChange, MemberChanged};
pub use room::{RoomId, RoomIdType};
pub use time::{UnixMillis, UnixSeconds};
pub(crate) use words::open_enum;
pub use words::{ActionType, CallResult, CallType, Command, MediaType, MemberStatus};

/// Defines methods that set an optional field, for whoever builds an event by hand.
macro_rules! setters {
    ($($name:ident($field:ident: $value:ty) $what:literal;)*) => {
        $(
            #[doc = concat!("Sets ", $what, ".")]
            #[must_use]
            pub fn $name(mut self, $field: impl Into<$value>) -> Self {
                self.$field = Some($field.into());
                self
            }
        )*

        /// Sets the TRTC room: a number or a text, and [`room_id_type`](Self::room_id_type) as it is.
        #[must_use]
        pub fn with_room(mut self, room: impl Into<crate::event::RoomId>) -> Self {
            let room = room.into();
            self.room_id_type = Some(room.documented_type());
            self.room_id = Some(room);
            self
        }

        /// The TRTC room, if the callback names one.
        #[must_use]
        pub fn room(&self) -> Option<&crate::event::RoomId> {
            self.room_id.as_ref().filter(|room| !room.is_empty())
        }
    };
}
use setters;
