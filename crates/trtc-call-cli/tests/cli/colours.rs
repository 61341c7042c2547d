//! Colours: for terminals, and not where `NO_COLOR` is set.

use std::process::Command;

use crate::common::{APP, Listen, TOKEN, stdout, trtc_call};

/// Every task that prints for people.
fn tasks(url: &str) -> Vec<Command> {
    let app = ["--sdk-app-id", APP];
    let send = |more: &[&str]| {
        trtc_call([&["send", "--url", url, "--token", TOKEN][..], &app, more].concat())
    };
    vec![
        trtc_call(["demo"]),
        trtc_call(
            [&["explain", "--url", "/c?SdkAppid=1400000001", "--body", "{}"][..], &app].concat(),
        ),
        send(&[]),
        send(&["--all-results"]),
        send(&["--count", "3"]),
        trtc_call(["explain", "--help"]),
    ]
}

fn printed(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn a_terminal_gets_colours_unless_it_wants_none() {
    let listen = Listen::start(&[]);
    for mut task in tasks(&listen.url) {
        let plain = printed(&mut task);
        assert!(plain.len() > 100 && !plain.contains('\u{1b}'), "{plain}");
        // What a terminal would get.
        let coloured = printed(task.env("CLICOLOR_FORCE", "1"));
        assert!(coloured.contains("\u{1b}["), "{coloured}");
        let plain = printed(task.env("NO_COLOR", "1"));
        assert!(plain.len() > 100 && !plain.contains('\u{1b}'), "{plain}");
    }
}

#[test]
fn lines_of_callbacks_have_colours_likewise() {
    for (no_color, is_coloured) in [("", true), ("1", false)] {
        let mut command = trtc_call(["listen", "--addr", "127.0.0.1:0", "--token", TOKEN]);
        let command = command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", no_color);
        let mut listen = Listen::spawn(command);
        let send = ["send", "--sdk-app-id", APP, "--token", TOKEN, "--url", &listen.url];
        stdout(&trtc_call(send).output().unwrap(), 0);
        assert_eq!(listen.line().contains("\u{1b}["), is_coloured);
    }
}

/// A machine that asks for JSON never gets anything else.
#[test]
fn json_has_no_colours() {
    let listen = Listen::start(&[]);
    for mut task in tasks(&listen.url).into_iter().take(5) {
        let lines = printed(task.arg("--json").env("CLICOLOR_FORCE", "1"));
        for line in lines.lines() {
            assert!(line.starts_with('{') && line.ends_with('}') && !line.contains('\u{1b}'));
        }
        assert!(lines.ends_with('\n'), "{lines}");
    }
}

/// The terminal itself, where there is a program that makes one.
#[cfg(target_os = "linux")]
#[test]
fn a_real_terminal_gets_colours() {
    let program = env!("CARGO_BIN_EXE_trtc-call");
    for (no_color, is_coloured) in [(None, true), (Some("1"), false)] {
        let mut script = Command::new("script");
        script.args(["-qec", &format!("'{program}' demo"), "/dev/null"]).env("TERM", "xterm");
        script.env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR").env_remove("CLICOLOR");
        if let Some(value) = no_color {
            script.env("NO_COLOR", value);
        }
        let Ok(output) = script.output() else {
            println!("skipped: there is no program `script`");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("the handler saw"), "{text}");
        assert_eq!(text.contains("\u{1b}["), is_coloured, "{text}");
    }
}
