//! One operation that is measured, found by its name.

use std::fmt;
use std::hint::black_box;

use crate::adapters::{self, Framework, Variant};
use crate::cases::{self, Case};
use crate::{floor, hand_written, ours, peers};

/// An operation that runs as often as it is told.
pub(crate) struct Op(Box<dyn FnMut(u64)>);

impl Op {
    /// An operation on a case. What it makes is dropped within what is measured.
    pub(crate) fn new<T>(case: Case, mut operation: impl FnMut(&Case) -> T + 'static) -> Self {
        Self::repeated(move |times| {
            for _ in 0..times {
                black_box(operation(black_box(&case)));
            }
        })
    }

    /// An operation that does the repeating by itself.
    pub(crate) fn repeated(run: impl FnMut(u64) + 'static) -> Self {
        Self(Box::new(run))
    }

    pub(crate) fn run(&mut self, times: u64) {
        (self.0)(times);
    }

    /// The operation of a name.
    pub(crate) fn find(name: &Name) -> Option<Self> {
        let case = || Case::named(&name.case);
        Some(match name.what {
            What::Core(step, Who::Ours) => match step {
                Step::Head => ours::head(case()?),
                Step::Signature => ours::signature(case()?),
                Step::Decode => ours::decode(case()?),
                Step::All => ours::all(case()?),
            },
            What::Core(step, Who::HandWritten) => match step {
                Step::Head => hand_written::head(case()?),
                Step::Signature => hand_written::signature(case()?),
                Step::Decode => hand_written::decode(case()?),
                Step::All => hand_written::all(case()?),
            },
            What::Core(step, Who::Floor) => match step {
                Step::Head => floor::head(case()?),
                Step::Signature => floor::signature(case()?),
                Step::Decode => floor::decode(case()?),
                Step::All => floor::all(case()?),
            },
            What::Peer(Peer::StandardWebhooks) => peers::standardwebhooks(case()?),
            What::Peer(Peer::Github) => peers::github(case()?),
            What::Hash => floor::hash(case()?),
            What::Foreign => ours::head(case()?.foreign()),
            What::BadlySigned => ours::head(case()?.badly_signed()),
            What::WrongDigit(place) => ours::head(case()?.with_wrong_digit(place)?),
            What::MatchingToken(place) => ours::rotation(&case()?, place)?,
            What::Adapter(framework, variant) => {
                adapters::op(framework, variant, &Case::sent_now(&name.case)?)
            }
        })
    }
}

/// The name of an operation: a case, and what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) what: What,
    pub(crate) case: String,
}

/// What is done with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Core(Step, Who),
    Peer(Peer),
    /// SHA-256 alone.
    Hash,
    /// The refusal of the case, sent for an app that is not ours.
    Foreign,
    /// The refusal of the case, with a wrong signature.
    BadlySigned,
    /// The refusal of the case, with one digit of its signature changed.
    WrongDigit(usize),
    /// The case, signed with this one of several tokens.
    MatchingToken(usize),
    /// A request to a framework, without a socket.
    Adapter(Framework, Variant),
}

/// A step of core's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Head,
    Signature,
    Decode,
    All,
}

/// Whose core's work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Ours,
    HandWritten,
    Floor,
}

/// A published crate for webhooks of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    StandardWebhooks,
    Github,
}

/// Gives the values of an enum their texts.
macro_rules! texts {
    ($name:ident { $($variant:ident = $text:literal,)* }) => {
        impl $name {
            /// All of them, in the order of the tables.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub(crate) const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.text() == text)
            }
        }
    };
}

texts! { Step { Head = "head", Signature = "signature", Decode = "decode", All = "all", } }
texts! { Who { Ours = "ours", HandWritten = "hand-written", Floor = "floor", } }
texts! { Peer { StandardWebhooks = "standardwebhooks", Github = "axum-github-webhook-extract", } }
texts! { Framework { Axum = "axum", ActixWeb = "actix-web", Tower = "tower", } }
texts! {
   Variant {
       Request = "request",
       Bare = "bare",
       Floor = "bare+floor",
       Core = "bare+core",
       HandWritten = "hand-written",
       Ours = "ours",
   }
}

impl Name {
    pub(crate) fn new(what: What, case: &str) -> Self {
        Self { what, case: case.to_owned() }
    }

    /// Reads what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (what, case) = match parts[..] {
            ["core", case, step, who] => (What::Core(Step::parse(step)?, Who::parse(who)?), case),
            ["peer", case, peer] => (What::Peer(Peer::parse(peer)?), case),
            ["hash"] => (What::Hash, cases::MAIN),
            ["refused", case, "foreign"] => (What::Foreign, case),
            ["refused", case, "badly-signed"] => (What::BadlySigned, case),
            ["wrong-digit", case, place] => (What::WrongDigit(place.parse().ok()?), case),
            ["matching-token", case, place] => (What::MatchingToken(place.parse().ok()?), case),
            ["adapter", case, framework, variant] => {
                (What::Adapter(Framework::parse(framework)?, Variant::parse(variant)?), case)
            }
            _ => return None,
        };
        Some(Self::new(what, case))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = &self.case;
        match self.what {
            What::Core(step, who) => write!(f, "core/{case}/{}/{}", step.text(), who.text()),
            What::Peer(peer) => write!(f, "peer/{case}/{}", peer.text()),
            What::Hash => f.write_str("hash"),
            What::Foreign => write!(f, "refused/{case}/foreign"),
            What::BadlySigned => write!(f, "refused/{case}/badly-signed"),
            What::WrongDigit(place) => write!(f, "wrong-digit/{case}/{place}"),
            What::MatchingToken(place) => write!(f, "matching-token/{case}/{place}"),
            What::Adapter(framework, variant) => {
                write!(f, "adapter/{case}/{}/{}", framework.text(), variant.text())
            }
        }
    }
}

impl Framework {
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Variant {
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for what in [
            What::Core(Step::Decode, Who::Floor),
            What::Peer(Peer::Github),
            What::Hash,
            What::WrongDigit(63),
            What::MatchingToken(2),
            What::Foreign,
            What::BadlySigned,
            What::Adapter(Framework::ActixWeb, Variant::HandWritten),
        ] {
            let name = Name::new(what, cases::MAIN);
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn every_operation_runs() {
        for case in cases::ALL {
            for step in Step::ALL {
                for who in Who::ALL {
                    Op::find(&Name::new(What::Core(*step, *who), case)).unwrap().run(2);
                }
            }
            for peer in Peer::ALL {
                Op::find(&Name::new(What::Peer(*peer), case)).unwrap().run(2);
            }
        }
    }

    #[test]
    fn every_variant_takes_the_right_and_refuses_the_wrong() {
        let accepts =
            |case: &Case| [ours::accepts(case), hand_written::accepts(case), floor::accepts(case)];
        for name in ["members-2", "escapes", "unknown-command"] {
            let case = Case::named(name).unwrap();
            assert_eq!(accepts(&case), [true; 3], "{name}");
            assert_eq!(accepts(&case.foreign()), [false; 3], "{name}");
            assert_eq!(accepts(&case.badly_signed()), [false; 3], "{name}");
        }
        let mut stale = Case::named("members-2").unwrap();
        stale.request_time += cases::WINDOW + 1;
        assert_eq!(accepts(&stale), [false; 3]);
        // `accepts` decodes ours as a call that ended, which acknowledges other commands.
        assert_eq!(accepts(&Case::named("member-changed").unwrap()), [true; 3]);
    }
}
