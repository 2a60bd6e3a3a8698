//! `viewer-app remove`: the end of a segment.

use app_kit::explain::Explain;
use clap::Args;
use shm_core::{Key, Participant, RemoveErrorKind};

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
        Err(error) => Err(Failure::new(match error.kind() {
            RemoveErrorKind::InUse { by } => in_use(key, by),
            _ => error.explain(),
        })),
    }
}

fn in_use(key: &Key, by: &[Participant]) -> String {
    let names: Vec<String> = by.iter().map(Participant::to_string).collect();
    let who = if names.is_empty() {
        "somebody".to_owned()
    } else {
        names.join(", ")
    };
    format!("{key} is in use by {who}. Close that first, or remove it with --force.")
}
