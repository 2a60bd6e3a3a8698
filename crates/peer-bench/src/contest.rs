//! The contests: one file for each thing that is done by us and by others.

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

/// Where and how thoroughly is measured.
pub(crate) struct Arena {
    pub(crate) cores: Cores,
    /// In shared memory, gone with this value.
    ground: TempDir,
    /// Fewer rounds, to see that everything works.
    pub(crate) is_quick: bool,
    /// The program that speaks for Qt, where Qt is installed.
    pub(crate) qt: Option<PathBuf>,
    /// The library that has Aeron in it, where it could be built.
    aeron: Option<PathBuf>,
}

impl Drop for Arena {
    fn drop(&mut self) {
        // iceoryx2 leaves files behind, whose names begin as it was told: with the arena's.
        let name = self.place().file_name().map(ToOwned::to_owned);
        let files = std::fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten();
        for file in files.filter(|file| {
            let name = name.as_ref().map(|name| name.as_encoded_bytes());
            name.is_some_and(|name| file.file_name().as_encoded_bytes().starts_with(name))
        }) {
            // The arena's own directory is none, and goes next.
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

    /// A fresh directory, so that contenders do not meet.
    pub(crate) fn fresh_place(&self) -> Outcome<PathBuf> {
        Ok(tempfile::Builder::new()
            .disable_cleanup(true)
            .tempdir_in(self.place())?
            .keep())
    }

    /// A fresh directory for one way, with what it opens there.
    pub(crate) fn place_for(&self, way: Way) -> Outcome<PathBuf> {
        let place = self.fresh_place()?;
        if let (Way::AeronPolled, Some(library)) = (way, &self.aeron) {
            std::os::unix::fs::symlink(library, place.join(AERON_LIBRARY))?;
        }
        Ok(place)
    }

    /// Whether a way is there to be measured.
    pub(crate) fn has(&self, way: Way) -> bool {
        way != Way::AeronPolled || self.aeron.is_some()
    }

    /// So many rounds, or a few where it is to be quick.
    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.is_quick {
            rounds.div_ceil(10)
        } else {
            rounds
        }
    }
}

/// Nanoseconds that something takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64() * 1e9)
}
