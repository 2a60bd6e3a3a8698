//! Ending a wait from another thread or a signal handler.

use std::sync::Arc;

use crate::readiness::WakeFlag;

/// Ends a wait from another thread, or from a signal handler.
///
/// Created by [`Subscriber::interrupter`](crate::Subscriber::interrupter) and
/// [`WaitSet::interrupter`](crate::WaitSet::interrupter). It may outlive them, and does nothing
/// then.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use shm_core::{Key, Next, Options, Publisher, Subscriber};
///
/// # let options = Options::new().directory(directory.path());
/// # let key = Key::new("quiet")?;
/// # let _publisher = Publisher::open(&key, &options)?;
/// let mut subscriber = Subscriber::attach(&key, &options)?;
/// let interrupter = subscriber.interrupter();
/// let waiting = std::thread::spawn(move || matches!(subscriber.next(None), Ok(Next::Interrupted)));
/// interrupter.interrupt();
/// assert!(waiting.join().unwrap());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Interrupter(pub(crate) Arc<WakeFlag>);

impl Interrupter {
    /// Ends the current wait; if there is none, the next one ends at once. Several calls before
    /// that count as one.
    ///
    /// Makes at most one system call, takes no lock and does not allocate, so a signal handler may
    /// call it.
    pub fn interrupt(&self) {
        self.0.wake();
    }
}
