//! JSON as it stands: keys twice, digits, and texts that are none, by a parser that is not ours.

use std::borrow::Cow;

use hifijson::num::LexWrite as _;
use hifijson::str::{Lex as _, LexAlloc as _};
use hifijson::token::Lex;
use hifijson::{Error, Expect, SliceLexer};

/// Deeper than this the oracle does not look, since it calls itself. Ours has no such limit; the
/// table has cases for that.
const MAX_DEPTH: usize = 500;

/// A text, or `None` for one that has an escaped lone surrogate.
pub type Text<'a> = Option<Cow<'a, str>>;

/// A value.
#[derive(Debug)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number, as it is written.
    Number(&'a str),
    /// A string.
    Text(Text<'a>),
    /// An array.
    Array(Vec<Self>),
    /// An object, with all of its keys.
    Object(Vec<(Text<'a>, Self)>),
}

/// Parses one value with nothing but white space around it.
///
/// # Errors
///
/// What the parser says; [`Error::Depth`] means that it does not know.
pub fn parse(text: &str) -> Result<Json<'_>, Error> {
    SliceLexer::new(text.as_bytes()).exactly_one(Lex::ws_peek, |next, lexer| value(next, lexer, 0))
}

fn value<'a>(next: u8, lexer: &mut SliceLexer<'a>, depth: usize) -> Result<Json<'a>, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::Depth);
    }
    match next {
        b'"' => Ok(Json::Text(string(lexer)?)),
        b'-' | b'0'..=b'9' => Ok(Json::Number(lexer.num_string().validated()?.0)),
        b'[' => {
            let mut entries = Vec::new();
            lexer.discarded().seq(b']', Lex::ws_peek, |next, lexer| {
                entries.push(value(next, lexer, depth + 1)?);
                Ok::<_, Error>(())
            })?;
            Ok(Json::Array(entries))
        }
        b'{' => {
            let mut members = Vec::new();
            lexer.discarded().seq(b'}', Lex::ws_peek, |next, lexer| {
                if next != b'"' {
                    return Err(Expect::String.into());
                }
                let key = string(lexer)?;
                lexer.expect(Lex::ws_peek, b':').ok_or(Expect::Colon)?;
                let next = lexer.ws_peek().ok_or(Expect::Value)?;
                members.push((key, value(next, lexer, depth + 1)?));
                Ok::<_, Error>(())
            })?;
            Ok(Json::Object(members))
        }
        _ => match lexer.null_or_bool().ok_or(Expect::Value)? {
            Some(_) => Ok(Json::Bool),
            None => Ok(Json::Null),
        },
    }
}

/// Checks that it is well formed first, and decodes it then: only the second may fail.
fn string<'a>(lexer: &mut SliceLexer<'a>) -> Result<Text<'a>, Error> {
    let mut again = SliceLexer::new(lexer.as_slice());
    lexer.discarded().str_ignore()?;
    Ok(again.discarded().str_string().ok())
}
