//! Texts about the viewers of the segment.

use gui_common::text::explain::Explain;
use gui_common::text::language::{self, Language};
use gui_common::text::units;
use gui_common::tr;
use shm_core::presence::Viewer;
use shm_io::Viewers;

/// Returns the name of a viewer: `viewer-app (pid 4711)`.
pub(crate) fn name(viewer: &Viewer) -> String {
    tr!("peer", program = viewer.program, pid = viewer.process)
}

/// Describes what a viewer has shown: `sequence 12 after 3 ms`.
pub(crate) fn progress(viewer: &Viewer) -> String {
    match viewer.report {
        None => tr!("watcher-shown-nothing"),
        Some(report) => tr!(
            "watcher-shown",
            sequence = report.sequence,
            lapse = units::lapse(report.latency)
        ),
    }
}

/// Returns one line for each viewer that left, arrived, or showed a sample. The lines are English,
/// because scripts read them.
pub(crate) fn changes(before: &Viewers, now: &Viewers) -> Vec<String> {
    let now = match now {
        Viewers::Known(viewers) => viewers.as_slice(),
        Viewers::Unknown(error) => {
            return vec![language::with_language(Language::English, || {
                error.explain()
            })];
        }
    };
    let before = match before {
        Viewers::Known(viewers) => viewers.as_slice(),
        Viewers::Unknown(_) => &[],
    };
    let has_left = |one: &&Viewer| !now.iter().any(|other| other.process == one.process);
    let left = before.iter().filter(has_left);
    let left = left.map(|one| format!("{} has left", name(one)));
    let changed = now.iter().filter(|one| !before.contains(one));
    let changed = changed.map(|one| format!("watched by {}: {}", name(one), progress(one)));
    left.chain(changed).collect()
}
