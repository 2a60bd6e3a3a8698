//! Reports to the loaders that a window shows their content.

use std::time::Duration;

use shm_core::Options;
use shm_core::presence::PresenceClient;

use crate::snapshot::Origin;

/// Tells the publishers of the content in a window that it is shown there.
///
/// The window counts as a viewer for as long as it shows the content, attached or not.
#[derive(Debug)]
pub struct PresenceGuard {
    options: Options,
    client: Option<PresenceClient>,
}

impl PresenceGuard {
    /// Makes the guard of a window that shows nothing.
    pub fn new(options: Options) -> PresenceGuard {
        PresenceGuard {
            options,
            client: None,
        }
    }

    /// Reports that a sample is shown now, and how long after its publication. Does not block.
    pub fn shown(&mut self, origin: &Origin, took: Duration) {
        let is_there = |client: &PresenceClient| client.segment() == origin.segment;
        if !self.client.as_ref().is_some_and(is_there) {
            self.client = PresenceClient::connect(origin.segment, &self.options).ok();
        }
        if let Some(client) = &self.client {
            client.report(origin.sequence, took);
        }
    }

    /// Reports that the window shows nothing of a publisher any more.
    pub fn leave(&mut self) {
        self.client = None;
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
        _server: PresenceServer,
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
                _server: server,
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
                let watchers = self.changes.recv().expect("the server goes on");
                let shown = watchers.first().and_then(|watcher| watcher.report);
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
        let mut presence = PresenceGuard::new(options);
        presence.shown(&one.origin(3), Duration::ZERO);
        one.wait_for(Some(3));
        presence.shown(&one.origin(4), Duration::ZERO);
        one.wait_for(Some(4));
        presence.shown(&other.origin(1), Duration::ZERO);
        other.wait_for(Some(1));
        one.wait_for(None);
        presence.leave();
        other.wait_for(None);
    }
}
