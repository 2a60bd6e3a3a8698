//! A System V or POSIX semaphore, which is opened again if another process removes it.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::deadline::Deadline;
use crate::fault::Fault;
use crate::key::{NativeName, SEMAPHORE_FILE};
use crate::key_file;
use crate::ownership;
use crate::sys::posix::{NamedSemaphore, SEMAPHORE_BYTES};
use crate::sys::system_v::{Operation, SemaphoreId};

/// The directory of POSIX segments and semaphores on Linux.
pub(crate) const SHM: &str = "/dev/shm";

/// How many times opening is tried while other processes remove the semaphore.
const ATTEMPTS: u32 = 16;

/// How long a wait lasts before it checks whether the name still leads to this semaphore.
const SLICE: Duration = Duration::from_secs(1);

/// The greatest surplus of a POSIX semaphore that is removed by decrementing. Each reset of a held
/// lock adds one; any process that has the semaphore open can add up to 2³¹.
const MAX_SURPLUS: u32 = 1024;

/// An open semaphore.
#[derive(Debug)]
pub(crate) struct Handle {
    name: NativeName,
    initial: u16,
    backend: Backend,
    /// Whether this handle created it.
    is_creator: bool,
    name_check: NameCheck,
}

#[derive(Debug)]
enum Backend {
    SystemV {
        id: SemaphoreId,
        number: i32,
    },
    Posix {
        semaphore: NamedSemaphore,
        inode: u64,
    },
}

impl Handle {
    /// Opens the semaphore, or creates one with this value.
    pub(crate) fn open(name: &NativeName, initial: u16) -> Result<Self, Fault> {
        for _ in 0..ATTEMPTS {
            if let Some((backend, is_creator)) = Backend::open(name, initial)? {
                return Ok(Self {
                    name: name.clone(),
                    initial,
                    backend,
                    is_creator,
                    name_check: NameCheck::default(),
                });
            }
        }
        Err(Fault::Timeout)
    }

    /// Opens the semaphore; `None` if there is none.
    pub(crate) fn find(name: &NativeName) -> Result<Option<Self>, Fault> {
        let is_there = match name {
            NativeName::SystemV { file, project } => {
                match key_file::number(file, *project, ownership::this_user()) {
                    Ok(number) => SemaphoreId::open(number).is_ok(),
                    Err(fault) if fault.is_not_found() => false,
                    Err(fault) => return Err(fault),
                }
            }
            NativeName::Posix(name) => fs::symlink_metadata(path_of(name)).is_ok(),
        };
        is_there.then(|| Self::open(name, 1)).transpose()
    }

    pub(crate) fn is_creator(&self) -> bool {
        self.is_creator
    }

    /// Acquires one unit, waiting up to `timeout`. Returns `true` if the name was due to be
    /// checked.
    #[inline]
    pub(crate) fn acquire(&mut self, timeout: Duration) -> Result<bool, Fault> {
        let is_due = self.name_check.is_due();
        if is_due && !self.backend.is_named(&self.name) {
            self.reopen()?;
        }
        match self.backend.acquire(Duration::ZERO) {
            Ok(()) => {}
            Err(error) => self.acquire_slow(error, timeout)?,
        }
        Ok(is_due)
    }

    /// Returns `true` if the acquired lock excludes all other processes. Unless `is_thorough`, a
    /// check that costs a system call is left out.
    #[inline]
    pub(crate) fn is_exclusive(&self, is_thorough: bool) -> bool {
        match &self.backend {
            Backend::SystemV { id, .. } => !is_thorough || id.value().is_ok_and(|value| value == 0),
            Backend::Posix { semaphore, .. } => semaphore.value().is_ok_and(|value| value == 0),
        }
    }

    /// Removes the surplus of an acquired lock, which a process left that released the lock after a
    /// reset. Returns `false` if a surplus remains: it is too large, or other processes keep
    /// adding.
    #[cold]
    pub(crate) fn restore_exclusion(&self) -> bool {
        let discarded = match &self.backend {
            Backend::SystemV { id, .. } => id.value().and_then(|value| {
                let surplus = i16::try_from(value).unwrap_or(i16::MAX);
                id.operate(Operation::Subtract(surplus), Duration::ZERO)
            }),
            Backend::Posix { semaphore, .. } => level(semaphore, 0).map(drop),
        };
        discarded.is_ok() && self.is_exclusive(true)
    }

