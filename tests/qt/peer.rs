//! Programs that share a segment: Qt's, and ours.

use std::cell::RefCell;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use e2e_tests::{Launch, PrivateDir, Program, skip};

/// The program on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// tests/qt-peer/main.cpp, with the Qt 6 of Debian: keys of the old style, System V.
    Cpp,
    /// tests/qt-peer/peer.py, with PySide6: all keys.
    Python,
    /// tests/src/bin/qt_actor.rs.
    Ours,
}

/// A private folder for key files, and a unique key.
pub(crate) struct QtFixture {
    directory: PrivateDir,
    unique: String,
    files: RefCell<u32>,
}

/// A running program.
pub(crate) struct Peer {
    side: Side,
    program: Program,
}

/// A program's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        self.0 == "ok" || self.0.starts_with("ok ")
    }

    /// Returns Qt's name of the error, if it is one.
    pub(crate) fn error(&self) -> Option<&str> {
        let error = self.0.strip_prefix("error ")?;
        Some(error.split(':').next().unwrap_or(error))
    }

    #[track_caller]
    pub(crate) fn done(self) -> Answer {
        assert!(self.is_ok(), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, name: &str) -> Answer {
        assert_eq!(self.error(), Some(name), "{self:?}");
        self
    }
}

impl QtFixture {
    /// Creates a fixture. Returns `None` and reports the test as skipped if the programs of these
    /// sides are not available.
    pub(crate) fn with(sides: &[Side]) -> Option<QtFixture> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let peers = peers();
        let lacks = |side: &Side| match side {
            Side::Cpp => !peers.join("qt-peer").exists(),
            Side::Python => !peers.join("venv/ready").exists(),
            Side::Ours => false,
        };
        if let Some(side) = sides.iter().find(|side| lacks(side)) {
            skip(&format!(
                "there is no Qt for {side:?} (scripts/qt-peers.sh says why)"
            ));
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Some(QtFixture {
            directory: PrivateDir::on_disk(),
            // Different from the directory of a `Fixture`.
            unique: format!("e2e.qt.{}.{count}", std::process::id()),
            files: RefCell::new(0),
        })
    }

    /// Returns a key of the old style, for System V.
    pub(crate) fn key(&self) -> String {
        format!("qt:{}", self.unique)
    }

    /// Returns one key of each kind.
    pub(crate) fn keys(&self) -> [String; 4] {
        [
            self.key(),
            format!("qt-posix:{}", self.unique),
            format!("systemv:{}/native", self.directory.path().display()),
            format!("posix:/{}", self.unique),
        ]
    }

    /// Starts a program; it ends with the test, in order or killed.
    pub(crate) fn start(&self, side: Side) -> Peer {
        self.start_through(side, |launch| launch)
    }

    /// Starts a program through another one.
    pub(crate) fn start_through(&self, side: Side, way: impl FnOnce(Launch) -> Launch) -> Peer {
        let launch = match side {
            Side::Cpp => Launch::new(peers().join("qt-peer")),
            Side::Python => {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("qt-peer/peer.py");
                Launch::new(peers().join("venv/bin/python")).args([Path::new("-B"), &script])
            }
            Side::Ours => Launch::new(env!("CARGO_BIN_EXE_qt-actor")),
        };
        let program = way(launch)
            .env("TMPDIR", self.directory.path())
            .env("QT_QPA_PLATFORM", "offscreen")
            .input_kept_open()
            .start();
        Peer { side, program }
    }

    /// Starts a program with a key.
    pub(crate) fn start_with(&self, side: Side, key: &str) -> Peer {
        let mut peer = self.start(side);
        peer.ask(&["key", key]).done();
        peer
    }

    /// Returns a new path for a file.
    pub(crate) fn path(&self) -> PathBuf {
        *self.files.borrow_mut() += 1;
        let directory = self.directory.path().join("files");
        std::fs::create_dir_all(&directory).unwrap();
        directory.join(self.files.borrow().to_string())
    }

    /// Writes a file with this content.
    pub(crate) fn file(&self, content: &[u8]) -> String {
        let path = self.path();
        std::fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// Creates a file that another user may write to.
    pub(crate) fn writable_by_all(&self) -> String {
        let path = self.file(b"");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        path
    }

    /// Lets every user create key files, as in /tmp.
    pub(crate) fn open_to_all(&self) {
        self.directory.set_mode(0o1777);
    }

    /// Returns the folder of the key files.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Asserts that no segment and no lock is left.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let mut left = self.directory.names();
        // Qt's windows leave their own folder there.
        left.retain(|name| name.starts_with("qipc_") || name == "native");
        assert!(left.is_empty(), "{left:?}");
        let entries = std::fs::read_dir("/dev/shm").unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let hash = self.keys()[1]
            .parse::<qt_bridge::QtKey>()
            .unwrap()
            .native_name();
        let hash = &hash[hash.len() - 40..];
        let is_ours =
            |name: &String| name.contains(hash) || name.trim_start_matches("sem.") == self.unique;
        let left: Vec<String> = names.filter(is_ours).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Removes Qt's leftover POSIX segments and semaphores.
    pub(crate) fn sweep(&self) {
        for key in self.keys() {
            let key: qt_bridge::QtKey = key.parse().unwrap();
            if key.kind() == qt_bridge::Kind::PosixRealtime {
                std::fs::remove_file(format!("/dev/shm{}", key.native_name())).ok();
                let lock = &key.native_lock_name()[1..];
                std::fs::remove_file(format!("/dev/shm/sem.{lock}")).ok();
            }
        }
    }
}

/// Removes the leftovers of a failed test, including those of another user, which our library does
/// not touch.
impl Drop for QtFixture {
    fn drop(&mut self) {
        self.sweep();
        let entries = std::fs::read_dir(self.directory.path());
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with("qipc_") && name != "native" {
                continue;
            }
            let Ok(facts) = entry.metadata() else {
                continue;
            };
            let number = 0x51 << 24 | (facts.dev() & 0xff) << 16 | facts.ino() & 0xffff;
            for kind in ["-M", "-S"] {
                // One of the two does not exist.
                let number = format!("{number:#x}");
                Command::new("ipcrm").args([kind, &number]).output().ok();
            }
        }
    }
}

impl Peer {
    /// Sends a command, and waits for its answer.
    pub(crate) fn ask(&mut self, words: &[&str]) -> Answer {
        self.send(words);
        self.answer()
    }

    /// Sends a command that may take some time.
    pub(crate) fn send(&mut self, words: &[&str]) {
        self.program.write_line(&words.join("\t"));
    }

    /// Waits for the answer to the last command.
    pub(crate) fn answer(&mut self) -> Answer {
        let line = self.program.wait_for("> ");
        Answer(line.trim_start_matches("> ").trim_end().to_owned())
    }

    pub(crate) fn side(&self) -> Side {
        self.side
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(self) {
        self.program.kill();
    }

    /// Lets it exit by itself.
    pub(crate) fn finish(self) {
        self.program.finish().done();
    }
}

/// Returns the folder of the Qt programs, which are built once.
fn peers() -> &'static Path {
    static PEERS: OnceLock<PathBuf> = OnceLock::new();
    PEERS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("qt-peers");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/qt-peers.sh");
        // A program that could not be built is missing, and each test reports that.
        Command::new("bash").arg(script).arg(&folder).status().ok();
        folder
    })
}
