//! What is wrong with a command line, without the values in it: each may be a URL or a token.

use std::error::Error as _;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The sentence for an error whose own text repeats a value.
pub(super) fn sentence(error: &Error) -> Option<String> {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.clone()),
        Some(ContextValue::Strings(names)) => Some(names.join(", ")),
        _ => None,
    };
    Some(match error.kind() {
        // What the parsers of this program say repeats nothing.
        ErrorKind::ValueValidation => {
            let switch = named(ContextKind::InvalidArg).unwrap_or_default();
            let expected = error.source().map_or_else(String::new, ToString::to_string);
            format!("the value of {switch} is not allowed: it must be {expected}")
        }
        ErrorKind::InvalidValue => {
            let switch = named(ContextKind::InvalidArg).unwrap_or_default();
            let allowed = named(ContextKind::ValidValue).filter(|values| !values.is_empty());
            match allowed {
                Some(values) => format!("the value of {switch} must be one of {values}"),
                None => format!("the value of {switch} cannot be meant: --help says what can"),
            }
        }
        ErrorKind::UnknownArgument => match named(ContextKind::SuggestedArg) {
            Some(switch) => format!("there is no such switch: {switch} is meant, perhaps"),
            None => "there is an argument too many, or a switch that is not known: --help lists \
                     them, and a URL or a command with spaces in it goes in quotes"
                .to_owned(),
        },
        ErrorKind::InvalidSubcommand => "there is no such command: --help lists them".to_owned(),
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues => {
            "a switch has more values than it takes: --help lists them".to_owned()
        }
        _ => return None,
    })
}
