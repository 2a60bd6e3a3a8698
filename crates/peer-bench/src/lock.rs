//! Locks between processes, all with the same operation: acquire, work, release.

mod native;
mod ours;
mod system;

use std::path::Path;

use crate::Outcome;
use crate::ground::Ground;

/// A kind of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A compare-and-swap and a swap, spinning: the lower bound.
    Bare,
    /// A mutex of one word that spins a hundred times, then sleeps.
    Futex,
    /// This project.
    Ours,
    FutexPi,
    RawSync,
    Semaphore,
    RobustPthread,
    /// With undo, as Qt's System V type.
    SystemV,
    /// Two compare-and-swaps, spinning: the lower bound of a semaphore.
    BareSemaphore,
    /// This project's semaphore with one unit.
    OurSemaphore,
}

/// A lock between processes.
pub(crate) trait Lock {
    /// Runs `work` while holding the lock.
    fn with(&self, work: impl FnOnce());
}

/// A measurement that runs with any lock.
pub(crate) trait Trial {
    type Found;
    fn run(self, lock: &impl Lock) -> Outcome<Self::Found>;
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::Futex,
        Self::Ours,
        Self::FutexPi,
        Self::RawSync,
        Self::Semaphore,
        Self::RobustPthread,
        Self::SystemV,
    ];

    /// The semaphores of the contest.
    pub(crate) const SEMAPHORES: [Self; 4] = [
        Self::BareSemaphore,
        Self::OurSemaphore,
        Self::Semaphore,
        Self::SystemV,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "compare-and-swap + swap",
            Self::Futex => "plain futex mutex",
            Self::Ours => "ours",
            Self::FutexPi => "FUTEX_LOCK_PI",
            Self::RawSync => "raw_sync",
            Self::Semaphore => "POSIX semaphore",
            Self::RobustPthread => "pthread robust, process-shared",
            Self::SystemV => "SysV semop with undo",
            Self::BareSemaphore => "two compare-and-swaps",
            Self::OurSemaphore => "our semaphore",
        }
    }

    /// Opens the lock in a directory. The first process creates it.
    pub(crate) fn open<T: Trial>(
        self,
        place: &Path,
        is_first: bool,
        trial: T,
    ) -> Outcome<T::Found> {
        let ground = || Ground::open(&place.join(self.name()), 4096);
        match self {
            Self::Bare => trial.run(&native::Bare(ground()?)),
            Self::Futex => trial.run(&native::Futex(ground()?)),
            Self::Ours => trial.run(&ours::Ours::open(place)?),
            Self::FutexPi => trial.run(&native::FutexPi::new(ground()?)),
            Self::RawSync => trial.run(&system::RawSync::open(ground()?, is_first)?),
            Self::Semaphore => trial.run(&system::Semaphore::open(ground()?, is_first)?),
            Self::RobustPthread => trial.run(&system::Pthread::open(ground()?, is_first)?),
            Self::SystemV => trial.run(&system::SystemV::open(place, is_first)?),
            Self::BareSemaphore => trial.run(&native::BareSemaphore::open(ground()?, is_first)),
            Self::OurSemaphore => trial.run(&ours::Counting::open(place)?),
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut kinds = Self::ALL.into_iter().chain(Self::SEMAPHORES);
        kinds
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("unknown lock {name}"))
    }
}
