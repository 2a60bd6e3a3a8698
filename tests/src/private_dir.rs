//! A directory for one test.

use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A new directory that only this user may enter, removed with its content on drop.
#[derive(Debug)]
pub struct PrivateDir {
    path: PathBuf,
}

impl PrivateDir {
    /// Creates one in memory, where segments usually are.
    #[must_use]
    pub fn in_memory() -> PrivateDir {
        PrivateDir::within(Path::new("/dev/shm"))
    }

    /// Creates one among the temporary files.
    #[must_use]
    pub fn on_disk() -> PrivateDir {
        PrivateDir::within(&env::temp_dir())
    }

    fn within(parent: &Path) -> PrivateDir {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("e2e.{}.{count}", process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .unwrap_or_else(|error| panic!("{} cannot be created: {error}", path.display()));
        PrivateDir { path }
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets its permissions.
    pub fn set_mode(&self, mode: u32) {
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    /// Returns the names in it, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("it is there until the drop");
        let mut names: Vec<String> = entries
            .map(|entry| {
                let name = entry.expect("a readable entry").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("{} stays: {error}", self.path.display());
        }
    }
}
