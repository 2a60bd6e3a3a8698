//! Termination signals as events: Ctrl-C, `kill`, and the closing of a terminal.
//!
//! All three ask the program to detach and end. A program that is killed by them leaves its segment
//! for a later cleanup; one that handles them leaves nothing.

use std::io::{Read, Write};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use iced::Subscription;
use iced::futures::channel::mpsc;
use iced::futures::{SinkExt, Stream, StreamExt};
use iced::stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::SigId;
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::{emulate_default_handler, pipe, unregister};

/// The signals that ask a program to end.
const FATAL: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// The signals that end a process unless caught, except for its own faults and those that cannot be
/// caught.
const TERMINATING: [i32; 14] = [
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU,
    SIGXFSZ, SIGABRT, SIGSYS, SIGTRAP,
];

/// Further ones that only Linux has: SIGSTKFLT, SIGIO, SIGPWR, and the real-time signals of the C
/// library (signal(7)).
const TERMINATING_ON_LINUX: [RangeInclusive<i32>; 3] = [16..=16, 29..=30, 34..=64];

/// Returns all signals that end a process unless caught, and that can be caught.
pub(crate) fn terminating() -> Vec<i32> {
    let on_linux = TERMINATING_ON_LINUX.into_iter().flatten();
    TERMINATING.into_iter().chain(on_linux).collect()
}

/// Ends the process as an uncaught signal does; for those that only Linux has, as SIGTERM.
pub(crate) fn end_by(signal: i32) {
    let signal = if TERMINATING.contains(&signal) {
        signal
    } else {
        SIGTERM
    };
    emulate_default_handler(signal).ok();
}

/// Whether the [`FATAL`] signals are handled. This is never reset: the kernel no longer ends the
/// program by them.
static IS_CAUGHT: AtomicBool = AtomicBool::new(false);

/// Returns `true` if the program handles this signal.
pub(crate) fn is_caught(signal: i32) -> bool {
    FATAL.contains(&signal) && IS_CAUGHT.load(Ordering::Relaxed)
}

/// The reason why a [`Termination::wait`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// SIGINT, SIGTERM or SIGHUP arrived.
    Signal,
    /// The timeout expired.
    Timeout,
    /// An [`Announcement`] was dropped.
    Done,
}

/// The reason why a [`Termination::wait_for_input`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// SIGINT, SIGTERM or SIGHUP arrived.
    Signal,
    /// The input is readable or at its end.
    Input,
    /// The timeout expired.
    Timeout,
}

/// The termination signals, caught from the creation of this value on.
///
/// A signal is remembered: every later wait returns at once.
#[derive(Debug)]
pub struct Termination {
    /// Readable after a signal has arrived; it is never read.
    arrived: UnixStream,
    /// Holds one byte for each announcement that was dropped.
    announced: UnixStream,
    announcer: UnixStream,
    registered: Vec<SigId>,
}

impl Termination {
    /// Installs the signal handlers.
    ///
    /// # Errors
    ///
    /// Returns the OS error if a handler cannot be registered.
    pub fn catch() -> io::Result<Termination> {
        let (arrived, arrival) = UnixStream::pair()?;
        let (announced, announcer) = UnixStream::pair()?;
        let mut termination = Termination {
            arrived,
            announced,
            announcer,
            registered: Vec::new(),
        };
        IS_CAUGHT.store(true, Ordering::Relaxed);
        for signal in fatal_signals() {
            let id = pipe::register(signal, arrival.try_clone()?)?;
            termination.registered.push(id);
        }
        Ok(termination)
    }

    /// Returns a value that ends a wait when it is dropped, with which a thread signals that its
    /// work is done.
    ///
    /// # Errors
    ///
    /// Returns the OS error if no descriptor is available.
    pub fn announcement(&self) -> io::Result<Announcement> {
        self.announcer.try_clone().map(Announcement)
    }

    /// Blocks until a signal arrives or `timeout` expires; forever if `timeout` is `None`.
    pub fn wait(&self, timeout: Option<Duration>) -> Ended {
        match wait_until_readable([self.arrived.as_fd(), self.announced.as_fd()], timeout) {
            Ok([false, false]) => Ended::Timeout,
            Ok([false, true]) => {
                // One byte for each announcement.
                (&self.announced).read_exact(&mut [0]).ok();
                Ended::Done
            }
            // If polling fails no signal could be reported, so the program ends rather than hangs.
            Ok([true, _]) | Err(_) => Ended::Signal,
        }
    }

