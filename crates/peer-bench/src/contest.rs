//! The contests: one file for each operation that contenders are compared by.

pub(crate) mod attach;
pub(crate) mod burst;
pub(crate) mod create;
pub(crate) mod first_frame;
pub(crate) mod frame;
pub(crate) mod growth;
pub(crate) mod lock;
pub(crate) mod picture;
pub(crate) mod python;
pub(crate) mod qt_bridge;
pub(crate) mod readers;
pub(crate) mod reserved;
pub(crate) mod semaphore;
pub(crate) mod small;
pub(crate) mod wake;

use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use crate::Outcome;
use crate::machine::Cores;
use crate::way::{AERON_LIBRARY, Way};

/// The environment of a run.
pub(crate) struct Arena {
    pub(crate) cores: Cores,
    /// A directory in shared memory, removed on drop.
    ground: TempDir,
    /// Fewer rounds, to check that everything works.
    pub(crate) is_quick: bool,
    /// The program that measures Qt, if Qt is installed.
    pub(crate) qt: Option<PathBuf>,
    /// The library with Aeron, if it could be built.
    aeron: Option<PathBuf>,
}

impl Drop for Arena {
    fn drop(&mut self) {
        // iceoryx2 leaves files behind. Their prefix was set to the arena's name.
        let name = self.place().file_name().map(ToOwned::to_owned);
        let files = std::fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten();
        for file in files.filter(|file| {
            let name = name.as_ref().map(|name| name.as_encoded_bytes());
            name.is_some_and(|name| file.file_name().as_encoded_bytes().starts_with(name))
        }) {
            // Fails for the arena's own directory, which is removed next.
            let _removed = std::fs::remove_file(file.path());
        }
    }
}

impl Arena {
    pub(crate) fn new(
        cores: Cores,
        is_quick: bool,
        qt: Option<PathBuf>,
        aeron: Option<&Path>,
    ) -> Outcome<Self> {
        let ground = tempfile::Builder::new()
            .prefix(&format!("pb.{}.", std::process::id()))
            .tempdir_in("/dev/shm")?;
        Ok(Self {
            cores,
            ground,
            is_quick,
            qt,
            aeron: aeron.map(std::fs::canonicalize).transpose()?,
        })
    }

    pub(crate) fn place(&self) -> &Path {
        self.ground.path()
    }

    /// Creates a directory of its own for a contender.
    pub(crate) fn fresh_place(&self) -> Outcome<PathBuf> {
        Ok(tempfile::Builder::new()
            .disable_cleanup(true)
            .tempdir_in(self.place())?
            .keep())
    }

    /// Creates a directory for one way, with the files that it needs.
    pub(crate) fn place_for(&self, way: Way) -> Outcome<PathBuf> {
        let place = self.fresh_place()?;
        if let (Way::AeronPolled, Some(library)) = (way, &self.aeron) {
            std::os::unix::fs::symlink(library, place.join(AERON_LIBRARY))?;
        }
        Ok(place)
    }

    /// Returns `true` if a way is available here.
    pub(crate) fn has(&self, way: Way) -> bool {
        way != Way::AeronPolled || self.aeron.is_some()
    }

    /// Returns the number of rounds; fewer with `--quick`.
    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.is_quick {
            rounds.div_ceil(10)
        } else {
            rounds
        }
    }
}

/// Returns how long `work` takes in nanoseconds.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64() * 1e9)
}