    /// Replaces the semaphore by a new one with this value, as Qt's `Create` mode does. Processes
    /// that have the old one open switch to the new one at their next check of the name.
    #[cold]
    pub(crate) fn replace(&mut self, value: u16) -> Result<(), Fault> {
        self.remove(false);
        self.wake_waiters();
        *self = Self::open(&self.name, value)?;
        Ok(())
    }

    #[cold]
    fn acquire_slow(&mut self, mut error: io::Error, timeout: Duration) -> Result<(), Fault> {
        let deadline = Deadline::after(timeout);
        let mut removals = 0;
        loop {
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                // Another process removed it. Create it again, as Qt does.
                Some(libc::EIDRM | libc::EINVAL) if removals < ATTEMPTS => {
                    removals += 1;
                    self.reopen()?;
                }
                Some(libc::EAGAIN | libc::ETIMEDOUT) if deadline.is_over() => {
                    return Err(Fault::Timeout);
                }
                Some(libc::EAGAIN | libc::ETIMEDOUT) => {
                    if !self.backend.is_named(&self.name) {
                        self.reopen()?;
                    }
                }
                _ => return Err(Fault::io("waiting for the semaphore", error)),
            }
            match self.backend.acquire(deadline.remaining(SLICE)) {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
        }
    }

    /// Acquires one unit if one is available. Does not create the semaphore again if it was
    /// removed.
    pub(crate) fn try_acquire_existing(&self) -> bool {
        self.backend.acquire(Duration::ZERO).is_ok()
    }

    fn reopen(&mut self) -> Result<(), Fault> {
        *self = Self::open(&self.name, self.initial)?;
        Ok(())
    }

    /// Releases the unit that was acquired.
    #[inline]
    pub(crate) fn release(&mut self) -> Result<(), Fault> {
        let posted = match &self.backend {
            // In a burst, only `is_exclusive` checks for a reset, from time to time.
            Backend::SystemV { id, .. } if self.name_check.is_burst() => {
                id.operate(Operation::Add(1), Duration::ZERO)
            }
            Backend::SystemV { id, .. } => id.operate(Operation::Release, Duration::ZERO),
            // Another process has released the lock meanwhile; a second unit would admit two
            // processes.
            Backend::Posix { semaphore, .. } => match semaphore.value() {
                Ok(0) => semaphore.post(),
                Ok(_) => return Err(Fault::Lost),
                Err(error) => Err(error),
            },
        };
        posted.map_err(|error| match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EIDRM | libc::EINVAL) => Fault::Lost,
            _ => Fault::io("giving the semaphore back", error),
        })
    }

    /// Adds `count` units.
    pub(crate) fn post(&mut self, count: u16) -> Result<(), Fault> {
        let doing = "raising the semaphore";
        if matches!(&self.backend, Backend::SystemV { .. }) && !self.backend.is_named(&self.name) {
            self.reopen()?;
        }
        match &self.backend {
            Backend::SystemV { id, .. } => {
                let count = i16::try_from(count)
                    .map_err(|_| Fault::io(doing, io::ErrorKind::InvalidInput.into()))?;
                id.operate(Operation::Add(count), Duration::ZERO)
                    .map_err(|error| Fault::io(doing, error))
            }
            Backend::Posix { semaphore, .. } => {
                for posted in 0..count {
                    if let Err(error) = semaphore.post() {
                        for _ in 0..posted {
                            semaphore.acquire(Duration::ZERO).ok();
                        }
                        return Err(Fault::io(doing, error));
                    }
                }
                Ok(())
            }
        }
    }

    pub(crate) fn value(&self) -> Result<u32, Fault> {
        match &self.backend {
            Backend::SystemV { id, .. } => id.value(),
            Backend::Posix { semaphore, .. } => semaphore.value(),
        }
        .map_err(|error| Fault::io("reading the semaphore", error))
    }

    /// Sets the value, as Qt's `Create` mode does.
    pub(crate) fn set_value(&mut self, value: u16) -> Result<(), Fault> {
        let set = match &self.backend {
            Backend::SystemV { id, .. } => id.set_value(value).map(|()| true),
            Backend::Posix { semaphore, .. } => level(semaphore, value.into()),
        };
        if !set.map_err(|error| Fault::io("setting the semaphore", error))? {
            self.replace(value)?;
        }
        self.is_creator = true;
        Ok(())
    }

    /// Returns the process that holds the lock, if the kernel knows it: while the value is 0, the
    /// last that changed it.
    pub(crate) fn holder(&self) -> Option<u32> {
        match &self.backend {
            Backend::SystemV { id, .. } if id.value().ok()? == 0 => id.last_process().ok(),
            _ => None,
        }
    }

    /// Returns its key file, or the file of a POSIX semaphore.
    pub(crate) fn file(&self) -> PathBuf {
        match &self.name {
            NativeName::SystemV { file, .. } => file.clone(),
            NativeName::Posix(name) => path_of(name),
        }
    }

    /// Returns `true` if the name still leads to this semaphore.
    fn is_current(&self) -> bool {
        self.backend.is_named(&self.name)
    }

    /// Removes the name, and of System V the semaphore itself: the kernel wakes processes that wait
    /// for it, and they create another. With `is_file_kept`, the key file stays for a segment.
    pub(crate) fn remove(&self, is_file_kept: bool) {
        match (&self.backend, &self.name) {
            (Backend::SystemV { id, number }, NativeName::SystemV { file, project }) => {
                // The file goes first, so that no process finds the old number and creates a second
                // semaphore of it. A new file may have the number of an old one, and of another
                // program's semaphore.
                if !is_file_kept && self.is_current() {
                    key_file::remove(file, *project, *number);
                }
                // An error means that another process was faster.
                if is_ours(*id, *number) {
                    id.remove().ok();
                }
            }
            (Backend::Posix { .. }, NativeName::Posix(name)) if self.is_current() => {
                fs::remove_file(path_of(name)).ok();
            }
            _ => {}
        }
    }

    /// Wakes the processes that wait for a POSIX semaphore whose name was removed, one after the
    /// other.
    pub(crate) fn wake_waiters(&self) {
        if let Backend::Posix { semaphore, .. } = &self.backend
            && semaphore.value().is_ok_and(|value| value == 0)
        {
            // Fails if the value is at its maximum, 2^31 - 1.
            semaphore.post().ok();
        }
    }
}

