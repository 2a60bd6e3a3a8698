//! Monitors a key for a window on a separate thread and reports changes of its content.
//!
//! The thread sleeps until a sample is published, and converts it for the window. Contents are not
//! sent to the window: the latest is put into a slot, and a notification is sent. Nothing else is
//! converted until the window takes it, so a slow window skips samples and never slows down the
//! publisher.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use iced::futures::channel::mpsc::Sender;
use iced::futures::{Stream, StreamExt};
use iced::{Subscription, stream};
use qt_bridge::Form;
use shm_core::segment::Info;
use shm_io::{Address, Source};

use crate::picture::draw_latency::{DrawLatency, RenderTarget};
use crate::session::polling;
use crate::session::snapshot::{Snapshot, SnapshotError};

#[cfg(test)]
mod tests;
mod thread_side;

use thread_side::MonitorThread;

/// The polling interval for changes without wake-up, such as the attached participants.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What a monitor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Only the information that needs no attaching: the kind of content and the participants.
    Presence,
    /// Also the content, each time that it changes.
    Content,
}

/// What a monitor has read under a key.
#[derive(Clone, Debug)]
pub enum Observation {
    /// There is no segment.
    Nothing,
    /// The contents before the one that follows, oldest first. Reported once, and only if the
    /// monitor reads contents.
    Past(Arc<Vec<Snapshot>>),
    /// The current content.
    Content(Box<Update>),
    /// The information about the segment; the content has not changed as far as is known.
    Presence(Arc<Info>),
    /// A segment of a Qt program, of this many bytes.
    Qt(u64),
    /// The segment cannot be read.
    Unreadable(Arc<SnapshotError>),
}

/// A content that was not shown yet, with its context.
#[derive(Clone, Debug)]
pub struct Update {
    /// The content itself.
    pub snapshot: Snapshot,
    /// Records when it is drawn.
    pub draw_latency: DrawLatency,
    /// The number of samples that were published since the last update and not read.
    pub skipped: u64,
    /// Whether it repeats the last update with more pixels.
    pub is_again: bool,
}

/// The window's side of a monitor, which runs while its subscription is active.
#[derive(Debug)]
pub struct Monitor {
    shared: Arc<Shared>,
}

/// A message of a monitor, to be passed to [`Monitor::read`].
#[derive(Clone, Debug)]
pub struct Notification {
    watch: u64,
    /// The observation, or `None` if it is a content in the slot.
    seen: Option<Observation>,
}

/// The state that the window and the thread share.
#[derive(Debug)]
struct Shared {
    id: u64,
    source: Source,
    depth: Depth,
    target: Arc<RenderTarget>,
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    update: Option<Box<Update>>,
    /// Whether the subscription has ended.
    is_closed: bool,
}

impl Update {
    /// Creates an update from a new snapshot, to be drawn on `target`.
    pub fn new(snapshot: Snapshot, target: Arc<RenderTarget>) -> Update {
        let published = snapshot.origin.as_ref().map(|origin| origin.published);
        let published = published.unwrap_or_else(SystemTime::now);
        Update {
            draw_latency: DrawLatency::new(published, target),
            snapshot,
            skipped: 0,
            is_again: false,
        }
    }
}

impl Monitor {
    /// Prepares to monitor a segment. Pictures are converted for the size of `target`.
    pub fn new(source: Source, depth: Depth, target: Arc<RenderTarget>) -> Monitor {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Monitor {
            shared: Arc::new(Shared {
                id: COUNT.fetch_add(1, Ordering::Relaxed),
                source: source.on_polling(polling::warn_once),
                depth,
                target,
                slot: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    /// Returns the key.
    pub fn key(&self) -> &Address {
        self.shared.source.address()
    }

    /// Returns the requested form.
    pub fn form(&self) -> Option<Form> {
        self.shared.source.asked_form()
    }

    /// Returns what the monitor reads.
    pub fn depth(&self) -> Depth {
        self.shared.depth
    }

    /// Listens.
    pub fn subscription(&self) -> Subscription<Notification> {
        Subscription::run_with(SubscriptionId(Arc::clone(&self.shared)), |subject| {
            listen(Arc::clone(&subject.0))
        })
    }

    /// Creates a message of this monitor, as its thread does.
    pub fn news(&self, seen: Observation) -> Notification {
        Notification {
            watch: self.shared.id,
            seen: Some(seen),
        }
    }

    /// Returns the observation of a message, or `None` if the message is from another monitor or
    /// its content was already taken.
    pub fn read(&self, news: Notification) -> Option<Observation> {
        if news.watch != self.shared.id {
            return None;
        }
        news.seen
            .or_else(|| self.shared.take().map(Observation::Content))
    }
}

/// The identity of the subscription: each monitor has its own.
struct SubscriptionId(Arc<Shared>);

impl Hash for SubscriptionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

fn listen(shared: Arc<Shared>) -> impl Stream<Item = Notification> {
    shared.slot().is_closed = false;
    let close_on_drop = CloseOnDrop(Arc::clone(&shared));
    let news = stream::channel(1, async move |output: Sender<Notification>| {
        let (seen, to) = (Arc::clone(&shared), output.clone());
        let look = move || MonitorThread::new(seen, to).run();
        let thread = thread::Builder::new().name("watch".to_owned());
        let spawned = thread.spawn(look);
        if let Err(error) = spawned {
            let key = shared.source.address().clone();
            let error = SnapshotError::NoThread { key, source: error };
            let seen = Some(Observation::Unreadable(Arc::new(error)));
            let watch = shared.id;
            output.clone().try_send(Notification { watch, seen }).ok();
        }
    });
    news.map(move |news| {
        let _until_unsubscribed = &close_on_drop;
        news
    })
}

/// Stops the thread when the subscription is dropped.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.slot().is_closed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        // No code that holds the lock can panic half-way.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Box<Update>> {
        let update = self.slot().update.take();
        self.changed.notify_all();
        update
    }

    /// Blocks until the window has taken the last content. Returns `None` if the subscription has
    /// ended.
    fn wait_for_room(&self) -> Option<()> {
        let slot = self
            .changed
            .wait_while(self.slot(), |slot| slot.update.is_some() && !slot.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        (!slot.is_closed).then_some(())
    }

    /// Blocks for `time`. Returns `None` if the subscription has ended.
    fn pause(&self, time: Duration) -> Option<()> {
        let (slot, _) = self
            .changed
            .wait_timeout_while(self.slot(), time, |slot| !slot.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        (!slot.is_closed).then_some(())
    }

    fn is_wanted(&self) -> Option<()> {
        (!self.slot().is_closed).then_some(())
    }
}
