//! Lines about who watches what is loaded.

use std::sync::{Arc, mpsc};
use std::thread;

use shm_io::{OnViewers, Viewers};

use super::tell;
use crate::session::presence::changes;

/// Prints a line for everybody who comes to watch, has shown something, or has left.
///
/// On a thread of its own: who does not read the lines keeps nobody from loading.
pub(super) fn printed() -> OnViewers {
    let (sender, receiver) = mpsc::channel();
    let spawned = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(move || {
            let mut before = Viewers::Known(Vec::new());
            for now in receiver {
                changes(&before, &now).iter().for_each(|line| tell(line));
                before = now;
            }
        });
    // Without a thread nobody takes what is sent, and nothing is printed.
    drop(spawned);
    Arc::new(move |watched| {
        sender.send(watched).ok();
    })
}
