//! The viewers of what is loaded, in words.

use gui_common::text::explain::Explain;
use gui_common::text::language::{self, Language};
use gui_common::text::units;
use gui_common::tr;
use shm_core::presence::Viewer;
use shm_io::Viewers;

/// Names a viewer: `viewer-app (pid 4711)`.
pub(crate) fn name(viewer: &Viewer) -> String {
    tr!("peer", program = viewer.program, pid = viewer.process)
}

/// Says what a viewer has shown: `sequence 12 after 3 ms`.
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

/// Says for scripts, in a line each, which viewers have left, and which have come or shown a sample.
pub(crate) fn changes(before: &Viewers, now: &Viewers) -> Vec<String> {
    let now = match now {
        Viewers::Known(viewers) => viewers.as_slice(),
        // For scripts, which read English.
        Viewers::Unknown(error) => {
            return vec![language::speaking(Language::English, || error.explain())];
        }
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
