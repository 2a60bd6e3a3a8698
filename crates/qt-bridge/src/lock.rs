//! The lock of a segment: a semaphore with the initial value 1.

use std::time::Duration;

use crate::error::{LockError, LockErrorKind};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::QtKey;
use crate::user::{self, User};

/// How many times the semaphore is replaced while other processes release it without holding it.
const ATTEMPTS: u32 = 3;

/// The lock of a segment, acquired or not.
#[derive(Debug)]
pub(crate) struct Lock {
    key: QtKey,
    handle: Handle,
}

impl Lock {
    /// Opens the lock, or creates it if there is none. A held lock stays held.
    pub(crate) fn open(key: &QtKey) -> Result<Self, LockError> {
        check_is_ours(key)?;
        let handle = Handle::open(key.lock(), 1).map_err(|fault| LockError::of(key, fault))?;
        Ok(Self {
            key: key.clone(),
            handle,
        })
    }

    /// Opens the lock; `None` if there is none.
    pub(crate) fn find(key: &QtKey) -> Result<Option<Self>, LockError> {
        check_is_ours(key)?;
        let found = Handle::find(key.lock()).map_err(|fault| LockError::of(key, fault))?;
        Ok(found.map(|handle| Self {
            key: key.clone(),
            handle,
        }))
    }

    #[inline]
    pub(crate) fn acquire(&mut self, timeout: Duration) -> Result<(), LockError> {
        match self.handle.acquire(timeout) {
            Ok(is_due) if self.handle.is_exclusive(is_due) => Ok(()),
            Ok(_) => self.restore_exclusion(timeout),
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// Makes the acquired lock exclusive again, after other processes could acquire it too.
    #[cold]
    fn restore_exclusion(&mut self, timeout: Duration) -> Result<(), LockError> {
        for _ in 0..ATTEMPTS {
            if self.handle.restore_exclusion() {
                return Ok(());
            }
            let replaced = self.handle.replace(1);
            let acquired = replaced.and_then(|()| self.handle.acquire(timeout));
            acquired.map_err(|fault| self.error(fault))?;
        }
        Err(self.error(Fault::Lost))
    }

    /// Acquires the lock if it is free. Does not create it again if it was removed.
    pub(crate) fn try_acquire_existing(&self) -> bool {
        self.handle.try_acquire_existing()
    }

    #[inline]
    pub(crate) fn release(&mut self) -> Result<(), LockError> {
        match self.handle.release() {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// Returns `true` if this handle created it.
    pub(crate) fn is_creator(&self) -> bool {
        self.handle.is_creator()
    }

    /// Removes the lock, which the caller has acquired. With `is_file_kept`, the key file stays for
    /// the segment.
    pub(crate) fn remove(self, is_file_kept: bool) {
        self.handle.remove(is_file_kept);
        self.handle.wake_waiters();
    }

    #[cold]
    fn error(&self, fault: Fault) -> LockError {
        let Fault::Timeout = fault else {
            return LockError::of(&self.key, fault);
        };
        let holder = self.handle.holder().and_then(User::of);
        let users = match holder {
            Some(_) => Vec::new(),
            None => user::of_file(&self.handle.file()),
        };
        LockError::new(&self.key, LockErrorKind::Timeout { holder, users })
    }
}

/// Refuses a key of another user's segment: acquiring a lock changes it.
pub(crate) fn check_is_ours(key: &QtKey) -> Result<(), LockError> {
    match key.is_ours() {
        true => Ok(()),
        false => Err(LockError::new(key, LockErrorKind::ReadOnly)),
    }
}
