//! What a switch names: a file, or standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Reads all of standard input, which can be read only once.
pub(crate) fn stdin() -> Result<Vec<u8>, Failure> {
    static IS_READ: AtomicBool = AtomicBool::new(false);
    if IS_READ.swap(true, Ordering::Relaxed) {
        return Err(Failure::new("standard input is asked for twice: it can be read only once"));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

/// Reads a file.
pub(crate) fn file(name: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(name).map_err(|error| {
        // What was meant as a URL is not repeated.
        let name = name.to_string_lossy();
        let shown = if name.contains(['?', '=']) { "the file" } else { &*name };
        Failure::new(format!("cannot read {shown}: {error}"))
    })
}
