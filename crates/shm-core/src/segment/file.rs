//! A segment's file: found by its name, validated by its head, guarded by its lifecycle byte.

use std::fs::File;
use std::io;
use std::mem::offset_of;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use crate::deadline::{Backoff, Deadline};
use crate::error::{AttachError, AttachErrorKind, ForeignReason};
use crate::key::Key;
use crate::layout::{self, flags};
use crate::lock_holder::LockHolder;
use crate::options::Options;
use crate::segment::id::SegmentId;
use crate::segment::kind::Kind;
use crate::sys::{self, ByteLock, FileStat, ForkMark, NotInherited, OpenMode, WritableMapping};

/// An open file that has, or had, a segment's name.
///
/// Every byte lock taken through it ends when it is dropped, or when its process ends.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    /// Dropped before the file is closed.
    _private: NotInherited,
    pub(crate) file: File,
    pub(crate) key: Key,
    pub(crate) path: PathBuf,
    fork: ForkMark,
    /// Opened for inspection: no byte is ever locked through it.
    takes_no_locks: bool,
}

impl Drop for SegmentFile {
    fn drop(&mut self) {
        // Closing the descriptor is not enough: a child that another thread forks meanwhile has a
        // copy of it, which would keep every lock.
        if !self.takes_no_locks && !self.fork.is_elsewhere() {
            let unlocked = sys::unlock_bytes_from(&self.file, layout::LIFECYCLE_BYTE);
            debug_assert!(unlocked.is_ok(), "unlocking cannot fail on an open file");
        }
    }
}

/// A private copy of the beginning of a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) version: u32,
    pub(crate) slot_count: u32,
    pub(crate) flags: u32,
    pub(crate) kind: u32,
    pub(crate) id: SegmentId,
    pub(crate) created: u64,
    pub(crate) block_bytes: u64,
    /// 0 if the segment has no samples or another version.
    pub(crate) ring_bytes: u64,
    pub(crate) retain_bytes: u64,
    /// The position of the newest record; the word of a semaphore.
    pub(crate) last: u64,
}

impl Head {
    /// The least length of a segment of any version.
    const MIN_BYTES: usize = 56;
    /// The length up to and including the position of the newest record.
    const BYTES: usize = offset_of!(layout::Header, last) + 8;

    /// The length that is written to a new file before it is mapped.
    const ENCODED_BYTES: usize = offset_of!(layout::Header, retain_bytes) + 8;

    /// Encodes the head of a new segment of this kind; the rest of the file is zero.
    pub(crate) fn encode(kind: Kind, flags: u32) -> [u8; Self::ENCODED_BYTES] {
        let mut bytes = [0; Self::ENCODED_BYTES];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        let slots = u32::try_from(layout::SLOTS).unwrap_or(u32::MAX);
        put(0, &layout::MAGIC);
        put(8, &layout::VERSION.to_le_bytes());
        put(12, &slots.to_le_bytes());
        put(16, &flags.to_le_bytes());
        put(20, &kind.code().to_le_bytes());
        put(24, &sys::random_u64().to_le_bytes());
        put(32, &sys::random_u64().to_le_bytes());
        put(40, &sys::unix_nanos().to_le_bytes());
        match kind {
            Kind::Block { bytes } => put(48, &bytes.to_le_bytes()),
            // Its units are stored after it is mapped.
            Kind::Semaphore { .. } => {}
            Kind::Samples {
                ring_bytes,
                retain_bytes,
            } => {
                put(56, &ring_bytes.to_le_bytes());
                put(64, &retain_bytes.to_le_bytes());
            }
        }
        bytes
    }

