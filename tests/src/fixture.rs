//! The environment of one test: a directory for segments, a key, files.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use crate::{Launch, PrivateDir, binaries::binaries};

/// A private directory for segments, a unique key, and a directory for files.
#[derive(Debug)]
pub struct Fixture {
    segments: PathBuf,
    key: String,
    files: PrivateDir,
    /// The directory for segments, if the fixture owns it; removed with the fixture.
    own: Option<PrivateDir>,
}

impl Fixture {
    /// Creates a new fixture.
    #[must_use]
    pub fn new() -> Fixture {
        let own = PrivateDir::in_memory();
        let mut fixture = Fixture::within(own.path());
        fixture.own = Some(own);
        fixture
    }

    /// Creates a fixture whose segments are in `directory`.
    #[must_use]
    pub fn within(directory: &Path) -> Fixture {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Fixture {
            segments: directory.to_owned(),
            key: format!("e2e-{}-{count}", process::id()),
            files: PrivateDir::on_disk(),
            own: None,
        }
    }

    /// Sets the key, for tests that show it.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Fixture {
        key.clone_into(&mut self.key);
        self
    }

    /// Returns the key of the programs in this fixture.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the directory of the segments.
    #[must_use]
    pub fn segments(&self) -> &Path {
        &self.segments
    }

    /// Returns the path of this key's segment.
    #[must_use]
    pub fn segment(&self) -> PathBuf {
        let user = rustix::process::getuid().as_raw();
        self.segments.join(format!("shm-core.{user}.{}", self.key))
    }

    /// Prepares the loader with this fixture's key; without arguments, its window.
    pub fn loader<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.keyed(&binaries().loader, arguments)
    }

    /// Prepares the viewer with this fixture's key; without arguments, its window.
    pub fn viewer<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.keyed(&binaries().viewer, arguments)
    }

    /// Prepares the loader with only the directory added.
    pub fn bare_loader<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.program(&binaries().loader).args(arguments)
    }

    /// Prepares the viewer with only the directory added.
    pub fn bare_viewer<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.program(&binaries().viewer).args(arguments)
    }

    /// Returns the directory where the windows of this fixture store their settings.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.path("config").join("shm-core")
    }

    /// Prepares any program with the directory and a private configuration.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Launch {
        Launch::new(program)
            .env("SHM_CORE_DIR", &self.segments)
            .env("XDG_CONFIG_HOME", self.path("config"))
            .in_directory(self.files.path())
    }

    /// Writes a file for the programs to read, and returns its path.
    #[must_use]
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("there is space for a file");
        path
    }

    /// Returns the path for a file of this name.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Returns the segments that `viewer-app list` prints.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        let outcome = self.bare_viewer(["list", "--json"]).run().done();
        let Value::Array(mut segments) = outcome.json() else {
            panic!("not an array: {outcome:?}");
        };
        // Qt segments are not private to the directory: their keys have a scheme.
        segments.retain(|segment| !segment["key"].as_str().is_some_and(|key| key.contains(':')));
        segments
    }

    /// Asserts that `viewer-app list` prints no segment, and that no file is left.
    pub fn assert_empty(&self) {
        assert_eq!(self.list(), [] as [Value; 0]);
        let left: Vec<_> = fs::read_dir(&self.segments)
            .expect("the directory outlives its segments")
            .map(|entry| entry.expect("a readable entry").file_name())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// Inserts the key after the subcommand, before a `--` among the arguments.
    fn keyed<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Launch {
        let mut arguments = arguments.into_iter();
        let subcommand = arguments.next();
        self.program(program)
            .args(subcommand)
            .args(["--key", &self.key])
            .args(arguments)
    }
}

impl Default for Fixture {
    fn default() -> Fixture {
        Fixture::new()
    }
}
