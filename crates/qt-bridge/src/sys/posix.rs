//! Named POSIX semaphores, which have no safe wrapper. POSIX segments are files, and need none.
//!
//! A semaphore is mapped here and not by `sem_open`, so that the file that was looked at is the one that is
//! mapped.
#![expect(unsafe_code, reason = "named semaphores have no safe wrapper")]

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use shm_core::GuardedMapping;

/// How long the file of a semaphore is.
pub(crate) const SEMAPHORE_BYTES: u64 = size_of::<libc::sem_t>() as u64;

/// A named semaphore, open.
#[derive(Debug)]
pub(crate) struct NamedSemaphore {
    address: NonNull<libc::sem_t>,
    /// A process that cuts the file short would end this one, where its program guards against that.
    guard: Option<GuardedMapping>,
}

// SAFETY: a semaphore is made to be used by several threads and processes.
unsafe impl Send for NamedSemaphore {}
// SAFETY: as above.
unsafe impl Sync for NamedSemaphore {}

impl NamedSemaphore {
    /// Makes one, and does not open it; `EEXIST` where there is one.
    pub(crate) fn create(name: &CStr, value: u32) -> io::Result<()> {
        let mode: libc::c_uint = 0o600;
        // SAFETY: the name ends with a NUL; mode and value follow, as O_CREAT asks for.
        let semaphore =
            unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL, mode, value) };
        // SEM_FAILED is null on Linux.
        if semaphore.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was opened just now, and nobody uses it after this.
        unsafe { libc::sem_close(semaphore) };
        Ok(())
    }

    /// Opens the one in a file. The caller has made sure that it has [`SEMAPHORE_BYTES`].
    pub(crate) fn open(file: &File) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let (file, length) = (file.as_raw_fd(), size_of::<libc::sem_t>());
        // SAFETY: the system chooses an address where nothing is, and the file is open.
        let address =
            unsafe { libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, file, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let Some(mapped) = NonNull::new(address.cast()) else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        // SAFETY: it was mapped just now with this length, and is unmapped after the guard has gone.
        let guard = unsafe { GuardedMapping::new(address.cast(), length) };
        Ok(Self {
            address: mapped,
            guard: Some(guard),
        })
    }

    /// Takes one; `ETIMEDOUT` where there was none within the time, `EINTR` where a signal came, `EIDRM`
    /// where its file was cut short.
    pub(crate) fn acquire(&self, timeout: Duration) -> io::Result<()> {
        // SAFETY: it is open as long as `self` lives.
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
        // SAFETY: it is open as long as `self` lives; the time is a valid one.
        let result = unsafe { libc::sem_timedwait(self.address.as_ptr(), ptr::from_ref(&until)) };
        self.checked(result)
    }

    /// Gives one.
    pub(crate) fn post(&self) -> io::Result<()> {
        // SAFETY: it is open as long as `self` lives.
        self.checked(unsafe { libc::sem_post(self.address.as_ptr()) })
    }

    pub(crate) fn value(&self) -> io::Result<u32> {
        let mut value = 0;
        // SAFETY: it is open as long as `self` lives; the value has a place.
        self.checked(unsafe { libc::sem_getvalue(self.address.as_ptr(), &raw mut value) })?;
        // A process may have written more there than a semaphore ever counts.
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
        // SAFETY: `open` mapped it with this length, and nobody uses it after this.
        unsafe { libc::munmap(self.address.as_ptr().cast(), size_of::<libc::sem_t>()) };
    }
}
