//! A counting semaphore that Qt programs know as a `QSystemSemaphore`.

use std::time::Duration;

use crate::error::{LockError, LockErrorKind};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::QtKey;
use crate::lock::check_is_ours;
use crate::user::{self, User};

/// A named counting semaphore, shared with Qt programs that use `QSystemSemaphore`.
///
/// As with Qt, what a process has taken from a System V semaphore, or given, is undone when it ends,
/// and who made the semaphore removes it when it goes.
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
/// assert!(!seats.try_acquire()?, "there were two");
/// seats.release(2)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Semaphore {
    key: QtKey,
    /// `None` once it was removed.
    handle: Option<Handle>,
}

impl Semaphore {
    /// Opens the semaphore, or makes one of this value: `QSystemSemaphore::Open`.
    ///
    /// # Errors
    ///
    /// [`LockError`] where the name is another user's, or the system has no room.
    pub fn open(key: &QtKey, initial: u16) -> Result<Self, LockError> {
        check_is_ours(key)?;
        let handle =
            Handle::open(key.lock(), initial).map_err(|fault| LockError::of(key, fault))?;
        Ok(Self {
            key: key.clone(),
            handle: Some(handle),
        })
    }

    /// Opens or makes the semaphore, and sets its value whatever it was: `QSystemSemaphore::Create`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn create(key: &QtKey, initial: u16) -> Result<Self, LockError> {
        let mut semaphore = Self::open(key, initial)?;
        semaphore.with(|handle| handle.set_value(initial))?;
        Ok(semaphore)
    }

    /// The semaphore's key.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// Takes one, waiting for it so long.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`] where there was none.
    pub fn acquire(&mut self, patience: Duration) -> Result<(), LockError> {
        self.with(|handle| handle.take(patience).map(drop))
    }

    /// Takes one if there is one, and tells whether there was.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Io`] where the system does not let it.
    pub fn try_acquire(&mut self) -> Result<bool, LockError> {
        self.with(|handle| match handle.take(Duration::ZERO) {
            Err(Fault::Timeout) => Ok(false),
            taken => taken.map(|_| true),
        })
    }

    /// Gives so many.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Io`] where they are more than the system can count.
    pub fn release(&mut self, count: u16) -> Result<(), LockError> {
        self.with(|handle| handle.give(count))
    }

    /// How many there are at this moment.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Io`] where somebody has removed it.
    pub fn value(&mut self) -> Result<u32, LockError> {
        self.with(|handle| handle.value())
    }

    /// Leaves it to others, although this handle made it.
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
