//! The memory of a segment, of either kind: created, attached to, copied in and out.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::process::{Resource, getrlimit};

use crate::error::{SegmentError, SegmentErrorKind};
use crate::handle::SHM;
use crate::key::{NativeName, QtKey};
use crate::key_file;
use crate::ownership;
use crate::sys::system_v::{Attached, SegmentFacts, SegmentId};
use crate::sysvipc;
use crate::user::{self, Thing, User};

/// A segment that this process is attached to.
///
/// A POSIX segment is read and written by calls, not through a mapping: so a file that somebody cuts
/// short, or a file system that is full, is an error and no signal.
#[derive(Debug)]
pub(crate) enum Memory {
    SystemV {
        id: SegmentId,
        number: i32,
        attached: Attached,
    },
    Posix {
        file: File,
        size: u64,
    },
}

impl Memory {
    /// Makes a segment. The caller has the lock.
    pub(crate) fn create(key: &QtKey, size: usize) -> Result<Self, SegmentError> {
        if size == 0 || isize::try_from(size).is_err() {
            let key = key.clone();
            return Err(SegmentError::new(&key, SegmentErrorKind::Size { size }));
        }
        match key.segment() {
            NativeName::SystemV { file, project } => create_system_v(key, file, *project, size),
            NativeName::Posix(name) => create_posix(key, &path_of(name), size),
        }
    }

    /// Attaches to a segment.
    pub(crate) fn attach(key: &QtKey, is_read_only: bool) -> Result<Self, SegmentError> {
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let (number, id, _) = numbered(key, file, *project, is_read_only)?;
                let (attached, facts) = id
                    .attach(is_read_only)
                    .map_err(|error| gone_or(key, "attaching", error))?;
                // Once more: only now nothing else can get its number.
                ownership::check_object(file, facts.identity, number, key.owner())
                    .map_err(|fault| SegmentError::of(key, fault))?;
                Ok(Self::SystemV {
                    id,
                    number,
                    attached,
                })
            }
            NativeName::Posix(name) => attach_posix(key, &path_of(name), is_read_only),
        }
    }

    /// Looks at a segment without attaching to it.
    pub(crate) fn find(key: &QtKey) -> Result<Facts, SegmentError> {
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let (_, id, facts) = numbered(key, file, *project, true)?;
                Ok(Facts {
                    size: facts.size,
                    attached: Some(facts.attached),
                    thing: Some(Thing::Segment {
                        number: id.number(),
                        owner: key.owner(),
                    }),
                })
            }
            NativeName::Posix(name) => Ok(Facts {
                size: Self::attach(key, true)?.size(),
                attached: None,
                thing: Thing::file(&path_of(name)),
            }),
        }
    }

    /// Removes the segment under a key, and returns the number of a System V segment, which its key
    /// file still has.
    pub(crate) fn remove(key: &QtKey) -> Result<Option<i32>, SegmentError> {
        const DOING: &str = "removing";
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let (number, id, _) = numbered(key, file, *project, true)?;
                id.remove().map_err(|error| gone_or(key, DOING, error))?;
                Ok(Some(number))
            }
            NativeName::Posix(name) => {
                let path = path_of(name);
                ownership::file_of(&path, key.owner())
                    .map_err(|fault| SegmentError::of(key, fault))?;
                fs::remove_file(path).map_err(|error| SegmentError::io(key, DOING, error))?;
                Ok(None)
            }
        }
    }

    /// Who else is seen to use the segment under a key; nobody where there is none.
    pub(crate) fn users_of(key: &QtKey) -> Vec<User> {
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let found = numbered(key, file, *project, true);
                found.map_or_else(
                    |_| Vec::new(),
                    |(_, id, _)| user::of_segment(id.number(), key.owner()),
                )
            }
            NativeName::Posix(name) => user::of_file(&path_of(name)),
        }
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::SystemV { attached, .. } => attached.len(),
            Self::Posix { size, .. } => usize::try_from(*size).unwrap_or(usize::MAX),
        }
    }

    /// How many bytes of it are in memory, or swapped out; `None` where the system does not tell.
    ///
    /// Its length says nothing: whoever makes a segment pays for what is written into it only.
    pub(crate) fn present(&self) -> Option<u64> {
        /// In `st_blocks`, whatever the file system has.
        const BLOCK: u64 = 512;
        match self {
            Self::SystemV { id, .. } => {
                let bytes = |column| sysvipc::field("shm", ("shmid", id.number()), column);
                Some(bytes("rss")?.saturating_add(bytes("swap")?))
            }
            Self::Posix { file, .. } => {
                let facts = file.metadata().ok()?;
                Some(facts.blocks().saturating_mul(BLOCK))
            }
        }
    }

    /// Makes zeros of the bytes from `start` to `end`, without making memory of what was never
    /// written.
    pub(crate) fn blank(&self, start: usize, end: usize) -> io::Result<()> {
        match self {
            Self::SystemV { attached, .. } => {
                attached.blank(start, end);
                Ok(())
            }
            Self::Posix { file, .. } => blank_file(file, start as u64, end as u64),
        }
    }

    /// Copies bytes out; the caller has made sure that they are within.
    pub(crate) fn copy_out(&self, offset: usize, destination: &mut [u8]) -> io::Result<()> {
        match self {
            Self::SystemV { attached, .. } => {
                attached.copy_out(offset, destination);
                Ok(())
            }
            Self::Posix { file, .. } => file.read_exact_at(destination, offset as u64),
        }
    }

    /// Copies bytes in; the caller has made sure that they are within.
    pub(crate) fn copy_in(&self, offset: usize, source: &[u8]) -> io::Result<()> {
        match self {
            Self::SystemV { attached, .. } => {
                attached.copy_in(offset, source);
                Ok(())
            }
            Self::Posix { file, .. } => file.write_all_at(source, offset as u64),
        }
    }

    /// Makes a POSIX segment longer; who has it in memory goes on seeing its beginning. A System V
    /// segment keeps its size: false.
    pub(crate) fn grow(&mut self, key: &QtKey, size: usize) -> Result<bool, SegmentError> {
        match self {
            Self::SystemV { .. } => Ok(false),
            Self::Posix { file, size: known } => {
                reserve(file, size).map_err(|error| SegmentError::io(key, "growing", error))?;
                *known = (*known).max(size as u64);
                Ok(true)
            }
        }
    }

    /// Who else is seen to use it.
    pub(crate) fn users(&self, key: &QtKey) -> Vec<User> {
        match (self, key.segment()) {
            (Self::SystemV { id, .. }, _) => user::of_segment(id.number(), key.owner()),
            (_, NativeName::Posix(name)) => user::of_file(&path_of(name)),
            _ => Vec::new(),
        }
    }

    /// Returns `true` if others use it: as the system counts them, or else as far as they are seen.
    pub(crate) fn is_shared(&self, key: &QtKey) -> bool {
        match self {
            // One of them is this process.
            Self::SystemV { id, .. } => id.facts().is_ok_and(|facts| facts.attached > 1),
            Self::Posix { .. } => !self.users(key).is_empty(),
        }
    }

    /// Returns `true` if the key still means this segment.
    pub(crate) fn is_current(&self, key: &QtKey) -> bool {
        match (self, key.segment()) {
            (Self::SystemV { id, number, .. }, NativeName::SystemV { file, project }) => {
                key_file::is(file, *project, *number, key.owner())
                    && SegmentId::open(*number, true).is_ok_and(|now| now == *id)
            }
            (Self::Posix { file, .. }, NativeName::Posix(name)) => {
                let is_same = |named: fs::Metadata| {
                    file.metadata()
                        .is_ok_and(|ours| (ours.dev(), ours.ino()) == (named.dev(), named.ino()))
                };
                ownership::file_of(&path_of(name), key.owner()).is_ok_and(is_same)
            }
            _ => false,
        }
    }
}

