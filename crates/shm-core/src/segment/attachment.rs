//! Being attached: a slot in the segment, held by a byte lock until we leave or die.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::deadline::{Backoff, Deadline};
use crate::error::{AttachError, LockError};
use crate::key::Key;
use crate::layout::{self, Control, flags};
use crate::lock::{self, NotTaken, Owner, Watcher};
use crate::options::Options;
use crate::process::Process;
use crate::segment::file::{Head, SegmentFile, wake_everybody};
use crate::segment::roster::{self, Attached};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::{self, ByteLock, ForkMark, OpenMode, WritableMapping};

/// How long leaving waits for somebody else who is coming or going. A segment that is left
/// without having been removed is stale, and the next one to look removes it.
const LEAVING_PATIENCE: Duration = Duration::from_secs(1);

/// What kind of segment is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Block { bytes: u64 },
    Samples,
}

impl Kind {
    fn code(self) -> u32 {
        match self {
            Self::Block { .. } => layout::kind::BLOCK,
            Self::Samples => layout::kind::SAMPLES,
        }
    }
}

/// A handle that keeps a segment alive: a publisher's or a block attacher's.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) segment: SegmentFile,
    control: WritableMapping,
    me: Owner,
    id: u128,
    block_bytes: u64,
    created: bool,
    process: Process,
    fork: ForkMark,
    /// The thread that holds the lock through this handle; while none does, how many more locks
    /// go without a look at the clock. One word for both, because a store before a
    /// compare-and-swap costs as much as half of it.
    holding_thread: AtomicU64,
    name_watch: NameWatch,
    left: bool,
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    attachment: &'a Attachment,
    /// What the handle's word goes back to, and [`ABANDONED`](Self::ABANDONED). One word, because
    /// a flag of its own would be moved in pieces, which costs as much as a lock.
    state: u64,
}

