//! Where an app's data are.

use std::fmt;
use std::str::FromStr;

/// Writes the table of regions once: name, host.
macro_rules! regions {
    ($($(#[$doc:meta])* $region:ident, $name:literal, $host:literal;)*) => {
        /// The region that an app's data are in: it was chosen when the app was made (647/68926).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Region {
            $($(#[$doc])* $region,)*
        }

        impl Region {
            /// Every region.
            pub const ALL: &'static [Self] = &[$(Self::$region),*];

            /// Its name, which `FromStr` reads and `Display` writes: `china`, `silicon-valley`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$region => $name,)* }
            }

            /// The vendor's host for it.
            #[must_use]
            pub const fn host(self) -> &'static str {
                match self { $(Self::$region => $host,)* }
            }
        }
    };
}

regions! {
    /// China.
    China, "china", "console.tim.qq.com";
    /// Singapore.
    Singapore, "singapore", "adminapisgp.im.qcloud.com";
    /// Seoul.
    Seoul, "seoul", "adminapikr.im.qcloud.com";
    /// Frankfurt. The pages of the callback's settings do not list it, those of records do.
    Frankfurt, "frankfurt", "adminapiger.im.qcloud.com";
    /// Silicon Valley. The pages of the callback's settings do not list it, those of records do.
    SiliconValley, "silicon-valley", "adminapiusa.im.qcloud.com";
    /// Jakarta. The pages of the callback's settings do not list it, those of records do.
    Jakarta, "jakarta", "adminapiidn.im.qcloud.com";
    /// Tokyo. Only the page of `GetIPList` lists it (1047/36742).
    Tokyo, "tokyo", "adminapijpn.im.qcloud.com";
    /// Mumbai. None of the vendor's pages lists it, only other people's clients.
    Mumbai, "mumbai", "adminapiind.im.qcloud.com";
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(name: &str) -> Result<Self, InvalidRegion> {
        Self::ALL.iter().copied().find(|region| region.as_str() == name).ok_or(InvalidRegion(()))
    }
}

/// A text is no [`Region`]'s name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRegion(());

impl fmt::Display for InvalidRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a region is one of")?;
        for (index, region) in Region::ALL.iter().enumerate() {
            write!(f, "{} {region}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidRegion {}
