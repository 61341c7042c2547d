//! Writes the cases of the table as seeds for the fuzzer, into a folder for each of its targets but
//! `signature`, whose inputs are not in the table:
//!
//! ```sh
//! cargo run -p conformance --example seeds -- fuzz/new
//! ```

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use conformance::Table;

/// The fuzzer's clock: the time of the documented signature.
const NOW: Duration = Duration::from_secs(1_669_872_112);

/// The longest seed, in bytes. The fuzzer makes no longer inputs unless it is told to.
const LONGEST: usize = 4096;

/// The targets that read nothing but a body.
const BODIES: [&str; 4] = ["call_ended", "call_started", "member_changed", "differential"];

fn main() {
    let folder = std::env::args().nth(1).expect("the folder to write to");
    let table = Table::load();
    for (number, case) in table.cases.iter().enumerate() {
        let request = table.request_at(case, UNIX_EPOCH + NOW);
        let write = |target: &str, seed: &[u8]| {
            if seed.len() <= LONGEST {
                let folder = Path::new(&folder).join(target);
                fs::create_dir_all(&folder).expect("a folder");
                fs::write(folder.join(number.to_string()), seed).expect("a file");
            }
        };
        for target in BODIES {
            write(target, &request.body);
        }
        write("query", request.query.as_bytes());
        // In the form that the target documents.
        let length = request.announce.map_or_else(String::new, |length| length.to_string());
        let head = format!(
            "{}\n{}\n{length}\n{},{},7\n",
            request.method,
            request.query,
            table.verifier_of(case),
            table.takes_of(case),
        );
        write("request", &[head.as_bytes(), &request.body].concat());
    }
}
