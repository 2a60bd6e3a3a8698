//! Reporting the viewers of the published content.

use std::fmt;
use std::sync::Arc;

use shm_core::presence::{PresenceServer, Viewer};
use shm_core::{PresenceError, Publisher};

/// The viewers of the published content.
#[derive(Clone, Debug)]
pub enum Viewers {
    /// All viewers; none if nothing is published.
    Known(Vec<Viewer>),
    /// The viewers are unknown, because listening failed.
    Unknown(Arc<PresenceError>),
}

/// A callback for changes of the viewers, called on any thread.
pub type OnViewers = Arc<dyn Fn(Viewers) + Send + Sync>;

/// Listens for viewers of the published content, if a callback was set.
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

    /// Listens for viewers of this publisher from now on; of none if `None`.
    pub(super) fn watch(&mut self, publisher: Option<&Publisher>) {
        let Some(report) = &self.report else {
            return;
        };
        // Ends first, so that no viewers of the previous publisher are reported after this.
        self.server = None;
        report(Viewers::Known(Vec::new()));
        let Some(publisher) = publisher else {
            return;
        };
        let reported = Arc::clone(report);
        let listening = PresenceServer::listen(publisher, move |viewers| {
            reported(Viewers::Known(viewers.to_vec()));
        });
        match listening {
            Ok(server) => self.server = Some(server),
            // Publishing does not depend on it.
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
