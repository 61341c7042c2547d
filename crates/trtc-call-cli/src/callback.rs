//! `trtc-call callback`: where the vendor sends an app's callbacks.
//!
//! The URL may have a secret in its path. It is what these commands are asked for, and stands nowhere but
//! in their output.

mod url;

use std::process::ExitCode;

use serde_json::{Value, json};
use trtc_call_api::{CallbackSettings, Error, ErrorKind};
use trtc_call_webhook::Command;

pub(crate) use self::url::has_secret;
use crate::api::Api;
use crate::args::{CallbackArgs, CallbackVerb};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::out::plain;
use crate::{out, settings};

pub(crate) fn run(args: CallbackArgs) -> Result<ExitCode, Failure> {
    match args.verb {
        CallbackVerb::Get => get(&Api::new(args.api)?),
        CallbackVerb::Set(set_args) => {
            let wanted = wanted(set_args.url, set_args.random_segment, set_args.command)?;
            set(&Api::new(args.api)?, &wanted, set_args.yes)
        }
        CallbackVerb::Delete(delete_args) => delete(&Api::new(args.api)?, delete_args.yes),
    }
}

fn get(api: &Api) -> Result<ExitCode, Failure> {
    let Some(set) = api.run(api.client.callback())? else { return nothing() };
    if api.is_json {
        print_json(&object(&set))?;
    } else {
        out::print(&difference(Some(&set), Some(&set)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn set(api: &Api, wanted: &CallbackSettings, is_meant: bool) -> Result<ExitCode, Failure> {
    let before = api.run(api.client.callback())?;
    let is_changed = before.as_ref().is_none_or(|before| !is_same(before, wanted));
    let difference = difference(before.as_ref(), Some(wanted));
    show(api, &difference, is_meant || !is_changed)?;
    if is_changed {
        let question = match &before {
            Some(_) => "This overwrites what is set.",
            None => "Callbacks are sent there then.",
        };
        confirm(is_meant, question)?;
        let set = api.wait(api.client.set_callback(wanted));
        set.map_err(|error| failed(api, &difference, is_meant, error, "set"))?;
    }
    if api.is_json {
        let before = before.as_ref().map(object);
        print_json(&json!({
            "url": wanted.url,
            "commands": wanted.commands,
            "changed": is_changed,
            "before": before,
        }))?;
    } else {
        out::print(if is_changed { "it is set\n" } else { "it was set already\n" })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn delete(api: &Api, is_meant: bool) -> Result<ExitCode, Failure> {
    let Some(before) = api.run(api.client.callback())? else { return nothing() };
    let difference = difference(Some(&before), None);
    show(api, &difference, is_meant)?;
    confirm(is_meant, "No callbacks are sent then.")?;
    let deleted = api.wait(api.client.delete_callback());
    deleted.map_err(|error| failed(api, &difference, is_meant, error, "deleted"))?;
    if api.is_json {
        print_json(&json!({ "deleted": true, "before": object(&before) }))?;
    } else {
        out::print("it is deleted\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is to be set. Warns of a URL that works, but not well.
fn wanted(
    url: String,
    with_segment: bool,
    commands: Vec<String>,
) -> Result<CallbackSettings, Failure> {
    let url = url::read(url, with_segment)?;
    if commands.iter().any(String::is_empty) {
        return Err(Failure::new("--command must be a value, or not be given"));
    }
    let commands = if commands.is_empty() {
        Command::KNOWN.to_vec()
    } else {
        commands.into_iter().map(settings::command).collect()
    };
    for command in commands.iter().filter(|command| !Command::KNOWN.contains(command)) {
        let name = plain(command.as_str());
        out::note(&format!("{name} is not documented: nothing may come of it"));
    }
    Ok(CallbackSettings::new(url, commands))
}

/// Why a change failed. What fails at the vendor, or on the way back, may be done nevertheless: then the URL
/// that is new, or was set, must not be lost.
fn failed(api: &Api, difference: &str, is_meant: bool, error: Error, done: &str) -> Failure {
    if api.is_json && is_meant {
        out::note(difference.trim_end());
    }
    let is_refused = error.kind() == ErrorKind::Refused && !error.is_transient();
    let is_unchanged = is_refused || error.is_rate_limited();
    let failure = Failure::from(error);
    if is_unchanged {
        return failure;
    }
    Failure::new(format!(
        "{failure}; it may be {done} nevertheless: `trtc-call callback get` tells"
    ))
}

/// Whether callbacks go to the same place, whatever the order of the commands.
fn is_same(one: &CallbackSettings, other: &CallbackSettings) -> bool {
    let is_in = |commands: &[Command], others: &[Command]| {
        commands.iter().all(|command| others.contains(command))
    };
    one.url == other.url
        && is_in(&one.commands, &other.commands)
        && is_in(&other.commands, &one.commands)
}

/// Shows what would change: to a program only if a person is asked behind it.
fn show(api: &Api, difference: &str, is_meant: bool) -> Result<(), Failure> {
    match (api.is_json, is_meant) {
        (false, _) => out::print(difference),
        (true, false) => {
            out::note(difference.trim_end());
            Ok(())
        }
        (true, true) => Ok(()),
    }
}

/// What is set before and after: a line for each value, with a sign where it changes.
fn difference(before: Option<&CallbackSettings>, after: Option<&CallbackSettings>) -> String {
    let urls = [before, after].map(|set| set.map(|set| vec![&*set.url]).unwrap_or_default());
    let commands = [before, after].map(|set| {
        set.map(|set| set.commands.iter().map(Command::as_str).collect()).unwrap_or_default()
    });
    let mut text = String::new();
    for (name, [before, after]) in [("url", urls), ("commands", commands)] {
        let gone = before.iter().filter(|value| !after.contains(value)).map(|value| ("- ", value));
        let stay =
            after.iter().map(|value| (if before.contains(value) { "" } else { "+ " }, value));
        for (place, (sign, value)) in gone.chain(stay).enumerate() {
            let name = if place == 0 { name } else { "" };
            out::add(&mut text, name, &format!("{sign}{}", plain(value)));
        }
    }
    text
}

fn object(set: &CallbackSettings) -> Value {
    json!({ "url": set.url, "commands": set.commands })
}

fn print_json(line: &Value) -> Result<(), Failure> {
    out::print_line(line.to_string().into_bytes())
}

/// What ends with status 1.
fn nothing() -> Result<ExitCode, Failure> {
    out::note("trtc-call: no callback is set");
    Ok(ExitCode::FAILURE)
}
