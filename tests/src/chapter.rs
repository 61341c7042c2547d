//! The recipes of the guide's chapters, which tests run as they are printed.

use std::fs;
use std::path::Path;

/// Checks that each recipe of a chapter, a block of `rs`, stands in `test`, whose source it is. Line
/// breaks and indentation may differ.
///
/// # Panics
///
/// If one does not, or if there is none.
pub fn assert_is_run(chapter: &str, test: &str) {
    let test = squeezed(test);
    let recipes = blocks(chapter, "rs");
    assert!(!recipes.is_empty(), "{chapter} has no recipe");
    for recipe in recipes {
        assert!(test.contains(&squeezed(&recipe)), "of {chapter}, no test runs\n{recipe}");
    }
}

/// A chapter's blocks of a language, in their order.
///
/// # Panics
///
/// If there is no such chapter.
#[must_use]
pub fn blocks(chapter: &str, language: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let file = root.join("crates/trtc-call-webhook/guide").join(chapter);
    let text = fs::read_to_string(file).expect("a chapter");
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn squeezed(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}
