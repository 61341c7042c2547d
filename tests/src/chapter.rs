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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let file = root.join("crates/trtc-call-webhook/guide").join(chapter);
    let text = fs::read_to_string(file).expect("a chapter");
    let test = squeezed(test);
    let recipes: Vec<_> = text.split("```rs\n").skip(1).collect();
    assert!(!recipes.is_empty(), "{chapter} has no recipe");
    for recipe in recipes {
        let (recipe, _) = recipe.split_once("```").expect("the end of a block");
        assert!(test.contains(&squeezed(recipe)), "of {chapter}, no test runs\n{recipe}");
    }
}

fn squeezed(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}
