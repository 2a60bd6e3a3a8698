//! Ctrl-C, `kill` and the closing of a terminal, as something to wait for.
//!
//! All three mean: detach, then end. A program that dies of them leaves its segment to be
//! swept up later; one that waits for them leaves nothing.

use std::sync::mpsc::{self, RecvTimeoutError};
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
}

/// The signals that end a program, caught from the moment this exists.
#[derive(Debug)]
pub struct Termination {
    arrived: mpsc::Receiver<()>,
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
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                // Ends when nobody waits any more, or when the handle is closed.
                for _ in signals.forever() {
                    if sender.send(()).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Termination { arrived, handle })
    }

    /// Returns what ends the wait where something else than a signal does.
    pub fn ender(&self) -> Ender {
        Ender(self.handle.clone())
    }

    /// Waits for a signal, as long as `timeout` says; for ever where it says nothing.
    pub fn wait(&self, timeout: Option<Duration>) -> Ended {
        let waited = match timeout {
            Some(timeout) => self.arrived.recv_timeout(timeout),
            None => self.arrived.recv().map_err(RecvTimeoutError::from),
        };
        match waited {
            Err(RecvTimeoutError::Timeout) => Ended::Timeout,
            // With the thread gone no signal could be told any more: better to end than to hang.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Ended::Signal,
        }
    }
}

/// Ends the wait of a [`Termination`] from another thread.
#[derive(Clone, Debug)]
pub struct Ender(Handle);

impl Ender {
    /// Lets the wait end as if a signal had come.
    pub fn end(&self) {
        self.0.close();
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
    fn a_signal_ends_the_wait_and_time_does_too() {
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
    }

    #[test]
    fn another_thread_ends_the_wait() {
        let termination = Termination::catch().expect("handlers can be registered");
        let ender = termination.ender();
        thread::spawn(move || ender.end());
        assert_eq!(termination.wait(None), Ended::Signal);
    }
}
