//! All segments on this computer, kept fresh while somebody looks at them.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use app_kit::explain::Explain;
use app_kit::group;
use app_kit::polling;
use app_kit::qt::visit;
use app_kit::worker;
use iced::futures::channel::mpsc as stream_mpsc;
use iced::futures::{Stream, StreamExt};
use iced::{Subscription, Task};
use qt_bridge::{Address, SegmentError, SegmentErrorKind};
use shm_core::segment;
use shm_core::{Options, RemoveError, RemoveErrorKind};

/// How often to look for what changes no name: contents, and who is there; and for segments of Qt
/// programs, which come and go without a word. They may lie in folders of which much else is heard.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long to let a burst of changes pass.
const PAUSE: Duration = Duration::from_millis(100);

/// At most this part of a processor's time goes into looking, however many segments there are.
const SHARE: u32 = 20;

/// All segments in order of their names, or why they cannot be told.
pub(crate) type Listing = Result<Arc<Vec<Entry>>, String>;

/// Of so many names that are no segments each is told; of more only their number.
pub(crate) const MOST_LEFT_ALONE: usize = 10;

/// One of them, or what only seems to be one.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// It lies among our own.
    Own(Arc<segment::Listed>),
    /// It is of a Qt program.
    Qt(qt_bridge::Listed),
}

impl From<segment::Listed> for Entry {
    fn from(listed: segment::Listed) -> Entry {
        Entry::Own(Arc::new(listed))
    }
}

impl Entry {
    /// What it is called: a key as it is written, or the name of what is no segment.
    pub(crate) fn name(&self) -> &str {
        match self {
            Entry::Own(listed) => &listed.name,
            Entry::Qt(listed) => listed.key.as_str(),
        }
    }

    /// Under what it is opened; nothing where it is no segment.
    pub(crate) fn address(&self) -> Option<Address> {
        match self {
            Entry::Own(listed) => listed.segment.as_ref().ok().map(|info| (&info.key).into()),
            Entry::Qt(listed) => Some((&listed.key).into()),
        }
    }
}

/// Looks at all segments at once, again when one comes or goes, and else once a second.
pub(crate) fn segments() -> Subscription<Listing> {
    Subscription::run(watch)
}

fn watch() -> impl Stream<Item = Listing> {
    // Room for one: who does not keep up is told the newest when there is room again.
    let (mut sender, receiver) = stream_mpsc::channel(0);
    let (alive, ended) = mpsc::channel::<()>();
    let spawned = thread::Builder::new()
        .name("segments".to_owned())
        .spawn(move || {
            // Before the first look. Without a watch the look once a second is enough.
            let watch = segment::Watch::new(&Options::new()).ok();
            polling::tell_once(watch.as_ref().and_then(segment::Watch::polling));
            loop {
                let began = Instant::now();
                let told = sender.try_send(list());
                if told.is_err_and(|error| error.is_disconnected()) {
                    break;
                }
                let rest = began.elapsed() * SHARE;
                // The channel carries nothing: it breaks when the stream is dropped.
                if ended.recv_timeout(rest.max(PAUSE)) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                let left = INTERVAL.saturating_sub(began.elapsed());
                let watched = watch.as_ref().map(|watch| watch.wait(left));
                if !matches!(watched, Some(Ok(_)))
                    && ended.recv_timeout(left) != Err(RecvTimeoutError::Timeout)
                {
                    break;
                }
            }
        });
    // Without a thread the sender is gone and the stream ends: the list just stays empty.
    drop(spawned);
    receiver.map(move |seen| {
        let _keeps_the_thread = &alive;
        seen
    })
}

fn list() -> Listing {
    // The window says them, and does not wait for a file.
    group::read_names();
    let own = super::list(None).map_err(|error| error.explain())?;
    let own = own.into_iter().map(Entry::from);
    let of_qt = qt_bridge::list().into_iter().map(Entry::Qt);
    let mut entries: Vec<Entry> = own.chain(of_qt).collect();
    entries.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(Arc::new(entries))
}

/// Removes a segment on a thread of its own.
pub(crate) fn remove_in_background(
    address: Address,
    force: bool,
) -> Task<Result<(), Arc<RemovalError>>> {
    worker::run("remove", move || remove(&address, force)).map(|worked| match worked {
        Ok(outcome) => outcome.map_err(Arc::new),
        Err(error) => Err(Arc::new(RemovalError::Worker(error))),
    })
}

fn remove(address: &Address, force: bool) -> Result<(), RemovalError> {
    match address {
        Address::Own(key) => super::remove(key, force).map_err(RemovalError::Own),
        Address::Qt(key) => visit(|| qt_bridge::remove(key, force)).map_err(RemovalError::Qt),
    }
}

/// Why a segment was not removed.
#[derive(Debug)]
pub(crate) enum RemovalError {
    /// It is in use, or cannot be removed.
    Own(RemoveError),
    /// The same of one of a Qt program.
    Qt(SegmentError),
    /// Nobody could go and try.
    Worker(worker::WorkerError),
}

impl RemovalError {
    /// Returns `true` if there is no such segment any more.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            RemovalError::Own(error) => *error.kind() == RemoveErrorKind::NotFound,
            RemovalError::Qt(error) => *error.kind() == SegmentErrorKind::NotFound,
            RemovalError::Worker(_) => false,
        }
    }
}
