//! Locks of the C library, System V semaphores, and the mutex of the crate `raw_sync`.
#![expect(unsafe_code, reason = "calls of the C library")]

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use raw_sync::locks::{LockImpl, LockInit, Mutex};

use super::Lock;
use crate::Outcome;
use crate::ground::Ground;

/// Converts an error number of the C library; 0 is success.
fn check(result: libc::c_int) -> Outcome {
    match result {
        0 => Ok(()),
        -1 => Err(std::io::Error::last_os_error().into()),
        error => Err(std::io::Error::from_raw_os_error(error).into()),
    }
}

/// `pthread_mutex_t`, robust and process-shared.
pub(super) struct Pthread(Ground);

impl Pthread {
    pub(super) fn open(ground: Ground, is_first: bool) -> Outcome<Self> {
        let mutex = Self(ground);
        if is_first {
            let mut attributes = MaybeUninit::uninit();
            let attributes = attributes.as_mut_ptr();
            // SAFETY: the pointer is valid for writing the attributes.
            check(unsafe { libc::pthread_mutexattr_init(attributes) })?;
            let shared = libc::PTHREAD_PROCESS_SHARED;
            // SAFETY: initialised above.
            check(unsafe { libc::pthread_mutexattr_setpshared(attributes, shared) })?;
            let robust = libc::PTHREAD_MUTEX_ROBUST;
            // SAFETY: initialised above.
            check(unsafe { libc::pthread_mutexattr_setrobust(attributes, robust) })?;
            // SAFETY: mapped and aligned memory that no process uses yet.
            check(unsafe { libc::pthread_mutex_init(mutex.raw(), attributes) })?;
        }
        Ok(mutex)
    }

    fn raw(&self) -> *mut libc::pthread_mutex_t {
        let length = size_of::<libc::pthread_mutex_t>();
        self.0.address(0, length).cast()
    }
}

impl Lock for Pthread {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        // SAFETY: initialised by the first process, mapped as long as `self`.
        let taken = unsafe { libc::pthread_mutex_lock(self.raw()) };
        if taken == 0 {
            work();
            // SAFETY: this thread holds it.
            unsafe { libc::pthread_mutex_unlock(self.raw()) };
        }
    }
}

/// `sem_t`, process-shared, with one unit.
pub(super) struct Semaphore(Ground);

impl Semaphore {
    pub(super) fn open(ground: Ground, is_first: bool) -> Outcome<Self> {
        let semaphore = Self(ground);
        if is_first {
            // SAFETY: mapped and aligned memory that no process uses yet.
            check(unsafe { libc::sem_init(semaphore.raw(), 1, 1) })?;
        }
        Ok(semaphore)
    }

    fn raw(&self) -> *mut libc::sem_t {
        self.0.address(0, size_of::<libc::sem_t>()).cast()
    }
}

impl Lock for Semaphore {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        // SAFETY: initialised by the first process, mapped as long as `self`.
        while unsafe { libc::sem_wait(self.raw()) } != 0 {}
        work();
        // SAFETY: as above.
        unsafe { libc::sem_post(self.raw()) };
    }
}

/// A System V semaphore, which the kernel releases if its holder dies.
pub(super) struct SystemV {
    id: libc::c_int,
    is_first: bool,
}

impl SystemV {
    pub(super) fn open(place: &Path, is_first: bool) -> Outcome<Self> {
        let path = CString::new(place.as_os_str().as_bytes())?;
        // SAFETY: a path that ends with NUL.
        let key = unsafe { libc::ftok(path.as_ptr(), 1) };
        let flags = if is_first { libc::IPC_CREAT | 0o600 } else { 0 };
        // SAFETY: all arguments are integers.
        let id = unsafe { libc::semget(key, 1, flags) };
        if id < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        if is_first {
            // SAFETY: the command takes an integer.
            check(unsafe { libc::semctl(id, 0, libc::SETVAL, 1) })?;
        }
        Ok(Self { id, is_first })
    }

    fn change(&self, by: libc::c_short) -> bool {
        let undo = libc::c_short::try_from(libc::SEM_UNDO).unwrap_or(0);
        let mut change = libc::sembuf {
            sem_num: 0,
            sem_op: by,
            sem_flg: undo,
        };
        // SAFETY: one operation, which lives during the call.
        unsafe { libc::semop(self.id, &raw mut change, 1) == 0 }
    }
}

impl Lock for SystemV {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        while !self.change(-1) {}
        work();
        self.change(1);
    }
}

impl Drop for SystemV {
    fn drop(&mut self) {
        if self.is_first {
            // SAFETY: the command takes no argument.
            unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) };
        }
    }
}

/// The mutex of `raw_sync`.
pub(super) struct RawSync {
    lock: Box<dyn LockImpl>,
    /// The memory that contains it.
    _ground: Ground,
}

impl RawSync {
    pub(super) fn open(ground: Ground, is_first: bool) -> Outcome<Self> {
        let (at, data) = (ground.address(0, 1024), ground.address(1024, 8));
        let (lock, _) = if is_first {
            // SAFETY: mapped memory that no process uses yet, and that lives as long as the lock.
            unsafe { Mutex::new(at, data) }
        } else {
            // SAFETY: initialised by the first process.
            unsafe { Mutex::from_existing(at, data) }
        }
        .map_err(|error| error.to_string())?;
        Ok(Self {
            lock,
            _ground: ground,
        })
    }
}

impl Lock for RawSync {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        if let Ok(guard) = self.lock.lock() {
            work();
            drop(guard);
        }
    }
}
