//! Faults of a disk, made by strace: the system calls of a program fail, or take long.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Once;

use crate::descriptors::skipped;
use crate::example::Example;

/// Faults in the system calls of an example, until this is dropped.
pub struct Injection(Child);

impl Injection {
    /// Has the example's calls on these files fail, as strace's `inject` says. `None` if that cannot be
    /// here: a line has said so.
    ///
    /// # Panics
    ///
    /// If strace does not understand it.
    #[must_use]
    pub fn into(example: &Example, files: &[String], faults: &str) -> Option<Self> {
        static SAID: Once = Once::new();
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-p", &example.id().to_string()]);
        command.args(files.iter().flat_map(|file| ["-P", file]));
        command.args(["-e", &format!("inject={faults}")]);
        let reason = match command.stderr(Stdio::piped()).spawn() {
            Err(error) => error.to_string(),
            Ok(mut strace) => {
                let mut stderr = BufReader::new(strace.stderr.take().expect("a pipe"));
                let mut said = String::new();
                // strace says when all of the program's threads are in its hands.
                while !said.contains(" attached") {
                    if stderr.read_line(&mut said).expect("UTF-8") == 0 {
                        break;
                    }
                }
                if said.contains(" attached") {
                    // Whoever does not read what it says further holds it up.
                    std::thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
                    return Some(Self(strace));
                }
                assert!(!said.contains("invalid"), "{said}");
                let _ = strace.wait();
                said.trim_end().to_owned()
            }
        };
        SAID.call_once(|| skipped(&format!("strace ({reason}): no faults of a disk are tested")));
        None
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        // It lets go of the program before it ends; a kill would leave that to the kernel.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}
