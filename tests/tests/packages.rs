//! What the packages say of themselves: the versions of each other, READMEs of one form, complete
//! metadata, and the oldest compiler that they can be built with.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The headings of every package's README, in this order; smaller ones stand between them.
const HEADINGS: [&str; 4] =
    ["## What it does", "## What it leaves to you", "## Features", "## Rust version"];

/// What `cargo metadata` says, of what is built on this machine.
struct Metadata(Value);

impl Metadata {
    fn load() -> Self {
        let version = run(Command::new("rustc").arg("-vV"));
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let metadata = run(Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
            .current_dir(root()));
        Self(serde_json::from_str(&metadata).unwrap())
    }

    fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().unwrap().iter()
    }

    /// The packages that are published.
    fn ours(&self) -> Vec<&Value> {
        let ours = |package: &&Value| package["source"].is_null() && package["publish"].is_null();
        let packages: Vec<_> = self.packages().filter(ours).collect();
        assert_eq!(packages.len(), 10);
        packages
    }

    /// What whoever uses a package builds with it.
    fn tree(&self, package: &Value) -> Vec<&Value> {
        let nodes: HashMap<_, _> = self.0["resolve"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| (node["id"].as_str().unwrap(), node))
            .collect();
        let mut found = HashSet::new();
        let mut open = vec![package["id"].as_str().unwrap()];
        while let Some(id) = open.pop() {
            let dependencies = nodes[id]["deps"].as_array().unwrap();
            for dependency in dependencies.iter().filter(|dependency| is_built(dependency)) {
                let id = dependency["pkg"].as_str().unwrap();
                if found.insert(id) {
                    open.push(id);
                }
            }
        }
        self.packages().filter(|package| found.contains(package["id"].as_str().unwrap())).collect()
    }
}

fn is_built(dependency: &Value) -> bool {
    dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev")
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn folder(package: &Value) -> PathBuf {
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn name_and_version(package: &Value) -> (&str, &str) {
    (package["name"].as_str().unwrap(), package["version"].as_str().unwrap())
}

/// A version's first two numbers.
fn major_minor(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap_or(0))
}

#[test]
fn every_package_says_what_a_registry_shows() {
    let metadata = Metadata::load();
    for package in metadata.ours() {
        let name = package["name"].as_str().unwrap();
        for field in ["description", "license", "readme", "rust_version"] {
            assert!(package[field].is_string(), "{name} has no {field}");
        }
        let (keywords, categories) = (&package["keywords"], &package["categories"]);
        assert!((1..=5).contains(&keywords.as_array().unwrap().len()), "{name}: {keywords}");
        assert!((1..=5).contains(&categories.as_array().unwrap().len()), "{name}: {categories}");
    }
}

/// Each has a version of its own: a breaking axum-core is no new major version of core.
#[test]
fn what_names_a_version_of_ours_names_the_one_that_is_here() {
    let metadata = Metadata::load();
    let ours = metadata.ours();
    let versions: HashMap<_, _> = ours.iter().map(|package| name_and_version(package)).collect();
    for package in &ours {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        // What only tests need may be named by its path: it is left out of the package.
        for dependency in dependencies.filter(|dependency| dependency["kind"] != "dev") {
            if let Some(version) = versions.get(dependency["name"].as_str().unwrap()) {
                assert_eq!(dependency["req"], format!("^{version}"), "of {}", package["name"]);
            }
        }
    }
    // What a README tells to depend on.
    let readmes = ours.iter().map(|package| folder(package)).chain([root()]);
    for readme in readmes.map(|folder| folder.join("README.md")) {
        for line in fs::read_to_string(&readme).unwrap().lines() {
            let Some((name, told)) = line.split_once(" = \"") else { continue };
            if let Some(version) = versions.get(name) {
                let told = major_minor(told.trim_end_matches('"'));
                assert_eq!(told, major_minor(version), "{}: {line}", readme.display());
            }
        }
    }
}

#[test]
fn the_changelog_has_each_version_or_speaks_of_it_as_unreleased() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let (_, entries) = changelog.split_once("\n## [Unreleased]\n").unwrap();
    let unreleased = entries.split("\n## ").next().unwrap();
    for package in Metadata::load().ours() {
        let (name, version) = name_and_version(package);
        let released = entries.contains(&format!("\n## [{name} {version}] - "));
        assert!(released || unreleased.contains(&format!("`{name}`")), "{name} {version}");
    }
}

#[test]
fn the_readmes_have_one_form_and_are_the_front_pages() {
    for package in Metadata::load().ours() {
        let (name, folder) = (package["name"].as_str().unwrap(), folder(package));
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.starts_with(&format!("# {name}\n")), "{name}");
        let headings: Vec<_> = readme.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{name}");

        let target = package["targets"][0]["src_path"].as_str().unwrap();
        let source = fs::read_to_string(target).unwrap();
        assert!(source.starts_with("#![doc = include_str!(\"../README.md\")]\n"), "{target}");
    }
}

/// Clippy's `incompatible_msrv` sees to our own code.
#[test]
fn the_oldest_compiler_is_the_newest_that_a_dependency_asks_for() {
    let metadata = Metadata::load();
    for package in metadata.ours() {
        let name = package["name"].as_str().unwrap();
        let promised = package["rust_version"].as_str().unwrap();
        let tree = metadata.tree(package);
        let asked = tree
            .iter()
            .filter_map(|dependency| dependency["rust_version"].as_str())
            .map(major_minor);
        assert_eq!(asked.max(), Some(major_minor(promised)), "{name}");

        let readme = fs::read_to_string(folder(package).join("README.md")).unwrap();
        let says = format!("## Rust version\n\nRust {promised}, ");
        assert!(readme.contains(&says), "{name} does not say {promised}");
    }
}
