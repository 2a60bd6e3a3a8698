//! An attachment: a slot of the segment, held by a byte lock until the handle detaches or its
//! process dies.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::deadline::{Backoff, Deadline};
use crate::error::{AttachError, AttachErrorKind};
use crate::key::Key;
use crate::layout::{self, Control, flags};
use crate::lock::Owner;
use crate::lock_holder::LockHolder;
use crate::options::Options;
use crate::participant::Participant;
use crate::process::Process;
use crate::sample::ring::Ring;
use crate::segment::file::{Head, SegmentFile, check_directory, wake_all_waiters};
use crate::segment::id::SegmentId;
use crate::segment::kind::Kind;
use crate::segment::participants;
use crate::semaphore::units::units_of;
use crate::semaphore::word::Word;
use crate::sync::{AtomicU64, Ordering};
use crate::sys::{self, ByteLock, ForkMark, OpenMode, WritableMapping};

mod changes;
mod detached;
mod draft;
mod raw_guard;
mod slot;
mod unlink_check;

use draft::Draft;
pub(crate) use raw_guard::RawGuard;
use slot::claim_slot;
use unlink_check::UnlinkCheck;

/// How long detaching waits for another process that attaches or detaches. If the last participant
/// detaches without removing the segment, the segment is stale, and the next operation on it
/// removes it.
const DETACH_TIMEOUT: Duration = Duration::from_secs(1);

/// A handle that keeps a segment alive: that of a publisher, a block or a semaphore.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) segment: SegmentFile,
    control: WritableMapping,
    me: Owner,
    head: Head,
    created: bool,
    process: Process,
    fork: ForkMark,
    /// The token of the thread that holds the lock through this handle; while none does, how many
    /// more acquisitions skip reading the clock. One word for both, because a store before a
    /// compare-and-swap costs half as much as the compare-and-swap.
    holding_thread: AtomicU64,
    /// The state of the lock while it is held without a guard, else 0.
    detached: AtomicU64,
    unlink_check: UnlinkCheck,
    has_left: bool,
}

impl Attachment {
    /// Creates a segment, and attaches to it. Fails if the key has one already.
    pub(crate) fn create(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
    ) -> Result<Self, AttachError> {
        check_owner(key, options)?;
        check_directory(key, options)?;
        let deadline = Deadline::after(options.lock_timeout());
        Self::create_until(key, options, kind, access, deadline)
    }

