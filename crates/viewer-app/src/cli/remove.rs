//! `viewer-app remove`: removes a segment.

use clap::Args;
use shm_core::Participant;
use shm_core::segment::Removal;
use shm_io::Address;

use super::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  viewer-app remove                 remove MySharedMemory, unless a process is attached
  viewer-app remove --key K --force remove K even if a process is attached

Only the owner can remove a segment. As root, run the command as the owner:
  sudo -u anna viewer-app remove    remove anna's MySharedMemory")]
pub(crate) struct Arguments {
    /// Remove the segment even if processes are attached; they are notified and keep their mapping
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
    let users = if names.is_empty() {
        "another process".to_owned()
    } else {
        names.join(", ")
    };
    format!("{key} is in use by {users}. Close it there first, or remove it with --force.")
}
