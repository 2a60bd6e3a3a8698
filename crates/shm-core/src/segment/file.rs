//! A segment's file: found by name, judged by its head, guarded by its lifecycle byte.

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
use crate::segment::SegmentId;
use crate::segment::attachment::Kind;
use crate::sys::{self, ByteLock, FileStat, ForkMark, NotInherited, OpenMode, WritableMapping};

/// An open file that stands, or stood, under a segment's name.
///
/// Every byte lock taken through it ends when it is dropped, or when its process ends.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    /// Ends before the file is closed.
    _private: NotInherited,
    pub(crate) file: File,
    pub(crate) key: Key,
    pub(crate) path: PathBuf,
    fork: ForkMark,
    /// No byte is ever locked through it.
    only_looks: bool,
}

impl Drop for SegmentFile {
    fn drop(&mut self) {
        // Not left to the descriptor's end: a child that some other thread
        // forks meanwhile has a copy of it, and would keep every lock.
        if !self.only_looks && !self.fork.is_elsewhere() {
            let unlocked = sys::unlock_bytes_from(&self.file, layout::LIFECYCLE_BYTE);
            debug_assert!(unlocked.is_ok(), "unlocking cannot fail on an open file");
        }
    }
}

/// A private copy of a header's beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) version: u32,
    pub(crate) slot_count: u32,
    pub(crate) flags: u32,
    pub(crate) kind: u32,
    pub(crate) id: SegmentId,
    pub(crate) created: u64,
    pub(crate) block_bytes: u64,
    /// 0 for what is no samples, and where the version is another.
    pub(crate) ring_bytes: u64,
    pub(crate) retain_bytes: u64,
    /// Position of the newest record; the word of a semaphore.
    pub(crate) last: u64,
}

impl Head {
    /// What every segment has, whatever its version.
    const LEAST_BYTES: usize = 56;
    /// As far as the position of the newest record.
    const BYTES: usize = offset_of!(layout::Header, last) + 8;

    /// How much a file begins with before it is mapped.
    const ENCODED_BYTES: usize = offset_of!(layout::Header, retain_bytes) + 8;

    /// What a file begins with that is a segment of this kind; all else is zero.
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
            // Its units are written once it is mapped.
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

    /// Takes the fields out of the bytes; the reason where they are no segment's.
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

    /// How much is mapped: the control area, and the ring of a segment of samples.
    ///
    /// Only of a head that was checked.
    pub(crate) fn mapped_bytes(&self) -> usize {
        let ring = usize::try_from(self.ring_bytes).unwrap_or(0);
        layout::CONTROL_BYTES
            + if self.kind == layout::kind::SAMPLES {
                ring
            } else {
                0
            }
    }

    /// Where the ring or the block lies: its offset, and its length. A semaphore has neither.
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

    /// Checks what this version promises beyond the frozen fields.
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
    /// Takes an open file as the segment of this key.
    pub(crate) fn new(file: File, key: &Key, path: PathBuf) -> Self {
        Self {
            _private: NotInherited::new(&file),
            file,
            key: key.clone(),
            path,
            fork: ForkMark::here(),
            only_looks: false,
        }
    }

    /// Opens what stands under the key's name to look at it, with what the kernel says of it; takes no locks.
    pub(crate) fn look(
        key: &Key,
        path: PathBuf,
        options: &Options,
    ) -> Result<(Self, FileStat), AttachError> {
        let (mut found, stat) = Self::open_at(path, key, options, OpenMode::ReadOnly)?;
        found.only_looks = true;
        Ok((found, stat))
    }

