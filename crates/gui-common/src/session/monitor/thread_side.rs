//! The thread's side of a monitor.

use std::sync::Arc;
use std::time::Instant;

use iced::Size;
use iced::futures::SinkExt;
use iced::futures::channel::mpsc::Sender;
use iced::futures::executor::block_on;
use shm_core::segment;
use shm_io::{Content, Event, Follower, Info, Stat, Wanted};

use super::{Depth, Notification, Observation, POLL_INTERVAL, Shared, Update};
use crate::session::snapshot::{Bytes, Preview, Snapshot, SnapshotError};
use crate::text::group;

/// Reads the key and reports to the window. All methods return `None` if the subscription has
/// ended.
pub(super) struct MonitorThread {
    shared: Arc<Shared>,
    output: Sender<Notification>,
    follower: Follower,
    /// The last reported state.
    reported: Reported,
    stat: Stat,
    /// The time of the last poll of the participants.
    last_poll: Option<Instant>,
    /// The last reported content, as far as it is still needed, and its time.
    last: Option<(Last, Instant)>,
    /// Whether the past contents were reported.
    has_begun: bool,
}

/// The last reported state, so that it is not reported again every second.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reported {
    Unknown,
    Nothing,
    Something(Summary),
    /// A segment of a Qt program, of this many bytes.
    Qt(u64),
    Unreadable(String),
}

/// The part of a [`segment::Info`] that a window shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Summary {
    stat: Stat,
    /// The sequence and the size; `None` if the monitor reads the content itself.
    content: Option<(u64, u64)>,
}

/// A reported content.
enum Last {
    /// A picture that was converted for the size of the pane.
    Fitted,
    /// A block, which is read once a second and reported only if it has changed.
    Block(Bytes, u64),
    Other,
}

impl MonitorThread {
    pub(super) fn new(shared: Arc<Shared>, output: Sender<Notification>) -> MonitorThread {
        MonitorThread {
            follower: shared.source.clone().follow(Wanted::Latest),
            shared,
            output,
            reported: Reported::Unknown,
            stat: Stat::default(),
            last_poll: None,
            last: None,
            has_begun: false,
        }
    }

    /// Runs until the subscription ends.
    pub(super) fn run(&mut self) {
        while self.look().is_some() {}
    }

    fn look(&mut self) -> Option<()> {
        match self.shared.depth {
            Depth::Presence => {
                self.poll_info()?;
                self.shared.pause(POLL_INTERVAL)
            }
            Depth::Content => {
                self.follow()?;
                self.shared.is_wanted()
            }
        }
    }

    /// Waits for the next event and reports it.
    fn follow(&mut self) -> Option<()> {
        let event = self.follower.next(Some(POLL_INTERVAL));
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match event {
            Ok(Event::Content(content)) => {
                if is_first {
                    self.report_past(&content)?;
                }
                self.report_new(*content)
            }
            Ok(Event::Empty { .. }) => {
                self.poll_info()?;
                let address = self.shared.source.address().clone();
                self.report_converted(Content::of_nothing(address), None, false)
            }
            Ok(Event::NoSegment) => self.report_nothing(),
            Ok(Event::PublisherGone | Event::Timeout) => {
                // A Qt segment has just been read.
                if self.shared.source.address().own().is_some() {
                    self.poll_info()?;
                }
                self.refine()
            }
            Ok(Event::Block) => self.report_block(),
            Err(error) => self.report_unreadable(error.into()),
        }
    }

    /// Polls the information about the segment.
    fn poll_info(&mut self) -> Option<()> {
        self.last_poll = Some(Instant::now());
        match self.shared.source.info() {
            Ok(Info::Own(info)) => self.report_presence(*info),
            Ok(Info::Qt { size, .. }) => self.report_qt(size),
            Err(error) if error.is_not_found() => self.report_nothing(),
            Err(error) => self.report_unreadable(error.into()),
        }
    }

    fn report_qt(&mut self, size: u64) -> Option<()> {
        self.report_once(Reported::Qt(size), Observation::Qt(size))
    }

    fn report_presence(&mut self, info: segment::Info) -> Option<()> {
        // The window shows group names, which are read off its thread.
        group::read_names();
        self.stat = Stat::from(&info);
        let content = match &info.content {
            segment::Content::Block { size } => Some((0, *size)),
            segment::Content::Samples { latest, .. } => latest
                .as_ref()
                .map(|latest| (latest.sequence.get(), latest.bytes)),
            // A semaphore's count changes without an event, and has no content.
            segment::Content::Semaphore { .. } | segment::Content::Damaged { .. } => None,
        };
        let reported = Reported::Something(Summary {
            stat: self.stat.clone(),
            content: content.filter(|_| self.shared.depth == Depth::Presence),
        });
        self.report_once(reported, Observation::Presence(Arc::new(info)))
    }

    fn report_nothing(&mut self) -> Option<()> {
        self.stat = Stat::default();
        self.report_once(Reported::Nothing, Observation::Nothing)
    }

