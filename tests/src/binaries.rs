//! The paths of the two programs.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// The programs under test.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) loader: PathBuf,
    pub(crate) viewer: PathBuf,
}

/// Finds the programs, building them first unless `E2E_BIN_DIR` names a folder that holds them.
pub(crate) fn binaries() -> &'static Binaries {
    static FOUND: OnceLock<Binaries> = OnceLock::new();
    FOUND.get_or_init(|| match env::var_os("E2E_BIN_DIR") {
        Some(folder) => Binaries::in_folder(Path::new(&folder)),
        None => Binaries::build(),
    })
}

/// Returns the folder that holds both programs.
#[must_use]
pub fn binaries_folder() -> &'static Path {
    let folder = binaries().loader.parent();
    folder.expect("a program is in a folder")
}

impl Binaries {
    fn in_folder(folder: &Path) -> Binaries {
        Binaries {
            loader: folder.join("loader-app"),
            viewer: folder.join("viewer-app"),
        }
    }

    /// Builds both and takes their paths from cargo's messages, the only reliable source.
    fn build() -> Binaries {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--bins", "-p", "loader-app", "-p", "viewer-app"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo starts");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the programs do not build:\n{complaints}"
        );
        let messages: Vec<Value> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let executable = |name: &str| {
            messages
                .iter()
                .filter(|message| message["target"]["name"] == name)
                .find_map(|message| message["executable"].as_str().map(PathBuf::from))
                .unwrap_or_else(|| panic!("cargo built no {name}:\n{complaints}"))
        };
        Binaries {
            loader: executable("loader-app"),
            viewer: executable("viewer-app"),
        }
    }
}
