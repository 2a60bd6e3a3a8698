//! Being attached: a slot in the segment, held by a byte lock until we leave or die.

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
use crate::process::Process;
use crate::sample::ring::Ring;
use crate::segment::SegmentId;
use crate::segment::file::{Head, SegmentFile, check_directory, wake_all_waiters};
use crate::segment::participants::{self, Participant};
use crate::semaphore::{Word, units_of};
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

/// How long leaving waits for somebody else who is coming or going. A segment that is left
/// without having been removed is stale, and the next one to look removes it.
const LEAVING_PATIENCE: Duration = Duration::from_secs(1);

/// What kind of segment is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Block { bytes: u64 },
    Samples { ring_bytes: u64, retain_bytes: u64 },
    Semaphore { units: u32 },
}

impl Kind {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Block { .. } => layout::kind::BLOCK,
            Self::Samples { .. } => layout::kind::SAMPLES,
            Self::Semaphore { .. } => layout::kind::SEMAPHORE,
        }
    }

    /// What is reserved behind the control area when a segment is created, if anything: from where,
    /// how much.
    fn data(self) -> Option<(u64, u64)> {
        match self {
            Self::Block { bytes } => Some((layout::BLOCK_OFFSET, bytes)),
            Self::Samples { ring_bytes, .. } => Some((layout::RING_OFFSET as u64, ring_bytes)),
            Self::Semaphore { .. } => None,
        }
    }
}

/// A handle that keeps a segment alive: a publisher's, or one for a block or a semaphore.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) segment: SegmentFile,
    control: WritableMapping,
    me: Owner,
    head: Head,
    created: bool,
    process: Process,
    fork: ForkMark,
    /// The thread that holds the lock through this handle; while none does, how many more locks
    /// go without a look at the clock. One word for both, because a store before a
    /// compare-and-swap costs as much as half of it.
    holding_thread: AtomicU64,
    /// The state of a lock that is held without a guard; 0 while none is.
    detached: AtomicU64,
    unlink_check: UnlinkCheck,
    left: bool,
}

