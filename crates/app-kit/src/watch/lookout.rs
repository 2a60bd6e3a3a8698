//! The thread's end of a watch.

use std::sync::Arc;
use std::time::Instant;

use iced::Size;
use iced::futures::SinkExt;
use iced::futures::channel::mpsc::Sender;
use iced::futures::executor::block_on;
use shm_core::segment::{self, Info};
use shm_core::{AttachErrorKind, Key, Sample};

use super::{Depth, Fresh, GLANCE, News, Observation, Shared, past};
use crate::follower::{Follower, Step, Wanted};
use crate::snapshot::{self, Bytes, Company, Content, Snapshot, SnapshotError};

/// Looks, and tells the window. `None` from any function means that nobody wants to know.
pub(super) struct Lookout {
    shared: Arc<Shared>,
    key: Key,
    output: Sender<News>,
    follower: Follower,
    /// What was told last of what stays the same for long.
    told: Told,
    company: Company,
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
    Unreadable(String),
}

/// What of an [`Info`] a window shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gist {
    company: Company,
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
    pub(super) fn new(shared: Arc<Shared>, key: Key, output: Sender<News>) -> Lookout {
        Lookout {
            follower: Follower::new(key.clone(), shared.options.clone(), Wanted::Latest),
            shared,
            key,
            output,
            told: Told::Unknown,
            company: Company::default(),
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
        let step = self.follower.next(Some(GLANCE));
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match step {
            Ok(Step::Sample(sample)) => {
                if is_first {
                    self.tell_past(&sample)?;
                }
                self.tell_sample(sample)
            }
            Ok(Step::Empty { .. }) => {
                self.glance()?;
                let nothing = snapshot::of_nothing(&self.key, self.company.clone());
                let fresh = self.fresh(nothing);
                self.tell_content(fresh, Last::Other)
            }
            Ok(Step::Gone) => self.tell_nothing(),
            Ok(Step::Left | Step::Quiet) => {
                self.glance()?;
                self.refine()
            }
            Ok(Step::Block) => self.tell_block(),
            Err(error) => {
                self.tell_unreadable(error.into())?;
                self.shared.pause(GLANCE)
            }
        }
    }

    /// Looks who is there.
    fn glance(&mut self) -> Option<()> {
        self.glanced = Some(Instant::now());
        match segment::info(&self.key, &self.shared.options) {
            Ok(info) => self.tell_presence(info),
            Err(error) if *error.kind() == AttachErrorKind::NotFound => self.tell_nothing(),
            Err(error) => self.tell_unreadable(SnapshotError::Attach(error)),
        }
    }

    fn tell_presence(&mut self, info: Info) -> Option<()> {
        self.company = Company::of(&info);
        let content = match &info.content {
            segment::Content::Block { size } => Some((0, *size)),
            segment::Content::Samples { latest, .. } => latest
                .as_ref()
                .map(|latest| (latest.sequence, latest.bytes)),
            // Counts come and go without a word; there is nothing to read.
            segment::Content::Semaphore { .. } | segment::Content::Damaged { .. } => None,
        };
        let told = Told::Something(Gist {
            company: self.company.clone(),
            content: content.filter(|_| self.shared.depth == Depth::Presence),
        });
        self.tell_once(told, Observation::Presence(Arc::new(info)))
    }

    fn tell_nothing(&mut self) -> Option<()> {
        self.company = Company::default();
        self.tell_once(Told::Nothing, Observation::Nothing)
    }

    fn tell_unreadable(&mut self, error: SnapshotError) -> Option<()> {
        let told = Told::Unreadable(error.to_string());
        self.tell_once(told, Observation::Unreadable(Arc::new(error)))
    }

    fn tell_sample(&mut self, sample: Sample) -> Option<()> {
        let is_due = |at: Instant| at.elapsed() >= GLANCE;
        let is_stranger = |company: &Company| {
            let mut attached = company.attached.iter();
            !attached.any(|peer| peer.process.is(sample.writer()))
        };
        if self.glanced.is_none_or(is_due) || is_stranger(&self.company) {
            self.glance()?;
        }
        self.tell_converted(sample, self.pane(), false)
    }

    /// Tells what was published before the first sample that is told.
    fn tell_past(&mut self, newest: &Sample) -> Option<()> {
        self.glance()?;
        let past = past::before(newest, &self.key, &self.shared.options, &self.company);
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
            Ok(Some(sample)) => self.tell_converted(sample, None, true),
            Ok(None) => Some(()),
            Err(error) => self.tell_unreadable(error.into()),
        }
    }

    fn tell_converted(
        &mut self,
        sample: Sample,
        pane: Option<Size<u32>>,
        is_again: bool,
    ) -> Option<()> {
        let company = self.company.clone();
        let converted = snapshot::of_sample(&self.key, &sample, company, pane);
        let skipped = sample.skipped();
        // Its memory is the loader's again, before the window is waited for.
        drop(sample);
        let snapshot = match converted {
            Ok(snapshot) => snapshot,
            Err(error) => return self.tell_unreadable(error),
        };
        let is_picture = matches!(snapshot.content, Content::Picture(_));
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

    /// A block wakes nobody: it is read as often as it is looked who is there.
    fn tell_block(&mut self) -> Option<()> {
        self.glance()?;
        match snapshot::read(&self.key, &self.shared.options) {
            Ok(snapshot) if self.is_told(&snapshot) => {}
            Ok(snapshot) => {
                let last = match &snapshot.content {
                    Content::Bytes(bytes) => Last::Block(bytes.clone(), snapshot.bytes),
                    _ => Last::Other,
                };
                let fresh = self.fresh(snapshot);
                self.tell_content(fresh, last)?;
            }
            // It went away just now, which the next look tells.
            Err(error) if error.is_not_found() => {}
            Err(error) => self.tell_unreadable(error)?,
        }
        self.shared.pause(GLANCE)
    }

    fn is_told(&self, snapshot: &Snapshot) -> bool {
        match (&self.last, &snapshot.content) {
            (Some((Last::Block(told, size), _)), Content::Bytes(bytes)) => {
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
        if !matches!(self.told, Told::Something(_)) {
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
