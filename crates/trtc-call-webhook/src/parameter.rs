//! The parameters of the protocol, each named once.

use std::fmt;

/// Defines the parameters of the protocol by their keys in the URL.
macro_rules! parameters {
    ($($parameter:ident = $key:literal,)*) => {
        /// A parameter of the protocol, in a URL's query (647/68940; the last two by 34354).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Parameter {
            $(#[doc = concat!("`", $key, "`.")] $parameter,)*
        }

        impl Parameter {
            /// All of them, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$parameter),*];

            /// The key in the URL.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$parameter => $key,)* }
            }

            /// The parameter of a key, whose case does not count.
            pub(crate) fn find(key: &str) -> Option<Self> {
                match key {
                    $($key => Some(Self::$parameter),)*
                    _ => Self::ALL.iter().copied().find(|p| p.key().eq_ignore_ascii_case(key)),
                }
            }
        }
    };
}

parameters! {
    SdkAppId = "SdkAppid",
    Command = "CallbackCommand",
    ContentType = "contenttype",
    ClientIp = "ClientIP",
    Platform = "OptPlatform",
    Sign = "Sign",
    RequestTime = "RequestTime",
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}
