//! System V semaphores and segments.
#![expect(unsafe_code, reason = "System V IPC has no safe wrapper")]

use std::fs::Metadata;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::MetadataExt;
use std::ptr::{self, NonNull};
use std::time::Duration;

use libc::c_int;

/// Access for the owner only, as with Qt.
const MODE: c_int = 0o600;

/// Computes the System V key of a key file, as `ftok` does.
pub(crate) fn ipc_key(file: &Metadata, project: u8) -> i32 {
    let [device, ..] = file.dev().to_le_bytes();
    let [low, high, ..] = file.ino().to_le_bytes();
    i32::from_be_bytes([project, device, high, low])
}

/// The identity of a System V object, as the kernel returns it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    /// Its System V key; 0 after it was removed.
    pub(crate) number: i32,
    /// The id of the user that owns it.
    pub(crate) owner: u32,
    /// The id of the user that created it, and can always change and remove it.
    pub(crate) creator: u32,
}

impl Identity {
    fn of(permissions: &libc::ipc_perm) -> Self {
        Self {
            number: permissions.__key,
            owner: permissions.uid,
            creator: permissions.cuid,
        }
    }
}

fn checked(result: c_int) -> io::Result<c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}

/// The id of a set of one semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SemaphoreId(c_int);

/// An operation on a semaphore. The kernel undoes it when the process ends, except `Subtract`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// Subtracts one, and waits while the value is 0.
    Acquire,
    /// Adds so many units.
    Add(i16),
    /// Adds one if the value is 0; `EAGAIN` if not, because another process reset it meanwhile.
    /// These are two operations in one call, which costs the kernel a fifth more.
    Release,
    /// Subtracts so many for good, if the value is at least that.
    Subtract(i16),
}

impl SemaphoreId {
    /// Creates a semaphore with the value 0; `EEXIST` if there is one.
    pub(crate) fn create(key: i32) -> io::Result<Self> {
        Self::get(key, libc::IPC_CREAT | libc::IPC_EXCL)
    }

    /// Finds an existing semaphore.
    pub(crate) fn open(key: i32) -> io::Result<Self> {
        Self::get(key, 0)
    }

    fn get(key: i32, flags: c_int) -> io::Result<Self> {
        // SAFETY: all arguments are integers.
        checked(unsafe { libc::semget(key, 1, MODE | flags) }).map(Self)
    }

    fn control(self, command: c_int, value: libc::c_ulong) -> io::Result<c_int> {
        // SAFETY: none of the commands used here (SETVAL, GETVAL, GETPID, IPC_RMID) takes a
        // pointer; the integer is as wide as the union that the call expects.
        checked(unsafe { libc::semctl(self.0, 0, command, value) })
    }

    pub(crate) fn set_value(self, value: u16) -> io::Result<()> {
        self.control(libc::SETVAL, value.into()).map(drop)
    }

    pub(crate) fn value(self) -> io::Result<u32> {
        self.control(libc::GETVAL, 0).map(c_int::unsigned_abs)
    }

    /// Returns the id of the process that changed it last; 0 if none did.
    pub(crate) fn last_process(self) -> io::Result<u32> {
        self.control(libc::GETPID, 0).map(c_int::unsigned_abs)
    }

    /// Removes it. The caller has checked that this user owns it: the kernel does not stop root.
    pub(crate) fn remove(self) -> io::Result<()> {
        self.control(libc::IPC_RMID, 0).map(drop)
    }

    pub(crate) fn identity(self) -> io::Result<Identity> {
        let mut stat = MaybeUninit::<libc::semid_ds>::zeroed();
        // SAFETY: the pointer is valid for the one structure that the call writes.
        checked(unsafe { libc::semctl(self.0, 0, libc::IPC_STAT, stat.as_mut_ptr()) })?;
        // SAFETY: the call has succeeded; and zeros were valid before.
        let stat = unsafe { stat.assume_init() };
        Ok(Identity::of(&stat.sem_perm))
    }

