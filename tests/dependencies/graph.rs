//! The packages that are built, as cargo tells them.

use std::{collections::BTreeMap, fmt, path::Path, process::Command};

/// One package of the dependency graph, our own ones included.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The licence expression; empty where the package names none.
    pub(crate) license: String,
    /// Where it comes from, if not from crates.io: a folder, a repository, another registry.
    pub(crate) source: Option<String>,
}

impl Package {
    /// Reads a line of `cargo tree`: `name v1.2.3 (proc-macro) (source) | licence (*)`.
    fn parse(line: &str) -> Option<Package> {
        let (package, license) = line.split_once(" | ")?;
        let (name, rest) = package.split_once(" v")?;
        let (version, notes) = rest.split_once(' ').unwrap_or((rest, ""));
        let source = notes.replace("(proc-macro)", "").trim().to_owned();
        Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            license: license.trim_end_matches(" (*)").to_owned(),
            source: (!source.is_empty()).then_some(source),
        })
    }

    /// Whether the package is a folder of this workspace.
    pub(crate) fn is_own(&self) -> bool {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize();
        let tests = tests.expect("this package has a folder");
        let root = tests.parent().expect("the workspace is around it");
        self.source
            .as_deref()
            .is_some_and(|source| Path::new(source.trim_matches(['(', ')'])).starts_with(root))
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Asks cargo for everything that is built for any of `targets`, each package once.
///
/// This is `cargo tree` because `cargo metadata` also names what no feature switches on.
pub(crate) fn packages(targets: &[String]) -> Vec<Package> {
    let mut packages = BTreeMap::new();
    for target in targets {
        for line in tree(target).lines().filter(|line| !line.is_empty()) {
            let package = Package::parse(line).unwrap_or_else(|| panic!("cargo tree: {line}"));
            packages.insert(package.to_string(), package);
        }
    }
    packages.into_values().collect()
}

fn tree(target: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--prefix=none"])
        .args(["--edges=normal,build,dev", "--format={p} | {l}"])
        .args(["--target", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

#[test]
fn a_line_of_the_tree_is_taken_apart() {
    let package =
        Package::parse("serde_derive v1.0.2 (proc-macro) | MIT OR Apache-2.0 (*)").unwrap();
    assert_eq!(package.to_string(), "serde_derive 1.0.2");
    assert_eq!(package.license, "MIT OR Apache-2.0");
    assert_eq!(package.source, None);

    let package = Package::parse("other v0.1.0 (registry `mine`) | ").unwrap();
    assert_eq!(package.license, "");
    assert_eq!(package.source.as_deref(), Some("(registry `mine`)"));
    assert!(!package.is_own());
}
