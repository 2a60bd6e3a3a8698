//! The thread's end of a watch.

use std::sync::Arc;
use std::time::Instant;

use iced::Size;
use iced::futures::SinkExt;
use iced::futures::channel::mpsc::Sender;
use iced::futures::executor::block_on;
use shm_core::segment;
use shm_io::{Content, Event, Follower, Info, Stat, Wanted};

use super::{Depth, Fresh, GLANCE, News, Observation, Shared};
use crate::session::snapshot::{Bytes, Preview, Snapshot, SnapshotError};
use crate::text::group;

/// Looks, and tells the window. `None` from any function means that nobody wants to know.
pub(super) struct Lookout {
    shared: Arc<Shared>,
    output: Sender<News>,
    follower: Follower,
    /// What was told last of what stays the same for long.
    told: Told,
    stat: Stat,
    /// When it was last looked who is there.
    glanced: Option<Instant>,
    /// What of the content that was told last is still of interest, and when that was.
    last: Option<(Last, Instant)>,
    /// Whether it has begun to follow, so that nothing that comes is past.
    has_begun: bool,
}

/// What was told, so that it is not told again every second.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Unknown,
    Nothing,
    Something(Gist),
    /// A segment of a Qt program, of so many bytes.
    Qt(u64),
    Unreadable(String),
}

/// What of a [`segment::Info`] a window shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gist {
    stat: Stat,
    /// The sequence and the size; of no interest to who knows the content itself.
    content: Option<(u64, u64)>,
}

/// A content that was told.
enum Last {
    /// A picture of which only what is seen was converted.
    Fitted,
    /// It is read once a second, and told only if it changed.
    Block(Bytes, u64),
    Other,
}

impl Lookout {
    pub(super) fn new(shared: Arc<Shared>, output: Sender<News>) -> Lookout {
        Lookout {
            follower: shared.source.clone().follow(Wanted::Latest),
            shared,
            output,
            told: Told::Unknown,
            stat: Stat::default(),
            glanced: None,
            last: None,
            has_begun: false,
        }
    }

    /// Looks until nobody listens any more.
    pub(super) fn run(&mut self) {
        while self.look().is_some() {}
    }

    fn look(&mut self) -> Option<()> {
        match self.shared.depth {
            Depth::Presence => {
                self.glance()?;
                self.shared.pause(GLANCE)
            }
            Depth::Content => {
                self.follow()?;
                self.shared.is_wanted()
            }
        }
    }

    /// Waits for what happens next, and tells of it.
    fn follow(&mut self) -> Option<()> {
        let event = self.follower.next(Some(GLANCE));
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match event {
            Ok(Event::Content(content)) => {
                if is_first {
                    self.tell_past(&content)?;
                }
                self.tell_new(*content)
            }
            Ok(Event::Empty { .. }) => {
                self.glance()?;
                let address = self.shared.source.address().clone();
                self.tell_converted(Content::of_nothing(address), None, false)
            }
            Ok(Event::NoSegment) => self.tell_nothing(),
            Ok(Event::PublisherGone | Event::Timeout) => {
                // One of a Qt program was looked at just now.
                if self.shared.source.address().own().is_some() {
                    self.glance()?;
                }
                self.refine()
            }
            Ok(Event::Block) => self.tell_block(),
            Err(error) => self.tell_unreadable(error.into()),
        }
    }

    /// Looks who is there.
    fn glance(&mut self) -> Option<()> {
        self.glanced = Some(Instant::now());
        match self.shared.source.info() {
            Ok(Info::Own(info)) => self.tell_presence(*info),
            Ok(Info::Qt { size, .. }) => self.tell_qt(size),
            Err(error) if error.is_not_found() => self.tell_nothing(),
            Err(error) => self.tell_unreadable(error.into()),
        }
    }

    fn tell_qt(&mut self, size: u64) -> Option<()> {
        self.tell_once(Told::Qt(size), Observation::Qt(size))
    }

    fn tell_presence(&mut self, info: segment::Info) -> Option<()> {
        // The window names them.
        group::read_names();
        self.stat = Stat::from(&info);
        let content = match &info.content {
            segment::Content::Block { size } => Some((0, *size)),
            segment::Content::Samples { latest, .. } => latest
                .as_ref()
                .map(|latest| (latest.sequence.get(), latest.bytes)),
            // Counts come and go without a word; there is nothing to read.
            segment::Content::Semaphore { .. } | segment::Content::Damaged { .. } => None,
        };
        let told = Told::Something(Gist {
            stat: self.stat.clone(),
            content: content.filter(|_| self.shared.depth == Depth::Presence),
        });
        self.tell_once(told, Observation::Presence(Arc::new(info)))
    }

