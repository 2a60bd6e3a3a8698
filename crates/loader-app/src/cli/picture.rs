//! Loads a picture that may take long: it can be seen how far that is, and Ctrl-C ends it.

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
use crate::progress::Progress;
use crate::session::{LoadError, Loadable, Loaded, Session};

/// What takes no longer than this is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked how far it is.
const GLANCE: Duration = Duration::from_millis(100);

/// Loads the picture file `path`. A signal cancels that, so that nothing is left behind.
pub(super) fn load(
    session: &mut Session,
    key: &Address,
    path: PathBuf,
    progress: &Arc<Progress>,
    termination: &Termination,
) -> Result<Loaded, CommandError> {
    let mut content = Loadable::Picture(path.clone(), Arc::clone(progress));
    let done = termination.announcement().map_err(CommandError::Signals)?;
    let mut meter = Meter::new();
    let loaded = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let _done = done;
            session.load(key, &mut content)
        });
        loop {
            match termination.wait(Some(GLANCE)) {
                Ended::Signal => {
                    // It gives up when it reads the next time.
                    progress.cancel();
                    break worker.join();
                }
                Ended::Timeout => meter.show(progress.fraction()),
                Ended::Done => break worker.join(),
            }
        }
    });
    meter.line.erase();
    match loaded {
        Ok(Ok(_)) if progress.is_cancelled() => {
            // The signal came when it was just loaded: what ends the program ends that too.
            session.sink.release();
            let error = PictureError::Cancelled { path };
            Err(CommandError::Load(LoadError::Picture(error)))
        }
        Ok(loaded) => loaded.map_err(CommandError::Load),
        Err(panic) => resume_unwind(panic),
    }
}

/// Tells a person at a terminal how far it is; a script is told nothing.
struct Meter {
    since: Instant,
    line: terminal::Progress,
}

impl Meter {
    fn new() -> Meter {
        Meter {
            since: Instant::now(),
            line: terminal::Progress::default(),
        }
    }

    fn show(&mut self, fraction: f32) {
        if self.since.elapsed() < PATIENCE {
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
