//! Which processes watch what is published.

use std::fmt;
use std::sync::Arc;

use shm_core::link::{Audience, Watcher};
use shm_core::{LinkError, Publisher};

/// What is known of the processes that watch what is published.
#[derive(Clone, Debug)]
pub enum Watched {
    /// These watch; none if nothing is published.
    By(Vec<Watcher>),
    /// They are not known.
    Untold(Arc<LinkError>),
}

/// Takes in which processes watch, each time that it changes; on any thread.
pub type OnWatched = Arc<dyn Fn(Watched) + Send + Sync>;

/// Listens for the processes that watch what is published, if a report is wanted.
#[derive(Default)]
pub(super) struct PresenceReporter {
    report: Option<OnWatched>,
    audience: Option<Audience>,
}

impl PresenceReporter {
    pub(super) fn new(report: OnWatched) -> PresenceReporter {
        PresenceReporter {
            report: Some(report),
            audience: None,
        }
    }

    /// Listens at another publisher, or at none.
    pub(super) fn turn_to(&mut self, publisher: Option<&Publisher>) {
        let Some(report) = &self.report else {
            return;
        };
        // Ended first, so that nothing of the last publisher is reported after this.
        self.audience = None;
        report(Watched::By(Vec::new()));
        let Some(publisher) = publisher else {
            return;
        };
        let reported = Arc::clone(report);
        let gathered = Audience::gather(publisher, move |watchers| {
            reported(Watched::By(watchers.to_vec()));
        });
        match gathered {
            Ok(audience) => self.audience = Some(audience),
            // Publishing works without.
            Err(error) => report(Watched::Untold(Arc::new(error))),
        }
    }
}

impl fmt::Debug for PresenceReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceReporter")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