    fn report_unreadable(&mut self, error: SnapshotError) -> Option<()> {
        let reported = Reported::Unreadable(error.to_string());
        self.report_once(reported, Observation::Unreadable(Arc::new(error)))
    }

    fn report_new(&mut self, content: Content) -> Option<()> {
        let pane = match content.publication() {
            // A Qt segment is not read again, so all of its pixels are converted at once.
            None => {
                self.report_qt(content.size())?;
                None
            }
            Some(publication) => {
                let is_due = |at: Instant| at.elapsed() >= POLL_INTERVAL;
                let mut attached = self.stat.attached.iter();
                let is_known = attached.any(|peer| peer.process.is(publication.writer));
                if self.last_poll.is_none_or(is_due) || !is_known {
                    self.poll_info()?;
                }
                self.pane()
            }
        };
        self.report_converted(content, pane, false)
    }

    /// Reports the samples that were published before the first reported one.
    fn report_past(&mut self, newest: &Content) -> Option<()> {
        self.poll_info()?;
        let past = self.shared.source.before(newest).into_iter();
        let past = past.map(|content| content.with_stat(self.stat.clone()));
        let past: Vec<Snapshot> = past
            .filter_map(|content| Snapshot::of(&content, None).ok())
            .collect();
        if past.is_empty() {
            return Some(());
        }
        self.send(Some(Observation::Past(Arc::new(past))))
    }

    /// In a fast stream, pictures are converted only for the size of the pane. A picture that stays
    /// gets all of its pixels, because the user may zoom in.
    fn pane(&self) -> Option<Size<u32>> {
        let (_, at) = self.last.as_ref()?;
        let is_fast = at.elapsed() < POLL_INTERVAL;
        is_fast.then(|| self.shared.target.pane()).flatten()
    }

    /// Converts the latest picture again with all of its pixels, if no other has followed.
    fn refine(&mut self) -> Option<()> {
        if !matches!(self.last, Some((Last::Fitted, _))) {
            return Some(());
        }
        match self.follower.again() {
            Ok(Some(content)) => self.report_converted(content, None, true),
            Ok(None) => Some(()),
            Err(error) => self.report_unreadable(error.into()),
        }
    }

    fn report_converted(
        &mut self,
        content: Content,
        pane: Option<Size<u32>>,
        is_again: bool,
    ) -> Option<()> {
        let content = content.with_stat(self.stat.clone());
        let converted = Snapshot::of(&content, pane);
        let skipped = content.skipped();
        // Released before waiting for the window, so that the publisher can reuse the memory.
        drop(content);
        let snapshot = match converted {
            Ok(snapshot) => snapshot,
            Err(error) => return self.report_unreadable(error),
        };
        let is_picture = matches!(snapshot.content, Preview::Picture(_));
        let last = match pane {
            Some(_) if is_picture => Last::Fitted,
            _ => Last::Other,
        };
        let update = Update {
            skipped,
            is_again,
            ..self.update_of(snapshot)
        };
        self.report_content(update, last)
    }

    /// A block has no wake-up: it is read once a second, with its participants.
    fn report_block(&mut self) -> Option<()> {
        self.poll_info()?;
        match Snapshot::read(&self.shared.source) {
            Ok(snapshot) if self.is_reported(&snapshot) => Some(()),
            Ok(snapshot) => {
                let last = match &snapshot.content {
                    Preview::Bytes(bytes) => Last::Block(bytes.clone(), snapshot.bytes),
                    _ => Last::Other,
                };
                let update = self.update_of(snapshot);
                self.report_content(update, last)
            }
            // It was removed just now, which the next poll reports.
            Err(error) if error.is_not_found() => Some(()),
            Err(error) => self.report_unreadable(error),
        }
    }

    fn is_reported(&self, snapshot: &Snapshot) -> bool {
        match (&self.last, &snapshot.content) {
            (Some((Last::Block(reported, size), _)), Preview::Bytes(bytes)) => {
                reported == bytes && *size == snapshot.bytes
            }
            _ => false,
        }
    }

    fn update_of(&self, snapshot: Snapshot) -> Update {
        Update::new(snapshot, Arc::clone(&self.shared.target))
    }

    /// Puts a content into the slot and notifies the window.
    fn report_content(&mut self, update: Update, last: Last) -> Option<()> {
        self.last = Some((last, Instant::now()));
        if !matches!(self.reported, Reported::Something(_) | Reported::Qt(_)) {
            self.reported = Reported::Unknown;
        }
        self.shared.wait_for_room()?;
        self.shared.slot().update = Some(Box::new(update));
        self.send(None)
    }

    fn report_once(&mut self, reported: Reported, observation: Observation) -> Option<()> {
        if self.reported == reported {
            return Some(());
        }
        self.reported = reported;
        self.send(Some(observation))
    }

    /// Sends a message; blocks until the window has room for it.
    fn send(&mut self, seen: Option<Observation>) -> Option<()> {
        let watch = self.shared.id;
        block_on(self.output.send(Notification { watch, seen })).ok()
    }
}
