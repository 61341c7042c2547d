//! The names of what is measured. An operation's name says what it does with which case.

use crate::adapters::{FRAMEWORKS, HANDLERS};
use crate::cases::{ALL, MAIN};
use crate::ours::TOKENS;

/// The steps of core's work.
pub const STEPS: [&str; 4] = ["head", "signature", "decode", "all"];
/// Whose work it is.
pub const WHO: [&str; 3] = ["ours", "hand-written", "floor"];
/// The refusals of the main case: an app that is not ours, a wrong signature.
pub const REFUSED: [&str; 2] = ["refused/members-2/foreign", "refused/members-2/badly-signed"];
/// The members of the calls in the plot.
pub const MEMBERS: [usize; 8] = [1, 2, 9, 50, 100, 200, 350, 500];

/// A step of a case, by somebody.
pub fn core(case: &str, step: &str, who: &str) -> String {
    format!("core/{case}/{step}/{who}")
}

/// All of a case: ours, then the published crates for webhooks of other kinds.
pub fn with_peers(case: &str) -> [String; 3] {
    let [standard, github] = ["standardwebhooks", "github"].map(|it| format!("peer/{case}/{it}"));
    [core(case, "all", "ours"), standard, github]
}

/// A request to a framework, without a socket.
pub fn adapter(framework: &str, handler: &str) -> String {
    format!("adapter/{MAIN}/{framework}/{handler}")
}

/// What is timed. What is compared follows one on the other.
pub fn timed() -> Vec<String> {
    let by_all = |case: &str, step| WHO.map(|who| core(case, step, who));
    let mut names = Vec::new();
    for case in ALL {
        names.extend(STEPS.iter().flat_map(|step| by_all(case, step)));
        names.extend(with_peers(case).into_iter().skip(1));
    }
    names.extend(REFUSED.map(str::to_owned));
    let more = MEMBERS.map(|members| format!("members-{members}"));
    let more = more.iter().filter(|case| !ALL.contains(&case.as_str()));
    names.extend(more.flat_map(|case| by_all(case, "all")));
    names
}

/// What is counted in instructions: what is timed, and the adapters.
pub fn counted() -> Vec<String> {
    [timed(), adapters()].concat()
}

/// Whose allocations are counted.
pub fn allocating() -> Vec<String> {
    let all = ALL.iter().flat_map(|case| WHO.map(|who| core(case, "all", who)));
    all.chain(adapters()).collect()
}

fn adapters() -> Vec<String> {
    FRAMEWORKS.iter().flat_map(|it| HANDLERS.map(|handler| adapter(it, handler))).collect()
}

/// Whose count of instructions is recorded, and held.
pub fn held() -> Vec<String> {
    let all = [MAIN, "member-changed", "unknown-command"].map(|case| core(case, "all", "ours"));
    let adapters = FRAMEWORKS.map(|framework| adapter(framework, "ours"));
    let head = core(MAIN, "head", "ours");
    [&[head][..], &all, &REFUSED.map(str::to_owned), &adapters].concat()
}

/// All of the main case, by each.
pub fn compared() -> [String; 3] {
    WHO.map(|who| core(MAIN, "all", who))
}

/// A signature that is wrong in one place, for each place.
pub fn wrong_digits() -> Vec<String> {
    (0..64).map(|place| format!("wrong-digit/{MAIN}/{place}")).collect()
}

/// A signature by one of several tokens, for each of them.
pub fn matching_tokens() -> Vec<String> {
    (0..TOKENS.len()).map(|place| format!("matching-token/{MAIN}/{place}")).collect()
}
