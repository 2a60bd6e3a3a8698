//! The files that `make install` creates, and that `make uninstall` removes all of them.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use e2e_tests::{Launch, PrivateDir, binaries_folder, skip};

/// Returns the files installed below the prefix.
fn expected_files() -> BTreeSet<String> {
    let mut expected_files = BTreeSet::new();
    for program in ["loader-app", "viewer-app"] {
        expected_files.insert(format!("bin/{program}"));
        expected_files.insert(format!("share/applications/{program}.desktop"));
        let icons = "share/icons/hicolor";
        expected_files.insert(format!("{icons}/scalable/apps/{program}.svg"));
        for side in [32, 48, 64, 128, 256] {
            expected_files.insert(format!("{icons}/{side}x{side}/apps/{program}.png"));
        }
    }
    expected_files
}

/// Returns every file below `root`, as a path relative to it.
fn files(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let below = path.strip_prefix(root).unwrap();
                found.insert(below.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// Prepares `scripts/install.sh`, which never builds here.
fn script(action: &str) -> Launch {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/install.sh");
    Launch::new("bash")
        .args([script])
        .args([action])
        .env("BIN_DIR", binaries_folder())
}

#[test]
fn install_puts_every_file_and_uninstall_removes_it() {
    let place = PrivateDir::on_disk();
    // With spaces, as in some home directories.
    let prefix = place.path().join("a prefix");
    let run = |action: &str| {
        let outcome = script(action).env("PREFIX", &prefix).run().done();
        outcome.text().to_owned()
    };
    let said = run("install");
    assert!(said.contains(prefix.to_str().unwrap()), "{said}");
    assert_eq!(files(&prefix), expected_files());
    for file in expected_files() {
        let mode = prefix.join(&file).metadata().unwrap().permissions().mode();
        let expected = if file.starts_with("bin/") {
            0o755
        } else {
            0o644
        };
        assert_eq!(mode & 0o7777, expected, "{file}");
    }
    let version = Launch::new(prefix.join("bin/viewer-app")).args(["--version"]);
    drop(version.run().done());

    // A second time over the first, and beside files of other packages.
    run("install");
    let others = prefix.join("share/icons/hicolor/64x64/apps/other.png");
    fs::write(&others, "").unwrap();
    run("uninstall");
    assert_eq!(files(&prefix).len(), 1, "{:?}", files(&prefix));
    fs::remove_file(&others).unwrap();
    run("install");
    run("uninstall");
    assert_eq!(files(&prefix), BTreeSet::new());
    assert!(!prefix.join("share").exists(), "its directories remain");
    // Once more there is nothing to remove, which is not an error.
    run("uninstall");
}

#[test]
fn packages_are_built_below_another_root() {
    let place = PrivateDir::on_disk();
    let run = |action: &str| {
        let launch = script(action).env("PREFIX", "/usr");
        drop(launch.env("DESTDIR", place.path()).run().done());
    };
    run("install");
    assert_eq!(files(&place.path().join("usr")), expected_files());
    run("uninstall");
    assert_eq!(files(place.path()), BTreeSet::new());
}

#[test]
fn failures_to_install_are_reported() {
    let place = PrivateDir::on_disk();
    let nowhere = script("install")
        .env("PREFIX", place.path())
        .env("BIN_DIR", place.path().join("nothing"));
    drop(nowhere.run().refused("loader-app"));
    drop(
        script("install")
            .env("PREFIX", "relative")
            .run()
            .refused("PREFIX"),
    );
    drop(script("nonsense").run().misused("usage"));
    assert_eq!(files(place.path()), BTreeSet::new());
}

#[test]
fn the_desktop_entries_are_valid() {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    let entries: Vec<PathBuf> = ["loader-app.desktop", "viewer-app.desktop"]
        .map(|name| packaging.join(name))
        .into();
    for entry in &entries {
        let text = fs::read_to_string(entry).unwrap();
        let id = entry.file_stem().unwrap().to_str().unwrap();
        // The three fields by which a desktop finds program, icon and window.
        for line in ["Exec", "Icon", "StartupWMClass"].map(|name| format!("{name}={id}")) {
            assert!(text.lines().any(|there| there == line), "no {line}");
        }
    }
    let look = Launch::new("sh").args(["-c", "command -v desktop-file-validate"]);
    if look.run().code != Some(0) {
        skip("desktop-file-utils is not installed");
        return;
    }
    let outcome = Launch::new("desktop-file-validate")
        .args(&entries)
        .run()
        .done();
    assert_eq!(outcome.text(), "", "no warning");
}
