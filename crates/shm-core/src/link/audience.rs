//! The publisher's end: a socket where viewers say that they watch.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use interprocess::local_socket::traits::Listener as _;
use interprocess::os::unix::uds_local_socket::Listener;

use crate::error::LinkError;
use crate::link::Watcher;
use crate::link::attendant::Attendant;
use crate::link::guest::Guest;
use crate::link::pace::Pace;
use crate::link::place::{Missing, Place};
use crate::sample::Publisher;
use crate::sys::{self, EventFd, PollFd, PollFlags};

/// The most who are listened to at a time; more are turned away.
const MOST_GUESTS: usize = 256;
/// How many are let in before it is listened to those who are in.
const ADMITTED_AT_ONCE: usize = 64;
/// How long nobody is let in where the system has no descriptor left for one more.
const REST: Duration = Duration::from_secs(1);

/// Everybody who watches what a [`Publisher`] publishes.
///
/// Nothing of it is in the way of publishing: a thread of its own sleeps until
/// a viewer comes, says what it has shown, or is gone. The kernel tells when
/// one is gone, so one that dies is noticed at once.
///
/// Only the user's own viewers are listened to, and what they say is only
/// told: nothing else depends on it.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::sync::mpsc;
/// use std::time::Duration;
/// use shm_core::link::{Audience, Seat};
/// use shm_core::{Key, Options, Publisher};
///
/// let options = Options::new().directory(directory.path());
/// let publisher = Publisher::open(&Key::new("stage")?, &options)?;
/// let (sender, changes) = mpsc::channel();
/// let audience = Audience::gather(&publisher, move |watchers| {
///     sender.send(watchers.to_vec()).ok();
/// })?;
///
/// let seat = Seat::take(publisher.id(), &options)?; // in another program
/// assert_eq!(changes.recv()?[0].shown, None);
/// seat.shown(12, Duration::from_millis(3));
/// let shown = changes.recv()?[0].shown.expect("it has said so");
/// assert_eq!((shown.sequence, shown.took), (12, Duration::from_millis(3)));
///
/// drop(seat);
/// assert!(changes.recv()?.is_empty());
/// # Ok(()) }
/// ```
pub struct Audience {
    place: Place,
    socket: String,
    attendant: Attendant,
}

