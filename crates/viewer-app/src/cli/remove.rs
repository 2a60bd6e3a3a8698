//! `viewer-app remove`: the end of a segment.

use clap::Args;
use shm_core::Participant;
use shm_core::segment::Removal;
use shm_io::Address;

use super::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  viewer-app remove                 remove MySharedMemory, if nobody is attached
  viewer-app remove --key K --force remove K, although somebody is

Only your own: what is of another user, that user removes. Root becomes that user first:
  sudo -u anna viewer-app remove    remove anna's MySharedMemory")]
pub(crate) struct Arguments {
    /// Remove it although somebody is attached; they are told, and keep what they have
    #[arg(long)]
    force: bool,
}

pub(super) fn run(address: &Address, arguments: &Arguments) -> Result<(), Failure> {
    let removal = if arguments.force {
        Removal::Forced
    } else {
        Removal::IfUnused
    };
    match shm_io::remove(address, removal) {
        Ok(()) => Ok(output::print(|stdout| {
            writeln!(stdout, "Removed {address}.")
        })?),
        Err(error) => Err(match error.attached() {
            Some(by) => Failure::new(in_use(address, by)),
            None => error.into(),
        }),
    }
}

fn in_use(key: &Address, by: &[Participant]) -> String {
    let names: Vec<String> = by.iter().map(Participant::to_string).collect();
    let who = if names.is_empty() {
        "somebody".to_owned()
    } else {
        names.join(", ")
    };
    format!("{key} is in use by {who}. Close that first, or remove it with --force.")
}
