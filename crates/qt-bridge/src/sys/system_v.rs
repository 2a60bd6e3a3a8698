//! System V semaphores and segments, which have no safe wrapper.
#![expect(unsafe_code, reason = "System V IPC has no safe wrapper")]

use std::fs::Metadata;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::MetadataExt;
use std::ptr::{self, NonNull};
use std::time::Duration;

use libc::c_int;

/// Only their owner uses them, as Qt has it.
const MODE: c_int = 0o600;

/// Makes of a key file the number that the kernel knows, as `ftok` does.
pub(crate) fn ipc_key(file: &Metadata, project: u8) -> i32 {
    let [device, ..] = file.dev().to_le_bytes();
    let [low, high, ..] = file.ino().to_le_bytes();
    i32::from_be_bytes([project, device, high, low])
}

/// What the kernel tells of any System V object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    /// The number by which it is found; 0 once it was removed.
    pub(crate) number: i32,
    /// The user to whom it belongs.
    pub(crate) owner: u32,
    /// The user who made it, and stays able to change and remove it.
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

/// A set of one semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SemaphoreId(c_int);

/// How a semaphore is changed; the kernel takes it back when the process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// One less; waits for it while there is none.
    Acquire,
    /// So many more.
    Add(i16),
    /// One more where there is none; `EAGAIN` where somebody has reset it meanwhile. Two operations in
    /// one, which costs the kernel a fifth more.
    Release,
    /// So many less for good, if they are there.
    Subtract(i16),
}

impl SemaphoreId {
    /// Makes one of value 0; `EEXIST` where there is one.
    pub(crate) fn create(key: i32) -> io::Result<Self> {
        Self::get(key, libc::IPC_CREAT | libc::IPC_EXCL)
    }

    /// Finds one.
    pub(crate) fn open(key: i32) -> io::Result<Self> {
        Self::get(key, 0)
    }

    fn get(key: i32, flags: c_int) -> io::Result<Self> {
        // SAFETY: the call takes numbers only.
        checked(unsafe { libc::semget(key, 1, MODE | flags) }).map(Self)
    }

    fn control(self, command: c_int, value: libc::c_ulong) -> io::Result<c_int> {
        // SAFETY: none of the commands used here (SETVAL, GETVAL, GETPID,
        // IPC_RMID) takes a pointer; the number is as wide as the union that
        // the call expects.
        checked(unsafe { libc::semctl(self.0, 0, command, value) })
    }

    pub(crate) fn set_value(self, value: u16) -> io::Result<()> {
        self.control(libc::SETVAL, value.into()).map(drop)
    }

    pub(crate) fn value(self) -> io::Result<u32> {
        self.control(libc::GETVAL, 0).map(c_int::unsigned_abs)
    }

    /// The process that changed it last; 0 where nobody did.
    pub(crate) fn last_process(self) -> io::Result<u32> {
        self.control(libc::GETPID, 0).map(c_int::unsigned_abs)
    }

    /// Removes it. The caller has made sure that it is ours: root is not stopped.
    pub(crate) fn remove(self) -> io::Result<()> {
        self.control(libc::IPC_RMID, 0).map(drop)
    }

    pub(crate) fn identity(self) -> io::Result<Identity> {
        let mut stat = MaybeUninit::<libc::semid_ds>::zeroed();
        // SAFETY: the call writes one structure of this type.
        checked(unsafe { libc::semctl(self.0, 0, libc::IPC_STAT, stat.as_mut_ptr()) })?;
        // SAFETY: the call has succeeded; and zeros were valid before.
        let stat = unsafe { stat.assume_init() };
        Ok(Identity::of(&stat.sem_perm))
    }