impl Attachment {
    /// Makes a segment that did not exist, and attaches to it.
    pub(crate) fn create(
        key: &Key,
        options: &Options,
        kind: Kind,
        access: u32,
    ) -> Result<Self, AttachError> {
        if options.owner_id() != sys::effective_user() {
            let source = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(AttachError::Permission {
                key: key.clone(),
                source,
            });
        }
        let deadline = Deadline::after(options.patience());
        let mut backoff = Backoff::new();
        let mut draft = Draft::Unnamed;
        loop {
            match Self::build(key, options, kind, access, draft) {
                Ok(attachment) => return Ok(attachment),
                Err(AttachError::AlreadyExists { .. }) => {}
                // An unnamed file can only be named through /proc; and a list may
                // sweep a temporary name before its slot is locked.
                Err(AttachError::NotFound { .. }) if parent_exists(key, options) => {
                    if draft == Draft::Temporary && !backoff.pause(deadline) {
                        return Err(AttachError::Busy { key: key.clone() });
                    }
                    draft = Draft::Temporary;
                    continue;
                }
                Err(error) => return Err(missing_directory(error, options)),
            }
            match SegmentFile::locate(key, options, OpenMode::ReadWrite, deadline) {
                Ok(_) | Err(AttachError::Version { .. }) => {
                    return Err(AttachError::AlreadyExists { key: key.clone() });
                }
                // It was stale, or went away meanwhile: the name is free again.
                Err(AttachError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            if !backoff.pause(deadline) {
                return Err(AttachError::Busy { key: key.clone() });
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
        let deadline = Deadline::after(options.patience());
        let (segment, head) = SegmentFile::locate(key, options, OpenMode::ReadWrite, deadline)?;
        if head.kind != kind.code() {
            return Err(AttachError::WrongKind { key: key.clone() });
        }
        if options.is_persistent() && !head.is_persistent() {
            segment
                .set_flags(head.flags | flags::PERSISTENT)
                .map_err(|error| AttachError::io(key, "making it persistent", error))?;
        }
        let control = map_control(&segment)?;
        let me = claim_slot(&segment, control.view(), access)?;
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
        let deadline = Deadline::after(options.patience());
        let mut backoff = Backoff::new();
        loop {
            match Self::attach(key, options, kind, access) {
                Err(AttachError::NotFound { .. }) => {}
                other => return other,
            }
            match Self::create(key, options, kind, access) {
                Err(AttachError::AlreadyExists { .. }) => {}
                other => return other,
            }
            if !backoff.pause(deadline) {
                return Err(AttachError::Busy { key: key.clone() });
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
            id: head.id,
            block_bytes: head.block_bytes,
            created,
            process: Process::current(),
            fork: ForkMark::here(),
            holding_thread: AtomicU64::new(0),
            name_watch: NameWatch::new(),
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
        let error = |doing| move |error| AttachError::io(key, doing, error);
        let (file, temporary) = draft.make(options).map_err(error("creating"))?;
        let segment = SegmentFile::new(file, key, options.path_of(key));
        let built = (|| {
            sys::set_mode(&segment.file, options.mode_bits()).map_err(error("setting its mode"))?;
            sys::reserve(&segment.file, 0, layout::CONTROL_BYTES as u64)
                .map_err(error("reserving memory"))?;
            if let Kind::Block { bytes } = kind {
                sys::reserve(&segment.file, layout::BLOCK_OFFSET, bytes)
                    .map_err(error("reserving memory"))?;
            }
            let control = map_control(&segment)?;
            write_header(control.view(), kind, options.is_persistent());
            let me = claim_slot(&segment, control.view(), access)?;
            let named = match &temporary {
                None => sys::link_unnamed(&segment.file, &segment.path),
                Some(temporary) => fs::hard_link(temporary, &segment.path),
            };
            match named {
                Ok(()) => Ok((control, me)),
                Err(failure) if failure.kind() == io::ErrorKind::AlreadyExists => {
                    Err(AttachError::AlreadyExists { key: key.clone() })
                }
                Err(failure) => Err(error("naming")(failure)),
            }
        })();
        if let Some(temporary) = temporary {
            // Where this fails the name stays behind, and the next list sweeps it.
            let _swept_later = fs::remove_file(temporary);
        }
        let (control, me) = built?;
        let head = segment.head()?;
        Ok(Self::new(segment, control, me, &head, true))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.segment.key
    }

    /// The directory in which the segment has its name.
    pub(crate) fn directory(&self) -> &Path {
        self.segment.path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn id(&self) -> u128 {
        self.id
    }

    pub(crate) fn block_bytes(&self) -> u64 {
        self.block_bytes
    }

    /// The process that this handle belongs to: known without asking the system.
    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// Tells whether this handle made the segment.
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
    pub(crate) fn others(&self) -> Vec<Attached> {
        roster::others(&self.segment.file)
    }

    /// Tells whether the segment has lost its name: whoever looks for it now finds another or none.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.is_marked_removed()
            || sys::facts(&self.segment.file).is_ok_and(|facts| facts.names == 0)
    }

    /// The quick half of [`is_orphaned`](Self::is_orphaned): no system call.
    #[inline]
    pub(crate) fn is_marked_removed(&self) -> bool {
        let removed = self.control().header.flags.load(Ordering::Relaxed) & flags::REMOVED != 0;
        // What a peer has cut off reads as zeros, and leads nowhere either.
        removed || self.control.was_truncated()
    }

    /// Takes the lock if nobody has it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Result<Held<'_>, LockError> {
        match self.lock_hastily() {
            Some(held) => Ok(held),
            None => self.try_lock_carefully(),
        }
    }

    /// Takes the lock, waiting for it until the deadline, which is asked for only where there is a wait.
    #[inline]
    pub(crate) fn lock(&self, deadline: impl FnOnce() -> Deadline) -> Result<Held<'_>, LockError> {
        match self.lock_hastily() {
            Some(held) => Ok(held),
            None => self.lock_carefully(deadline),
        }
    }

    /// Takes the lock where nothing at all stands in the way, and no look at the clock is due.
    ///
    /// So small that it becomes part of its caller: what is passed through memory must be written
    /// before the lock is let go again, and that took a third of the time of both.
    #[inline]
    fn lock_hastily(&self) -> Option<Held<'_>> {
        let state = self.holding_thread.load(Ordering::Relaxed);
        let is_unwatched = (1..=NameWatch::MOST_LET_THROUGH).contains(&state);
        if !is_unwatched || self.is_forked() || self.is_marked_removed() {
            return None;
        }
        lock::take_free(&self.control().header.lock, self.me).then(|| self.held(false, state - 1))
    }

    #[inline(never)]
    fn try_lock_carefully(&self) -> Result<Held<'_>, LockError> {
        let unwatched = self.check_caller()?;
        match lock::try_acquire(&self.control().header.lock, self.me) {
            Some(taken) => Ok(self.held(taken.abandoned, unwatched)),
            None => self.try_take_over(unwatched),
        }
    }

    #[inline(never)]
    fn lock_carefully(&self, deadline: impl FnOnce() -> Deadline) -> Result<Held<'_>, LockError> {
        let unwatched = self.check_caller()?;
        match lock::acquire(&self.control().header.lock, self.me, deadline, self) {
            Ok(taken) => Ok(self.held(taken.abandoned, unwatched)),
            Err(not_taken) => Err(self.not_taken(not_taken)),
        }
    }

    #[cold]
    fn not_taken(&self, why: NotTaken) -> LockError {
        let key = self.key().clone();
        match why {
            NotTaken::GivenUp => LockError::Orphaned { key },
            NotTaken::TimedOut(holder) => self.lock_timeout(holder),
        }
    }

    /// A lock that is not free may still be a dead holder's: asked at once, not after a wait.
    #[cold]
    fn try_take_over(&self, unwatched: u64) -> Result<Held<'_>, LockError> {
        match lock::acquire(
            &self.control().header.lock,
            self.me,
            || Deadline::after(Duration::ZERO),
            self,
        ) {
            Ok(taken) => Ok(self.held(taken.abandoned, unwatched)),
            Err(NotTaken::GivenUp) => Err(LockError::Orphaned {
                key: self.key().clone(),
            }),
            Err(NotTaken::TimedOut(_)) => Err(LockError::WouldBlock {
                key: self.key().clone(),
            }),
        }
    }

