//! Named POSIX semaphores. (POSIX segments are files, and need no unsafe code.)
//!
//! The semaphore is mapped here and not by `sem_open`, so that the file that was checked is the
//! file that is mapped.
#![expect(unsafe_code, reason = "named semaphores have no safe wrapper")]

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use shm_core::GuardedMapping;

/// The size of a semaphore's file.
pub(crate) const SEMAPHORE_BYTES: u64 = size_of::<libc::sem_t>() as u64;

/// An open named semaphore.
#[derive(Debug)]
pub(crate) struct NamedSemaphore {
    address: NonNull<libc::sem_t>,
    /// If another process truncates the file, an access raises SIGBUS; a program that installed the
    /// guard survives it.
    guard: Option<GuardedMapping>,
}

// SAFETY: POSIX semaphores may be used by several threads and processes at once.
unsafe impl Send for NamedSemaphore {}
// SAFETY: as above.
unsafe impl Sync for NamedSemaphore {}

impl NamedSemaphore {
    /// Creates a semaphore without opening it; `EEXIST` if there is one.
    pub(crate) fn create(name: &CStr, value: u32) -> io::Result<()> {
        let mode: libc::c_uint = 0o600;
        // SAFETY: the name ends with a NUL; mode and value follow, as O_CREAT requires.
        let semaphore =
            unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL, mode, value) };
        // SEM_FAILED is null on Linux.
        if semaphore.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `sem_open` returned it just now, and it is not used after this.
        unsafe { libc::sem_close(semaphore) };
        Ok(())
    }

    /// Opens the semaphore in a file. The caller has checked that the file has [`SEMAPHORE_BYTES`].
    pub(crate) fn open(file: &File) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let (file, length) = (file.as_raw_fd(), size_of::<libc::sem_t>());
        // SAFETY: the kernel chooses an unused address, and the file is open.
        let address =
            unsafe { libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, file, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let Some(mapped) = NonNull::new(address.cast()) else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        // SAFETY: it was mapped just now with this length, and is unmapped after the guard is
        // dropped.
        let guard = unsafe { GuardedMapping::new(address.cast(), length) };
        Ok(Self {
            address: mapped,
            guard: Some(guard),
        })
    }

    /// Acquires one unit. Fails with `ETIMEDOUT` (`EAGAIN` without a timeout) if none became
    /// available, `EINTR` after a signal, `EIDRM` if the file was truncated.
    pub(crate) fn acquire(&self, timeout: Duration) -> io::Result<()> {
        // SAFETY: it is mapped as long as `self` lives.
        let result = unsafe { libc::sem_trywait(self.address.as_ptr()) };
        let Err(error) = self.checked(result) else {
            return Ok(());
        };
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
        // SAFETY: it is mapped as long as `self` lives; `until` is a valid time.
        let result = unsafe { libc::sem_timedwait(self.address.as_ptr(), ptr::from_ref(&until)) };
        self.checked(result)
    }

    /// Adds one unit.
    pub(crate) fn post(&self) -> io::Result<()> {
        // SAFETY: it is mapped as long as `self` lives.
        self.checked(unsafe { libc::sem_post(self.address.as_ptr()) })
    }

    pub(crate) fn value(&self) -> io::Result<u32> {
        let mut value = 0;
        // SAFETY: it is mapped as long as `self` lives; `value` is valid for writes.
        self.checked(unsafe { libc::sem_getvalue(self.address.as_ptr(), &raw mut value) })?;
        // Another process may have written a value above the maximum of a semaphore.
        Ok(value.cast_unsigned())
    }

    #[inline]
    fn checked(&self, result: libc::c_int) -> io::Result<()> {
        if self
            .guard
            .as_ref()
            .is_some_and(GuardedMapping::was_truncated)
        {
            return Err(io::Error::from_raw_os_error(libc::EIDRM));
        }
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for NamedSemaphore {
    fn drop(&mut self) {
        drop(self.guard.take());
        // SAFETY: `open` mapped it with this length, and it is not used after this.
        unsafe { libc::munmap(self.address.as_ptr().cast(), size_of::<libc::sem_t>()) };
    }
}
