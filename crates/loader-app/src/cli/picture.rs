//! Loads a picture with a progress line at the terminal; a signal cancels it.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gui_common::desktop::signals::{Ended, Termination};
use gui_common::text::terminal;
use shm_io::Address;

use super::CommandError;
use crate::picture_file::PictureError;
use crate::progress::ReadProgress;
use crate::session::{LoadError, Loadable, Loaded, Session};

/// The time before the progress line appears.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// The interval at which the progress line changes.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Loads the picture file at `path`. A signal cancels it, and then no segment remains.
pub(super) fn load(
    session: &mut Session,
    key: &Address,
    path: PathBuf,
    progress: &Arc<ReadProgress>,
    termination: &Termination,
) -> Result<Loaded, CommandError> {
    let mut content = Loadable::Picture(path.clone(), Arc::clone(progress));
    let done = termination.announcement().map_err(CommandError::Signals)?;
    let mut line = ProgressLine::new();
    let loaded = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let _done = done;
            session.load(key, &mut content)
        });
        loop {
            match termination.wait(Some(PROGRESS_INTERVAL)) {
                Ended::Signal => {
                    // The decoder fails at its next read.
                    progress.cancel();
                    break worker.join();
                }
                Ended::Timeout => line.show(progress.fraction()),
                Ended::Done => break worker.join(),
            }
        }
    });
    line.line.erase();
    match loaded {
        Ok(Ok(_)) if progress.is_cancelled() => {
            // The signal arrived when the picture was already published.
            session.sink.release();
            let error = PictureError::Cancelled { path };
            Err(CommandError::Load(LoadError::Picture(error)))
        }
        Ok(loaded) => loaded.map_err(CommandError::Load),
        Err(panic) => resume_unwind(panic),
    }
}

/// The progress line, printed only to a terminal.
struct ProgressLine {
    since: Instant,
    line: terminal::Progress,
}

impl ProgressLine {
    fn new() -> ProgressLine {
        ProgressLine {
            since: Instant::now(),
            line: terminal::Progress::default(),
        }
    }

    fn show(&mut self, fraction: f32) {
        if self.since.elapsed() < PROGRESS_DELAY {
            return;
        }
        if fraction < 1.0 {
            let percent = fraction * 100.0;
            self.line
                .show(format_args!("{percent:.0} % read; Ctrl-C cancels"));
        } else {
            self.line.show("all read, decoding; Ctrl-C cancels");
        }
    }
}