    fn create_until(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
        deadline: Deadline,
    ) -> Result<Self, AttachError> {
        let mut backoff = Backoff::new();
        let mut draft = Draft::Unnamed;
        loop {
            match Self::build(key, options, kind, access, draft) {
                Ok(attachment) => return Ok(attachment),
                Err(error) if *error.kind() == AttachErrorKind::AlreadyExists => {}
                // An unnamed file can only be named through /proc; and a list may remove a
                // temporary name before its slot is locked.
                Err(error)
                    if *error.kind() == AttachErrorKind::NotFound
                        && parent_exists(key, options) =>
                {
                    if draft == Draft::Temporary && !backoff.pause(deadline) {
                        return Err(busy(key));
                    }
                    draft = Draft::Temporary;
                    continue;
                }
                Err(error) => return Err(missing_directory(error, options)),
            }
            match SegmentFile::locate(key, options, OpenMode::ReadWrite, deadline) {
                Ok(_)
                | Err(AttachError {
                    kind: AttachErrorKind::Version { .. },
                    ..
                }) => {
                    return Err(AttachError::new(key, AttachErrorKind::AlreadyExists));
                }
                // It was stale, or was removed meanwhile: the name is free again.
                Err(error) if *error.kind() == AttachErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if !backoff.pause(deadline) {
                return Err(busy(key));
            }
        }
    }

    /// Attaches to the live segment under the key.
    pub(crate) fn attach(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
    ) -> Result<Self, AttachError> {
        let deadline = Deadline::after(options.lock_timeout());
        Self::attach_until(key, options, kind, access, deadline)
    }

    fn attach_until(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
        deadline: Deadline,
    ) -> Result<Self, AttachError> {
        check_owner(key, options)?;
        let (segment, head) = SegmentFile::locate(key, options, OpenMode::ReadWrite, deadline)?;
        if head.kind != kind.code() {
            return Err(AttachError::new(key, AttachErrorKind::WrongKind));
        }
        segment.check_data(&head)?;
        if options.is_persistent() && !head.is_persistent() {
            segment
                .set_flags(head.flags | flags::PERSISTENT)
                .map_err(|error| AttachError::io(key, "making it persistent", error))?;
        }
        let control = map_control(&segment, &head)?;
        let me = claim_slot(&segment, control.view(), kind, access)?;
        segment.unlock_lifecycle()?;
        Ok(Self::new(segment, control, me, &head, false))
    }

    /// Attaches to the segment under the key, or creates one if there is none.
    pub(crate) fn open_or_create(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
    ) -> Result<Self, AttachError> {
        let deadline = Deadline::after(options.lock_timeout());
        let mut backoff = Backoff::new();
        loop {
            match Self::attach_until(key, options, kind, access, deadline) {
                Err(error) if *error.kind() == AttachErrorKind::NotFound => {}
                other => return other,
            }
            match Self::create_until(key, options, kind, access, deadline) {
                Err(error) if *error.kind() == AttachErrorKind::AlreadyExists => {}
                other => return other,
            }
            if !backoff.pause(deadline) {
                return Err(busy(key));
            }
        }
    }

    fn new(
        segment: SegmentFile,
        control: WritableMapping,
        me: Owner,
        head: &Head,
        created: bool,
    ) -> Self {
        Self {
            segment,
            control,
            me,
            head: *head,
            created,
            process: Process::current(),
            fork: ForkMark::here(),
            holding_thread: AtomicU64::new(0),
            detached: AtomicU64::new(0),
            unlink_check: UnlinkCheck::new(),
            has_left: false,
        }
    }

    /// Builds the whole segment without a visible name, then links it to its name.
    fn build(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
        draft: Draft,
    ) -> Result<Self, AttachError> {
        let error = |doing| move |error| creation_error(key, options, doing, error);
        let (file, temporary) = draft.make(options).map_err(error("creating"))?;
        let segment = SegmentFile::new(file, key, options.path_of(key));
        let built = (|| {
            draft::begin(&segment.file, kind, options.is_persistent())
                .map_err(error("writing its head"))?;
            sys::reserve(&segment.file, 0, layout::CONTROL_BYTES as u64)
                .map_err(error("reserving memory"))?;
            if let Some((offset, bytes)) = kind.data() {
                sys::reserve(&segment.file, offset, bytes).map_err(error("reserving memory"))?;
            }
            // Regions lie far apart, so a file system has to support long sparse files.
            if matches!(kind, Kind::Samples { .. }) && !sys::is_in_memory(&segment.file) {
                sys::try_length(&segment.file, layout::LONGEST_FILE)
                    .map_err(|_| unfit(key, options, "making sparse files of 12 TiB"))?;
            }
            let head = segment.head()?;
            let control = map_control(&segment, &head)?;
            match kind {
                Kind::Block { .. } => {}
                Kind::Samples { .. } => ring_of(&control, &head).begin(Process::current()),
                Kind::Semaphore { units } => init_units(&control, units),
            }
            let me = claim_slot(&segment, control.view(), kind, access)?;
            give_to_group(&segment, options)?;
            sys::set_mode(&segment.file, options.mode_bits()).map_err(error("setting its mode"))?;
            let named = match &temporary {
                None => sys::link_unnamed(&segment.file, &segment.path),
                Some(temporary) => fs::hard_link(temporary, &segment.path),
            };
            match named {
                Ok(()) => Ok((control, me, head)),
                Err(failure) if failure.kind() == io::ErrorKind::AlreadyExists => {
                    Err(AttachError::new(key, AttachErrorKind::AlreadyExists))
                }
                Err(failure) => Err(error("naming")(failure)),
            }
        })();
        if let Some(temporary) = temporary {
            // If this fails, the next list removes the name.
            let _swept_later = fs::remove_file(temporary);
        }
        let (control, me, head) = built?;
        Ok(Self::new(segment, control, me, &head, true))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.segment.key
    }

    /// Returns the directory of the segment's name.
    pub(crate) fn directory(&self) -> &Path {
        self.segment.path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.head.id
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn block_bytes(&self) -> u64 {
        self.head.block_bytes
    }

    pub(crate) fn retain_bytes(&self) -> u64 {
        self.head.retain_bytes
    }

    /// Returns the ring of a segment of samples.
    #[inline]
    pub(crate) fn ring(&self) -> Ring<'_> {
        ring_of(&self.control, &self.head)
    }

    /// Returns the slot that this handle holds.
    pub(crate) fn slot(&self) -> u8 {
        self.me.slot()
    }

    /// Returns the process that created this handle, without a system call.
    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// Returns `true` if this handle created the segment.
    pub(crate) fn created(&self) -> bool {
        self.created
    }

    #[inline]
    pub(crate) fn control(&self) -> &Control {
        self.control.view()
    }

    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.fork.is_elsewhere()
    }

