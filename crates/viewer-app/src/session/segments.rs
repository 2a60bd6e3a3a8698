//! All segments on this computer, kept fresh while somebody looks at them.

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
            if let Some(polling) = watch.as_ref().and_then(segment::Watch::polling) {
                polling::warn_once(polling);
            }
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
    let mut entries = shm_io::list(None).map_err(|error| error.explain())?;
    entries.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(Arc::new(entries))
}

/// Removes a segment on a thread of its own.
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

/// Why a segment was not removed.
#[derive(Debug)]
pub(crate) enum RemovalFailure {
    /// It is in use, or cannot be removed.
    Removal(RemovalError),
    /// Nobody could go and try.
    Worker(WorkerError),
}
