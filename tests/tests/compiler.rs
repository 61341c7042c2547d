//! What the compiler says where something of ours is missing: the files in `ui/` do not compile,
//! and the messages say each line that the file's head expects.
//!
//! Whole messages are not compared: all but our own words change with the compiler.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use conformance::package::Package;

#[test]
fn the_compiler_says_what_is_missing() {
    let files = ui_files();
    let mut package = Package::new(
        env!("CARGO_TARGET_TMPDIR"),
        "ui",
        &[
            "trtc-call-webhook",
            "trtc-call-webhook-actix-web",
            "trtc-call-webhook-axum",
            "trtc-call-webhook-tower",
        ],
        "actix-web = { version = \"4\", default-features = false }\n\
         axum = { version = \"0.8\", default-features = false, features = [\"macros\"] }",
    );
    for file in &files {
        package.program(name(file), file);
    }
    let mut failures = String::new();
    for file in &files {
        let name = name(file);
        let said = match package.check(name) {
            Ok(()) => {
                writeln!(failures, "{name} compiles").unwrap();
                continue;
            }
            Err(said) => said,
        };
        let source = fs::read_to_string(file).unwrap();
        let expected: Vec<_> =
            source.lines().filter_map(|line| line.strip_prefix("//! expect: ")).collect();
        assert!(!expected.is_empty(), "{name} expects nothing");
        for line in expected.iter().filter(|line| !said.contains(**line)) {
            writeln!(failures, "{name} does not make the compiler say {line:?}, but:\n{said}")
                .unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn ui_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn name(file: &Path) -> &str {
    file.file_stem().unwrap().to_str().unwrap()
}
