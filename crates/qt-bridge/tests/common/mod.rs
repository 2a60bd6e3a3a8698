//! Keys of all kinds that nobody else uses, and the assertion that nothing is left of them.
#![allow(dead_code, reason = "each test program uses what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]
#![allow(unreachable_pub, reason = "shared by test programs, not by crates")]

use std::path::Path;
use std::time::Duration;

use qt_bridge::{Kind, QtKey};
use tempfile::TempDir;

/// Longer than anything takes that goes well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A key of each kind that nobody else uses, and the folder of its key files.
pub fn keys() -> (TempDir, [QtKey; 4]) {
    let directory = TempDir::new().unwrap();
    let unique = directory.path().file_name().unwrap().to_str().unwrap();
    let unique = format!("{unique}.{}", std::process::id());
    let legacy = |kind| QtKey::legacy_in(&unique, kind, directory.path()).unwrap();
    let native = |text: String| text.parse().unwrap();
    let keys = [
        legacy(Kind::SystemV),
        legacy(Kind::PosixRealtime),
        native(format!("systemv:{}/native", directory.path().display())),
        native(format!("posix:/test{unique}")),
    ];
    (directory, keys)
}

/// Runs a test with a key of each kind, and asserts that nothing is left.
pub fn with_keys(test: impl Fn(&QtKey)) {
    let (directory, keys) = keys();
    for key in &keys {
        test(key);
        assert_nothing_left(directory.path(), key);
    }
}

pub fn assert_nothing_left(directory: &Path, key: &QtKey) {
    let files: Vec<_> = std::fs::read_dir(directory).unwrap().collect();
    assert!(files.is_empty(), "{key}: {files:?}");
    let is_left =
        |name: &str, prefix| Path::new(&format!("/dev/shm/{prefix}{}", &name[1..])).exists();
    if key.kind() == Kind::PosixRealtime {
        assert!(!is_left(&key.native_name(), ""), "{key}");
        assert!(!is_left(&key.native_lock_name(), "sem."), "{key}");
    }
}
