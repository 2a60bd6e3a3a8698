//! Ctrl-C, `kill` and the closing of a terminal, as something to wait for.
//!
//! All three mean: detach, then end. A program that dies of them leaves its segment to be
//! swept up later; one that waits for them leaves nothing.

use std::sync::mpsc;
use std::time::Duration;
use std::{fs, io, thread};

use iced::Subscription;
use iced::futures::channel::mpsc as stream_mpsc;
use iced::futures::{SinkExt, Stream, StreamExt};
use iced::stream;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// What ended a [`Termination::wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// SIGINT, SIGTERM or SIGHUP arrived.
    Signal,
    /// The time was up.
    Timeout,
    /// An [`Announcement`] was dropped.
    Done,
}

/// The signals that end a program, caught from the moment this exists.
#[derive(Debug)]
pub struct Termination {
    sender: mpsc::Sender<Ended>,
    arrived: mpsc::Receiver<Ended>,
    handle: Handle,
}

impl Termination {
    /// Catches the signals from now on.
    ///
    /// # Errors
    ///
    /// Where the system lets no handler be registered, or gives no thread.
    pub fn catch() -> io::Result<Termination> {
        let mut signals = Signals::new(fatal_signals())?;
        let handle = signals.handle();
        let (sender, arrived) = mpsc::channel();
        let to_wait = sender.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                // Ends when nobody waits any more, or when the handle is closed.
                for _ in signals.forever() {
                    if to_wait.send(Ended::Signal).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Termination {
            sender,
            arrived,
            handle,
        })
    }

    /// Returns what ends a wait when it is dropped; for a thread to tell that its work is done.
    pub fn announcement(&self) -> Announcement {
        Announcement(self.sender.clone())
    }

    /// Waits for a signal, as long as `timeout` says; for ever where it says nothing.
    pub fn wait(&self, timeout: Option<Duration>) -> Ended {
        match timeout {
            Some(timeout) => self.arrived.recv_timeout(timeout).unwrap_or(Ended::Timeout),
            // It does not fail as long as there is somebody who could send, which is always.
            None => self.arrived.recv().unwrap_or(Ended::Signal),
        }
    }
}

/// Ends a [`Termination::wait`] when it is dropped, however that comes about.
#[derive(Debug)]
pub struct Announcement(mpsc::Sender<Ended>);

impl Drop for Announcement {
    fn drop(&mut self) {
        // Where nobody waits any more there is nobody to tell.
        self.0.send(Ended::Done).ok();
    }
}

impl Drop for Termination {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Tells a window that it should close. Yields `()` for each signal.
pub fn subscription() -> Subscription<()> {
    Subscription::run(arrivals)
}

fn arrivals() -> impl Stream<Item = ()> {
    stream::channel(1, async |mut output: stream_mpsc::Sender<()>| {
        let (sender, mut arrived) = stream_mpsc::unbounded();
        let Ok(mut signals) = Signals::new(fatal_signals()) else {
            // Without handlers a signal ends the process at once, and the kernel cleans up.
            return;
        };
        let _close = CloseOnDrop(signals.handle());
        let spawned = thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for _ in signals.forever() {
                    if sender.unbounded_send(()).is_err() {
                        break;
                    }
                }
            });
        if spawned.is_err() {
            return;
        }
        while let Some(()) = arrived.next().await {
            if output.send(()).await.is_err() {
                break;
            }
        }
    })
}

/// Ends the thread that listens when the subscription ends.
struct CloseOnDrop(Handle);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Returns the signals to catch. One that our parent had us ignore, as `nohup` does with
/// SIGHUP, stays ignored.
fn fatal_signals() -> Vec<i32> {
    let ignored = fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| ignored_mask(&status))
        .unwrap_or(0);
    [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|&signal| signal != SIGHUP || ignored & (1 << (signal - 1)) == 0)
        .collect()
}

/// Reads the line `SigIgn:` of /proc/self/status: bit n - 1 stands for signal n.
fn ignored_mask(status: &str) -> Option<u64> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\tcat\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\n";
        assert_eq!(ignored_mask(status), Some(1));
        assert_eq!(ignored_mask("Name:\tcat\n"), None);
        assert_eq!(ignored_mask("SigIgn:\tnonsense\n"), None);
    }

    #[test]
    fn a_signal_ends_the_wait_and_so_do_time_and_an_announcement() {
        let termination = Termination::catch().expect("handlers can be registered");
        assert_eq!(
            termination.wait(Some(Duration::from_millis(1))),
            Ended::Timeout
        );
        signal_hook::low_level::raise(SIGTERM).expect("a signal can be raised");
        assert_eq!(
            termination.wait(Some(Duration::from_secs(10))),
            Ended::Signal
        );
        let announcement = termination.announcement();
        thread::spawn(move || drop(announcement));
        assert_eq!(termination.wait(Some(Duration::from_secs(10))), Ended::Done);
    }
}
