//! Lines about the viewers of the segment.

use std::sync::{Arc, mpsc};
use std::thread;

use shm_io::{OnViewers, Viewers};

use super::log;
use crate::session::presence::changes;

/// Returns a callback that prints a line for each viewer that arrives, shows a sample, or leaves.
///
/// A thread prints the lines, so that a full pipe at stderr does not block the publisher.
pub(super) fn print_changes() -> OnViewers {
    let (sender, receiver) = mpsc::channel();
    let spawned = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(move || {
            let mut before = Viewers::Known(Vec::new());
            for now in receiver {
                changes(&before, &now).iter().for_each(|line| log(line));
                before = now;
            }
        });
    // If the thread could not start, the receiver is gone and nothing is printed.
    drop(spawned);
    Arc::new(move |viewers| {
        sender.send(viewers).ok();
    })
}