    /// Opens what stands under the key's name, provided it is a regular file of the expected owner.
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
                // What a link, a socket or a stranger's file answers to `open` tells less than a look.
                if let Ok(stat) = sys::stat_at(&path) {
                    check_ours(key, &path, &stat, options)?;
                }
                check_directory(key, options)?;
                return Err(AttachError::io(key, "opening", error));
            }
        };
        let stat = sys::stat(&file).map_err(|error| AttachError::io(key, "looking", error))?;
        check_ours(key, &path, &stat, options)?;
        Ok((Self::new(file, key, path), stat))
    }

    /// Finds the living segment under the key and holds its lifecycle byte.
    ///
    /// What is stale is removed on the way. The byte is held until
    /// [`unlock_lifecycle`](Self::unlock_lifecycle) or drop.
    ///
    /// # Errors
    ///
    /// `NotFound` also where there was only something stale.
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
                // Readers can keep us from the byte, but not from removing what is stale.
                if mode == OpenMode::ReadWrite && found.is_stale_whoever_reads()? {
                    found.clear_away(options, mode)?;
                    return Err(AttachError::new(key, AttachErrorKind::NotFound));
                }
                found.lock_lifecycle(lock, deadline)?;
            }
            if found.is_named() {
                // Once more, because flags are only sure while the byte is held.
                let head = found.head()?;
                if found.is_stale(&head)? {
                    found.clear_away(options, mode)?;
                    return Err(AttachError::new(key, AttachErrorKind::NotFound));
                }
                found.check_version(&head)?;
                return Ok((found, head));
            }
            // Somebody removed it between our opening and our locking.
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

    /// Copies the head out of the file.
    pub(crate) fn head(&self) -> Result<Head, AttachError> {
        let mut bytes = [0; Head::BYTES];
        let head = match sys::read_at(&self.file, &mut bytes, 0) {
            Ok(Head::LEAST_BYTES..) => Head::parse(&bytes),
            Ok(_) => Err(ForeignReason::TooShort),
            Err(error) => return Err(AttachError::io(&self.key, "reading its head", error)),
        };
        head.map_err(|reason| self.foreign(reason))
    }

    /// Checks that this program knows the layout and the file is as long as the head says.
    pub(crate) fn check_version(&self, head: &Head) -> Result<(), AttachError> {
        self.check_version_by(&self.stat()?, head)
    }

    /// The same by facts that are known.
    pub(crate) fn check_version_by(&self, stat: &FileStat, head: &Head) -> Result<(), AttachError> {
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

    /// Checks that a ring or a block has its memory where it is, and not elsewhere in the file: whoever
    /// is about to map it would allocate it by reading.
    ///
    /// Not for those who only look. The memory is reserved, and nobody need have written to it; where
    /// the kernel does not tell of such memory, what the whole file has must do.
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
        sys::stat(&self.file).map_err(|error| AttachError::io(&self.key, "looking", error))
    }

    /// Waits for the lifecycle byte until the deadline.
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

    /// Returns `true` if the name still leads to this very file.
    pub(crate) fn is_named(&self) -> bool {
        let here = sys::stat(&self.file).map(|stat| stat.identity);
        let there = sys::stat_at(&self.path).map(|stat| stat.identity);
        matches!((here, there), (Ok(here), Ok(there)) if here == there)
    }

    /// Returns `true` if the name leads to another file by now, or to none.
    ///
    /// Not the opposite of [`is_named`](Self::is_named): where the kernel does not say (the directory
    /// may be barred by now), the file counts as lost only once it has no name at all.
    pub(crate) fn is_name_lost(&self) -> bool {
        let here = sys::stat(&self.file);
        match sys::stat_at(&self.path) {
            Ok(there) => here.is_ok_and(|here| here.identity != there.identity),
            Err(error) if sys::is_dead_end(&error) => true,
            Err(_) => here.is_ok_and(|here| here.names == 0),
        }
    }

    /// Returns `true` if anybody but this open file holds a slot.
    pub(crate) fn has_other_holders(&self, slot_count: u32) -> Result<bool, AttachError> {
        self.held_slot(slot_count).map(|held| held.is_some())
    }

    /// The byte of a slot that somebody else holds, not always the first.
    pub(crate) fn held_slot(&self, slot_count: u32) -> Result<Option<u64>, AttachError> {
        let slots = layout::slot_bytes(u64::from(slot_count.max(1)));
        // Holders have write locks: read locks of who may only read the segment count for nothing.
        sys::refusing_lock(&self.file, slots, ByteLock::Read)
            .map(|lock| lock.map(|lock| lock.bytes.start))
            .map_err(|error| AttachError::io(&self.key, "asking who is attached", error))
    }

    /// Returns `true` if nothing keeps this segment: nobody attached and not persistent, or removed already.
    pub(crate) fn is_stale(&self, head: &Head) -> Result<bool, AttachError> {
        if head.is_removed() {
            return Ok(true);
        }
        Ok(!head.is_persistent() && !self.has_other_holders(head.slot_count)?)
    }

    /// Returns `true` if this is the file of the name and stale for good, where the lifecycle byte is
    /// refused: only read locks are in the way, and whoever may read the file can hold those for ever.
    ///
    /// In this order, because who attaches holds the byte for writing from before its own look until
    /// its slot is held: it is seen in between, or its slot is seen afterwards.
    pub(crate) fn is_stale_whoever_reads(&self) -> Result<bool, AttachError> {
        if !self.is_named() || !self.is_stale(&self.head()?)? {
            return Ok(false);
        }
        let byte = layout::LIFECYCLE_BYTE;
        let writer = sys::refusing_lock(&self.file, byte..byte + 1, ByteLock::Read)
            .map_err(|error| AttachError::io(&self.key, "asking who comes and goes", error))?;
        Ok(writer.is_none() && self.is_stale(&self.head()?)?)
    }

    /// Sets the removed flag, takes the name away, wakes whoever sleeps on the segment.
    ///
    /// Only while holding the lifecycle byte for writing, of the file that has the name; or where
    /// it [is stale whoever reads](Self::is_stale_whoever_reads).
    pub(crate) fn remove(&self, head: &Head) -> Result<(), AttachError> {
        let error = |error| AttachError::io(&self.key, "removing", error);
        match self.set_flags(head.flags | flags::REMOVED) {
            // A limit of ours keeps the flag from being written, not the name
            // from going: others notice that by the name.
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
        if self.check_version(head).is_ok()
            && let Ok(control) = WritableMapping::new(&self.file, 0, layout::CONTROL_BYTES)
        {
            wake_all_waiters(&control);
        }
        Ok(())
    }

    /// Writes the flags. Only while holding the lifecycle byte for writing: that serialises it.
    pub(crate) fn set_flags(&self, flags: u32) -> io::Result<()> {
        let at = std::mem::offset_of!(layout::Header, flags) as u64;
        sys::write_at(&self.file, &flags.to_le_bytes(), at)
    }

    /// Removes a stale segment, going through a writable descriptor of its own where this is none.
    fn clear_away(self, options: &Options, mode: OpenMode) -> Result<(), AttachError> {
        if mode == OpenMode::ReadWrite {
            return self.remove(&self.head()?);
        }
        let key = self.key.clone();
        drop(self);
        // Who may only read leaves it to others; for the caller it is gone either way.
        let _left_to_others = reclaim(&key, options);
        Ok(())
    }

    #[cold]
    fn foreign(&self, reason: ForeignReason) -> AttachError {
        foreign(&self.key, &self.path, reason)
    }
}

