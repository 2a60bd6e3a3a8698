//! The lock of a segment: a semaphore of value one.

use std::time::Duration;

use crate::error::LockError;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::QtKey;
use crate::user::{self, User};

/// The lock of a segment, taken or not.
#[derive(Debug)]
pub(crate) struct Lock {
    key: QtKey,
    handle: Handle,
}

impl Lock {
    /// Opens it, or makes it where there is none; what others hold stays held.
    pub(crate) fn open(key: &QtKey) -> Result<Self, LockError> {
        let handle = Handle::open(key.lock(), 1).map_err(|fault| LockError::of(key, fault))?;
        Ok(Self {
            key: key.clone(),
            handle,
        })
    }

    /// Opens it; `None` where there is none.
    pub(crate) fn find(key: &QtKey) -> Result<Option<Self>, LockError> {
        let found = Handle::find(key.lock()).map_err(|fault| LockError::of(key, fault))?;
        Ok(found.map(|handle| Self {
            key: key.clone(),
            handle,
        }))
    }

    #[inline]
    pub(crate) fn take(&mut self, patience: Duration) -> Result<(), LockError> {
        match self.handle.take(patience) {
            Ok(false) => Ok(()),
            Ok(true) => {
                self.handle.mend();
                Ok(())
            }
            Err(fault) => Err(self.error(fault)),
        }
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
        LockError::Timeout {
            key: self.key.clone(),
            holder,
            users,
        }
    }
}
