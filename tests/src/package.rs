//! Packages that a test writes, checked by cargo as a user's are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A package with programs that depend on our crates, in the versions of the workspace's lock file.
pub struct Package {
    folder: PathBuf,
    manifest: String,
}

impl Package {
    /// A package in `tmpdir`, which is a test's `CARGO_TARGET_TMPDIR`: it depends on these of our
    /// crates, and on what else stands in `dependencies`, in a manifest's lines.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn new(tmpdir: &str, name: &str, ours: &[&str], dependencies: &str) -> Self {
        let folder = Path::new(tmpdir).join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let mut manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n\
             [workspace]\n\n[dependencies]\n{dependencies}\n"
        );
        for name in ours {
            let place = root().join("crates").join(name);
            let _ = writeln!(manifest, "{name} = {{ path = {place:?} }}");
        }
        Self { folder, manifest }
    }

    /// Adds a program that stands somewhere else.
    pub fn program(&mut self, name: &str, file: &Path) {
        let _ = writeln!(self.manifest, "\n[[bin]]\nname = {name:?}\npath = {file:?}");
    }

    /// Adds a program by its source.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn source(&mut self, name: &str, source: &str) {
        let file = self.folder.join(name).with_extension("rs");
        fs::write(&file, source).expect("a program");
        self.program(name, &file);
    }

    /// What the compiler says of a program: `Err` if it does not compile.
    ///
    /// # Errors
    ///
    /// All that it says.
    ///
    /// # Panics
    ///
    /// If cargo does not run.
    pub fn check(&self, program: &str) -> Result<(), String> {
        let manifest = self.folder.join("Cargo.toml");
        fs::write(&manifest, &self.manifest).expect("a manifest");
        fs::copy(root().join("Cargo.lock"), self.folder.join("Cargo.lock")).expect("a lock file");
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--bin", program, "--manifest-path"])
            .arg(manifest)
            // The folder of this build, where most of what is needed has been checked before.
            .env("CARGO_TARGET_DIR", self.folder.ancestors().nth(2).expect("a target folder"))
            .output()
            .expect("cargo");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}