    #[inline]
    fn held(&self, abandoned: bool, unwatched: u64) -> Held<'_> {
        self.holding_thread.store(thread_token(), Ordering::Relaxed);
        Held {
            attachment: self,
            state: unwatched | if abandoned { Held::ABANDONED } else { 0 },
        }
    }

    /// Checks that locking makes sense here; how many locks may follow without a look at the clock.
    fn check_caller(&self) -> Result<u64, LockError> {
        // Only the calling thread itself ever stores its own token, so Relaxed shows it the truth.
        let state = self.holding_thread.load(Ordering::Relaxed);
        if self.is_forked() || state == thread_token() || self.is_marked_removed() {
            return Err(self.refusal());
        }
        match state {
            0 => self.watch_name(),
            1..=NameWatch::MOST_LET_THROUGH => Ok(state - 1),
            // Another thread holds the lock.
            _ => Ok(0),
        }
    }

    #[cold]
    fn watch_name(&self) -> Result<u64, LockError> {
        match self.name_watch.look_at_the_clock() {
            None if self.is_orphaned() => Err(self.refusal()),
            let_through => Ok(let_through.unwrap_or(0)),
        }
    }

    /// Why locking makes no sense here.
    #[cold]
    fn refusal(&self) -> LockError {
        let key = self.key().clone();
        if self.is_forked() {
            LockError::Forked { key }
        } else if self.holding_thread.load(Ordering::Relaxed) == thread_token() {
            LockError::WouldDeadlock { key }
        } else {
            LockError::Orphaned { key }
        }
    }

    #[cold]
    fn lock_timeout(&self, holder: Option<Owner>) -> LockError {
        let holder = holder.and_then(|owner| {
            roster::holder_of(&self.segment.file, layout::slot_byte(owner.slot().into()))
        });
        LockError::Timeout {
            key: self.key().clone(),
            holder: holder.map(Box::new),
        }
    }

    /// Leaves the segment; the last one out removes it, unless it is persistent. True where it did.
    pub(crate) fn leave(&mut self) -> bool {
        // The parent's handle in a forked child: what it says and holds is the parent's.
        if std::mem::replace(&mut self.left, true) || self.is_forked() {
            return false;
        }
        let deadline = Deadline::after(LEAVING_PATIENCE);
        if self
            .segment
            .lock_lifecycle(ByteLock::Write, deadline)
            .is_err()
        {
            return false;
        }
        let removed = self.leave_in_order().unwrap_or(false);
        wake_everybody(&self.control);
        removed
    }

    fn leave_in_order(&self) -> Result<bool, AttachError> {
        // Before waking, so that whoever wakes finds nobody here.
        let slot = layout::slot_byte(self.me.slot().into());
        sys::unlock_byte(&self.segment.file, slot)
            .map_err(|error| AttachError::io(self.key(), "leaving", error))?;
        let head = self.segment.head()?;
        let stays = head.is_persistent() || self.segment.has_other_holders(head.slot_count)?;
        if stays || !self.segment.is_named() {
            return Ok(false);
        }
        self.segment.remove(&head)?;
        Ok(true)
    }
}

