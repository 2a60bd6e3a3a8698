//! Who watches what is loaded, as far as it can be told.

use std::fmt;
use std::sync::Arc;

use app_kit::explain::Explain;
use app_kit::language::{self, Language};
use app_kit::{say, units};
use shm_core::Publisher;
use shm_core::link::{Audience, Watcher};

/// What is known of who watches what is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// These watch; nobody, where nothing is loaded.
    By(Vec<Watcher>),
    /// It cannot be told; the sentence says why.
    Untold(String),
}

/// Takes in who watches, each time that it changes; on some thread.
pub type Tell = Arc<dyn Fn(Watched) + Send + Sync>;

/// Keeps an eye on the audience of whatever is loaded, if anybody wants to know.
#[derive(Default)]
pub(super) struct Usher {
    tell: Option<Tell>,
    audience: Option<Audience>,
}

impl Usher {
    /// Looks for those who watch, and tells of them.
    pub(super) fn telling(tell: Tell) -> Usher {
        Usher {
            tell: Some(tell),
            audience: None,
        }
    }

    /// Turns to the audience of another publisher, or of none.
    pub(super) fn turn_to(&mut self, publisher: Option<&Publisher>) {
        let Some(tell) = &self.tell else {
            return;
        };
        // Ended first, so that nothing of the last audience is told after this.
        self.audience = None;
        tell(Watched::By(Vec::new()));
        let Some(publisher) = publisher else {
            return;
        };
        let told = Arc::clone(tell);
        let gathered = Audience::gather(publisher, move |watchers| {
            told(Watched::By(watchers.to_vec()));
        });
        match gathered {
            Ok(audience) => self.audience = Some(audience),
            // Publishing works without.
            Err(error) => {
                // Said for scripts, which read English.
                let said = language::speaking(Language::English, || error.explain());
                tell(Watched::Untold(said));
            }
        }
    }
}

impl fmt::Debug for Usher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Usher")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// Names somebody who watches: `viewer-app (pid 4711)`.
pub fn name(watcher: &Watcher) -> String {
    say!("peer", program = watcher.program, pid = watcher.process)
}

/// Says what somebody who watches has shown: `sequence 12 after 3 ms`.
pub fn progress(watcher: &Watcher) -> String {
    match watcher.shown {
        None => say!("watcher-shown-nothing"),
        Some(shown) => say!(
            "watcher-shown",
            sequence = shown.sequence,
            lapse = units::lapse(shown.took)
        ),
    }
}

/// Says for scripts, in a line each, who has left, and who has come or shown something.
pub fn changes(before: &Watched, now: &Watched) -> Vec<String> {
    let now = match now {
        Watched::By(watchers) => watchers.as_slice(),
        Watched::Untold(sentence) => return vec![sentence.clone()],
    };
    let before = match before {
        Watched::By(watchers) => watchers.as_slice(),
        Watched::Untold(_) => &[],
    };
    let is_gone = |one: &&Watcher| !now.iter().any(|other| other.process == one.process);
    let left = before.iter().filter(is_gone);
    let left = left.map(|one| format!("{} has left", name(one)));
    let changed = now.iter().filter(|one| !before.contains(one));
    let changed = changed.map(|one| format!("watched by {}: {}", name(one), progress(one)));
    left.chain(changed).collect()
}
