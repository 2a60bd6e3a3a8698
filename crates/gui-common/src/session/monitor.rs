//! A key watched for a window, on a thread of its own: what is under it, as it changes.
//!
//! The thread sleeps until something is published and converts it for the window. Contents are not
//! sent to the window: the latest lies in a slot, and what is sent is that there is one. While it
//! lies there nothing else is converted, so a slow window skips, and slows nobody down.

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

/// How often it is looked for what makes no wake-up: who is attached.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What is to be seen without attaching: what kind of content, and who is there.
    Presence,
    /// The content too, each time that it changes.
    Content,
}

/// What was seen under a key.
#[derive(Clone, Debug)]
pub enum Observation {
    /// Nobody has a segment there.
    Nothing,
    /// These contents were there before the one that follows, the oldest first. Reported once, and only where
    /// contents are looked at.
    Past(Arc<Vec<Snapshot>>),
    /// This is the content now.
    Content(Box<Update>),
    /// The content is what it was as far as is known, and these are attached.
    Presence(Arc<Info>),
    /// A segment of a Qt program is there, of so many bytes.
    Qt(u64),
    /// Something is there, and cannot be read.
    Unreadable(Arc<SnapshotError>),
}

/// A content that was not shown yet.
#[derive(Clone, Debug)]
pub struct Update {
    /// The content itself.
    pub snapshot: Snapshot,
    /// Notes when it is drawn.
    pub draw_latency: DrawLatency,
    /// How many came between the last one and this without being read.
    pub skipped: u64,
    /// Whether it is the last one once more, only with more pixels.
    pub is_again: bool,
}

/// The window's end of a watch: it goes on for as long as its subscription is subscribed to.
#[derive(Debug)]
pub struct Monitor {
    shared: Arc<Shared>,
}

/// A message of a watch, to be [read](Monitor::read).
#[derive(Clone, Debug)]
pub struct Notification {
    watch: u64,
    /// What was seen; `None` where it lies in the slot.
    seen: Option<Observation>,
}

/// What both ends of a watch know.
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
    /// Whether nobody listens any more.
    is_closed: bool,
}

impl Update {
    /// Makes a content of a snapshot that was just seen, to be drawn on `target`.
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
    /// Prepares to watch a segment. Contents are converted for the room that `target` tells of.
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

    /// Returns the form that was asked for.
    pub fn form(&self) -> Option<Form> {
        self.shared.source.asked_form()
    }

    /// Returns how much is looked at.
    pub fn depth(&self) -> Depth {
        self.shared.depth
    }

    /// Listens.
    pub fn subscription(&self) -> Subscription<Notification> {
        Subscription::run_with(SubscriptionId(Arc::clone(&self.shared)), |subject| {
            listen(Arc::clone(&subject.0))
        })
    }

    /// Makes a message of this watch, as its thread does.
    pub fn news(&self, seen: Observation) -> Notification {
        Notification {
            watch: self.shared.id,
            seen: Some(seen),
        }
    }

    /// Reads a message; `None` where it is from another watch, or what it tells of was taken.
    pub fn read(&self, news: Notification) -> Option<Observation> {
        if news.watch != self.shared.id {
            return None;
        }
        news.seen
            .or_else(|| self.shared.take().map(Observation::Content))
    }
}

/// What is subscribed to. Another watch is another subscription.
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

/// Tells the thread when the window does not listen any more.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.slot().is_closed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        // Nothing that is done while it is held can panic half-way.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Box<Update>> {
        let update = self.slot().update.take();
        self.changed.notify_all();
        update
    }

    /// Waits until the window has taken the last content; `None` where nobody listens any more.
    fn wait_for_room(&self) -> Option<()> {
        let slot = self
            .changed
            .wait_while(self.slot(), |slot| slot.update.is_some() && !slot.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        (!slot.is_closed).then_some(())
    }

    /// Lets some time pass; `None` where nobody listens any more.
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
