//! The memory of a System V or POSIX segment: creating, attaching, copying in and out.

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
use crate::sys::system_v::{Attached, SegmentId, SegmentStat};
use crate::sysvipc;
use crate::user::{self, SharedObject, User};

/// A segment that this process is attached to.
///
/// A POSIX segment is read and written by system calls, not through a mapping. So a file that
/// another process truncates, or a full file system, is an error and not SIGBUS.
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
    /// Creates a segment. The caller holds the lock.
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
                let (number, id, _) = find_system_v(key, file, *project, is_read_only)?;
                let (attached, stat) = id
                    .attach(is_read_only)
                    .map_err(|error| not_found_or(key, "attaching", error))?;
                // Checked again: only while it is attached, its id cannot be reused.
                ownership::check_object(file, stat.identity, number, key.owner())
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

    /// Returns what is known of a segment without attaching to it.
    pub(crate) fn find(key: &QtKey) -> Result<MemoryStat, SegmentError> {
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let (_, id, stat) = find_system_v(key, file, *project, true)?;
                Ok(MemoryStat {
                    size: stat.size,
                    attached: Some(stat.attached),
                    object: Some(SharedObject::Segment {
                        number: id.number(),
                        owner: key.owner(),
                    }),
                })
            }
            NativeName::Posix(name) => Ok(MemoryStat {
                size: Self::attach(key, true)?.size(),
                attached: None,
                object: SharedObject::file(&path_of(name)),
            }),
        }
    }

    /// Removes the segment under a key. Returns the System V key, which its key file still has;
    /// `None` for POSIX.
    pub(crate) fn remove(key: &QtKey) -> Result<Option<i32>, SegmentError> {
        const DOING: &str = "removing";
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let (number, id, _) = find_system_v(key, file, *project, true)?;
                id.remove()
                    .map_err(|error| not_found_or(key, DOING, error))?;
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

    /// Returns the other processes that are seen to use the segment under a key; none if there is
    /// no segment.
    pub(crate) fn users_of(key: &QtKey) -> Vec<User> {
        match key.segment() {
            NativeName::SystemV { file, project } => {
                let found = find_system_v(key, file, *project, true);
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

    /// Returns how many bytes of it are in memory or swapped out; `None` if that is unknown.
    ///
    /// Its length does not bound that: the kernel allocates memory only for what is written.
    pub(crate) fn present(&self) -> Option<u64> {
        /// The unit of `st_blocks` on every file system.
        const BLOCK: u64 = 512;
        match self {
            Self::SystemV { id, .. } => {
                let bytes = |column| sysvipc::field("shm", ("shmid", id.number()), column);
                Some(bytes("rss")?.saturating_add(bytes("swap")?))
            }
            Self::Posix { file, .. } => {
                let stat = file.metadata().ok()?;
                Some(stat.blocks().saturating_mul(BLOCK))
            }
        }
    }

    /// Zeroes the bytes from `start` to `end`, without allocating memory for bytes that were never
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

    /// Copies bytes out. The caller has checked that the range is within the segment.
    pub(crate) fn copy_out(&self, offset: usize, destination: &mut [u8]) -> io::Result<()> {
        match self {
            Self::SystemV { attached, .. } => {
                attached.copy_out(offset, destination);
                Ok(())
            }
            Self::Posix { file, .. } => file.read_exact_at(destination, offset as u64),
        }
    }

    /// Copies bytes in. The caller has checked that the range is within the segment.
    pub(crate) fn copy_in(&self, offset: usize, source: &[u8]) -> io::Result<()> {
        match self {
            Self::SystemV { attached, .. } => {
                attached.copy_in(offset, source);
                Ok(())
            }
            Self::Posix { file, .. } => file.write_all_at(source, offset as u64),
        }
    }

    /// Extends a POSIX segment; processes that have mapped it still see its old part. Returns
    /// `false` for a System V segment, which keeps its size.
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

    /// Returns the other processes that are seen to use it.
    pub(crate) fn users(&self, key: &QtKey) -> Vec<User> {
        match (self, key.segment()) {
            (Self::SystemV { id, .. }, _) => user::of_segment(id.number(), key.owner()),
            (_, NativeName::Posix(name)) => user::of_file(&path_of(name)),
            _ => Vec::new(),
        }
    }

    /// Returns `true` if other processes use it: by the kernel's count for System V, as far as they
    /// are seen for POSIX.
    pub(crate) fn is_shared(&self, key: &QtKey) -> bool {
        match self {
            // One of them is this process.
            Self::SystemV { id, .. } => id.stat().is_ok_and(|stat| stat.attached > 1),
            Self::Posix { .. } => !self.users(key).is_empty(),
        }
    }

    /// Returns `true` if the key still leads to this segment.
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

/// What is known of a segment without attaching to it.
#[derive(Clone, Debug)]
pub(crate) struct MemoryStat {
    pub(crate) size: usize,
    /// How many times it is attached; `None` for POSIX.
    pub(crate) attached: Option<u64>,
    /// Identifies it in `/proc`; `None` if it was just removed.
    pub(crate) object: Option<SharedObject>,
}

/// Makes the error of an operation on a System V id: `EINVAL` means that the segment was just
/// removed.
fn not_found_or(key: &QtKey, doing: &'static str, error: io::Error) -> SegmentError {
    match error.raw_os_error() {
        Some(libc::EINVAL) => SegmentError::new(key, SegmentErrorKind::NotFound),
        _ => SegmentError::io(key, doing, error),
    }
}

/// Finds the System V segment of a key file, if the key's owner owns it.
fn find_system_v(
    key: &QtKey,
    file: &Path,
    project: u8,
    is_read_only: bool,
) -> Result<(i32, SegmentId, SegmentStat), SegmentError> {
    let of = |fault| SegmentError::of(key, fault);
    let number = key_file::number(file, project, key.owner()).map_err(of)?;
    let opened = SegmentId::open(number, is_read_only);
    let denied = |error| of(key_file::denied(file, "shm", number, key.owner(), error));
    let id = opened.map_err(denied)?;
    let stat = id
        .stat()
        .map_err(|error| not_found_or(key, "reading its state", error))?;
    ownership::check_object(file, stat.identity, number, key.owner()).map_err(of)?;
    Ok((number, id, stat))
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
    let created = create_with_number(key, file, project, number, size);
    if created.is_err() && is_new {
        key_file::remove(file, project, number);
    }
    created
}

fn create_with_number(
    key: &QtKey,
    file: &Path,
    project: u8,
    number: i32,
    size: usize,
) -> Result<Memory, SegmentError> {
    let mut created = SegmentId::create(number, size);
    let exists = |result: &io::Result<SegmentId>| matches!(result, Err(error) if error.raw_os_error() == Some(libc::EEXIST));
    if exists(&created) {
        remove_unused(key, file, project)?;
        created = SegmentId::create(number, size);
    }
    let id = match created {
        Ok(id) => id,
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            let key = key.clone();
            return Err(SegmentError::new(&key, SegmentErrorKind::Size { size }));
        }
        Err(error) => return Err(SegmentError::io(key, "creating", error)),
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

/// Removes a segment to which no process is attached: a crash left it behind. A process that is
/// creating one would hold the lock, and the caller holds it.
fn remove_unused(key: &QtKey, file: &Path, project: u8) -> Result<(), SegmentError> {
    match find_system_v(key, file, project, true) {
        Ok((_, id, stat)) if stat.attached == 0 => id
            .remove()
            .map_err(|error| SegmentError::io(key, "removing leftovers of a crash", error)),
        Ok((_, id, _)) => Err(SegmentError::new(
            key,
            SegmentErrorKind::AlreadyExists {
                users: user::of_segment(id.number(), key.owner()),
            },
        )),
        // It was just removed.
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
            // Refused if another user owns it.
            attach_posix(key, path, true)?;
            return Err(SegmentError::new(
                key,
                SegmentErrorKind::AlreadyExists {
                    users: user::of_file(path),
                },
            ));
        }
        Err(error) => return Err(SegmentError::io(key, "creating", error)),
    };
    if let Err(error) = reserve(&file, size) {
        fs::remove_file(path).ok();
        return Err(SegmentError::io(key, "creating", error));
    }
    Ok(Memory::Posix {
        file,
        size: size as u64,
    })
}

fn attach_posix(key: &QtKey, path: &Path, is_read_only: bool) -> Result<Memory, SegmentError> {
    let of = |fault| SegmentError::of(key, fault);
    // Checked before opening: opening a device may have effects, and another user's file may block.
    ownership::file_of(path, key.owner()).map_err(of)?;
    let no_follow = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .write(!is_read_only)
        .custom_flags(no_follow)
        .open(path)
        .map_err(|error| SegmentError::io(key, "opening", error))?;
    let stat = file
        .metadata()
        .map_err(|error| SegmentError::io(key, "reading its state", error))?;
    // The file may have been replaced between the check and the opening.
    ownership::check_file(path, &stat, key.owner()).map_err(of)?;
    let size = stat.len();
    Ok(Memory::Posix { file, size })
}

/// Writes zeros over the allocated parts of a file; its holes are zeros already.
fn blank_file(file: &File, start: u64, end: u64) -> io::Result<()> {
    let mut at = start;
    while at < end {
        let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.min(end),
            Err(rustix::io::Errno::NXIO) => return Ok(()),
            // The file system does not support holes.
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

/// The zeros that are written.
const ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];

/// Extends a file and allocates its memory, so that a full file system is an error now.
fn reserve(file: &File, size: usize) -> io::Result<()> {
    let size = size as u64;
    // Exceeding this limit would raise SIGXFSZ.
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
