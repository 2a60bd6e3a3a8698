//! How long a command stays attached.

use std::time::Duration;

use clap::Args;
use gui_common::desktop::signals::{Ended, Termination};
use gui_common::text::units;
use shm_io::Deadline;

use super::{CommandError, log_restored};
use crate::session::Session;

/// The interval of the checks whether the segment is still at its name.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long to stay attached.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct StayOptions {
    /// Keep the content after exit, until `viewer-app remove`, and return at once.
    #[arg(long)]
    pub(super) persist: bool,

    /// Stay attached for this long, such as 500ms, 10s or 2m, instead of until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration, conflicts_with = "persist")]
    pub(super) duration: Option<Duration>,

    /// Load the content again if another program removes, moves or replaces the segment, instead of
    /// exiting with status 1.
    ///
    /// The segment is checked once a second. Unless RemoveIPC=no is set, systemd-logind removes it
    /// when you log out; cleaners of /dev/shm may remove it too.
    #[arg(long, conflicts_with = "persist")]
    restore: bool,
}

impl StayOptions {
    /// Blocks until the duration has passed or a signal arrives. Restores a lost segment if the
    /// options say so.
    pub(super) fn wait(
        self,
        session: &mut Session,
        termination: &Termination,
    ) -> Result<(), CommandError> {
        let deadline = Deadline::within(self.duration);
        let mut lost = None;
        while !deadline.is_over() {
            let left = deadline.left().unwrap_or(POLL_INTERVAL).min(POLL_INTERVAL);
            if termination.wait(Some(left)) == Ended::Signal {
                return Ok(());
            }
            lost = session.sink.release_if_lost().or(lost);
            if let Some(key) = lost.take() {
                if !self.restore {
                    return Err(CommandError::Lost(key));
                }
                match session.restore() {
                    // Another program removed the new segment at once: the next poll tries again.
                    Err(error) if error.is_removed() => lost = Some(key),
                    loaded => log_restored(&key, loaded.map_err(CommandError::Load)?.as_ref()),
                }
            }
        }
        Ok(())
    }
}
