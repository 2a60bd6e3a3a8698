//! `viewer-app remove`: the end of a segment.

use clap::Args;
use shm_core::{Participant, Key, RemoveError};

use super::Failure;
use crate::output;
use crate::session;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  viewer-app remove                 remove MySharedMemory, if nobody is attached
  viewer-app remove --key K --force remove K, although somebody is

Only your own: what is of another user, that user removes. Root becomes that user first:
  sudo -u anna viewer-app remove    remove anna's MySharedMemory")]
pub(crate) struct Arguments {
    /// Remove it although somebody is attached; they are told, and keep what they have
    #[arg(long)]
    pub(super) force: bool,
}

pub(super) fn run(key: &Key, arguments: &Arguments) -> Result<(), Failure> {
    match session::remove(key, arguments.force) {
        Ok(()) => Ok(output::print(|stdout| writeln!(stdout, "Removed {key}."))?),
        Err(RemoveError::InUse { by, .. }) => Err(Failure::new(in_use(key, &by))),
        Err(error) => Err(error.into()),
    }
}

fn in_use(key: &Key, by: &[Participant]) -> String {
    let names: Vec<String> = by
        .iter()
        .map(|peer| format!("{} (pid {})", peer.program, peer.process))
        .collect();
    let who = if names.is_empty() {
        "somebody".to_owned()
    } else {
        names.join(", ")
    };
    format!("{key} is in use by {who}. Close that first, or remove it with --force.")
}
