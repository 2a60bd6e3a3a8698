//! A directory of segments for one test, and other helpers.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod old_kernel;

use std::path::{Path, PathBuf};
use std::time::Duration;

use shm_core::{Key, Metadata, Options};
use tempfile::TempDir;

/// A private directory on the file system of `/dev/shm`, removed with it.
pub(crate) struct TestDirectory {
    directory: TempDir,
}

impl TestDirectory {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("shm-core-test.")
            .tempdir_in("/dev/shm")
            .expect("/dev/shm is writable");
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn options(&self) -> Options {
        Options::new()
            .directory(self.path())
            .timeout(Duration::from_secs(5))
    }

    /// Returns the path of the segment file of a key.
    pub(crate) fn file(&self, key: &Key) -> PathBuf {
        self.path().join(format!(
            "shm-core.{}.{key}",
            rustix::process::geteuid().as_raw()
        ))
    }

    /// Returns the names of the files in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("readable");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key::new(name).expect("a valid key")
}

pub(crate) fn bytes_metadata() -> Metadata {
    Metadata::bytes("application/octet-stream")
}

/// Returns pseudo-random bytes.
pub(crate) fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Write-locks one byte through an open file of the caller.
#[expect(unsafe_code, reason = "these locks have no safe wrapper")]
pub(crate) fn lock_byte_outside_the_library(file: &std::fs::File, byte: i64) {
    use std::os::fd::AsRawFd;
    // SAFETY: flock consists of integers, for which zeros are valid.
    let mut request: libc::flock = unsafe { std::mem::zeroed() };
    request.l_type = libc::F_WRLCK.try_into().expect("a small number");
    request.l_whence = libc::SEEK_SET.try_into().expect("a small number");
    request.l_start = byte;
    request.l_len = 1;
    // SAFETY: the descriptor is open and the request valid.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut request) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
