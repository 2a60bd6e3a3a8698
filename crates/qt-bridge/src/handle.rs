//! A semaphore of the system, of either kind, that is opened again when somebody has removed it.

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
use crate::sys::system_v::{Change, SemaphoreId};

/// Where Linux has POSIX segments and semaphores.
pub(crate) const SHM: &str = "/dev/shm";

/// How often it is opened anew, because somebody is removing it just now, before that is an error.
const ATTEMPTS: u32 = 16;

/// How long a wait lasts before it looks whether the name still means the same.
const SLICE: Duration = Duration::from_secs(1);

/// How much too high a POSIX semaphore may be to be lowered one by one. Each reset of a lock that
/// was held makes it one too high; any process that has it open can make it 2³¹ too high.
const MOST_SURPLUS: u32 = 1024;

/// A semaphore, open.
#[derive(Debug)]
pub(crate) struct Handle {
    name: NativeName,
    initial: u16,
    place: Place,
    /// Whether this handle made it.
    is_creator: bool,
    look: Look,
}

#[derive(Debug)]
enum Place {
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
    /// Opens the semaphore, or makes one of this value.
    pub(crate) fn open(name: &NativeName, initial: u16) -> Result<Self, Fault> {
        for _ in 0..ATTEMPTS {
            if let Some((place, is_creator)) = Place::open(name, initial)? {
                return Ok(Self {
                    name: name.clone(),
                    initial,
                    place,
                    is_creator,
                    look: Look::default(),
                });
            }
        }
        Err(Fault::Timeout)
    }

    /// Opens the semaphore; `None` where there is none.
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

    /// Takes one, waiting for it so long. Tells whether it was time to look after the semaphore.
    #[inline]
    pub(crate) fn take(&mut self, patience: Duration) -> Result<bool, Fault> {
        let is_due = self.look.is_due();
        if is_due && !self.place.is_named(&self.name) {
            self.reopen()?;
        }
        match self.place.take(Duration::ZERO) {
            Ok(()) => {}
            Err(error) => self.take_slowly(error, patience)?,
        }
        Ok(is_due)
    }

    /// Returns `true` if a lock that is taken lets no other process in. Where `is_thorough` is not
    /// set, only if that costs no system call.
    #[inline]
    pub(crate) fn is_exclusive(&self, is_thorough: bool) -> bool {
        match &self.place {
            Place::SystemV { id, .. } => !is_thorough || id.value().is_ok_and(|value| value == 0),
            Place::Posix { semaphore, .. } => semaphore.value().is_ok_and(|value| value == 0),
        }
    }

    /// Takes away what is too much of a lock that is taken: somebody gave it back after it was reset.
    /// Returns `false` where it is still too much, because it is far too much or others go on giving.
    #[cold]
    pub(crate) fn mend(&self) -> bool {
        let discarded = match &self.place {
            Place::SystemV { id, .. } => id.value().and_then(|value| {
                let surplus = i16::try_from(value).unwrap_or(i16::MAX);
                id.change(Change::Discard(surplus), Duration::ZERO)
            }),
            Place::Posix { semaphore, .. } => level(semaphore, 0).map(drop),
        };
        discarded.is_ok() && self.is_exclusive(true)
    }

    /// Makes another semaphore of this value, as a creator of Qt does: those who have the old one
    /// open find the new one when they look after its name.
    #[cold]
    pub(crate) fn replace(&mut self, value: u16) -> Result<(), Fault> {
        self.remove(false);
        self.free();
        *self = Self::open(&self.name, value)?;
        Ok(())
    }

    #[cold]
    fn take_slowly(&mut self, mut error: io::Error, patience: Duration) -> Result<(), Fault> {
        let deadline = Deadline::after(patience);
        let mut removals = 0;
        loop {
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                // Somebody has removed it: as Qt does, make it again.
                Some(libc::EIDRM | libc::EINVAL) if removals < ATTEMPTS => {
                    removals += 1;
                    self.reopen()?;
                }
                Some(libc::EAGAIN | libc::ETIMEDOUT) if deadline.is_over() => {
                    return Err(Fault::Timeout);
                }
                Some(libc::EAGAIN | libc::ETIMEDOUT) => {
                    if !self.place.is_named(&self.name) {
                        self.reopen()?;
                    }
                }
                _ => return Err(Fault::io("waiting for the semaphore", error)),
            }
            match self.place.take(deadline.remaining(SLICE)) {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
        }
    }

