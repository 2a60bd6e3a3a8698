//! Counting semaphores of Qt programs.

use std::time::Duration;

use crate::error::{LockError, LockErrorKind};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::QtKey;
use crate::lock::check_is_ours;
use crate::user::{self, User};

/// A named counting semaphore, shared with Qt programs that use `QSystemSemaphore`.
///
/// As with Qt, the kernel undoes the operations of a process on a System V semaphore when the
/// process ends (`SEM_UNDO`), and dropping the handle that created the semaphore removes it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use qt_bridge::{Kind, QtKey, Semaphore};
/// # let directory = tempfile::tempdir()?;
/// # /*
/// let key: QtKey = "qt:Seats".parse()?;
/// # */
/// # let key = QtKey::legacy_in("Seats", Kind::SystemV, directory.path())?;
///
/// let mut seats = Semaphore::open(&key, 2)?;
/// seats.acquire(Duration::from_secs(1))?;
/// assert!(seats.try_acquire()?);
/// assert!(!seats.try_acquire()?, "both units are taken");
/// seats.release(2)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Semaphore {
    key: QtKey,
    /// `None` after it was removed.
    handle: Option<Handle>,
}

impl Semaphore {
    /// Opens the semaphore, or creates one with this value: `QSystemSemaphore::Open`.
    ///
    /// # Errors
    ///
    /// [`LockError`] if the name belongs to another user, or a limit of the system is reached.
    pub fn open(key: &QtKey, initial: u16) -> Result<Self, LockError> {
        check_is_ours(key)?;
        let handle =
            Handle::open(key.lock(), initial).map_err(|fault| LockError::of(key, fault))?;
        Ok(Self {
            key: key.clone(),
            handle: Some(handle),
        })
    }

    /// Opens or creates the semaphore, and sets its value in either case:
    /// `QSystemSemaphore::Create`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn create(key: &QtKey, initial: u16) -> Result<Self, LockError> {
        let mut semaphore = Self::open(key, initial)?;
        semaphore.with(|handle| handle.set_value(initial))?;
        Ok(semaphore)
    }

    /// Returns the key of the semaphore.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// Acquires one unit, waiting up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`] if no unit became available.
    pub fn acquire(&mut self, timeout: Duration) -> Result<(), LockError> {
        self.with(|handle| handle.acquire(timeout).map(drop))
    }

    /// Acquires one unit if one is available; returns `false` if not.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Io`] if the system call fails.
    pub fn try_acquire(&mut self) -> Result<bool, LockError> {
        self.with(|handle| match handle.acquire(Duration::ZERO) {
            Err(Fault::Timeout) => Ok(false),
            taken => taken.map(|_| true),
        })
    }

    /// Releases `count` units.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Io`] if the value would exceed the system's maximum.
    pub fn release(&mut self, count: u16) -> Result<(), LockError> {
        self.with(|handle| handle.post(count))
    }

    /// Returns the number of units available at this moment.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Io`] if another process removed the semaphore.
    pub fn value(&mut self) -> Result<u32, LockError> {
        self.with(|handle| handle.value())
    }

    /// Drops the handle without removing the semaphore, even if this handle created it.
    pub fn leave(mut self) {
        self.handle = None;
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Handle) -> Result<T, Fault>,
    ) -> Result<T, LockError> {
        let Some(handle) = &mut self.handle else {
            return Err(LockError::of(&self.key, Fault::Lost));
        };
        act(handle).map_err(|fault| match fault {
            Fault::Timeout => LockError::new(
                &self.key,
                LockErrorKind::Timeout {
                    holder: handle.holder().and_then(User::of),
                    users: user::of_file(&handle.file()),
                },
            ),
            fault => LockError::of(&self.key, fault),
        })
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take_if(|handle| handle.is_creator()) {
            handle.remove(false);
        }
    }
}
