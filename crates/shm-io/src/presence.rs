//! Reporting to publishers what this process shows.

use std::time::Duration;

use shm_core::Options;
use shm_core::presence::PresenceClient;

use crate::content::Publication;

/// Reports to the publishers of a sample that this process shows it.
///
/// The process counts as a viewer of the segment until it shows something else, whether it is
/// attached or not. Does nothing if the publishers cannot be reached.
#[derive(Debug)]
pub struct PresenceGuard {
    options: Options,
    presence: Option<PresenceClient>,
}

impl PresenceGuard {
    /// Creates a guard that reports nothing yet.
    #[must_use]
    pub fn new(options: Options) -> PresenceGuard {
        PresenceGuard {
            options,
            presence: None,
        }
    }

    /// Reports that a sample is shown now, and the latency since its publication. Does not block.
    pub fn shown(&mut self, publication: &Publication, latency: Duration) {
        let is_same = |presence: &PresenceClient| presence.segment() == publication.segment;
        if !self.presence.as_ref().is_some_and(is_same) {
            self.presence = PresenceClient::connect(publication.segment, &self.options).ok();
        }
        if let Some(presence) = &self.presence {
            presence.report(publication.sequence, latency);
        }
    }

    /// Reports that the sample is no longer shown.
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

    struct Channel {
        publisher: Publisher,
        changes: Receiver<Vec<Viewer>>,
        _server: PresenceServer,
    }

    impl Channel {
        fn open(name: &str, options: &Options) -> Channel {
            let key = Key::new(name).expect("the key is valid");
            let publisher = Publisher::open(&key, options).expect("the segment can be created");
            let (sender, changes) = mpsc::channel();
            let report = move |viewers: &[Viewer]| drop(sender.send(viewers.to_vec()));
            let server =
                PresenceServer::listen(&publisher, report).expect("the socket can be created");
            Channel {
                publisher,
                changes,
                _server: server,
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

        /// Blocks until that sequence is shown, or, for `None`, until no viewer is left.
        fn wait_for(&self, sequence: Option<u64>) {
            loop {
                let viewers = self.changes.recv().expect("the server runs");
                let shown = viewers.first().and_then(|viewer| viewer.report);
                let is_left = viewers.is_empty() && sequence.is_none();
                if is_left || shown.is_some_and(|shown| Some(shown.sequence.get()) == sequence) {
                    return;
                }
            }
        }
    }

    #[test]
    fn publishers_receive_what_a_guard_shows_and_when_it_leaves() {
        let directory = tempfile::tempdir().expect("a directory can be created");
        let options = Options::new().directory(directory.path());
        let (one, other) = (
            Channel::open("one", &options),
            Channel::open("other", &options),
        );
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