    /// Changes it; `EAGAIN` where it could not be taken within the time, `EIDRM` or `EINVAL`
    /// where it is gone, `EINTR` where a signal came.
    pub(crate) fn operate(self, operation: Operation, timeout: Duration) -> io::Result<()> {
        let buffer = |op, flags| libc::sembuf {
            sem_num: 0,
            sem_op: op,
            sem_flg: flags,
        };
        // Both fit: they are small bits.
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
        // What does not wait needs no time, and is faster without.
        let time = match timeout.is_zero() {
            true => ptr::null(),
            false => ptr::from_ref(&time),
        };
        // glibc has semtimedop, the libc crate does not.
        // SAFETY: the operations are N valid ones, the time is a valid one or
        // none, and both live until the call returns.
        let result =
            unsafe { libc::syscall(libc::SYS_semtimedop, self.0, buffers.as_mut_ptr(), N, time) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// A segment, whether attached to or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentId(c_int);

/// What the kernel tells of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentStat {
    pub(crate) size: usize,
    /// How often it is attached to, by anybody.
    pub(crate) attached: u64,
    pub(crate) identity: Identity,
}

impl SegmentId {
    /// Makes one, all zero; `EEXIST` where there is one.
    pub(crate) fn create(key: i32, size: usize) -> io::Result<Self> {
        // SAFETY: the call takes numbers only.
        let result = unsafe { libc::shmget(key, size, MODE | libc::IPC_CREAT | libc::IPC_EXCL) };
        checked(result).map(Self)
    }

    /// Finds one, to read or to write.
    pub(crate) fn open(key: i32, is_read_only: bool) -> io::Result<Self> {
        let mode = if is_read_only { 0o400 } else { MODE };
        // SAFETY: the call takes numbers only.
        checked(unsafe { libc::shmget(key, 0, mode) }).map(Self)
    }

    /// The number that `ipcs -m` shows.
    pub(crate) fn number(self) -> i32 {
        self.0
    }

    pub(crate) fn stat(self) -> io::Result<SegmentStat> {
        let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: the call writes one structure of this type.
        checked(unsafe { libc::shmctl(self.0, libc::IPC_STAT, stat.as_mut_ptr()) })?;
        // SAFETY: the call has succeeded; and zeros were valid before.
        let stat = unsafe { stat.assume_init() };
        Ok(SegmentStat {
            size: stat.shm_segsz,
            attached: stat.shm_nattch,
            identity: Identity::of(&stat.shm_perm),
        })
    }

    /// Takes its name away; its memory goes when the last one has detached. The caller has made sure
    /// that it is ours: root is not stopped.
    pub(crate) fn remove(self) -> io::Result<()> {
        // SAFETY: this command takes no structure.
        checked(unsafe { libc::shmctl(self.0, libc::IPC_RMID, ptr::null_mut()) }).map(drop)
    }

    /// Attaches to it, and tells what it is: nothing else gets its number as long as it is attached.
    pub(crate) fn attach(self, is_read_only: bool) -> io::Result<(Attached, SegmentStat)> {
        let flags = if is_read_only { libc::SHM_RDONLY } else { 0 };
        // SAFETY: the system chooses an address where nothing is.
        let address = unsafe { libc::shmat(self.0, ptr::null(), flags) };
        let address = match NonNull::new(address.cast::<u8>()) {
            Some(address) if address.as_ptr().addr() != usize::MAX => address,
            _ => return Err(io::Error::last_os_error()),
        };
        // From here on it is detached whatever goes wrong. The size is never changed.
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

/// Memory that other processes may be writing at any time: it is copied in and out, and lends no
/// reference.
#[derive(Debug)]
pub(crate) struct Attached {
    address: NonNull<u8>,
    length: usize,
    is_read_only: bool,
}

// SAFETY: the memory belongs to the process, not to a thread; it is only
// copied from and to, and the kernel does not mind who detaches.
unsafe impl Send for Attached {}
// SAFETY: as above; what concurrent copies make of bytes, other processes make
// of them too: they are bytes, whatever their value.
unsafe impl Sync for Attached {}

impl Attached {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Copies bytes out.
    ///
    /// # Panics
    ///
    /// If the range leaves the segment.
    pub(crate) fn copy_out(&self, offset: usize, destination: &mut [u8]) {
        let source = self.address(offset, destination.len());
        // SAFETY: `address` checked that the range lies in the segment, which
        // `self` keeps attached; the destination is memory of our own.
        unsafe { ptr::copy_nonoverlapping(source, destination.as_mut_ptr(), destination.len()) }
    }

    /// Copies bytes in.
    ///
    /// # Panics
    ///
    /// If the range leaves the segment, or it was attached to for reading.
    pub(crate) fn copy_in(&self, offset: usize, source: &[u8]) {
        assert!(!self.is_read_only, "attached for reading");
        let destination = self.address(offset, source.len());
        // SAFETY: `address` checked that the range lies in the segment, which
        // `self` keeps attached, for writing; the source is memory of our own.
        unsafe { ptr::copy_nonoverlapping(source.as_ptr(), destination, source.len()) }
    }

    /// Makes zeros of the bytes from `start` to `end`. Of whole pages the memory is given back, so
    /// that nothing is spent on what was never written.
    ///
    /// # Panics
    ///
    /// If the range leaves the segment, or it was attached to for reading.
    pub(crate) fn blank(&self, start: usize, end: usize) {
        assert!(!self.is_read_only, "attached for reading");
        let page = rustix::param::page_size();
        let first = start.next_multiple_of(page).min(end);
        // The last page is the segment's to its end.
        let last = match end == self.length {
            true => end,
            false => (end - end % page).max(first),
        };
        self.fill(start, first);
        let pages = self.address(first, last - first).cast();
        // SAFETY: the pages lie in the segment, which `self` keeps attached, for writing; nothing
        // refers into it, and zeros are bytes as others are.
        let given_back = unsafe { libc::madvise(pages, last - first, libc::MADV_REMOVE) };
        if given_back != 0 {
            self.fill(first, last);
        }
        self.fill(last, end);
    }

    fn fill(&self, start: usize, end: usize) {
        let length = end - start;
        let destination = self.address(start, length);
        // SAFETY: `address` checked that the range lies in the segment, which `self` keeps attached;
        // the callers made sure that it is so for writing.
        unsafe { ptr::write_bytes(destination, 0, length) }
    }

    fn address(&self, offset: usize, length: usize) -> *mut u8 {
        let end = offset.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.length),
            "range leaves the segment"
        );
        self.address.as_ptr().wrapping_add(offset)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: the address is the one that shmat gave, and nobody uses it
        // after this.
        unsafe { libc::shmdt(self.address.as_ptr().cast()) };
    }
}
