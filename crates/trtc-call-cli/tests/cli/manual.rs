//! `--help`, `--version`, `completions` and `man`.

use crate::common::{sentence, stdout, trtc_call};

const COMMANDS: [&str; 13] = [
    "demo",
    "send",
    "listen",
    "explain",
    "inbox",
    "usersig",
    "callback",
    "record",
    "records",
    "doctor",
    "vendor",
    "completions",
    "man",
];

/// Commands that have verbs, and these.
const VERBS: [(&str, &[&str]); 2] = [
    (
        "inbox",
        &["status", "list", "show", "replay", "discard", "resolve", "erase", "prune", "check"],
    ),
    ("callback", &["get", "set", "delete"]),
];

#[test]
fn every_help_has_examples() {
    let all = stdout(&trtc_call(["--help"]).output().unwrap(), 0);
    for command in COMMANDS {
        assert!(all.contains(&format!("\n  {command} ")), "{all}");
        for help in ["-h", "--help"] {
            let text = stdout(&trtc_call([command, help]).output().unwrap(), 0);
            let (_, examples) = text.split_once("\nExamples:\n").unwrap();
            assert!(examples.contains(&format!("trtc-call {command}")), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
    }
    assert!(all.contains("\nExamples:\n"), "{all}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let text = stdout(&trtc_call(["--version"]).output().unwrap(), 0);
    assert_eq!(text, concat!("trtc-call ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions_know_every_command_and_its_switches() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&trtc_call(["completions", shell]).output().unwrap(), 0);
        let verbs = VERBS.iter().flat_map(|(_, verbs)| *verbs);
        let switches = ["replay-window", "wrong-signature", "since", "random-segment"];
        for word in COMMANDS.iter().chain(verbs).chain(&switches) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let output = trtc_call(["completions", "cmd"]).output().unwrap();
    assert_eq!(stdout(&output, 2), "");
}

#[test]
fn the_manual_is_one_page_with_every_command() {
    let page = stdout(&trtc_call(["man"]).output().unwrap(), 0);
    assert!(page.contains("\n.TH trtc-call 1 "), "{page}");
    for command in COMMANDS {
        let heading = format!("\n.SH \"TRTC-CALL {}\"\n", command.to_uppercase());
        let (_, part) = page.split_once(&heading).unwrap();
        let part = part.split_once("\n.SH ").map_or(part, |(part, _)| part);
        for section in ["SYNOPSIS", "DESCRIPTION", "EXAMPLES"] {
            assert!(part.contains(&format!("\n.SS {section}\n")), "{command}: {section}");
        }
        assert!(part.contains(&format!("trtc\\-call {command}")), "{part}");
    }
    for (command, verbs) in VERBS {
        let heading = format!("\n.SH \"TRTC-CALL {}", command.to_uppercase());
        let (_, examples) = page.split_once(&format!("{heading}\"\n")).unwrap();
        for verb in verbs {
            assert!(page.contains(&format!("{heading} {}\"\n", verb.to_uppercase())), "{verb}");
            assert!(examples.contains(&format!("trtc\\-call {command} {verb}")), "{verb}");
        }
    }
    // No other page is named: there is none.
    assert!(!page.contains("(1)"), "{page}");
}

/// `/dev/full` takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_no_success() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["send", "--help"],
        &["help", "send"],
        &["--version"],
        &["completions", "bash"],
        &["man"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = trtc_call(args).stdout(full).output().unwrap();
        assert!(sentence(&output).contains("cannot write to standard output"), "{args:?}");
    }
}

#[test]
fn what_is_misspelt_ends_with_status_2() {
    for args in [&["explian"][..], &["demo", "--jsno"], &["explain", "--takes", "callended"], &[]] {
        stdout(&trtc_call(args).output().unwrap(), 2);
    }
    assert!(sentence(&trtc_call(["explain", "--at", "noon"]).output().unwrap()).contains("--at"));
}