impl Attachment {
    /// Makes a segment that did not exist, and attaches to it.
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
                // An unnamed file can only be named through /proc; and a list may
                // sweep a temporary name before its slot is locked.
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
                // It was stale, or went away meanwhile: the name is free again.
                Err(error) if *error.kind() == AttachErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if !backoff.pause(deadline) {
                return Err(busy(key));
            }
        }
    }

    /// Attaches to the living segment under the key.
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

    /// Attaches, or creates where there is nothing; says so for whichever came first.
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
            left: false,
        }
    }

    /// Builds the whole segment out of sight, then gives it its name.
    fn build(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
        draft: Draft,
    ) -> Result<Self, AttachError> {
        let error = |doing| move |error| cannot(key, options, doing, error);
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
            // Regions lie far apart, and are used only later.
            if matches!(kind, Kind::Samples { .. }) && !sys::is_in_memory(&segment.file) {
                sys::try_length(&segment.file, layout::LONGEST_FILE)
                    .map_err(|_| unfit(key, options, "making files of 12 TiB with holes"))?;
            }
            let head = segment.head()?;
            let control = map_control(&segment, &head)?;
            match kind {
                Kind::Block { .. } => {}
                Kind::Samples { .. } => ring_of(&control, &head).begin(Process::current()),
                Kind::Semaphore { units } => begin_units(&control, units),
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
            // Where this fails the name stays behind, and the next list sweeps it.
            let _swept_later = fs::remove_file(temporary);
        }
        let (control, me, head) = built?;
        Ok(Self::new(segment, control, me, &head, true))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.segment.key
    }

    /// The directory in which the segment has its name.
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

    /// The ring of a segment of samples.
    #[inline]
    pub(crate) fn ring(&self) -> Ring<'_> {
        ring_of(&self.control, &self.head)
    }

    /// The slot that this handle holds.
    pub(crate) fn slot(&self) -> u8 {
        self.me.slot()
    }

    /// The process that this handle belongs to: known without asking the system.
    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// Returns `true` if this handle made the segment.
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

    /// Everybody else who is attached, from other processes.
    pub(crate) fn peers(&self) -> Vec<Participant> {
        participants::peers(&self.segment.file)
    }

    /// Returns `true` if the segment has lost its name: whoever looks for it now finds another or none.
    pub(crate) fn is_removed(&self) -> bool {
        self.is_marked_removed() || self.segment.is_name_lost()
    }

    /// Looks whether the name is lost, but once a second only. `now` is the monotonic time, which
    /// the caller has read anyway.
    #[inline]
    pub(crate) fn is_found_removed(&self, now: u64) -> bool {
        self.unlink_check.is_due(now) && self.check_name()
    }

    /// Returns `true` if the name is lost, and notes when that was looked for.
    #[cold]
    fn check_name(&self) -> bool {
        let is_removed = self.is_removed();
        if !is_removed {
            self.unlink_check.note_good();
        }
        is_removed
    }

    /// The quick half of [`is_removed`](Self::is_removed): no system call.
    #[inline]
    pub(crate) fn is_marked_removed(&self) -> bool {
        let removed = self.control().header.flags.load(Ordering::Relaxed) & flags::REMOVED != 0;
        // What a peer has cut off reads as zeros, and leads nowhere either.
        removed || self.control.was_truncated()
    }

    /// Keeps the segment when the last one leaves; false where its name is lost, and with it the use of that.
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

    /// Returns `true` if the segment stays when the last one leaves.
    pub(crate) fn is_persistent(&self) -> bool {
        self.control().header.flags.load(Ordering::Relaxed) & flags::PERSISTENT != 0
    }

    /// Leaves the segment; the last one out removes it, unless it is persistent. True where it did.
    pub(crate) fn leave(&mut self) -> bool {
        // The parent's handle in a forked child: what it says and holds is the parent's.
        if std::mem::replace(&mut self.left, true) || self.is_forked() {
            return false;
        }
        self.abandon_detached();
        if self.head.kind == layout::kind::SEMAPHORE {
            // While the slot is held still: what is given back in its name is this handle's.
            units_of(self.control(), self.slot()).give_back(self.slot());
        }
        let deadline = Deadline::after(LEAVING_PATIENCE);
        let turn = self.segment.lock_lifecycle(ByteLock::Write, deadline);
        let removed = self.leave_in_order(turn.is_ok()).unwrap_or(false);
        wake_all_waiters(&self.control);
        removed
    }

    /// Gives the slot back, and removes the segment where nothing keeps it any more. Without a turn
    /// to come and go, too: readers can keep us from that for as long as they live.
    fn leave_in_order(&self, has_turn: bool) -> Result<bool, AttachError> {
        // Before waking, so that whoever wakes finds nobody here.
        let slot = layout::slot_byte(self.me.slot().into());
        sys::unlock_byte(&self.segment.file, slot)
            .map_err(|error| AttachError::io(self.key(), "leaving", error))?;
        let head = self.segment.head()?;
        let is_over = if has_turn {
            let stays = head.is_persistent() || self.segment.has_other_holders(head.slot_count)?;
            !stays && self.segment.is_named()
        } else {
            self.segment.is_stale_whoever_reads()?
        };
        if is_over {
            self.segment.remove(&head)?;
        }
        Ok(is_over)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Checks that the segments are the caller's own: nobody writes to those of others, root neither.
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

/// Others come and go under the name all the time; nobody in particular is in the way.
fn busy(key: &Key) -> AttachError {
    AttachError::new(
        key,
        AttachErrorKind::Busy {
            holder: LockHolder::Unknown,
        },
    )
}

/// Before the mode lets any group in, so that it is never a wrong one that may read.
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

/// Tells what could not be done, and where the file system is the reason, that.
fn cannot(key: &Key, options: &Options, doing: &'static str, error: io::Error) -> AttachError {
    let is_unknown_there = matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS | libc::ENODEV | libc::ENOLCK)
    );
    match is_unknown_there {
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

/// Says plainly that the directory is missing, where creating answered "not found".
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

/// Writes how many units a semaphore begins with, before anybody else has it.
fn begin_units(control: &WritableMapping, units: u32) {
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