impl Watcher for Attachment {
    fn is_alive(&self, holder: Owner) -> bool {
        // A lock of one's own open file is never reported; one's own slot lives by definition.
        if holder.slot() == self.me.slot() {
            return true;
        }
        let byte = layout::slot_byte(holder.slot().into());
        // Where the kernel does not answer, nobody is declared dead.
        sys::held_byte(&self.segment.file, byte..byte + 1).map_or(true, |held| held.is_some())
    }

    fn gives_up(&self) -> bool {
        self.is_orphaned()
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Held<'_> {
    const ABANDONED: u64 = 1 << 63;

    /// Tells whether a holder died, and nobody has repaired since.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state & Self::ABANDONED != 0
    }

    /// Says that the data is whole again.
    #[inline]
    pub(crate) fn repaired(&mut self) {
        self.state &= !Self::ABANDONED;
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        // A guard that came along through a fork: the lock is the parent's.
        if self.attachment.is_forked() {
            return;
        }
        let word = &self.attachment.holding_thread;
        word.store(self.state & !Self::ABANDONED, Ordering::Relaxed);
        lock::release(&self.attachment.control().header.lock, self.is_abandoned());
    }
}

/// Says when it is time to ask the kernel whether the segment has a name still: once a second.
///
/// A look at the clock costs more than a lock. So the more hastily locks
/// follow each other, the more are let through without one; a leisurely one
/// is always followed by a look.
#[derive(Debug)]
struct NameWatch(Mutex<Times>);

#[derive(Debug)]
struct Times {
    clock_read: Instant,
    name_checked: Instant,
    let_through: u64,
}

impl NameWatch {
    const PERIOD: Duration = Duration::from_secs(1);
    const HASTY: Duration = Duration::from_millis(1);
    const MOST_LET_THROUGH: u64 = 1024;

    fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Times {
            clock_read: now,
            name_checked: now,
            let_through: 0,
        }))
    }

    /// How many locks may follow without a look at the clock; none where the name is to be checked.
    #[cold]
    fn look_at_the_clock(&self) -> Option<u64> {
        let Ok(mut times) = self.0.try_lock() else {
            return Some(0);
        };
        let now = Instant::now();
        times.let_through = if now.duration_since(times.clock_read) < Self::HASTY {
            (2 * times.let_through).clamp(1, Self::MOST_LET_THROUGH)
        } else {
            0
        };
        times.clock_read = now;
        if now.duration_since(times.name_checked) >= Self::PERIOD {
            times.name_checked = now;
            return None;
        }
        Some(times.let_through)
    }
}

/// How a segment's file is made before it has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draft {
    /// Without any name: nothing is left behind, whatever happens.
    Unnamed,
    /// Under a temporary name, where the system cannot do the other; `list` sweeps what a crash leaves.
    Temporary,
}

impl Draft {
    fn make(self, options: &Options) -> io::Result<(fs::File, Option<PathBuf>)> {
        let directory = options.directory_path();
        if self == Self::Unnamed {
            match sys::create_unnamed(&directory) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                other => return other.map(|file| (file, None)),
            }
        }
        let path = directory.join(temporary_name());
        sys::create_temporary(&path).map(|file| (file, Some(path)))
    }
}