/// Removes what is stale under the key, without waiting for anybody; true where it was removed.
///
/// What others left behind is theirs, whoever could remove it.
pub(crate) fn reclaim(key: &Key, options: &Options) -> Result<bool, AttachError> {
    if !options.is_of_caller() {
        return Ok(false);
    }
    let found = SegmentFile::open(key, options, OpenMode::ReadWrite)?;
    found.head()?;
    let is_stale = if found.try_lock_lifecycle(ByteLock::Write)? {
        found.is_named() && found.is_stale(&found.head()?)?
    } else {
        found.is_stale_whoever_reads()?
    };
    if is_stale {
        found.remove(&found.head()?)?;
    }
    Ok(is_stale)
}

/// Removes what a crash in the middle of creating or removing left under a draft's name.
///
/// Only what is a segment by its content and stale; or empty, with the mark of a draft that has
/// no content yet.
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
        Ok(Head::LEAST_BYTES..) => match Head::parse(&bytes) {
            Ok(head) => (u64::from(head.slot_count.max(1)), head.is_removed()),
            Err(_) => return,
        },
        _ => return,
    };
    let holder = sys::refusing_lock(&file, layout::slot_bytes(slot_count), ByteLock::Read);
    if is_removed || matches!(holder, Ok(None)) {
        // Where this fails the next list tries again.
        let _swept_later =
            sys::remove_exactly(path, stat.identity, &path.with_file_name(draft_name()));
    }
}

/// A name for a file that has no key's name yet, or not any more; none that another file has.
pub(crate) fn draft_name() -> String {
    format!("{}{:016x}{DRAFT_END}", draft_prefix(), sys::random_u64())
}

const DRAFT_END: &str = ".tmp";

/// What the names of this user's drafts begin with; they are no keys' names.
pub(crate) fn draft_prefix() -> String {
    format!(".shm-core.{}.", sys::effective_user())
}

/// Returns `true` if this is the name of a draft that begins so, and nothing else: editors and rsync
/// make names that begin alike.
pub(crate) fn is_draft_name(name: &str, prefix: &str) -> bool {
    let number = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(DRAFT_END));
    number.is_some_and(|number| is_hex(number, 16))
}

/// Returns `true` if this is so many hexadecimal digits in lower case.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit)
}

/// Wakes whoever waits for a sample, for the lock or for units.
pub(crate) fn wake_all_waiters(control: &WritableMapping) {
    let header = &control.view::<layout::Control>().header;
    sys::wake_all_low(&header.last);
    sys::wake_all(&header.lock);
    sys::wake_all(&header.changes);
}

/// Checks that the directory is not on a file system that can never have a segment.
pub(crate) fn check_directory(key: &Key, options: &Options) -> Result<(), AttachError> {
    let directory = options.directory_path();
    match sys::unfit_file_system(&directory) {
        None => Ok(()),
        Some(kind) => Err(AttachError::new(
            key,
            AttachErrorKind::FileSystem {
                directory,
                kind,
                doing: "making long files with holes",
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
