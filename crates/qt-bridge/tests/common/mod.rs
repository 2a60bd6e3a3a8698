//! Unique keys of all kinds, and the assertion that nothing is left of them.
#![allow(dead_code, reason = "each test program uses what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]
#![allow(unreachable_pub, reason = "shared by test programs, not by crates")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qt_bridge::{Kind, QtKey};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use tempfile::TempDir;

/// Longer than any successful operation takes.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The directory of the key files. Dropping it removes the POSIX segments and locks too, also if a
/// test fails.
pub struct Folder {
    directory: TempDir,
    keys: [QtKey; 4],
}

impl Folder {
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for key in &self.keys {
            if key.kind() == Kind::PosixRealtime {
                let segment = segment_file(key);
                std::fs::remove_dir(&segment).ok();
                std::fs::remove_file(&segment).ok();
                std::fs::remove_file(lock_file(key)).ok();
            }
        }
    }
}

/// Returns the file of a POSIX segment.
pub fn segment_file(key: &QtKey) -> PathBuf {
    format!("/dev/shm{}", key.native_name()).into()
}

/// Returns the file of the lock of a POSIX segment.
pub fn lock_file(key: &QtKey) -> PathBuf {
    format!("/dev/shm/sem.{}", &key.native_lock_name()[1..]).into()
}

/// Returns a unique key of each kind, and the directory of the key files.
pub fn keys() -> (Folder, [QtKey; 4]) {
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
    let folder = Folder {
        directory,
        keys: keys.clone(),
    };
    (folder, keys)
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
    if key.kind() == Kind::PosixRealtime {
        assert!(!segment_file(key).exists(), "{key}");
        assert!(!lock_file(key).exists(), "{key}");
    }
}

/// The user "nobody".
pub const NOBODY: u32 = 65_534;

/// Runs `act` as another user, in a thread of its own: in Linux, user ids belong to threads.
/// Requires root; for other users returns `None`, and the test is skipped.
pub fn as_nobody<T: Send>(act: impl FnOnce() -> T + Send) -> Option<T> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can act as another user");
        return None;
    }
    let outcome = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let (group, user) = (Gid::from_raw(NOBODY), Uid::from_raw(NOBODY));
            set_thread_groups(&[]).unwrap();
            set_thread_res_gid(group, group, group).unwrap();
            set_thread_res_uid(user, user, user).unwrap();
            act()
        });
        thread.join()
    });
    match outcome {
        Ok(outcome) => Some(outcome),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Allows all users to create files in a directory, as in `/tmp`.
pub fn open_to_all(directory: &Path) {
    std::fs::set_permissions(directory, Permissions::from_mode(0o1777)).unwrap();
}

/// An object that another user created. That user drops it, also if the test fails.
pub struct Theirs<T: Send> {
    object: Option<T>,
    /// Key files that were given to root; their creator needs them to remove the object.
    given: Vec<PathBuf>,
}

impl<T: Send> Theirs<T> {
    /// Creates the object as another user; `None` if that is not possible.
    pub fn make(make: impl FnOnce() -> T + Send) -> Option<Self> {
        let object = as_nobody(make)?;
        Some(Self {
            object: Some(object),
            given: Vec::new(),
        })
    }

    /// Gives a key file to this user, so that a key file of this user leads to an object of another
    /// user, as if `ftok` gave two files the same key.
    pub fn give(&mut self, key_file: &str) {
        std::os::unix::fs::chown(key_file, Some(0), Some(0)).unwrap();
        self.given.push(key_file.into());
    }

    /// Runs `act` on the object, as its creator.
    pub fn with<U: Send>(&mut self, act: impl FnOnce(&mut T) -> U + Send) -> U {
        let object = self.object.as_mut().unwrap();
        as_nobody(|| act(object)).unwrap()
    }
}

impl<T: Send> Drop for Theirs<T> {
    fn drop(&mut self) {
        for file in &self.given {
            std::os::unix::fs::chown(file, Some(NOBODY), Some(NOBODY)).ok();
        }
        let object = self.object.take();
        as_nobody(|| drop(object));
    }
}