    /// Returns the participants of other processes.
    pub(crate) fn peers(&self) -> Vec<Participant> {
        participants::peers(&self.segment.file)
    }

    /// Returns `true` if the segment has lost its name: its key has another segment or none.
    pub(crate) fn is_removed(&self) -> bool {
        self.is_marked_removed() || self.segment.is_name_lost()
    }

    /// Checks once a second whether the name is lost. `now` is the monotonic time, which the caller
    /// has read anyway.
    #[inline]
    pub(crate) fn is_found_removed(&self, now: u64) -> bool {
        self.unlink_check.is_due(now) && self.check_name()
    }

    /// Returns `true` if the name is lost; otherwise records the time of the check.
    #[cold]
    fn check_name(&self) -> bool {
        let is_removed = self.is_removed();
        if !is_removed {
            self.unlink_check.record_named();
        }
        is_removed
    }

    /// The part of [`is_removed`](Self::is_removed) that makes no system call.
    #[inline]
    pub(crate) fn is_marked_removed(&self) -> bool {
        let removed = self.control().header.flags.load(Ordering::Relaxed) & flags::REMOVED != 0;
        // A truncated mapping reads as zeros, so the flag says nothing; the segment is unusable as
        // well.
        removed || self.control.was_truncated()
    }

    /// Makes the segment persistent; returns `false` if its name is lost, which makes that useless.
    pub(crate) fn persist(&self, deadline: Deadline) -> Result<bool, AttachError> {
        self.segment.lock_lifecycle(ByteLock::Write, deadline)?;
        let persisted = (|| {
            let head = self.segment.head()?;
            if head.is_removed() || !self.segment.is_named() {
                return Ok(false);
            }
            self.segment
                .set_flags(head.flags | flags::PERSISTENT)
                .map_err(|error| AttachError::io(self.key(), "making it persistent", error))?;
            Ok(true)
        })();
        self.segment.unlock_lifecycle()?;
        persisted
    }

    /// Returns `true` if the segment stays when the last participant detaches.
    pub(crate) fn is_persistent(&self) -> bool {
        self.control().header.flags.load(Ordering::Relaxed) & flags::PERSISTENT != 0
    }

    /// Detaches; the last participant removes the segment unless it is persistent. Returns `true`
    /// if it was removed.
    pub(crate) fn leave(&mut self) -> bool {
        // In a forked child, the slot and the locks belong to the parent.
        if std::mem::replace(&mut self.has_left, true) || self.is_forked() {
            return false;
        }
        self.abandon_detached();
        if self.head.kind == layout::kind::SEMAPHORE {
            // Before the slot is released: the units that are given back for it are this handle's.
            units_of(self.control(), self.slot()).give_back(self.slot());
        }
        let deadline = Deadline::after(DETACH_TIMEOUT);
        let lifecycle = self.segment.lock_lifecycle(ByteLock::Write, deadline);
        let removed = self.release_slot(lifecycle.is_ok()).unwrap_or(false);
        wake_all_waiters(&self.control);
        removed
    }

