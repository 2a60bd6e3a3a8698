//! Who watches what is loaded, in words.

use app_kit::explain::Explain;
use app_kit::language::{self, Language};
use app_kit::{say, units};
use shm_core::link::Watcher;
use shm_io::Watched;

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
        // For scripts, which read English.
        Watched::Untold(error) => {
            return vec![language::speaking(Language::English, || error.explain())];
        }
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