    /// Blocks until reading from `input` does not block, a signal arrives, or `timeout` expires.
    ///
    /// # Errors
    ///
    /// Returns the OS error of the wait.
    pub fn wait_for_input(&self, input: impl AsFd, timeout: Duration) -> io::Result<Ready> {
        match wait_until_readable([self.arrived.as_fd(), input.as_fd()], Some(timeout))? {
            [true, _] => Ok(Ready::Signal),
            [false, true] => Ok(Ready::Input),
            [false, false] => Ok(Ready::Timeout),
        }
    }
}

/// Ends a [`Termination::wait`] when it is dropped, also by a panic.
#[derive(Debug)]
pub struct Announcement(UnixStream);

impl Drop for Announcement {
    fn drop(&mut self) {
        // Fails if the other end is closed, which then needs no byte.
        self.0.write_all(&[0]).ok();
    }
}

impl Drop for Termination {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            unregister(id);
        }
    }
}

/// Blocks until one of `sources` is readable or at its end. Returns `true` for each that is.
fn wait_until_readable<const N: usize>(
    sources: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    // A timeout that overflows the clock counts as no timeout.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut polled = sources.map(|source| PollFd::from_borrowed_fd(source, PollFlags::IN));
        match poll(&mut polled, left.as_ref()) {
            Ok(_) => return Ok(polled.map(|polled| !polled.revents().is_empty())),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Yields `()` for each termination signal, at which a window closes.
pub fn subscription() -> Subscription<()> {
    Subscription::run(arrivals)
}

fn arrivals() -> impl Stream<Item = ()> {
    stream::channel(1, async |mut output: mpsc::Sender<()>| {
        let (sender, mut arrived) = mpsc::unbounded();
        let Ok(mut signals) = Signals::new(fatal_signals()) else {
            // Without handlers a signal ends the process at once, and the kernel cleans up.
            return;
        };
        IS_CAUGHT.store(true, Ordering::Relaxed);
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

/// Ends the listening thread when the subscription ends.
struct CloseOnDrop(Handle);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Returns the signals to catch. SIGHUP is excluded if the parent process set it to be ignored, as
/// `nohup` does.
fn fatal_signals() -> Vec<i32> {
    [vec![SIGINT, SIGTERM], not_ignored(&[SIGHUP])].concat()
}

/// Returns those of `signals` that the parent process did not set to be ignored.
pub(crate) fn not_ignored(signals: &[i32]) -> Vec<i32> {
    let ignored = fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| ignored_mask(&status))
        .unwrap_or(0);
    let is_ignored = |signal: i32| ignored & (1 << (signal - 1)) != 0;
    let signals = signals.iter().copied();
    signals.filter(|&signal| !is_ignored(signal)).collect()
}

/// Parses the line `SigIgn:` of /proc/self/status: bit n - 1 stands for signal n.
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

    // One test, because a signal reaches every `Termination` of the process.
    #[test]
    fn a_wait_ends_by_signal_timeout_input_or_announcement() {
        let termination = Termination::catch().expect("handlers can be registered");
        assert_eq!(
            termination.wait(Some(Duration::from_millis(1))),
            Ended::Timeout
        );
        let (reader, writer) = UnixStream::pair().expect("there are descriptors left");
        (&writer).write_all(b"x").expect("there is room");
        let long = Duration::from_secs(10);
        let ready = termination.wait_for_input(&reader, long).unwrap();
        assert_eq!(ready, Ready::Input);

        let announcement = termination.announcement().expect("and more");
        thread::spawn(move || drop(announcement));
        assert_eq!(termination.wait(Some(Duration::from_secs(10))), Ended::Done);
        assert_eq!(termination.wait(Some(Duration::ZERO)), Ended::Timeout);

        let (silent, _open) = UnixStream::pair().expect("there are descriptors left");
        let short = Duration::from_millis(1);
        let ready = termination.wait_for_input(&silent, short).unwrap();
        assert_eq!(ready, Ready::Timeout);
        signal_hook::low_level::raise(SIGTERM).expect("a signal can be raised");
        let ready = termination.wait_for_input(&silent, long).unwrap();
        assert_eq!(ready, Ready::Signal);
        assert_eq!(termination.wait(None), Ended::Signal);
        assert_eq!(termination.wait(Some(Duration::MAX)), Ended::Signal);
    }
}
