//! The example servers and the command `trtc-call`, built.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The packages of the example servers that do the same, each in its framework.
pub const EXAMPLES: [&str; 3] = ["example-axum", "example-actix-web", "example-hyper"];

/// The package of the example that stores and bills.
pub const BILLING: &str = "example-billing";

/// The package of the command that sends callbacks.
const COMMAND: &str = "trtc-call-cli";

/// The switches of all programs; they have none but what a test gives them.
const SWITCHES: [&str; 15] = [
    "ADDR",
    "SDK_APP_ID",
    "CALLBACK_TOKEN",
    "INBOX",
    "BILL_FAIL_FIRST",
    "BILL_DELAY_MS",
    "CONFIRM",
    "TRTC_SECRET_KEY",
    "TRTC_API_URL",
    "TLS_CERT",
    "TLS_KEY",
    "RUST_LOG",
    // Of all that print in colours.
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
];

/// The programs, built.
pub struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds them, once in each process, beside the tests that ask for it: `tmpdir` is their
    /// `CARGO_TARGET_TMPDIR`, and the profile is theirs.
    ///
    /// # Panics
    ///
    /// If they do not compile.
    #[must_use]
    pub fn build(tmpdir: &str) -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            let target = Path::new(tmpdir).parent().expect("a target folder");
            Self::compile(target, EXAMPLES.into_iter().chain([BILLING, COMMAND]))
        })
    }

    /// Builds these packages beside this program, in its profile.
    ///
    /// # Panics
    ///
    /// If they do not compile.
    #[must_use]
    pub fn build_beside(packages: &[&str]) -> Self {
        let folder = profile_folder();
        let target = folder.parent().expect("a target folder");
        Self::compile(target, packages.iter().copied())
    }

    /// Builds an example of this package beside the tests that ask for it, as [`build`](Self::build)
    /// does.
    ///
    /// # Panics
    ///
    /// If it does not compile.
    #[must_use]
    pub fn build_example(tmpdir: &str, name: &str) -> Self {
        let target = Path::new(tmpdir).parent().expect("a target folder");
        Self::run_cargo(target, &["--package", env!("CARGO_PKG_NAME"), "--example", name])
    }

    fn compile<'a>(target: &Path, packages: impl IntoIterator<Item = &'a str>) -> Self {
        let packages: Vec<&str> =
            packages.into_iter().flat_map(|name| ["--package", name]).collect();
        Self::run_cargo(target, &packages)
    }

    fn run_cargo(target: &Path, what: &[&str]) -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--locked", "--profile", &profile()])
            .args(["--message-format", "json-render-diagnostics", "--target-dir"])
            .arg(target)
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .args(what);
        // What cargo tells a program about its package would make it build anew whatever asks for
        // the same about its own.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        let output = cargo.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(String::from_utf8_lossy(&output.stdout).lines().filter_map(executable).collect())
    }

    /// Where a program is.
    #[must_use]
    pub fn path(&self, name: &str) -> &Path {
        &self.0[name]
    }

    /// A program in an environment without any of its switches.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        without_switches(Command::new(&self.0[name]))
    }

    /// Like [`command`](Self::command), in a shell that has run a line before it: `ulimit -n 64`,
    /// say.
    #[must_use]
    pub fn command_after(&self, line: &str, name: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{line} && exec \"$0\"")]).arg(&self.0[name]);
        without_switches(shell)
    }
}

fn without_switches(mut command: Command) -> Command {
    command.stdin(Stdio::null());
    for switch in SWITCHES {
        command.env_remove(switch);
    }
    command
}

/// The name of an example, once it is built: that takes its time.
#[must_use]
pub fn built<'a>(name: &'a str, tmpdir: &str) -> &'a str {
    let _ = Programs::build(tmpdir);
    name
}

/// The profile that this program was built with.
fn profile() -> String {
    match profile_folder().file_name().and_then(OsStr::to_str).expect("a name") {
        "debug" => "dev".to_owned(),
        name => name.to_owned(),
    }
}

/// `target/debug`, of `target/debug/program` as of `target/debug/deps/test`.
fn profile_folder() -> PathBuf {
    let program = env::current_exe().expect("this program");
    let mut folders = program.ancestors().skip(1);
    folders.find(|folder| !folder.ends_with("deps")).expect("a folder").to_owned()
}

/// The name and the place of a program, if this line of cargo's is about one.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let program = message["executable"].as_str()?;
    Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(program)))
}

/// What a command prints that gets `input` on its standard input, once it has ended.
///
/// # Panics
///
/// If it cannot be started.
#[must_use]
pub fn output(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command");
    // Whoever does not read its input closes it.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("its output")
}