impl Backend {
    /// Returns `None` if another process was removing it at the same time.
    fn open(name: &NativeName, initial: u16) -> Result<Option<(Self, bool)>, Fault> {
        match name {
            NativeName::SystemV { file, project } => Self::open_system_v(file, *project, initial),
            NativeName::Posix(name) => Self::open_posix(name, initial),
        }
    }

    fn open_system_v(
        file: &Path,
        project: u8,
        initial: u16,
    ) -> Result<Option<(Self, bool)>, Fault> {
        let user = ownership::this_user();
        let number = match key_file::ensure(file, project) {
            Ok((number, _)) => number,
            Err(fault) if fault.is_not_found() && file.parent().is_some_and(Path::exists) => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        let (id, is_creator) = match SemaphoreId::create(number) {
            Ok(id) => {
                id.set_value(initial)
                    .map_err(|error| Fault::io("setting the semaphore", error))?;
                (id, true)
            }
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                match SemaphoreId::open(number) {
                    Ok(id) => (id, false),
                    Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
                    Err(error) => {
                        return Err(key_file::denied(file, "sem", number, user, error));
                    }
                }
            }
            Err(error) => return Err(Fault::io("creating the semaphore", error)),
        };
        if !is_creator {
            // An error means that another process is removing it.
            let Ok(found) = id.identity() else {
                return Ok(None);
            };
            ownership::check_object(file, found, number, user)?;
        }
        if !key_file::is(file, project, number, user) {
            if is_creator {
                id.remove().ok();
            }
            return Ok(None);
        }
        Ok(Some((Self::SystemV { id, number }, is_creator)))
    }