    fn tell_nothing(&mut self) -> Option<()> {
        self.stat = Stat::default();
        self.tell_once(Told::Nothing, Observation::Nothing)
    }

    fn tell_unreadable(&mut self, error: SnapshotError) -> Option<()> {
        let told = Told::Unreadable(error.to_string());
        self.tell_once(told, Observation::Unreadable(Arc::new(error)))
    }

    fn tell_new(&mut self, content: Content) -> Option<()> {
        let pane = match content.publication() {
            // One of a Qt program is not read again, so all of its pixels are taken at once.
            None => {
                self.tell_qt(content.size())?;
                None
            }
            Some(publication) => {
                let is_due = |at: Instant| at.elapsed() >= GLANCE;
                let mut attached = self.stat.attached.iter();
                let is_known = attached.any(|peer| peer.process.is(publication.writer));
                if self.glanced.is_none_or(is_due) || !is_known {
                    self.glance()?;
                }
                self.pane()
            }
        };
        self.tell_converted(content, pane, false)
    }

    /// Tells what was published before the first sample that is told.
    fn tell_past(&mut self, newest: &Content) -> Option<()> {
        self.glance()?;
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

    /// Where pictures follow each other fast, as many pixels of them as are seen are enough. One
    /// that stays is worth more: somebody may look at it closely.
    fn pane(&self) -> Option<Size<u32>> {
        let (_, at) = self.last.as_ref()?;
        let is_fast = at.elapsed() < GLANCE;
        is_fast.then(|| self.shared.stage.pane()).flatten()
    }

    /// Converts the latest picture once more, with all of its pixels, when it turned out to stay.
    fn refine(&mut self) -> Option<()> {
        if !matches!(self.last, Some((Last::Fitted, _))) {
            return Some(());
        }
        match self.follower.again() {
            Ok(Some(content)) => self.tell_converted(content, None, true),
            Ok(None) => Some(()),
            Err(error) => self.tell_unreadable(error.into()),
        }
    }

    fn tell_converted(
        &mut self,
        content: Content,
        pane: Option<Size<u32>>,
        is_again: bool,
    ) -> Option<()> {
        let content = content.with_stat(self.stat.clone());
        let converted = Snapshot::of(&content, pane);
        let skipped = content.skipped();
        // Its memory is the publisher's again, before the window is waited for.
        drop(content);
        let snapshot = match converted {
            Ok(snapshot) => snapshot,
            Err(error) => return self.tell_unreadable(error),
        };
        let is_picture = matches!(snapshot.content, Preview::Picture(_));
        let last = match pane {
            Some(_) if is_picture => Last::Fitted,
            _ => Last::Other,
        };
        let fresh = Fresh {
            skipped,
            is_again,
            ..self.fresh(snapshot)
        };
        self.tell_content(fresh, last)
    }

    /// A block wakes nobody: it is read once a second, and so is who is there.
    fn tell_block(&mut self) -> Option<()> {
        self.glance()?;
        match Snapshot::read(&self.shared.source) {
            Ok(snapshot) if self.is_told(&snapshot) => Some(()),
            Ok(snapshot) => {
                let last = match &snapshot.content {
                    Preview::Bytes(bytes) => Last::Block(bytes.clone(), snapshot.bytes),
                    _ => Last::Other,
                };
                let fresh = self.fresh(snapshot);
                self.tell_content(fresh, last)
            }
            // It went away just now, which the next look tells.
            Err(error) if error.is_not_found() => Some(()),
            Err(error) => self.tell_unreadable(error),
        }
    }

    fn is_told(&self, snapshot: &Snapshot) -> bool {
        match (&self.last, &snapshot.content) {
            (Some((Last::Block(told, size), _)), Preview::Bytes(bytes)) => {
                told == bytes && *size == snapshot.bytes
            }
            _ => false,
        }
    }

    fn fresh(&self, snapshot: Snapshot) -> Fresh {
        Fresh::new(snapshot, Arc::clone(&self.shared.stage))
    }

    /// Puts a content into the slot, and tells the window that it is there.
    fn tell_content(&mut self, fresh: Fresh, last: Last) -> Option<()> {
        self.last = Some((last, Instant::now()));
        if !matches!(self.told, Told::Something(_) | Told::Qt(_)) {
            self.told = Told::Unknown;
        }
        self.shared.wait_for_room()?;
        self.shared.slot().fresh = Some(Box::new(fresh));
        self.send(None)
    }

    fn tell_once(&mut self, told: Told, observation: Observation) -> Option<()> {
        if self.told == told {
            return Some(());
        }
        self.told = told;
        self.send(Some(observation))
    }

    /// Hands over a message; waits until the window has room for it.
    fn send(&mut self, seen: Option<Observation>) -> Option<()> {
        let watch = self.shared.id;
        block_on(self.output.send(News { watch, seen })).ok()
    }
}
