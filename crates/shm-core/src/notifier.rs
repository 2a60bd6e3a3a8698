//! A descriptor that is readable when a subscriber has something to read.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use crate::reactor::{FutexWatch, PathWatch};
use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sample::{Reader, Subscriber};

/// A descriptor for an event loop: readable when there may be samples that its
/// [`Subscriber`](crate::Subscriber) has not read, when the last publisher has detached or died, or
/// when the segment has been removed.
///
/// When it is readable, [`clear`](Self::clear) it first, then read with a timeout of zero until
/// there is nothing more. Spurious readiness is possible. One helper thread waits for all
/// notifiers, streams and watches of a process; it ends with the last of them. If io_uring is older
/// than Linux 6.7 or not permitted, as in most containers, there is one more helper thread for each
/// 127 subscribers.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use rustix::event::{PollFd, PollFlags, poll};
/// use shm_core::{Key, Next, Options, Publisher, Subscriber};
///
/// # let options = Options::new().directory(directory.path());
/// # let key = Key::new("news")?;
/// let publisher = Publisher::open(&key, &options)?;
/// let mut subscriber = Subscriber::attach(&key, &options)?;
/// let notifier = subscriber.notifier()?;
///
/// publisher.publish_text("hello")?;
/// poll(&mut [PollFd::new(&notifier, PollFlags::IN)], None)?; // or epoll, GLib, Qt, asyncio
/// notifier.clear();
/// while let Next::Sample(sample) = subscriber.next(Duration::ZERO)? {
///     assert_eq!(sample.payload(), b"hello");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Notifier {
    reader: Arc<Reader>,
    readiness: Arc<Readiness>,
    word: FutexWatch,
    _file: PathWatch,
}

impl Notifier {
    pub(crate) fn new(subscriber: &Subscriber) -> io::Result<Self> {
        let (reader, seen) = (subscriber.reader(), subscriber.seen());
        let readiness = Arc::new(Readiness::with_descriptor()?);
        let file = subscriber.watch_for_an_end(&readiness)?;
        let word = FutexWatch::new(reader.clone(), seen, &readiness)?;
        if seen.is_none() {
            readiness.notify(DATA);
        }
        Ok(Self {
            reader: Arc::clone(reader),
            readiness,
            word,
            _file: file,
        })
    }

    /// Clears the readiness until the next event. The caller then reads everything that is there.
    pub fn clear(&self) {
        let happened = self.readiness.take();
        if happened & LIVENESS != 0 {
            self.reader.ask_for_a_look();
        }
        if happened & DATA != 0 {
            self.word.arm(self.reader.ring().last());
        }
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readiness.descriptor()
    }
}

impl AsRawFd for Notifier {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