    fn open_posix(name: &str, initial: u16) -> Result<Option<(Self, bool)>, Fault> {
        let doing = "opening the semaphore";
        let path = path_of(name);
        let c_name = CString::new(format!("/{name}"))
            .map_err(|_| Fault::io(doing, io::ErrorKind::InvalidInput.into()))?;
        let is_creator = match NamedSemaphore::create(&c_name, initial.into()) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(Fault::io(doing, error)),
        };
        let Some(file) = semaphore_file(&path)? else {
            return Ok(None);
        };
        let inode = file.metadata().map_or(0, |stat| stat.ino());
        let semaphore = NamedSemaphore::open(&file).map_err(|error| Fault::io(doing, error))?;
        Ok(Some((Self::Posix { semaphore, inode }, is_creator)))
    }

    #[inline]
    fn acquire(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::SystemV { id, .. } => id.operate(Operation::Acquire, timeout),
            Self::Posix { semaphore, .. } => semaphore.acquire(timeout),
        }
    }

    fn is_named(&self, name: &NativeName) -> bool {
        match (self, name) {
            (Self::SystemV { id, number }, NativeName::SystemV { file, project }) => {
                key_file::is(file, *project, *number, ownership::this_user())
                    && SemaphoreId::open(*number).is_ok_and(|now| now == *id)
                    && is_ours(*id, *number)
            }
            (Self::Posix { inode, .. }, NativeName::Posix(name)) => {
                fs::symlink_metadata(path_of(name)).is_ok_and(|stat| stat.ino() == *inode)
            }
            _ => false,
        }
    }
}

/// Returns `true` if a System V semaphore still has this number, and this user owns it.
fn is_ours(id: SemaphoreId, number: i32) -> bool {
    let user = ownership::this_user();
    id.identity()
        .is_ok_and(|found| (found.number, found.owner, found.creator) == (number, user, user))
}

/// Opens the file of a POSIX semaphore of this user; `None` if another process is removing it.
fn semaphore_file(path: &Path) -> Result<Option<File>, Fault> {
    let check = |stat: &fs::Metadata| {
        ownership::check_owner(path, stat.uid(), ownership::this_user())?;
        // Accessing a shorter file would raise SIGBUS. (The link count is not checked: `sem_open`
        // gives a new semaphore two names.)
        match stat.is_file() && stat.len() == SEMAPHORE_BYTES {
            true => Ok(()),
            false => Err(Fault::Foreign {
                file: path.to_owned(),
            }),
        }
    };
    let Ok(stat) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    check(&stat)?;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::io("opening the semaphore", error)),
    };
    let stat = file
        .metadata()
        .map_err(|error| Fault::io("reading the semaphore", error))?;
    // The file may have been replaced between the check and the opening.
    check(&stat)?;
    Ok(Some(file))
}

/// Posts and acquires until the semaphore has this value. Returns `false` if it is far too high, or
/// other processes change it at the same time: the number of attempts is bounded.
fn level(semaphore: &NamedSemaphore, value: u32) -> io::Result<bool> {
    if semaphore.value()? > value.saturating_add(MAX_SURPLUS) {
        return Ok(false);
    }
    for _ in 0..=value.saturating_add(MAX_SURPLUS) {
        let now = semaphore.value()?;
        if now == value {
            return Ok(true);
        }
        if now < value {
            semaphore.post()?;
        } else {
            match semaphore.acquire(Duration::ZERO) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }
    Ok(false)
}

pub(crate) fn path_of(name: &str) -> PathBuf {
    Path::new(SHM).join(format!("{SEMAPHORE_FILE}{name}"))
}

/// Decides when to check whether the name still leads to this semaphore: once a second. The more
/// often the lock is acquired, the more acquisitions (1,024 at most) go without reading the clock.
#[derive(Debug, Default)]
struct NameCheck {
    skips_left: u32,
    skips: u32,
    last_second: i64,
}

impl NameCheck {
    const MAX_SKIPS: u32 = 1024;

    /// Returns `true` after hundreds of acquisitions within this second.
    #[inline]
    fn is_burst(&self) -> bool {
        self.skips >= Self::MAX_SKIPS / 4
    }

    #[inline]
    fn is_due(&mut self) -> bool {
        if self.skips_left > 0 {
            self.skips_left -= 1;
            return false;
        }
        self.check_clock()
    }

    #[cold]
    fn check_clock(&mut self) -> bool {
        let now = clock_gettime(ClockId::MonotonicCoarse).tv_sec;
        let is_due = self.last_second != 0 && now != self.last_second;
        self.skips = match now == self.last_second {
            true => (self.skips * 2 + 1).min(Self::MAX_SKIPS),
            false => 0,
        };
        self.skips_left = self.skips;
        self.last_second = now;
        is_due
    }
}