/// What is to be seen of a segment from outside.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) size: usize,
    /// How often it is attached to, where somebody counts.
    pub(crate) attached: Option<u64>,
    /// By what its users are found; nothing where it went away just now.
    pub(crate) thing: Option<Thing>,
}

/// What the system says of the number of a System V segment: `EINVAL` where it went away just now.
fn gone_or(key: &QtKey, doing: &'static str, error: io::Error) -> SegmentError {
    match error.raw_os_error() {
        Some(libc::EINVAL) => SegmentError::new(key, SegmentErrorKind::NotFound),
        _ => SegmentError::io(key, doing, error),
    }
}

/// Finds the System V segment that a key file stands for, if it is the owner's.
fn numbered(
    key: &QtKey,
    file: &Path,
    project: u8,
    is_read_only: bool,
) -> Result<(i32, SegmentId, SegmentFacts), SegmentError> {
    let of = |fault| SegmentError::of(key, fault);
    let number = key_file::number(file, project, key.owner()).map_err(of)?;
    let opened = SegmentId::open(number, is_read_only);
    let denied = |error| of(key_file::denied(file, "shm", number, key.owner(), error));
    let id = opened.map_err(denied)?;
    let facts = id
        .facts()
        .map_err(|error| gone_or(key, "looking at it", error))?;
    ownership::check_object(file, facts.identity, number, key.owner()).map_err(of)?;
    Ok((number, id, facts))
}

pub(crate) fn path_of(name: &str) -> PathBuf {
    Path::new(SHM).join(name)
}

