//! Reports to publishers what a subscriber shows.

use std::time::Duration;

use shm_core::Options;
use shm_core::presence::PresenceClient;

use crate::content::Publication;

/// Reports to the publishers of a sample that this process shows it.
///
/// The process counts as a watcher of the segment until it shows something else, attached or not. Does
/// nothing if the publishers cannot be reached.
#[derive(Debug)]
pub struct PresenceGuard {
    options: Options,
    presence: Option<PresenceClient>,
}

impl PresenceGuard {
    /// Begins with nothing shown.
    #[must_use]
    pub fn new(options: Options) -> PresenceGuard {
        PresenceGuard {
            options,
            presence: None,
        }
    }

    /// Reports that a sample is shown now, and how long after its publication. Does not block.
    pub fn shown(&mut self, publication: &Publication, latency: Duration) {
        let is_there = |presence: &PresenceClient| presence.segment() == publication.segment;
        if !self.presence.as_ref().is_some_and(is_there) {
            self.presence = PresenceClient::connect(publication.segment, &self.options).ok();
        }
        if let Some(presence) = &self.presence {
            presence.report(publication.sequence, latency);
        }
    }

    /// Reports that the sample is not shown any more.
    pub fn leave(&mut self) {
        self.presence = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};
    use std::time::SystemTime;

    use shm_core::presence::{PresenceServer, Viewer};
    use shm_core::{Key, Process, Publisher};

    use super::*;

    struct Stage {
        publisher: Publisher,
        changes: Receiver<Vec<Viewer>>,
        _audience: PresenceServer,
    }

    impl Stage {
        fn open(name: &str, options: &Options) -> Stage {
            let key = Key::new(name).expect("it is a key");
            let publisher = Publisher::open(&key, options).expect("there is room for it");
            let (sender, changes) = mpsc::channel();
            let tell = move |watchers: &[Viewer]| drop(sender.send(watchers.to_vec()));
            let server = PresenceServer::listen(&publisher, tell).expect("there is a place for it");
            Stage {
                publisher,
                changes,
                _audience: server,
            }
        }

        fn publication(&self, sequence: u64) -> Publication {
            Publication {
                segment: self.publisher.id(),
                sequence: sequence.into(),
                writer: Process::current(),
                writer_program: None,
                published: SystemTime::now(),
                elsewhere: None,
            }
        }

        /// Waits until that sequence is shown, or, for `None`, until no viewer is left.
        fn wait_for(&self, sequence: Option<u64>) {
            loop {
                let viewers = self.changes.recv().expect("the server goes on");
                let shown = viewers.first().and_then(|viewer| viewer.report);
                let is_left = viewers.is_empty() && sequence.is_none();
                if is_left || shown.is_some_and(|shown| Some(shown.sequence.get()) == sequence) {
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
        let mut guard = PresenceGuard::new(options);
        guard.shown(&one.publication(3), Duration::ZERO);
        one.wait_for(Some(3));
        guard.shown(&one.publication(4), Duration::ZERO);
        one.wait_for(Some(4));
        guard.shown(&other.publication(1), Duration::ZERO);
        other.wait_for(Some(1));
        one.wait_for(None);
        guard.leave();
        other.wait_for(None);
    }
}
