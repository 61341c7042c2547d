//! The words in a URL that nothing is decided by.

use crate::event::open_enum;

open_enum! {
    /// `OptPlatform`: the platform of the client that caused the callback.
    ///
    /// The documents spell the same platform in several cases, so case does not count. What
    /// server-side triggers (a time-out, the REST API) send is not documented for Call.
    OptPlatform (ignore_ascii_case) {
        /// The vendor's REST API.
        RestApi = "RESTAPI",
        /// A browser.
        Web = "Web",
        /// Android.
        Android = "Android",
        /// iOS.
        Ios = "iOS",
        /// iPadOS.
        Ipad = "iPad",
        /// Windows.
        Windows = "Windows",
        /// macOS.
        Mac = "Mac" | "macOS",
        /// A mini program.
        MiniProgram = "miniProgram",
        /// The vendor does not know it either; older documents misspell the word.
        Unknown = "Unknown" | "Unkown",
    }
}

open_enum! {
    /// `contenttype`: the form of the body (647/68940). Case does not count.
    ContentType (ignore_ascii_case) {
        /// The only one that is documented.
        Json = "json",
    }
}
