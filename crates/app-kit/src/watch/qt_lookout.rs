//! The thread's end of a watch at a segment of a Qt program: nothing wakes it, so it looks again and again.

use std::sync::Arc;

use iced::futures::SinkExt;
use iced::futures::channel::mpsc::Sender;
use iced::futures::executor::block_on;
use qt_bridge::{Follower, QtKey, ReadingError, Step};

use super::{Depth, Fresh, GLANCE, News, Observation, Shared};
use crate::qt;
use crate::snapshot::SnapshotError;

/// Looks, and tells the window. `None` from any function means that nobody wants to know.
pub(super) struct QtLookout {
    shared: Arc<Shared>,
    key: QtKey,
    output: Sender<News>,
    follower: Follower,
    /// What was told last of what stays the same for long.
    told: Option<Told>,
}

/// What was told, so that it is not told again with every look.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Something(u64),
    Unreadable(String),
}

impl QtLookout {
    pub(super) fn new(shared: Arc<Shared>, key: &QtKey, output: Sender<News>) -> QtLookout {
        QtLookout {
            follower: Follower::new(key, shared.form, qt::PATIENCE),
            shared,
            key: key.clone(),
            output,
            told: None,
        }
    }

    /// Looks until nobody listens any more.
    pub(super) fn run(&mut self) {
        while self.look().is_some() {}
    }

    fn look(&mut self) -> Option<()> {
        match self.shared.depth {
            Depth::Presence => {
                let seen = qt_bridge::size(&self.key).map(|size| size as u64);
                self.tell_size(seen.map_err(ReadingError::from))?;
                self.shared.pause(GLANCE)
            }
            Depth::Content => {
                self.follow()?;
                self.shared.pause(self.follower.pause())
            }
        }
    }

    /// Tells what is there, if it is something else than before.
    fn follow(&mut self) -> Option<()> {
        match qt::visit(|| self.follower.look()) {
            Ok(Step::New(reading)) => {
                let size = reading.size as u64;
                match qt::of_reading(&self.key, reading, None) {
                    Ok(snapshot) => {
                        self.tell_size(Ok(size))?;
                        let fresh = Fresh::new(snapshot, Arc::clone(&self.shared.stage));
                        self.shared.wait_for_room()?;
                        self.shared.slot().fresh = Some(Box::new(fresh));
                        self.send(None)
                    }
                    Err(error) => self.tell_unreadable(error),
                }
            }
            Ok(Step::Same) => Some(()),
            Ok(Step::Gone) => self.tell_once(Told::Nothing, Observation::Nothing),
            Err(error) => self.tell_unreadable(SnapshotError::Qt(error)),
        }
    }

    fn tell_size(&mut self, seen: Result<u64, ReadingError>) -> Option<()> {
        match seen {
            Ok(size) => self.tell_once(Told::Something(size), Observation::Qt(size)),
            Err(error) if error.is_not_found() => {
                self.tell_once(Told::Nothing, Observation::Nothing)
            }
            Err(error) => self.tell_unreadable(SnapshotError::Qt(error)),
        }
    }

    fn tell_unreadable(&mut self, error: SnapshotError) -> Option<()> {
        let told = Told::Unreadable(error.to_string());
        self.tell_once(told, Observation::Unreadable(Arc::new(error)))
    }

    fn tell_once(&mut self, told: Told, observation: Observation) -> Option<()> {
        if self.told.as_ref() == Some(&told) {
            return Some(());
        }
        self.told = Some(told);
        self.send(Some(observation))
    }

    /// Hands over a message; waits until the window has room for it.
    fn send(&mut self, seen: Option<Observation>) -> Option<()> {
        let watch = self.shared.id;
        block_on(self.output.send(News { watch, seen })).ok()
    }
}