    /// Decodes the fields; fails with the reason if the bytes are not those of a segment.
    fn parse(bytes: &[u8; Self::BYTES]) -> Result<Self, ForeignReason> {
        let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        if bytes[..8] != layout::MAGIC {
            return Err(ForeignReason::Magic);
        }
        let head = Self {
            version: u32_at(8),
            slot_count: u32_at(12),
            flags: u32_at(16),
            kind: u32_at(20),
            id: SegmentId::new(u128::from(u64_at(24)) | u128::from(u64_at(32)) << 64),
            created: u64_at(40),
            block_bytes: u64_at(48),
            ring_bytes: u64_at(offset_of!(layout::Header, ring_bytes)),
            retain_bytes: u64_at(offset_of!(layout::Header, retain_bytes)),
            last: u64_at(offset_of!(layout::Header, last)),
        };
        if head.slot_count > layout::MAX_SLOTS {
            let count = head.slot_count;
            return Err(ForeignReason::Slots { count });
        }
        Ok(head)
    }

    /// Returns the length of the mapping: the control area, and the ring of a segment of samples.
    ///
    /// The head must have been checked.
    pub(crate) fn mapped_bytes(&self) -> usize {
        let ring = usize::try_from(self.ring_bytes).unwrap_or(0);
        layout::CONTROL_BYTES
            + if self.kind == layout::kind::SAMPLES {
                ring
            } else {
                0
            }
    }

    /// Returns the offset and the length of the ring or the block. A semaphore has neither.
    pub(crate) fn data(&self) -> (u64, u64) {
        match self.kind {
            layout::kind::BLOCK => (layout::BLOCK_OFFSET, self.block_bytes),
            layout::kind::SEMAPHORE => (layout::RING_OFFSET as u64, 0),
            _ => (layout::RING_OFFSET as u64, self.ring_bytes),
        }
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.flags & flags::PERSISTENT != 0
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.flags & flags::REMOVED != 0
    }

    /// Checks the fields of this version beyond the frozen ones.
    fn check_whole(&self, stat: &FileStat) -> Result<(), ForeignReason> {
        let block = self.kind == layout::kind::BLOCK;
        let samples = self.kind == layout::kind::SAMPLES;
        if !block && !samples && self.kind != layout::kind::SEMAPHORE {
            return Err(ForeignReason::Kind { kind: self.kind });
        }
        if self.slot_count != u32::try_from(layout::SLOTS).unwrap_or(u32::MAX) {
            let count = self.slot_count;
            return Err(ForeignReason::Slots { count });
        }
        if block && !(1..=layout::MAX_BLOCK_BYTES).contains(&self.block_bytes) {
            let bytes = self.block_bytes;
            return Err(ForeignReason::Block { bytes });
        }
        let is_ring =
            layout::RING_BYTES.contains(&self.ring_bytes) && self.ring_bytes.is_power_of_two();
        if samples && !is_ring {
            let bytes = self.ring_bytes;
            return Err(ForeignReason::Ring { bytes });
        }
        let (offset, data) = self.data();
        let needed = offset + data;
        if stat.size < needed {
            let bytes = stat.size;
            return Err(ForeignReason::CutShort { bytes, needed });
        }
        let reserved = layout::CONTROL_BYTES as u64 + data;
        if stat.allocated < reserved {
            return Err(ForeignReason::Memory {
                bytes: reserved,
                memory: stat.allocated,
            });
        }
        Ok(())
    }
}

impl SegmentFile {
    /// Wraps an open file as the segment of this key.
    pub(crate) fn new(file: File, key: &Key, path: PathBuf) -> Self {
        Self {
            _private: NotInherited::new(&file),
            file,
            key: key.clone(),
            path,
            fork: ForkMark::here(),
            takes_no_locks: false,
        }
    }

    /// Opens the file of the key's name for inspection, without locks; returns it with its `stat`.
    pub(crate) fn open_to_inspect(
        key: &Key,
        path: PathBuf,
        options: &Options,
    ) -> Result<(Self, FileStat), AttachError> {
        let (mut found, stat) = Self::open_at(path, key, options, OpenMode::ReadOnly)?;
        found.takes_no_locks = true;
        Ok((found, stat))
    }

    /// Opens the file of the key's name if it is a regular file of the expected owner.
    pub(crate) fn open(key: &Key, options: &Options, mode: OpenMode) -> Result<Self, AttachError> {
        Self::open_at(options.path_of(key), key, options, mode).map(|(found, _)| found)
    }

