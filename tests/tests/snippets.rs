//! The snippets of a page fit together, as a reader puts them: what each of them makes is served by
//! the server of the first, and tested as in the last.
//!
//! They are compiled without core: an adapter exports what its page uses.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use conformance::package::Package;

/// The programs that a reader makes of a page.
type Programs = fn(&Page) -> Vec<String>;

const PAGES: [(&str, Programs); 3] = [
    ("trtc-call-webhook-actix-web", actix_web),
    ("trtc-call-webhook-axum", axum),
    ("trtc-call-webhook-tower", tower),
];

const DEPENDENCIES: &str = r#"
actix-web = { version = "4", default-features = false, features = ["macros"] }
axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }
http = "1"
hyper = { version = "1", features = ["http1", "server"] }
hyper-util = { version = "0.1", features = ["service", "tokio"] }
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
tower = { version = "0.5", features = ["util"] }
"#;

#[test]
fn the_snippets_of_a_page_compile_together() {
    let adapters = PAGES.map(|(name, _)| name);
    let mut package =
        Package::new(env!("CARGO_TARGET_TMPDIR"), "snippets", &adapters, DEPENDENCIES);
    for (name, programs) in PAGES {
        let page = Page::read(name);
        let programs = programs(&page);
        // What the first serves in the last, and each of the others in both.
        assert_eq!(programs.len(), 1 + 2 * page.others.len(), "{name}");
        let mut source = String::from("#![allow(warnings)]\nfn main() {}\n");
        for (number, program) in programs.iter().enumerate() {
            writeln!(source, "mod program_{number} {{\n{program}}}").unwrap();
        }
        package.source(name, &source);
    }
    let failures: Vec<_> = adapters.iter().filter_map(|name| package.check(name).err()).collect();
    assert!(failures.is_empty(), "{}", failures.concat());
}

/// The snippets of an adapter's README.
struct Page {
    server: String,
    others: Vec<String>,
    test: String,
}

impl Page {
    fn read(name: &str) -> Self {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates");
        let readme = fs::read_to_string(crates.join(name).join("README.md")).unwrap();
        let mut snippets = Vec::new();
        let mut lines = readme.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("```rust") {
                let code = lines.by_ref().take_while(|line| *line != "```").filter_map(compiled);
                snippets.push(code.fold(String::new(), |code, line| code + line + "\n"));
            }
        }
        let (test, server) = (snippets.pop().unwrap(), snippets.remove(0));
        Self { server, others: snippets, test }
    }
}

/// What rustdoc compiles of a line. What ends its own function around a snippet has no place in
/// another.
fn compiled(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    (!line.starts_with("Ok::<")).then_some(line)
}

fn axum(page: &Page) -> Vec<String> {
    let router = ("let router = ", ";\n");
    let served = served(&page.server, router);
    let mut programs = vec![replace(&page.test, router, &served)];
    for other in &page.others {
        programs.extend([&page.server, &page.test].map(|frame| replace(frame, router, other)));
    }
    programs
}

fn tower(page: &Page) -> Vec<String> {
    let service = ("let service = ", ";\n");
    let served = served(&page.server, service);
    let mut programs = vec![replace(&page.test, service, &served)];
    for other in &page.others {
        let other = if other.contains("fn routes") {
            format!("{other}let service = routes(verifier);\n")
        } else {
            other.clone()
        };
        programs.extend([&page.server, &page.test].map(|frame| replace(frame, service, &other)));
    }
    programs
}

fn actix_web(page: &Page) -> Vec<String> {
    // Each worker makes an app of its own, of what was made before.
    let (before, rest) = page.server.split_once("    let server = ").unwrap();
    let (start, rest) = rest.split_once("{\n").unwrap();
    let (app, end) = rest.split_once("    });\n").unwrap();
    let (_, verifier) = before.split_once("Error>> {\n").unwrap();
    let (items, _) = before.split_once("#[").unwrap();
    let in_the_test = ("let app = ", ";\n");
    let served = format!("{items}{verifier}let app = {app};\n");
    let mut programs = vec![replace(&page.test, in_the_test, &served)];
    for other in &page.others {
        let (made, app) = other.split_once("let app = ").unwrap();
        let app = app.trim_end().trim_end_matches(';');
        programs.push(format!("{before}{made}let server = {start}{{ {app} }});\n{end}"));
        programs.push(replace(&page.test, in_the_test, other));
    }
    programs
}

/// A server's items, and what its `main` does until it has what it serves.
fn served(server: &str, (start, end): (&str, &str)) -> String {
    let (items, main) = server.split_once("#[").unwrap();
    let (_, main) = main.split_once("Error>> {\n").unwrap();
    let (before, statement) = main.split_once(start).unwrap();
    let (made, _) = statement.split_once(end).unwrap();
    format!("{items}{before}{start}{made}{end}")
}

/// A snippet with another one in the place of its statement that starts and ends so.
fn replace(snippet: &str, (start, end): (&str, &str), other: &str) -> String {
    let (before, statement) = snippet.split_once(start).unwrap();
    let (_, after) = statement.split_once(end).unwrap();
    format!("{before}{other}{after}")
}