/// What temporary names begin with; they are no keys' names.
pub(crate) fn temporary_prefix() -> String {
    format!(".shm-core.{}.", sys::effective_user())
}

fn temporary_name() -> String {
    format!("{}{:016x}.tmp", temporary_prefix(), sys::random_u64())
}

fn parent_exists(key: &Key, options: &Options) -> bool {
    options.path_of(key).parent().is_some_and(Path::is_dir)
}

/// Says plainly that the directory is missing, where creating answered "not found".
fn missing_directory(error: AttachError, options: &Options) -> AttachError {
    let AttachError::NotFound { key } = error else {
        return error;
    };
    let directory = options.directory_path();
    let text = format!(
        "the directory {} does not exist; create it, or set SHM_CORE_DIR to another",
        directory.display()
    );
    AttachError::Io {
        key,
        doing: "creating",
        source: io::Error::new(io::ErrorKind::NotFound, text),
    }
}

fn map_control(segment: &SegmentFile) -> Result<WritableMapping, AttachError> {
    WritableMapping::new(&segment.file, 0, layout::CONTROL_BYTES)
        .map_err(|error| AttachError::io(&segment.key, "mapping", error))
}

/// Relaxed throughout: nobody sees the file before it is named, and naming goes through the kernel.
fn write_header(control: &Control, kind: Kind, persistent: bool) {
    let header = &control.header;
    header
        .magic
        .store(u64::from_le_bytes(layout::MAGIC), Ordering::Relaxed);
    header.version.store(layout::VERSION, Ordering::Relaxed);
    header.slot_count.store(
        u32::try_from(layout::SLOTS).unwrap_or(u32::MAX),
        Ordering::Relaxed,
    );
    header.flags.store(
        if persistent { flags::PERSISTENT } else { 0 },
        Ordering::Relaxed,
    );
    header.kind.store(kind.code(), Ordering::Relaxed);
    header.created.store(sys::unix_nanos(), Ordering::Relaxed);
    for half in &header.id {
        half.store(sys::random_u64(), Ordering::Relaxed);
    }
    if let Kind::Block { bytes } = kind {
        header.block_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// Takes a free slot. Only while holding the lifecycle byte, or before the file has a name.
fn claim_slot(segment: &SegmentFile, control: &Control, access: u32) -> Result<Owner, AttachError> {
    for (index, slot) in control.slots.iter().enumerate() {
        let byte = layout::slot_byte(index);
        let free = sys::try_lock_byte(&segment.file, byte, ByteLock::Write)
            .map_err(|error| AttachError::io(&segment.key, "claiming a slot", error))?;
        if !free {
            continue;
        }
        let number = u8::try_from(index).unwrap_or(u8::MAX);
        // First of all: whoever held this slot last may have died with the lock.
        lock::settle(&control.header.lock, number);
        let generation = slot.generation.load(Ordering::Relaxed).wrapping_add(1);
        slot.generation.store(generation, Ordering::Relaxed);
        let this = Process::current();
        slot.pid.store(this.pid(), Ordering::Relaxed);
        slot.token.store(this.token(), Ordering::Relaxed);
        slot.since.store(sys::unix_nanos(), Ordering::Relaxed);
        slot.access.store(access, Ordering::Relaxed);
        write_program(slot);
        return Ok(Owner::new(number, generation));
    }
    Err(AttachError::SlotsFull {
        key: segment.key.clone(),
        slots: layout::SLOTS,
    })
}

fn write_program(slot: &layout::Slot) {
    let name = sys::program_name();
    let room = slot.program.len() * 8;
    let end = (0..=name.len().min(room))
        .rev()
        .find(|&end| name.is_char_boundary(end))
        .unwrap_or(0);
    let mut bytes = name.as_bytes()[..end].iter().copied();
    for word in &slot.program {
        let next = std::array::from_fn(|_| bytes.next().unwrap_or(0));
        word.store(u64::from_le_bytes(next), Ordering::Relaxed);
    }
}

/// A number that differs from thread to thread of a process, and is never 0.
#[inline]
fn thread_token() -> u64 {
    thread_local!(static ANCHOR: u8 = const { 0 });
    ANCHOR.with(|anchor| std::ptr::from_ref(anchor).addr() as u64)
}