    /// Releases the slot, and removes the segment if nothing keeps it any more. Also does so
    /// without the lifecycle byte, because subscribers can block that for as long as they live.
    fn release_slot(&self, has_lifecycle: bool) -> Result<bool, AttachError> {
        // Before the waiters are woken, so that they find the slot free.
        let slot = layout::slot_byte(self.me.slot().into());
        sys::unlock_byte(&self.segment.file, slot)
            .map_err(|error| AttachError::io(self.key(), "detaching", error))?;
        let head = self.segment.head()?;
        let is_unused = if has_lifecycle {
            let stays = head.is_persistent() || self.segment.has_other_holders(head.slot_count)?;
            !stays && self.segment.is_named()
        } else {
            self.segment.is_stale_despite_readers()?
        };
        if is_unused {
            self.segment.remove(&head)?;
        }
        Ok(is_unused)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Checks that the segments belong to the caller: no user writes to those of others, not even root.
pub(super) fn check_owner(key: &Key, options: &Options) -> Result<(), AttachError> {
    if options.is_of_caller() {
        return Ok(());
    }
    Err(AttachError::new(
        key,
        AttachErrorKind::OtherUser {
            owner: options.owner_id(),
        },
    ))
}

/// The error if segments are created and removed under the name all the time, so that no particular
/// process is in the way.
fn busy(key: &Key) -> AttachError {
    AttachError::new(
        key,
        AttachErrorKind::Busy {
            holder: LockHolder::Unknown,
        },
    )
}

/// Sets the file's group. Called before the mode admits a group, so that never a wrong one may
/// read.
fn give_to_group(segment: &SegmentFile, options: &Options) -> Result<(), AttachError> {
    let Some(group) = options.group_id() else {
        return Ok(());
    };
    sys::set_group(&segment.file, group).map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => {
            AttachError::new(&segment.key, AttachErrorKind::Group { group }).with_source(source)
        }
        _ => AttachError::io(&segment.key, "giving it to its group", source),
    })
}

fn parent_exists(key: &Key, options: &Options) -> bool {
    options.path_of(key).parent().is_some_and(Path::is_dir)
}

/// Returns the error of a failed step of creation, which may be that the file system does not
/// support it.
fn creation_error(
    key: &Key,
    options: &Options,
    doing: &'static str,
    error: io::Error,
) -> AttachError {
    let is_unsupported = matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS | libc::ENODEV | libc::ENOLCK)
    );
    match is_unsupported {
        true => unfit(key, options, doing),
        false => AttachError::io(key, doing, error),
    }
}

fn unfit(key: &Key, options: &Options, doing: &'static str) -> AttachError {
    let directory = options.directory_path();
    AttachError::new(
        key,
        AttachErrorKind::FileSystem {
            kind: sys::file_system(&directory),
            directory,
            doing,
        },
    )
}

/// Returns that the directory is missing if creation failed with "not found".
fn missing_directory(error: AttachError, options: &Options) -> AttachError {
    if *error.kind() != AttachErrorKind::NotFound {
        return error;
    }
    let directory = options.directory_path();
    AttachError::new(error.key(), AttachErrorKind::NoDirectory { directory })
}

fn map_control(segment: &SegmentFile, head: &Head) -> Result<WritableMapping, AttachError> {
    WritableMapping::new(&segment.file, 0, head.mapped_bytes())
        .map_err(|error| AttachError::io(&segment.key, "mapping", error))
}

/// Stores the initial number of a semaphore's units, before any other process can attach.
fn init_units(control: &WritableMapping, units: u32) {
    // Relaxed, because the file gets its name only afterwards.
    let word = control.view::<Control>().header.units();
    word.store(Word::new(units).bits(), Ordering::Relaxed);
}

#[inline]
fn ring_of<'a>(control: &'a WritableMapping, head: &Head) -> Ring<'a> {
    let header = &control.view::<Control>().header;
    let words = usize::try_from(head.ring_bytes / 8).unwrap_or(usize::MAX);
    let words = control.words(layout::RING_OFFSET, words);
    Ring::new(&header.last, &header.oldest, words)
}