    /// Takes one if there is one, and does not make the semaphore anew where somebody has removed it.
    pub(crate) fn take_as_it_is(&self) -> bool {
        self.place.take(Duration::ZERO).is_ok()
    }

    fn reopen(&mut self) -> Result<(), Fault> {
        *self = Self::open(&self.name, self.initial)?;
        Ok(())
    }

    /// Gives back the one that was taken.
    #[inline]
    pub(crate) fn give_back(&mut self) -> Result<(), Fault> {
        let given = match &self.place {
            // Where one follows the other that fast, it is looked now and then.
            Place::SystemV { id, .. } if self.look.is_hasty() => {
                id.change(Change::Give(1), Duration::ZERO)
            }
            Place::SystemV { id, .. } => id.change(Change::GiveBack, Duration::ZERO),
            // What somebody gave meanwhile was not theirs; a second one would let two in.
            Place::Posix { semaphore, .. } => match semaphore.value() {
                Ok(0) => semaphore.give(),
                Ok(_) => return Err(Fault::Lost),
                Err(error) => Err(error),
            },
        };
        given.map_err(|error| match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EIDRM | libc::EINVAL) => Fault::Lost,
            _ => Fault::io("giving the semaphore back", error),
        })
    }

    /// Gives so many.
    pub(crate) fn give(&mut self, count: u16) -> Result<(), Fault> {
        let doing = "raising the semaphore";
        if matches!(&self.place, Place::SystemV { .. }) && !self.place.is_named(&self.name) {
            self.reopen()?;
        }
        match &self.place {
            Place::SystemV { id, .. } => {
                let count = i16::try_from(count)
                    .map_err(|_| Fault::io(doing, io::ErrorKind::InvalidInput.into()))?;
                id.change(Change::Give(count), Duration::ZERO)
                    .map_err(|error| Fault::io(doing, error))
            }
            Place::Posix { semaphore, .. } => {
                for given in 0..count {
                    if let Err(error) = semaphore.give() {
                        for _ in 0..given {
                            semaphore.take(Duration::ZERO).ok();
                        }
                        return Err(Fault::io(doing, error));
                    }
                }
                Ok(())
            }
        }
    }

    pub(crate) fn value(&self) -> Result<u32, Fault> {
        match &self.place {
            Place::SystemV { id, .. } => id.value(),
            Place::Posix { semaphore, .. } => semaphore.value(),
        }
        .map_err(|error| Fault::io("looking at the semaphore", error))
    }

    /// Sets the value, as a creator does.
    pub(crate) fn set_value(&mut self, value: u16) -> Result<(), Fault> {
        let set = match &self.place {
            Place::SystemV { id, .. } => id.set_value(value).map(|()| true),
            Place::Posix { semaphore, .. } => level(semaphore, value.into()),
        };
        if !set.map_err(|error| Fault::io("setting the semaphore", error))? {
            self.replace(value)?;
        }
        self.is_creator = true;
        Ok(())
    }

    /// The process that has it, where the system knows: the last to change it, while there is none.
    pub(crate) fn holder(&self) -> Option<u32> {
        match &self.place {
            Place::SystemV { id, .. } if id.value().ok()? == 0 => id.last_process().ok(),
            _ => None,
        }
    }

    /// The file that stands for it.
    pub(crate) fn file(&self) -> PathBuf {
        match &self.name {
            NativeName::SystemV { file, .. } => file.clone(),
            NativeName::Posix(name) => path_of(name),
        }
    }

    /// Returns `true` if the name still means this semaphore.
    fn is_current(&self) -> bool {
        self.place.is_named(&self.name)
    }

    /// Takes the name away, and with a System V semaphore the semaphore itself: who waits for it is
    /// told, and makes another. The file of a System V key may stay for a segment.
    pub(crate) fn remove(&self, is_file_kept: bool) {
        match (&self.place, &self.name) {
            (Place::SystemV { id, number }, NativeName::SystemV { file, project }) => {
                // First, so that nobody finds the old number any more and makes a second one of it. A
                // new file may have got the number of an old one, and somebody else's semaphore.
                if !is_file_kept && self.is_current() {
                    key_file::remove(file, *project, *number);
                }
                // An error means that somebody else was faster.
                if is_ours(*id, *number) {
                    id.remove().ok();
                }
            }
            (Place::Posix { .. }, NativeName::Posix(name)) if self.is_current() => {
                fs::remove_file(path_of(name)).ok();
            }
            _ => {}
        }
    }

    /// Lets those go on who wait for a semaphore that has no name any more, one after the other.
    pub(crate) fn free(&self) {
        if let Place::Posix { semaphore, .. } = &self.place
            && semaphore.value().is_ok_and(|value| value == 0)
        {
            // It fails where there are 2^31 of them already.
            semaphore.give().ok();
        }
    }
}