    fn open_at(
        path: PathBuf,
        key: &Key,
        options: &Options,
        mode: OpenMode,
    ) -> Result<(Self, FileStat), AttachError> {
        let file = match sys::open_segment(&path, mode) {
            Ok(file) => file,
            Err(error) => {
                // `stat` gives a better reason for a link, a socket or another user's file than
                // `open`.
                if let Ok(stat) = sys::stat_at(&path) {
                    check_ours(key, &path, &stat, options)?;
                }
                check_directory(key, options)?;
                return Err(AttachError::io(key, "opening", error));
            }
        };
        let stat =
            sys::stat(&file).map_err(|error| AttachError::io(key, "reading its status", error))?;
        check_ours(key, &path, &stat, options)?;
        Ok((Self::new(file, key, path), stat))
    }

    /// Finds the live segment under the key and locks its lifecycle byte.
    ///
    /// Removes a stale segment. The byte is held until [`unlock_lifecycle`](Self::unlock_lifecycle)
    /// or drop.
    ///
    /// # Errors
    ///
    /// `NotFound`, also if there was only a stale segment.
    pub(crate) fn locate(
        key: &Key,
        options: &Options,
        mode: OpenMode,
        deadline: Deadline,
    ) -> Result<(Self, Head), AttachError> {
        let lock = match mode {
            OpenMode::ReadWrite => ByteLock::Write,
            OpenMode::ReadOnly => ByteLock::Read,
        };
        let mut backoff = Backoff::new();
        loop {
            let found = Self::open(key, options, mode)?;
            found.head()?;
            if !found.try_lock_lifecycle(lock)? {
                // Read locks of subscribers can block the byte, but not the removal of a stale
                // segment.
                if mode == OpenMode::ReadWrite && found.is_stale_despite_readers()? {
                    found.remove_stale(options, mode)?;
                    return Err(AttachError::new(key, AttachErrorKind::NotFound));
                }
                found.lock_lifecycle(lock, deadline)?;
            }
            if found.is_named() {
                // Read again, because flags are stable only while the byte is held.
                let head = found.head()?;
                if found.is_stale(&head)? {
                    found.remove_stale(options, mode)?;
                    return Err(AttachError::new(key, AttachErrorKind::NotFound));
                }
                found.check_version(&head)?;
                return Ok((found, head));
            }
            // Another process removed it after it was opened and before it was locked.
            if !backoff.pause(deadline) {
                return Err(AttachError::new(
                    key,
                    AttachErrorKind::Busy {
                        holder: LockHolder::Unknown,
                    },
                ));
            }
        }
    }

    /// Reads the head from the file.
    pub(crate) fn head(&self) -> Result<Head, AttachError> {
        let mut bytes = [0; Head::BYTES];
        let head = match sys::read_at(&self.file, &mut bytes, 0) {
            Ok(Head::MIN_BYTES..) => Head::parse(&bytes),
            Ok(_) => Err(ForeignReason::TooShort),
            Err(error) => return Err(AttachError::io(&self.key, "reading its head", error)),
        };
        head.map_err(|reason| self.foreign(reason))
    }

    /// Checks that this crate supports the layout's version, and that the file is as long as the
    /// head requires.
    pub(crate) fn check_version(&self, head: &Head) -> Result<(), AttachError> {
        self.check_version_with(&self.stat()?, head)
    }

    /// Does the same with a `stat` that is known already.
    pub(crate) fn check_version_with(
        &self,
        stat: &FileStat,
        head: &Head,
    ) -> Result<(), AttachError> {
        if head.version != layout::VERSION {
            return Err(AttachError::new(
                &self.key,
                AttachErrorKind::Version {
                    found: head.version,
                },
            ));
        }
        head.check_whole(stat)
            .map_err(|reason| self.foreign(reason))
    }

