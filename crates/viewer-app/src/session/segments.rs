//! The list of all segments, refreshed while the window shows it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use gui_common::session::polling;
use gui_common::session::worker::{self, WorkerError};
use gui_common::text::explain::Explain;
use gui_common::text::group;
use iced::futures::channel::mpsc as stream_mpsc;
use iced::futures::{Stream, StreamExt};
use iced::{Subscription, Task};
use shm_core::segment::Removal;
use shm_core::{Options, segment};
use shm_io::{Address, Entry, RemovalError};

/// The interval for polling changes that cause no file event: contents, attached processes, and Qt
/// segments, whose folders have too many unrelated events.
const INTERVAL: Duration = Duration::from_secs(1);

/// The minimum delay between two listings, which merges bursts of changes.
const MIN_DELAY: Duration = Duration::from_millis(100);

/// The ratio of idle time to listing time, which bounds the load for any number of segments.
const IDLE_RATIO: u32 = 20;

/// All segments in the order of their names, or the explanation of an error.
pub(crate) type Listing = Result<Arc<Vec<Entry>>, String>;

/// Up to this many ignored files are listed one by one; more are only counted.
pub(crate) const MAX_IGNORED_LISTED: usize = 10;

/// Lists all segments at once, again when a file is created or removed, and at least once a second.
pub(crate) fn segments() -> Subscription<Listing> {
    Subscription::run(listings)
}

fn listings() -> impl Stream<Item = Listing> {
    // Capacity for one item: a slow receiver misses listings, and gets a current one next.
    let (mut sender, receiver) = stream_mpsc::channel(0);
    let (stop_on_drop, stopped) = mpsc::channel::<()>();
    let spawned = thread::Builder::new()
        .name("segments".to_owned())
        .spawn(move || {
            // Before the first listing, so that no event is lost. Without a watch, polling is
            // enough.
            let watch = segment::Watch::new(&Options::new()).ok();
            if let Some(polling) = watch.as_ref().and_then(segment::Watch::polling) {
                polling::warn_once(polling);
            }
            loop {
                let began = Instant::now();
                let sent = sender.try_send(list());
                if sent.is_err_and(|error| error.is_disconnected()) {
                    break;
                }
                let rest = began.elapsed() * IDLE_RATIO;
                // The channel carries nothing: it disconnects when the stream is dropped.
                if stopped.recv_timeout(rest.max(MIN_DELAY)) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                let left = INTERVAL.saturating_sub(began.elapsed());
                let watched = watch.as_ref().map(|watch| watch.wait(left));
                if !matches!(watched, Some(Ok(_)))
                    && stopped.recv_timeout(left) != Err(RecvTimeoutError::Timeout)
                {
                    break;
                }
            }
        });
    // Without a thread the sender is dropped and the stream ends: the list stays empty.
    drop(spawned);
    receiver.map(move |listing| {
        let _keeps_the_thread = &stop_on_drop;
        listing
    })
}

fn list() -> Listing {
    // Read here, because the window draws group names and must not block on a file.
    group::read_names();
    let mut entries = shm_io::list(None).map_err(|error| error.explain())?;
    entries.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(Arc::new(entries))
}

/// Removes a segment on a separate thread.
pub(crate) fn remove_in_background(
    address: Address,
    removal: Removal,
) -> Task<Result<(), Arc<RemovalFailure>>> {
    worker::run("remove", move || shm_io::remove(&address, removal)).map(|worked| {
        let removed = worked.map_err(RemovalFailure::Worker);
        removed
            .and_then(|removed| removed.map_err(RemovalFailure::Removal))
            .map_err(Arc::new)
    })
}

/// The error of removing a segment.
#[derive(Debug)]
pub(crate) enum RemovalFailure {
    /// The segment is in use, or cannot be removed.
    Removal(RemovalError),
    /// The worker thread could not be started, or panicked.
    Worker(WorkerError),
}