    /// Performs an operation. Fails with `EAGAIN` if the timeout passed, `EIDRM` or `EINVAL` if the
    /// semaphore was removed, `EINTR` after a signal.
    pub(crate) fn operate(self, operation: Operation, timeout: Duration) -> io::Result<()> {
        let buffer = |op, flags| libc::sembuf {
            sem_num: 0,
            sem_op: op,
            sem_flg: flags,
        };
        // Both flags fit.
        #[expect(clippy::cast_possible_truncation, reason = "0x1000 and 0x800")]
        let (undo, at_once) = (libc::SEM_UNDO as i16, libc::IPC_NOWAIT as i16);
        let wait = if timeout.is_zero() { at_once } else { 0 };
        match operation {
            Operation::Acquire => self.semop(&mut [buffer(-1, undo | wait)], timeout),
            Operation::Add(count) => self.semop(&mut [buffer(count, undo)], timeout),
            Operation::Release => {
                let is_zero = buffer(0, at_once);
                self.semop(&mut [is_zero, buffer(1, undo)], timeout)
            }
            Operation::Subtract(count) => self.semop(&mut [buffer(-count, at_once)], timeout),
        }
    }

    fn semop<const N: usize>(
        self,
        buffers: &mut [libc::sembuf; N],
        timeout: Duration,
    ) -> io::Result<()> {
        let time = libc::timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        // Without waiting no timeout is needed, and the call is faster.
        let time = match timeout.is_zero() {
            true => ptr::null(),
            false => ptr::from_ref(&time),
        };
        // glibc has semtimedop, the libc crate does not. SAFETY: `buffers` has N valid operations,
        // `time` is a valid time or null, and both live until the call returns.
        let result =
            unsafe { libc::syscall(libc::SYS_semtimedop, self.0, buffers.as_mut_ptr(), N, time) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// The id of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentId(c_int);

/// The state of a segment, as the kernel returns it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentStat {
    pub(crate) size: usize,
    /// How many times it is attached, by any process.
    pub(crate) attached: u64,
    pub(crate) identity: Identity,
}

impl SegmentId {
    /// Creates a segment, all zero; `EEXIST` if there is one.
    pub(crate) fn create(key: i32, size: usize) -> io::Result<Self> {
        // SAFETY: all arguments are integers.
        let result = unsafe { libc::shmget(key, size, MODE | libc::IPC_CREAT | libc::IPC_EXCL) };
        checked(result).map(Self)
    }

    /// Finds an existing segment, to read or to write.
    pub(crate) fn open(key: i32, is_read_only: bool) -> io::Result<Self> {
        let mode = if is_read_only { 0o400 } else { MODE };
        // SAFETY: all arguments are integers.
        checked(unsafe { libc::shmget(key, 0, mode) }).map(Self)
    }

    /// Returns the id that `ipcs -m` shows.
    pub(crate) fn number(self) -> i32 {
        self.0
    }

    pub(crate) fn stat(self) -> io::Result<SegmentStat> {
        let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: the pointer is valid for the one structure that the call writes.
        checked(unsafe { libc::shmctl(self.0, libc::IPC_STAT, stat.as_mut_ptr()) })?;
        // SAFETY: the call has succeeded; and zeros were valid before.
        let stat = unsafe { stat.assume_init() };
        Ok(SegmentStat {
            size: stat.shm_segsz,
            attached: stat.shm_nattch,
            identity: Identity::of(&stat.shm_perm),
        })
    }

    /// Marks it for removal: the key is free at once, the memory when the last process has
    /// detached. The caller has checked that this user owns it: the kernel does not stop root.
    pub(crate) fn remove(self) -> io::Result<()> {
        // SAFETY: IPC_RMID takes no structure.
        checked(unsafe { libc::shmctl(self.0, libc::IPC_RMID, ptr::null_mut()) }).map(drop)
    }

    /// Attaches to it, and returns its state: its id is not reused while it is attached.
    pub(crate) fn attach(self, is_read_only: bool) -> io::Result<(Attached, SegmentStat)> {
        let flags = if is_read_only { libc::SHM_RDONLY } else { 0 };
        // SAFETY: the kernel chooses an unused address.
        let address = unsafe { libc::shmat(self.0, ptr::null(), flags) };
        let address = match NonNull::new(address.cast::<u8>()) {
            Some(address) if address.as_ptr().addr() != usize::MAX => address,
            _ => return Err(io::Error::last_os_error()),
        };
        // Dropping this detaches, also if an error follows. The size never changes.
        let mut attached = Attached {
            address,
            length: 0,
            is_read_only,
        };
        let stat = self.stat()?;
        attached.length = stat.size;
        Ok((attached, stat))
    }
}

/// Memory that other processes may write at any time: it is copied in and out, and never borrowed.
#[derive(Debug)]
pub(crate) struct Attached {
    address: NonNull<u8>,
    length: usize,
    is_read_only: bool,
}

// SAFETY: the memory belongs to the process, not to a thread; it is only copied from and to, and
// any thread may detach.
unsafe impl Send for Attached {}
// SAFETY: as above; concurrent copies may tear, as with writes of other processes: the bytes are
// valid whatever their value.
unsafe impl Sync for Attached {}

impl Attached {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Copies bytes out.
    ///
    /// # Panics
    ///
    /// If the range exceeds the segment.
    pub(crate) fn copy_out(&self, offset: usize, destination: &mut [u8]) {
        let source = self.address(offset, destination.len());
        // SAFETY: `address` checked that the range lies in the segment, which `self` keeps
        // attached; the destination is private memory.
        unsafe { ptr::copy_nonoverlapping(source, destination.as_mut_ptr(), destination.len()) }
    }

    /// Copies bytes in.
    ///
    /// # Panics
    ///
    /// If the range exceeds the segment, or it was attached read-only.
    pub(crate) fn copy_in(&self, offset: usize, source: &[u8]) {
        assert!(!self.is_read_only, "attached read-only");
        let destination = self.address(offset, source.len());
        // SAFETY: `address` checked that the range lies in the segment, which `self` keeps
        // attached, for writing; the source is private memory.
        unsafe { ptr::copy_nonoverlapping(source.as_ptr(), destination, source.len()) }
    }

    /// Zeroes the bytes from `start` to `end`. Frees the memory of whole pages, so that none is
    /// allocated for bytes that were never written.
    ///
    /// # Panics
    ///
    /// If the range exceeds the segment, or it was attached read-only.
    pub(crate) fn blank(&self, start: usize, end: usize) {
        assert!(!self.is_read_only, "attached read-only");
        let page = rustix::param::page_size();
        let first = start.next_multiple_of(page).min(end);
        // The last page belongs to the segment as a whole.
        let last = match end == self.length {
            true => end,
            false => (end - end % page).max(first),
        };
        self.fill(start, first);
        let pages = self.address(first, last - first).cast();
        // SAFETY: the pages lie in the segment, which `self` keeps attached, for writing; no
        // references into it exist, and zeros are valid bytes.
        let freed = unsafe { libc::madvise(pages, last - first, libc::MADV_REMOVE) };
        if freed != 0 {
            self.fill(first, last);
        }
        self.fill(last, end);
    }

    fn fill(&self, start: usize, end: usize) {
        let length = end - start;
        let destination = self.address(start, length);
        // SAFETY: `address` checked that the range lies in the segment, which `self` keeps
        // attached; the callers checked that it is attached for writing.
        unsafe { ptr::write_bytes(destination, 0, length) }
    }

    fn address(&self, offset: usize, length: usize) -> *mut u8 {
        let end = offset.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.length),
            "range exceeds the segment"
        );
        self.address.as_ptr().wrapping_add(offset)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: the address is the one that shmat returned, and it is not used after this.
        unsafe { libc::shmdt(self.address.as_ptr().cast()) };
    }
}
