//! Asks the person at the terminal.

use std::io::{self, IsTerminal, Write};

use crate::failure::Failure;

/// Has the person at the terminal say that it is meant.
pub(crate) fn confirm(is_meant: bool, question: &str) -> Result<(), Failure> {
    if is_meant {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::new(format!(
            "nothing is changed. {question} --yes says so where nobody can be asked"
        )));
    }
    let _ = write!(io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(_) if ["y", "yes"].contains(&&*answer.trim().to_lowercase()) => Ok(()),
        _ => Err(Failure::new("nothing is changed")),
    }
}
