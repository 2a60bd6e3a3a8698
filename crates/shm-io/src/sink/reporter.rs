//! Which processes watch what is published.

use std::fmt;
use std::sync::Arc;

use shm_core::presence::{PresenceServer, Viewer};
use shm_core::{PresenceError, Publisher};

/// What is known of the processes that watch what is published.
#[derive(Clone, Debug)]
pub enum Viewers {
    /// These watch; none if nothing is published.
    Known(Vec<Viewer>),
    /// They are not known.
    Unknown(Arc<PresenceError>),
}

/// Takes in which processes watch, each time that it changes; on any thread.
pub type OnViewers = Arc<dyn Fn(Viewers) + Send + Sync>;

/// Listens for the processes that watch what is published, if a report is wanted.
#[derive(Default)]
pub(super) struct PresenceReporter {
    report: Option<OnViewers>,
    server: Option<PresenceServer>,
}

impl PresenceReporter {
    pub(super) fn new(report: OnViewers) -> PresenceReporter {
        PresenceReporter {
            report: Some(report),
            server: None,
        }
    }

    /// Listens at another publisher, or at none.
    pub(super) fn turn_to(&mut self, publisher: Option<&Publisher>) {
        let Some(report) = &self.report else {
            return;
        };
        // Ended first, so that nothing of the last publisher is reported after this.
        self.server = None;
        report(Viewers::Known(Vec::new()));
        let Some(publisher) = publisher else {
            return;
        };
        let reported = Arc::clone(report);
        let gathered = PresenceServer::listen(publisher, move |watchers| {
            reported(Viewers::Known(watchers.to_vec()));
        });
        match gathered {
            Ok(server) => self.server = Some(server),
            // Publishing works without.
            Err(error) => report(Viewers::Unknown(Arc::new(error))),
        }
    }
}

impl fmt::Debug for PresenceReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceReporter")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
