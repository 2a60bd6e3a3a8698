//! A window among the watchers of what it shows: loaders tell people who watches.

use std::time::Duration;

use shm_core::Options;
use shm_core::link::Seat;

use crate::snapshot::Origin;

/// Tells the loaders of the content in a window that it is shown there.
///
/// The window counts as a watcher for as long as it shows the content, attached or not. Where
/// nobody can be told, nothing happens.
#[derive(Debug)]
pub struct Attendance {
    options: Options,
    seat: Option<Seat>,
}

impl Attendance {
    /// Begins with a window that shows nothing.
    pub fn new(options: Options) -> Attendance {
        Attendance {
            options,
            seat: None,
        }
    }

    /// Tells that a sample is shown now, and how long after its publication. Never waits.
    pub fn shown(&mut self, origin: &Origin, took: Duration) {
        let is_there = |seat: &Seat| seat.segment() == origin.segment;
        if !self.seat.as_ref().is_some_and(is_there) {
            self.seat = Seat::take(origin.segment, &self.options).ok();
        }
        if let Some(seat) = &self.seat {
            seat.shown(origin.sequence, took);
        }
    }

    /// Tells that nothing of a loader is shown any more.
    pub fn leave(&mut self) {
        self.seat = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};
    use std::time::SystemTime;

    use shm_core::link::{Audience, Watcher};
    use shm_core::{Key, Process, Publisher};

    use super::*;

    struct Stage {
        publisher: Publisher,
        changes: Receiver<Vec<Watcher>>,
        _audience: Audience,
    }

    impl Stage {
        fn open(name: &str, options: &Options) -> Stage {
            let key = Key::new(name).expect("it is a key");
            let publisher = Publisher::open(&key, options).expect("there is room for it");
            let (sender, changes) = mpsc::channel();
            let tell = move |watchers: &[Watcher]| drop(sender.send(watchers.to_vec()));
            let audience = Audience::gather(&publisher, tell).expect("there is a place for it");
            Stage {
                publisher,
                changes,
                _audience: audience,
            }
        }

        fn origin(&self, sequence: u64) -> Origin {
            Origin {
                segment: self.publisher.id(),
                sequence,
                writer: Process::current(),
                writer_program: None,
                published: SystemTime::now(),
                elsewhere: None,
            }
        }

        /// Waits until that sequence is shown, or, for `None`, until nobody watches.
        fn wait_for(&self, sequence: Option<u64>) {
            loop {
                let watchers = self.changes.recv().expect("the audience goes on");
                let shown = watchers.first().and_then(|watcher| watcher.shown);
                let is_left = watchers.is_empty() && sequence.is_none();
                if is_left || shown.is_some_and(|shown| Some(shown.sequence) == sequence) {
                    return;
                }
            }
        }
    }

    #[test]
    fn loaders_know_what_a_window_shows_and_when_it_turns_away() {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let options = Options::new().directory(directory.path());
        let (one, other) = (Stage::open("one", &options), Stage::open("other", &options));
        let mut attendance = Attendance::new(options);
        attendance.shown(&one.origin(3), Duration::ZERO);
        one.wait_for(Some(3));
        attendance.shown(&one.origin(4), Duration::ZERO);
        one.wait_for(Some(4));
        attendance.shown(&other.origin(1), Duration::ZERO);
        other.wait_for(Some(1));
        one.wait_for(None);
        attendance.leave();
        other.wait_for(None);
    }
}
