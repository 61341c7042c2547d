//! The words that the vendor documents, each spelled once. An unknown word is kept.

/// Defines an open enum: the first spelling is the one that is written, the others are read too.
macro_rules! open_enum {
    (
        $(#[$doc:meta])*
        $name:ident $(($compare:ident))? {
            $($(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)*,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this version does not know, as it was sent. Made by `From` only, so that
            /// it never holds a word that is known.
            #[non_exhaustive]
            Other(Box<str>),
        }

        impl $name {
            /// Every word that is known.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }

            fn known(word: &str) -> Option<Self> {
                open_enum!(@find word $($compare)? : $($variant = $word $(| $alias)*,)*)
            }
        }

        impl From<std::borrow::Cow<'_, str>> for $name {
            fn from(word: std::borrow::Cow<'_, str>) -> Self {
                Self::known(&word).unwrap_or_else(|| Self::Other(word.into()))
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                std::borrow::Cow::Borrowed(word).into()
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                std::borrow::Cow::<str>::Owned(word).into()
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                match word {
                    $name::Other(word) => word.into(),
                    known => known.as_str().to_owned(),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(word: &str) -> Result<Self, std::convert::Infallible> {
                Ok(word.into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
    (@find $given:ident : $($variant:ident = $word:literal $(| $alias:literal)*,)*) => {
        match $given {
            $($word $(| $alias)* => Some(Self::$variant),)*
            _ => None,
        }
    };
    (@find $given:ident ignore_ascii_case : $($variant:ident = $word:literal $(| $alias:literal)*,)*) => {{
        let is = |word: &str| $given.eq_ignore_ascii_case(word);
        match $given {
            $($word $(| $alias)* => Some(Self::$variant),)*
            $(_ if is($word) $(|| is($alias))* => Some(Self::$variant),)*
            _ => None,
        }
    }};
}

open_enum! {
    /// `CallbackCommand`: what happened (647/68934).
    Command {
        /// A call ended: participants fell to one or none (647/68940).
        CallEnded = "Call.CallbackAfterEndCall",
        /// A call was started (647/68941).
        CallStarted = "Call.CallbackAfterStartCall",
        /// A member answered, hung up, joined, was invited … (647/69215).
        MemberChanged = "Call.CallbackAfterMemberChanged",
    }
}

open_enum! {
    /// `CallResult`: how a call ended (647/68940).
    CallResult {
        /// The call was connected and ended normally.
        NormalEnd = "NormalEnd",
        /// The caller cancelled before the call was connected.
        Cancel = "Cancel",
        /// The callee declined.
        Reject = "Reject",
        /// The callee did not answer in time.
        NotAnswer = "NotAnswer",
        /// The callee was in another call.
        CallBusy = "CallBusy",
        /// The network or something else broke the call off.
        Interrupt = "Interrupt",
        /// The server no longer saw the members' heart-beat.
        Offline = "Offline",
    }
}

open_enum! {
    /// `MediaType`, which 647/68941 also spells `CallMediaType`.
    MediaType {
        /// Voice only.
        Audio = "Audio",
        /// Voice and picture.
        Video = "Video",
    }
}

open_enum! {
    /// `CallType` (647/68940).
    CallType {
        /// One to one.
        SingleCall = "SingleCall",
        /// A group call.
        MultiCall = "MultiCall",
    }
}

open_enum! {
    /// `Status` of a member in a running call (647/68941, 647/69215).
    MemberStatus {
        /// In the call.
        Calling = "Calling",
        /// Called, has not answered yet.
        Waiting = "Waiting",
    }
}

open_enum! {
    /// `ActionType`: what a member did (647/69215).
    ///
    /// The page's table, sample and comments spell some of these differently; all are read.
    ///
    /// The words are a part of the [idempotency key](crate::IdempotencyKey), which never changes. So a
    /// later version may add words, but no further spelling of one that is there.
    ActionType {
        /// Answered the call.
        Accept = "Accept" | "Answer",
        /// Declined it.
        Reject = "Reject",
        /// Did not answer in time.
        NotAnswer = "NotAnswer",
        /// Hung up.
        HangUp = "Hangup" | "HangUp" | "Hang Up",
        /// Joined a running call.
        Join = "Join",
        /// The server no longer saw the member's heart-beat.
        Offline = "Offline",
        /// Was invited.
        Invite = "Invite" | "Invited",
        /// The invitation was withdrawn.
        CancelInvite = "Cancel_Invite" | "Canncel_Invite",
    }
}

pub(crate) use open_enum;