impl Audience {
    /// Begins to listen for viewers, and tells everybody who watches each time that anything of it
    /// changes.
    ///
    /// `tell` is called on the audience's own thread: what takes long there
    /// delays the next telling, and nothing else. It is called at once after a
    /// silence, and at most ten times a second; what is told is never older than that.
    /// It is called first when the first viewer comes, and not for the end of the audience.
    ///
    /// # Errors
    ///
    /// [`LinkError`] where there is no place for a socket or the system gives
    /// none. Publishing works without.
    pub fn gather(
        publisher: &Publisher,
        tell: impl FnMut(&[Watcher]) + Send + 'static,
    ) -> Result<Self, LinkError> {
        let segment = publisher.id();
        let mut failure = None;
        for place in Place::all(publisher.directory(), Missing::Make)? {
            let (listener, socket) = match place.listen(segment) {
                Ok(listening) => listening,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            let host = Host::new(listener, tell);
            let attendant = Attendant::start("audience", move |eventfd| host.serve(&eventfd))
                .inspect_err(|_| place.remove(&socket))?;
            return Ok(Self {
                place,
                socket,
                attendant,
            });
        }
        let source = failure.unwrap_or_else(|| ErrorKind::NotFound.into());
        Err(LinkError::io("making its socket")(source))
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        if !self.attendant.is_forked() {
            self.place.remove(&self.socket);
        }
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// Serves all connections, on the audience's thread.
struct Host<Tell> {
    listener: Listener,
    guests: Vec<Guest>,
    resting: Option<Instant>,
    /// Something changed that was not told yet.
    has_news: bool,
    pace: Pace,
    tell: Tell,
}

/// What there is to do.
struct Calls {
    end: bool,
    newcomers: bool,
    /// For each guest, whether it said something or has gone.
    guests: Vec<bool>,
}

impl<Tell: FnMut(&[Watcher])> Host<Tell> {
    fn new(listener: Listener, tell: Tell) -> Self {
        Self {
            listener,
            guests: Vec::new(),
            resting: None,
            has_news: false,
            pace: Pace::default(),
            tell,
        }
    }

    fn serve(mut self, eventfd: &Arc<EventFd>) {
        while let Some(calls) = self.await_calls(eventfd)
            && !calls.end
        {
            let called = self.guests.iter_mut().zip(&calls.guests);
            for (guest, _) in called.filter(|(_, called)| **called) {
                guest.listen();
            }
            if calls.newcomers {
                self.admit();
            }
            self.pass_on();
        }
        // For copies of the sockets in forked children as well.
        sys::hang_up(&self.listener);
        self.guests
            .iter()
            .filter_map(Guest::stream)
            .for_each(sys::hang_up);
    }

    /// Sleeps until there is something to do; nothing where the system does not let us.
    fn await_calls(&mut self, eventfd: &Arc<EventFd>) -> Option<Calls> {
        let timeout = self.time_to_next();
        let is_open = self.resting.is_none();
        let mut fds = vec![PollFd::new(eventfd, PollFlags::IN)];
        if is_open {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        // Those who have gone have nothing to say; they stand last until they are forgotten.
        self.guests.sort_by_key(|guest| guest.stream().is_none());
        let streams = self.guests.iter().filter_map(Guest::stream);
        fds.extend(streams.map(|stream| PollFd::new(stream, PollFlags::IN)));
        sys::poll(&mut fds, timeout).ok()?;
        let mut called = fds.iter().map(|fd| !fd.revents().is_empty());
        Some(Calls {
            end: called.next()?,
            newcomers: is_open && called.next()?,
            guests: called.collect(),
        })
    }

    /// When there will be something to do even if nothing happens.
    fn time_to_next(&mut self) -> Option<Duration> {
        if self.resting.is_some_and(|since| since.elapsed() >= REST) {
            self.resting = None;
        }
        let telling = self.has_news.then(|| self.pace.remaining());
        let letting_in = self
            .resting
            .map(|since| REST.saturating_sub(since.elapsed()));
        let silent = self.guests.iter().filter_map(Guest::silence_left);
        silent.chain(telling).chain(letting_in).min()
    }

    /// Lets in who stands at the door, as far as there is room.
    fn admit(&mut self) {
        for _ in 0..ADMITTED_AT_ONCE {
            match self.listener.accept() {
                Ok(stream) => {
                    let is_ours =
                        sys::peer_user(&stream).is_ok_and(|user| user == sys::effective_user());
                    if is_ours && self.guests.len() < MOST_GUESTS {
                        self.guests.push(Guest::new(stream));
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => {
                        self.resting = Some(Instant::now());
                        return;
                    }
                },
            }
        }
    }

    /// Tells what has changed, when it is time to, and forgets who has gone.
    fn pass_on(&mut self) {
        for guest in &mut self.guests {
            if guest.silence_left() == Some(Duration::ZERO) {
                guest.send_away();
            }
        }
        self.has_news |= self.guests.iter().any(Guest::has_news);
        self.forget();
        if self.has_news && self.pace.is_due() {
            let watchers = self.guests.iter().filter_map(Guest::watcher);
            let watchers: Vec<Watcher> = watchers.cloned().collect();
            (self.tell)(&watchers);
            self.pace.step();
            self.has_news = false;
            self.guests.iter_mut().for_each(Guest::passed_on);
            // Who has gone meanwhile was told of once; that it has gone is told next.
            self.forget();
        }
    }

    /// Forgets who has gone and has no news left; that is news if it was told of.
    fn forget(&mut self) {
        let was_told_of = |guest: &Guest| guest.is_over() && guest.watcher().is_some();
        self.has_news |= self.guests.iter().any(was_told_of);
        self.guests.retain(|guest| !guest.is_over());
    }
}
