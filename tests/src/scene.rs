//! The surroundings of one test: a directory for segments, a key, files.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use crate::{Launch, PrivateDir, binaries::binaries};

/// A directory for segments that belongs to one test, a key in it, and a place for files.
#[derive(Debug)]
pub struct Scene {
    segments: PathBuf,
    key: String,
    files: PrivateDir,
    /// Where the directory for segments is the scene's own, it goes with the scene.
    own: Option<PrivateDir>,
}

impl Scene {
    /// Prepares a fresh one.
    #[must_use]
    pub fn new() -> Scene {
        let own = PrivateDir::in_memory();
        let mut scene = Scene::within(own.path());
        scene.own = Some(own);
        scene
    }

    /// Prepares one whose segments lie in `directory`.
    #[must_use]
    pub fn within(directory: &Path) -> Scene {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Scene {
            segments: directory.to_owned(),
            key: format!("e2e-{}-{count}", process::id()),
            files: PrivateDir::on_disk(),
            own: None,
        }
    }

    /// Chooses the key, where people will see it.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Scene {
        key.clone_into(&mut self.key);
        self
    }

    /// The key that the programs of this scene use.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where segments lie.
    #[must_use]
    pub fn segments(&self) -> &Path {
        &self.segments
    }

    /// Where the segment of this scene's key lies, when there is one.
    #[must_use]
    pub fn segment(&self) -> PathBuf {
        let user = rustix::process::getuid().as_raw();
        self.segments.join(format!("shm-core.{user}.{}", self.key))
    }

    /// The loader's command line with this scene's key; without arguments, its window.
    pub fn loader<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.keyed(&binaries().loader, arguments)
    }

    /// The viewer's command line with this scene's key; without arguments, its window.
    pub fn viewer<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.keyed(&binaries().viewer, arguments)
    }

    /// The loader with nothing added but the directory.
    pub fn bare_loader<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.program(&binaries().loader).args(arguments)
    }

    /// The viewer with nothing added but the directory.
    pub fn bare_viewer<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Launch {
        self.program(&binaries().viewer).args(arguments)
    }

    /// Where the windows of this scene keep what they remember.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.path("config").join("shm-core")
    }

    /// Any program, told of the directory, with a configuration that nobody else has.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Launch {
        Launch::new(program)
            .env("SHM_CORE_DIR", &self.segments)
            .env("XDG_CONFIG_HOME", self.path("config"))
            .in_directory(self.files.path())
    }

    /// Writes a file for the programs to read, and returns where it is.
    #[must_use]
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("there is room for a file");
        path
    }

    /// Where a file of this name is or would be.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// What `viewer-app list` tells.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        let outcome = self.bare_viewer(["list", "--json"]).run().done();
        let Value::Array(mut segments) = outcome.json() else {
            panic!("not an array: {outcome:?}");
        };
        // Those of Qt programs are everybody's: they have a scheme.
        segments.retain(|segment| !segment["key"].as_str().is_some_and(|key| key.contains(':')));
        segments
    }

    /// Asserts that `viewer-app list` tells of nothing, and that nothing is left that it does not tell of.
    pub fn assert_empty(&self) {
        assert_eq!(self.list(), [] as [Value; 0]);
        let left: Vec<_> = fs::read_dir(&self.segments)
            .expect("the directory outlives its segments")
            .map(|entry| entry.expect("a readable entry").file_name())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// Puts the key behind the subcommand, where a `--` among the arguments does not swallow it.
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

impl Default for Scene {
    fn default() -> Scene {
        Scene::new()
    }
}
