//! Loads a picture that may take long: it can be seen how far that is, and Ctrl-C ends it.

use std::io::{self, IsTerminal, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use app_kit::signals::{Ended, Termination};
use qt_bridge::Address;

use super::CommandError;
use crate::picture_file::PictureError;
use crate::progress::Progress;
use crate::session::{Content, LoadError, Loaded, Session};

/// What takes no longer than this is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked how far it is.
const GLANCE: Duration = Duration::from_millis(100);

/// Erases the line on a terminal.
const ERASE: &str = "\r\x1b[K";

/// Loads the picture file `path`. A signal cancels that, so that nothing is left behind.
pub(super) fn load(
    session: &mut Session,
    key: &Address,
    path: PathBuf,
    progress: &Arc<Progress>,
    termination: &Termination,
) -> Result<Loaded, CommandError> {
    let mut content = Content::Picture(path.clone(), Arc::clone(progress));
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
    meter.erase();
    match loaded {
        Ok(Ok(_)) if progress.is_cancelled() => {
            // The signal came when it was just loaded: what ends the program ends that too.
            session.release();
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
    is_terminal: bool,
    is_shown: bool,
}

impl Meter {
    fn new() -> Meter {
        Meter {
            since: Instant::now(),
            is_terminal: io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    fn show(&mut self, fraction: f32) {
        if !self.is_terminal || self.since.elapsed() < PATIENCE {
            return;
        }
        self.is_shown = true;
        let mut stderr = io::stderr().lock();
        let written = if fraction < 1.0 {
            write!(
                stderr,
                "{ERASE}{:.0} % read; Ctrl-C cancels",
                fraction * 100.0
            )
        } else {
            write!(stderr, "{ERASE}all read, decoding; Ctrl-C cancels")
        };
        // Where nobody sees it, it does not matter.
        written.and_then(|()| stderr.flush()).ok();
    }

    fn erase(&self) {
        if self.is_shown {
            write!(io::stderr().lock(), "{ERASE}").ok();
        }
    }
}
