//! Programs that share a segment: Qt's, and ours.

use std::cell::RefCell;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use e2e_tests::{Launch, PrivateDir, Program, skip};

/// Which program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// tests/qt-peer/main.cpp, with the Qt 6 of Debian: keys of the old style, System V.
    Cpp,
    /// tests/qt-peer/peer.py, with PySide6: all keys.
    Python,
    /// tests/src/bin/qt_actor.rs.
    Ours,
}

/// A fixture of its own: a folder for key files, and a key that nobody else uses.
pub(crate) struct QtFixture {
    directory: PrivateDir,
    unique: String,
    files: RefCell<u32>,
}

/// A program on the qt_fixture.
pub(crate) struct Peer {
    side: Side,
    program: Program,
}

/// What a program answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        self.0 == "ok" || self.0.starts_with("ok ")
    }

    /// What Qt calls the error, if it is one.
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
    /// Sets one, if the programs of these sides can be had; else says that the test is skipped.
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
            // Not what a directory of a fixture is called.
            unique: format!("e2e.qt.{}.{count}", std::process::id()),
            files: RefCell::new(0),
        })
    }

    /// A key of the old style, for System V.
    pub(crate) fn key(&self) -> String {
        format!("qt:{}", self.unique)
    }

    /// All kinds of keys.
    pub(crate) fn keys(&self) -> [String; 4] {
        [
            self.key(),
            format!("qt-posix:{}", self.unique),
            format!("systemv:{}/native", self.directory.path().display()),
            format!("posix:/{}", self.unique),
        ]
    }

    /// Starts a program; it ends with the test, by itself or not.
    pub(crate) fn start(&self, side: Side) -> Peer {
        self.start_through(side, |launch| launch)
    }

    /// Starts a program in another way.
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

    /// Starts a program that uses a key.
    pub(crate) fn start_with(&self, side: Side, key: &str) -> Peer {
        let mut peer = self.start(side);
        peer.ask(&["key", key]).done();
        peer
    }

    /// A path for a file.
    pub(crate) fn path(&self) -> PathBuf {
        *self.files.borrow_mut() += 1;
        let directory = self.directory.path().join("files");
        std::fs::create_dir_all(&directory).unwrap();
        directory.join(self.files.borrow().to_string())
    }

    /// A file with this content.
    pub(crate) fn file(&self, content: &[u8]) -> String {
        let path = self.path();
        std::fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// A path for a file that another user may write.
    pub(crate) fn writable_by_all(&self) -> String {
        let path = self.file(b"");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        path
    }

    /// Lets everybody make key files, as in /tmp.
    pub(crate) fn open_to_all(&self) {
        self.directory.set_mode(0o1777);
    }

    /// Where the key files are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Asserts that nothing is left of any segment or lock.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let mut left = self.directory.names();
        // Qt's windows leave a folder of their own there.
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

    /// Removes what Qt leaves of its POSIX segments and semaphores.
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

/// What a test leaves when it fails: also what another user made, which our library does not touch.
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
                // One of them is not there.
                let number = format!("{number:#x}");
                Command::new("ipcrm").args([kind, &number]).output().ok();
            }
        }
    }
}

impl Peer {
    /// Tells it to do something, and waits for its answer.
    pub(crate) fn ask(&mut self, words: &[&str]) -> Answer {
        self.tell(words);
        self.answer()
    }

    /// Tells it to do something that may take its time.
    pub(crate) fn tell(&mut self, words: &[&str]) {
        self.program.write_line(&words.join("\t"));
    }

    /// Waits for its answer to what it was told.
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

    /// Ends it where it stands.
    pub(crate) fn kill(self) {
        self.program.kill();
    }

    /// Lets it end by itself.
    pub(crate) fn finish(self) {
        self.program.finish().done();
    }
}

/// The folder of the Qt programs, which are made once.
fn peers() -> &'static Path {
    static PEERS: OnceLock<PathBuf> = OnceLock::new();
    PEERS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("qt-peers");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/qt-peers.sh");
        // What it could not make is missing then, and each test says so.
        Command::new("bash").arg(script).arg(&folder).status().ok();
        folder
    })
}
