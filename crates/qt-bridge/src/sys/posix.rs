//! Named POSIX semaphores, which have no safe wrapper. POSIX segments are files, and need none.
#![expect(unsafe_code, reason = "named semaphores have no safe wrapper")]

use std::ffi::CStr;
use std::io;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long the file of a semaphore is.
pub(crate) const SEMAPHORE_BYTES: u64 = size_of::<libc::sem_t>() as u64;

/// A named semaphore, open.
#[derive(Debug)]
pub(crate) struct NamedSemaphore(NonNull<libc::sem_t>);

// SAFETY: a semaphore is made to be used by several threads and processes.
unsafe impl Send for NamedSemaphore {}
// SAFETY: as above.
unsafe impl Sync for NamedSemaphore {}

impl NamedSemaphore {
    /// Makes one; `EEXIST` where there is one.
    pub(crate) fn create(name: &CStr, value: u32) -> io::Result<Self> {
        let mode: libc::c_uint = 0o600;
        // SAFETY: the name ends with a NUL; mode and value follow, as O_CREAT asks for.
        let semaphore =
            unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL, mode, value) };
        Self::opened(semaphore)
    }

    /// Opens one. The caller has made sure that the file is one of [`SEMAPHORE_BYTES`].
    pub(crate) fn open(name: &CStr) -> io::Result<Self> {
        // SAFETY: the name ends with a NUL; without O_CREAT nothing follows.
        let semaphore = unsafe { libc::sem_open(name.as_ptr(), 0) };
        Self::opened(semaphore)
    }

    fn opened(semaphore: *mut libc::sem_t) -> io::Result<Self> {
        // SEM_FAILED is null on Linux.
        NonNull::new(semaphore)
            .map(Self)
            .ok_or_else(io::Error::last_os_error)
    }

    /// Takes one; `ETIMEDOUT` where there was none within the time, `EINTR` where a signal came.
    pub(crate) fn take(&self, timeout: Duration) -> io::Result<()> {
        // SAFETY: it is open as long as `self` lives.
        let taken = unsafe { libc::sem_trywait(self.0.as_ptr()) };
        if taken == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EAGAIN) || timeout.is_zero() {
            return Err(error);
        }
        let now = clock_gettime(ClockId::Realtime);
        let nanoseconds = now.tv_nsec + i64::from(timeout.subsec_nanos());
        let seconds = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
        let until = libc::timespec {
            tv_sec: now
                .tv_sec
                .saturating_add(seconds)
                .saturating_add(nanoseconds / 1_000_000_000),
            tv_nsec: nanoseconds % 1_000_000_000,
        };
        // SAFETY: it is open as long as `self` lives; the time is a valid one.
        let taken = unsafe { libc::sem_timedwait(self.0.as_ptr(), ptr::from_ref(&until)) };
        Self::checked(taken)
    }

    /// Gives one.
    pub(crate) fn give(&self) -> io::Result<()> {
        // SAFETY: it is open as long as `self` lives.
        Self::checked(unsafe { libc::sem_post(self.0.as_ptr()) })
    }

    pub(crate) fn value(&self) -> io::Result<u32> {
        let mut value = 0;
        // SAFETY: it is open as long as `self` lives; the value has a place.
        Self::checked(unsafe { libc::sem_getvalue(self.0.as_ptr(), &raw mut value) })?;
        Ok(value.unsigned_abs())
    }

    fn checked(result: libc::c_int) -> io::Result<()> {
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for NamedSemaphore {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it after this.
        unsafe { libc::sem_close(self.0.as_ptr()) };
    }
}