fn create_system_v(
    key: &QtKey,
    file: &Path,
    project: u8,
    size: usize,
) -> Result<Memory, SegmentError> {
    let (number, is_new) =
        key_file::ensure(file, project).map_err(|fault| SegmentError::of(key, fault))?;
    let created = create_numbered(key, file, project, number, size);
    if created.is_err() && is_new {
        key_file::remove(file, project, number);
    }
    created
}

fn create_numbered(
    key: &QtKey,
    file: &Path,
    project: u8,
    number: i32,
    size: usize,
) -> Result<Memory, SegmentError> {
    let mut created = SegmentId::create(number, size);
    let exists = |result: &io::Result<SegmentId>| matches!(result, Err(error) if error.raw_os_error() == Some(libc::EEXIST));
    if exists(&created) {
        sweep(key, file, project)?;
        created = SegmentId::create(number, size);
    }
    let id = match created {
        Ok(id) => id,
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            let key = key.clone();
            return Err(SegmentError::new(&key, SegmentErrorKind::Size { size }));
        }
        Err(error) => return Err(SegmentError::io(key, "making", error)),
    };
    match id.attach(false) {
        Ok((attached, _)) => Ok(Memory::SystemV {
            id,
            number,
            attached,
        }),
        Err(error) => {
            id.remove().ok();
            Err(SegmentError::io(key, "attaching", error))
        }
    }
}

/// Removes a segment that nobody is attached to: a crash left it behind. Whoever is just making
/// one has the lock, and the lock is ours.
fn sweep(key: &QtKey, file: &Path, project: u8) -> Result<(), SegmentError> {
    match numbered(key, file, project, true) {
        Ok((_, id, facts)) if facts.attached == 0 => id
            .remove()
            .map_err(|error| SegmentError::io(key, "removing what a crash left", error)),
        Ok((_, id, _)) => Err(SegmentError::new(
            key,
            SegmentErrorKind::AlreadyExists {
                users: user::of_segment(id.number(), key.owner()),
            },
        )),
        // It went away just now.
        Err(error) if *error.kind() == SegmentErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn create_posix(key: &QtKey, path: &Path, size: usize) -> Result<Memory, SegmentError> {
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let file = match made {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Whose is it?
            attach_posix(key, path, true)?;
            return Err(SegmentError::new(
                key,
                SegmentErrorKind::AlreadyExists {
                    users: user::of_file(path),
                },
            ));
        }
        Err(error) => return Err(SegmentError::io(key, "making", error)),
    };
    if let Err(error) = reserve(&file, size) {
        fs::remove_file(path).ok();
        return Err(SegmentError::io(key, "making", error));
    }
    Ok(Memory::Posix {
        file,
        size: size as u64,
    })
}

fn attach_posix(key: &QtKey, path: &Path, is_read_only: bool) -> Result<Memory, SegmentError> {
    let of = |fault| SegmentError::of(key, fault);
    // Before it is opened: opening a device does something, and another user's file may hold it up.
    ownership::file_of(path, key.owner()).map_err(of)?;
    let no_follow = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .write(!is_read_only)
        .custom_flags(no_follow)
        .open(path)
        .map_err(|error| SegmentError::io(key, "opening", error))?;
    let facts = file
        .metadata()
        .map_err(|error| SegmentError::io(key, "looking at it", error))?;
    // What was opened may be another one.
    ownership::check_file(path, &facts, key.owner()).map_err(of)?;
    let size = facts.len();
    Ok(Memory::Posix { file, size })
}

/// Writes zeros over a file where it has memory; its holes are zeros already.
fn blank_file(file: &File, start: u64, end: u64) -> io::Result<()> {
    let mut at = start;
    while at < end {
        let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.min(end),
            Err(rustix::io::Errno::NXIO) => return Ok(()),
            // The file system knows no holes.
            Err(_) => at,
        };
        let hole = rustix::fs::seek(file, SeekFrom::Hole(data)).unwrap_or(end);
        at = hole.clamp(data, end);
        if at == data {
            return Ok(());
        }
        for from in (data..at).step_by(ZEROS.len()) {
            let left = usize::try_from(at - from).unwrap_or(usize::MAX);
            file.write_all_at(&ZEROS[..left.min(ZEROS.len())], from)?;
        }
    }
    Ok(())
}

/// Zeros for what is blanked.
const ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];

/// Makes a file as long as that, with memory behind it, so that a full file system is told of now.
fn reserve(file: &File, size: usize) -> io::Result<()> {
    let size = size as u64;
    // To pass this limit would be a signal.
    if getrlimit(Resource::Fsize)
        .current
        .is_some_and(|most| most < size)
    {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    loop {
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, size) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}
