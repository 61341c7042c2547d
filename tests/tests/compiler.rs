//! What the compiler says where something of ours is missing: the files in `ui/` do not compile,
//! and the messages say each line that the file's head expects.
//!
//! Whole messages are not compared: all but our own words change with the compiler.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[test]
fn the_compiler_says_what_is_missing() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = package(here);
    let mut failures = String::new();
    for file in ui_files(here) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--bin", &name])
            .arg("--manifest-path")
            .arg(package.join("Cargo.toml"))
            // The folder of this build, where most of what is needed has been checked before.
            .env("CARGO_TARGET_DIR", package.ancestors().nth(2).unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            writeln!(failures, "{name} compiles").unwrap();
        }
        let source = fs::read_to_string(&file).unwrap();
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

fn ui_files(here: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(here.join("ui")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A package with each file as a program, in the versions of the workspace's lock file.
fn package(here: &Path) -> PathBuf {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    fs::create_dir_all(&package).unwrap();
    let crates = here.parent().unwrap().join("crates");
    let mut manifest = String::from(
        "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n\
         [workspace]\n\n[dependencies]\n\
         actix-web = { version = \"4\", default-features = false }\n\
         axum = { version = \"0.8\", default-features = false, features = [\"macros\"] }\n",
    );
    for name in ["", "-actix-web", "-axum", "-tower"] {
        let name = format!("trtc-call-webhook{name}");
        writeln!(manifest, "{name} = {{ path = {:?} }}", crates.join(&name)).unwrap();
    }
    for file in ui_files(here) {
        let name = file.file_stem().unwrap();
        writeln!(manifest, "\n[[bin]]\nname = {name:?}\npath = {file:?}").unwrap();
    }
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::copy(here.parent().unwrap().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}
