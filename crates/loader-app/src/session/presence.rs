//! Which viewers show what is loaded.

use std::fmt;
use std::sync::Arc;

use app_kit::explain::Explain;
use app_kit::language::{self, Language};
use app_kit::{say, units};
use shm_core::Publisher;
use shm_core::presence::{PresenceServer, Viewer};

/// The viewers that show what is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewers {
    /// These; none if nothing is loaded.
    Known(Vec<Viewer>),
    /// Not known; the sentence says why.
    Unknown(String),
}

/// Called with the viewers whenever they change, on any thread.
pub type Tell = Arc<dyn Fn(Viewers) + Send + Sync>;

/// Reports the viewers of whatever is loaded, if a callback is set.
#[derive(Default)]
pub(super) struct PresenceReporter {
    tell: Option<Tell>,
    server: Option<PresenceServer>,
}

impl PresenceReporter {
    /// Reports to a callback.
    pub(super) fn telling(tell: Tell) -> PresenceReporter {
        PresenceReporter {
            tell: Some(tell),
            server: None,
        }
    }

    /// Listens for the viewers of another publisher, or of none.
    pub(super) fn turn_to(&mut self, publisher: Option<&Publisher>) {
        let Some(tell) = &self.tell else {
            return;
        };
        // Dropped first, so that the last server reports nothing after this.
        self.server = None;
        tell(Viewers::Known(Vec::new()));
        let Some(publisher) = publisher else {
            return;
        };
        let told = Arc::clone(tell);
        let listening = PresenceServer::listen(publisher, move |viewers| {
            told(Viewers::Known(viewers.to_vec()));
        });
        match listening {
            Ok(server) => self.server = Some(server),
            // Publishing works without.
            Err(error) => {
                // For scripts, which read English.
                let said = language::speaking(Language::English, || error.explain());
                tell(Viewers::Unknown(said));
            }
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

/// Names a viewer: `viewer-app (pid 4711)`.
pub fn name(viewer: &Viewer) -> String {
    say!("peer", program = viewer.program, pid = viewer.process)
}

/// Says what a viewer has shown: `sequence 12 after 3 ms`.
pub fn progress(viewer: &Viewer) -> String {
    match viewer.report {
        None => say!("watcher-shown-nothing"),
        Some(report) => say!(
            "watcher-shown",
            sequence = report.sequence,
            lapse = units::lapse(report.latency)
        ),
    }
}

/// Says for scripts, in a line each, which viewers have left, and which have come or shown a sample.
pub fn changes(before: &Viewers, now: &Viewers) -> Vec<String> {
    let now = match now {
        Viewers::Known(viewers) => viewers.as_slice(),
        Viewers::Unknown(sentence) => return vec![sentence.clone()],
    };
    let before = match before {
        Viewers::Known(viewers) => viewers.as_slice(),
        Viewers::Unknown(_) => &[],
    };
    let is_gone = |one: &&Viewer| !now.iter().any(|other| other.process == one.process);
    let left = before.iter().filter(is_gone);
    let left = left.map(|one| format!("{} has left", name(one)));
    let changed = now.iter().filter(|one| !before.contains(one));
    let changed = changed.map(|one| format!("watched by {}: {}", name(one), progress(one)));
    left.chain(changed).collect()
}
