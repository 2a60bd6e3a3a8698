//! Lines about who watches what is loaded.

use std::sync::{Arc, mpsc};
use std::thread;

use shm_core::link::Watcher;

use super::tell;
use crate::session::audience::{Tell, Watched, name, progress};

/// Prints a line for everybody who comes to watch, has shown something, or has left.
///
/// On a thread of its own: who does not read the lines keeps nobody from loading.
pub(super) fn printed() -> Tell {
    let (sender, receiver) = mpsc::channel();
    let spawned = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(move || {
            let mut before = Vec::new();
            for watched in receiver {
                match watched {
                    Watched::By(now) => {
                        lines(&before, &now).iter().for_each(|line| tell(line));
                        before = now;
                    }
                    Watched::Untold(sentence) => tell(&sentence),
                }
            }
        });
    // Without a thread nobody takes what is sent, and nothing is printed.
    drop(spawned);
    Arc::new(move |watched| {
        sender.send(watched).ok();
    })
}

fn lines(before: &[Watcher], now: &[Watcher]) -> Vec<String> {
    let is_gone = |one: &&Watcher| !now.iter().any(|other| other.process == one.process);
    let left = before.iter().filter(is_gone);
    let left = left.map(|one| format!("{} has left", name(one)));
    let changed = now.iter().filter(|one| !before.contains(one));
    let changed = changed.map(|one| format!("watched by {}: {}", name(one), progress(one)));
    left.chain(changed).collect()
}
