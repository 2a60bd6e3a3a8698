//! The lock of a segment: a semaphore of value one.

use std::time::Duration;

use crate::error::{LockError, LockErrorKind};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::QtKey;
use crate::user::{self, User};

/// How often it is made anew because other processes go on giving what they never took.
const ATTEMPTS: u32 = 3;

/// The lock of a segment, taken or not.
#[derive(Debug)]
pub(crate) struct Lock {
    key: QtKey,
    handle: Handle,
}

impl Lock {
    /// Opens it, or makes it where there is none; what others hold stays held.
    pub(crate) fn open(key: &QtKey) -> Result<Self, LockError> {
        check_is_ours(key)?;
        let handle = Handle::open(key.lock(), 1).map_err(|fault| LockError::of(key, fault))?;
        Ok(Self {
            key: key.clone(),
            handle,
        })
    }

    /// Opens it; `None` where there is none.
    pub(crate) fn find(key: &QtKey) -> Result<Option<Self>, LockError> {
        check_is_ours(key)?;
        let found = Handle::find(key.lock()).map_err(|fault| LockError::of(key, fault))?;
        Ok(found.map(|handle| Self {
            key: key.clone(),
            handle,
        }))
    }

    #[inline]
    pub(crate) fn take(&mut self, patience: Duration) -> Result<(), LockError> {
        match self.handle.take(patience) {
            Ok(is_due) if self.handle.is_exclusive(is_due) => Ok(()),
            Ok(_) => self.mend(patience),
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// Makes it keep others out again: it is taken, and others could take it too.
    #[cold]
    fn mend(&mut self, patience: Duration) -> Result<(), LockError> {
        for _ in 0..ATTEMPTS {
            if self.handle.mend() {
                return Ok(());
            }
            let replaced = self.handle.replace(1);
            let taken = replaced.and_then(|()| self.handle.take(patience));
            taken.map_err(|fault| self.error(fault))?;
        }
        Err(self.error(Fault::Lost))
    }

    /// Takes it if it is free, and does not make it anew where somebody has removed it.
    pub(crate) fn take_as_it_is(&self) -> bool {
        self.handle.take_as_it_is()
    }

    #[inline]
    pub(crate) fn give_back(&mut self) -> Result<(), LockError> {
        match self.handle.give_back() {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// Whether this handle made it.
    pub(crate) fn is_creator(&self) -> bool {
        self.handle.is_creator()
    }

    /// Removes it; the caller has taken it. The file of the key may stay for the segment.
    pub(crate) fn remove(self, is_file_kept: bool) {
        self.handle.remove(is_file_kept);
        self.handle.free();
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

/// Refuses a key of another user's segment: to take a lock is to change it.
pub(crate) fn check_is_ours(key: &QtKey) -> Result<(), LockError> {
    match key.is_ours() {
        true => Ok(()),
        false => Err(LockError::new(key, LockErrorKind::ReadOnly)),
    }
}