impl Place {
    /// `None` where somebody was removing it at the same time.
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
            Err(error) => return Err(Fault::io("making the semaphore", error)),
        };
        if !is_creator {
            // An error means that somebody removes it just now.
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
        let inode = file.metadata().map_or(0, |facts| facts.ino());
        let semaphore = NamedSemaphore::open(&file).map_err(|error| Fault::io(doing, error))?;
        Ok(Some((Self::Posix { semaphore, inode }, is_creator)))
    }

    #[inline]
    fn take(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::SystemV { id, .. } => id.change(Change::Take, timeout),
            Self::Posix { semaphore, .. } => semaphore.take(timeout),
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
                fs::symlink_metadata(path_of(name)).is_ok_and(|facts| facts.ino() == *inode)
            }
            _ => false,
        }
    }
}

/// Returns `true` if a System V semaphore is still the one of this number, and of this user's.
fn is_ours(id: SemaphoreId, number: i32) -> bool {
    let user = ownership::this_user();
    id.identity()
        .is_ok_and(|found| (found.number, found.owner, found.creator) == (number, user, user))
}

/// Opens the file of a POSIX semaphore of this user's; `None` where somebody removes it just now.
fn semaphore_file(path: &Path) -> Result<Option<File>, Fault> {
    let check = |facts: &fs::Metadata| {
        ownership::check_owner(path, facts.uid(), ownership::this_user())?;
        // Shorter, and looking at it would be a signal. It has two names while it is being made.
        match facts.is_file() && facts.len() == SEMAPHORE_BYTES {
            true => Ok(()),
            false => Err(Fault::Foreign {
                file: path.to_owned(),
            }),
        }
    };
    let Ok(facts) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    check(&facts)?;
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
    let facts = file
        .metadata()
        .map_err(|error| Fault::io("looking at the semaphore", error))?;
    // What was opened may be another one.
    check(&facts)?;
    Ok(Some(file))
}

/// Gives and takes until the value is this one. Returns `false` where it is far too high, or others give
/// and take at the same time: how often that is done is not for them to say.
fn level(semaphore: &NamedSemaphore, value: u32) -> io::Result<bool> {
    if semaphore.value()? > value.saturating_add(MOST_SURPLUS) {
        return Ok(false);
    }
    for _ in 0..=value.saturating_add(MOST_SURPLUS) {
        let now = semaphore.value()?;
        if now == value {
            return Ok(true);
        }
        if now < value {
            semaphore.give()?;
        } else {
            match semaphore.take(Duration::ZERO) {
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

/// When it is looked whether the name still means the same: once a second, by a clock that is
/// itself looked at less often, the faster one take follows another.
#[derive(Debug, Default)]
struct Look {
    left: u32,
    step: u32,
    last: i64,
}

impl Look {
    const MOST: u32 = 1024;

    /// Returns `true` if there were hundreds of takes within this second.
    #[inline]
    fn is_hasty(&self) -> bool {
        self.step >= Self::MOST / 4
    }

    #[inline]
    fn is_due(&mut self) -> bool {
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        self.look_at_clock()
    }

    #[cold]
    fn look_at_clock(&mut self) -> bool {
        let now = clock_gettime(ClockId::MonotonicCoarse).tv_sec;
        let is_due = self.last != 0 && now != self.last;
        self.step = match now == self.last {
            true => (self.step * 2 + 1).min(Self::MOST),
            false => 0,
        };
        self.left = self.step;
        self.last = now;
        is_due
    }
}