    /// Checks that the range of the ring or block has memory, because a process that maps a hole
    /// allocates memory by reading it.
    ///
    /// Inspection does not need this. The memory is reserved, and may never have been written; if
    /// the kernel does not report reserved memory, the check of the whole file's memory has to
    /// suffice.
    pub(crate) fn check_data(&self, head: &Head) -> Result<(), AttachError> {
        if !sys::is_in_memory(&self.file) {
            return Ok(());
        }
        let (offset, claimed) = head.data();
        if claimed == 0 {
            return Ok(());
        }
        match sys::reserved_in(&self.file, offset..offset + claimed) {
            Ok(memory) if memory < claimed => Err(self.foreign(ForeignReason::Memory {
                bytes: claimed,
                memory,
            })),
            _ => Ok(()),
        }
    }

    pub(crate) fn stat(&self) -> Result<FileStat, AttachError> {
        sys::stat(&self.file)
            .map_err(|error| AttachError::io(&self.key, "reading its status", error))
    }

    /// Locks the lifecycle byte; waits for it until the deadline.
    pub(crate) fn lock_lifecycle(
        &self,
        lock: ByteLock,
        deadline: Deadline,
    ) -> Result<(), AttachError> {
        let mut backoff = Backoff::new();
        while !self.try_lock_lifecycle(lock)? {
            if !backoff.pause(deadline) {
                return Err(AttachError::new(
                    &self.key,
                    AttachErrorKind::Busy {
                        holder: LockHolder::find(&self.file, layout::LIFECYCLE_BYTE, lock),
                    },
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn try_lock_lifecycle(&self, lock: ByteLock) -> Result<bool, AttachError> {
        sys::try_lock_byte(&self.file, layout::LIFECYCLE_BYTE, lock)
            .map_err(|error| AttachError::io(&self.key, "locking", error))
    }

    pub(crate) fn unlock_lifecycle(&self) -> Result<(), AttachError> {
        sys::unlock_byte(&self.file, layout::LIFECYCLE_BYTE)
            .map_err(|error| AttachError::io(&self.key, "unlocking", error))
    }

    /// Returns `true` if the name still leads to this file.
    pub(crate) fn is_named(&self) -> bool {
        let here = sys::stat(&self.file).map(|stat| stat.identity);
        let there = sys::stat_at(&self.path).map(|stat| stat.identity);
        matches!((here, there), (Ok(here), Ok(there)) if here == there)
    }

    /// Returns `true` if the name now leads to another file, or to none.
    ///
    /// Not the opposite of [`is_named`](Self::is_named): if the kernel refuses to look the name up
    /// (the directory may have become inaccessible), the name counts as lost only when the file has
    /// no links.
    pub(crate) fn is_name_lost(&self) -> bool {
        let here = sys::stat(&self.file);
        match sys::stat_at(&self.path) {
            Ok(there) => here.is_ok_and(|here| here.identity != there.identity),
            Err(error) if sys::is_dead_end(&error) => true,
            Err(_) => here.is_ok_and(|here| here.names == 0),
        }
    }

    /// Returns `true` if another open file than this holds a slot.
    pub(crate) fn has_other_holders(&self, slot_count: u32) -> Result<bool, AttachError> {
        self.held_slot(slot_count).map(|held| held.is_some())
    }

    /// Returns the byte of a slot that another open file holds, not necessarily the first.
    pub(crate) fn held_slot(&self, slot_count: u32) -> Result<Option<u64>, AttachError> {
        let slots = layout::slot_bytes(u64::from(slot_count.max(1)));
        // Holders have write locks: read locks, which subscribers can take, do not count.
        sys::refusing_lock(&self.file, slots, ByteLock::Read)
            .map(|lock| lock.map(|lock| lock.bytes.start))
            .map_err(|error| AttachError::io(&self.key, "querying its participants", error))
    }

    /// Returns `true` if nothing keeps the segment: it has no participants and is not persistent,
    /// or it is marked as removed.
    pub(crate) fn is_stale(&self, head: &Head) -> Result<bool, AttachError> {
        if head.is_removed() {
            return Ok(true);
        }
        Ok(!head.is_persistent() && !self.has_other_holders(head.slot_count)?)
    }

    /// Returns `true` if this is the file of the name and permanently stale, although the lifecycle
    /// byte cannot be locked: only read locks block it, which any process that may read the file
    /// can hold forever.
    ///
    /// The order matters: an attaching process holds the byte for writing from before its own check
    /// until it holds its slot. So either its lock is seen in between, or its slot is seen
    /// afterwards.
    pub(crate) fn is_stale_despite_readers(&self) -> Result<bool, AttachError> {
        if !self.is_named() || !self.is_stale(&self.head()?)? {
            return Ok(false);
        }
        let byte = layout::LIFECYCLE_BYTE;
        let writer = sys::refusing_lock(&self.file, byte..byte + 1, ByteLock::Read)
            .map_err(|error| AttachError::io(&self.key, "querying the lifecycle lock", error))?;
        Ok(writer.is_none() && self.is_stale(&self.head()?)?)
    }

    /// Sets the removed flag, removes the name, and wakes all waiters of the segment.
    ///
    /// The caller holds the lifecycle byte for writing, and the file has the name; or the segment
    /// [is stale despite readers](Self::is_stale_despite_readers).
    pub(crate) fn remove(&self, head: &Head) -> Result<(), AttachError> {
        let error = |error| AttachError::io(&self.key, "removing", error);
        match self.set_flags(head.flags | flags::REMOVED) {
            // The file size limit of this process prevents the flag from being written, but not the
            // name from being removed: participants notice that.
            Err(failure) if failure.kind() != io::ErrorKind::FileTooLarge => {
                return Err(error(failure));
            }
            _ => {}
        }
        let identity = self.stat()?.identity;
        let aside = self.path.with_file_name(draft_name());
        match sys::remove_exactly(&self.path, identity, &aside) {
            Err(failure) if failure.kind() != io::ErrorKind::NotFound => {
                return Err(error(failure));
            }
            _ => {}
        }
        let map_control = |()| WritableMapping::new(&self.file, 0, layout::CONTROL_BYTES).ok();
        if let Some(control) = self.check_version(head).ok().and_then(map_control) {
            wake_all_waiters(&control);
        }
        Ok(())
    }

    /// Writes the flags. The caller holds the lifecycle byte for writing, which serialises writers.
    pub(crate) fn set_flags(&self, flags: u32) -> io::Result<()> {
        let at = std::mem::offset_of!(layout::Header, flags) as u64;
        sys::write_at(&self.file, &flags.to_le_bytes(), at)
    }

    /// Removes a stale segment, through a writable descriptor of its own if this one is read-only.
    fn remove_stale(self, options: &Options, mode: OpenMode) -> Result<(), AttachError> {
        if mode == OpenMode::ReadWrite {
            return self.remove(&self.head()?);
        }
        let key = self.key.clone();
        drop(self);
        // A process that may only read leaves it to others; the caller gets `NotFound` either way.
        let _left_to_others = reclaim(&key, options);
        Ok(())
    }

    #[cold]
    fn foreign(&self, reason: ForeignReason) -> AttachError {
        foreign(&self.key, &self.path, reason)
    }
}

/// Removes the segment under the key if it is stale, without waiting; returns `true` if it was.
///
/// Leaves segments of other users alone, even if the process could remove them.
pub(crate) fn reclaim(key: &Key, options: &Options) -> Result<bool, AttachError> {
    if !options.is_of_caller() {
        return Ok(false);
    }
    let found = SegmentFile::open(key, options, OpenMode::ReadWrite)?;
    found.head()?;
    let is_stale = if found.try_lock_lifecycle(ByteLock::Write)? {
        found.is_named() && found.is_stale(&found.head()?)?
    } else {
        found.is_stale_despite_readers()?
    };
    if is_stale {
        found.remove(&found.head()?)?;
    }
    Ok(is_stale)
}

/// Removes a draft that a crash left while a segment was being created or removed.
///
/// Only a file that is a segment by its content and stale, or that is empty and has the mark of a
/// draft without content.
pub(crate) fn sweep_draft(path: &Path) {
    let Ok(file) = sys::open_segment(path, OpenMode::ReadOnly) else {
        return;
    };
    let Ok(stat) = sys::stat(&file) else { return };
    if stat.kind != FileType::RegularFile || stat.owner != sys::effective_user() {
        return;
    }
    let mut bytes = [0; Head::BYTES];
    let (slot_count, is_removed) = match sys::read_at(&file, &mut bytes, 0) {
        Ok(0) if stat.mode & sys::DRAFT_MARK != 0 => (layout::SLOTS as u64, false),
        Ok(Head::MIN_BYTES..) => match Head::parse(&bytes) {
            Ok(head) => (u64::from(head.slot_count.max(1)), head.is_removed()),
            Err(_) => return,
        },
        _ => return,
    };
    let holder = sys::refusing_lock(&file, layout::slot_bytes(slot_count), ByteLock::Read);
    if is_removed || matches!(holder, Ok(None)) {
        // If this fails, the next list tries again.
        let _swept_later =
            sys::remove_exactly(path, stat.identity, &path.with_file_name(draft_name()));
    }
}

/// Returns a unique name for a file that does not have its key's name yet, or no longer.
pub(crate) fn draft_name() -> String {
    format!("{}{:016x}{DRAFT_SUFFIX}", draft_prefix(), sys::random_u64())
}

const DRAFT_SUFFIX: &str = ".tmp";

/// Returns the prefix of the names of this user's drafts, which no key's file name has.
pub(crate) fn draft_prefix() -> String {
    format!(".shm-core.{}.", sys::effective_user())
}

/// Returns `true` if `name` is exactly that of a draft with this prefix: editors and rsync create
/// names with the same beginning.
pub(crate) fn is_draft_name(name: &str, prefix: &str) -> bool {
    let number = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(DRAFT_SUFFIX));
    number.is_some_and(|number| is_hex(number, 16))
}

/// Returns `true` if `text` consists of exactly `digits` lower-case hexadecimal digits.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit)
}

/// Wakes all threads that wait for a sample, the lock, a change or units.
pub(crate) fn wake_all_waiters(control: &WritableMapping) {
    let header = &control.view::<layout::Control>().header;
    sys::wake_all_low(&header.last);
    sys::wake_all(&header.lock);
    sys::wake_all(&header.changes);
}

/// Checks that the directory is not on a file system that cannot hold segments.
pub(crate) fn check_directory(key: &Key, options: &Options) -> Result<(), AttachError> {
    let directory = options.directory_path();
    match sys::unfit_file_system(&directory) {
        None => Ok(()),
        Some(kind) => Err(AttachError::new(
            key,
            AttachErrorKind::FileSystem {
                directory,
                kind,
                doing: "making long sparse files",
            },
        )),
    }
}

#[cold]
fn foreign(key: &Key, path: &Path, reason: ForeignReason) -> AttachError {
    let path = path.to_owned();
    AttachError::new(key, AttachErrorKind::Foreign { path, reason })
}

fn check_ours(
    key: &Key,
    path: &Path,
    stat: &FileStat,
    options: &Options,
) -> Result<(), AttachError> {
    let (owner, expected) = (stat.owner, options.owner_id());
    let reason = match stat.kind {
        FileType::RegularFile if owner == expected => return Ok(()),
        FileType::RegularFile => ForeignReason::Owner {
            found: owner,
            expected,
        },
        FileType::Directory => ForeignReason::Directory { owner },
        FileType::Symlink => ForeignReason::SymbolicLink { owner },
        FileType::Fifo => ForeignReason::NamedPipe { owner },
        FileType::Socket => ForeignReason::Socket { owner },
        _ => ForeignReason::Device { owner },
    };
    Err(foreign(key, path, reason))
}
