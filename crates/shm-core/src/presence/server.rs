//! The publisher's end: a socket that viewers connect to.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use interprocess::local_socket::traits::Listener as _;
use interprocess::os::unix::uds_local_socket::Listener;

use crate::error::PresenceError;
use crate::presence::Viewer;
use crate::presence::connection::Connection;
use crate::presence::rate_limit::RateLimit;
use crate::presence::socket_directory::{Missing, SocketDirectory};
use crate::presence::worker_thread::WorkerThread;
use crate::sample::Publisher;
use crate::sys::{self, EventFd, PollFd, PollFlags};

/// The maximum number of connections; further ones are closed.
const MAX_CONNECTIONS: usize = 256;
/// How many connections are accepted before the open ones are served.
const MAX_ACCEPTS: usize = 64;
/// How long the server accepts no connection after the process has run out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Reports to a program which viewers show what its [`Publisher`] publishes.
///
/// Does not slow publishing down: a thread of its own sleeps until a viewer connects, reports or
/// leaves. The kernel closes the connection of a viewer that crashes, so a crash is noticed at
/// once.
///
/// Accepts viewers of the same user only, and passes on what they report without relying on it.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::sync::mpsc;
/// use std::time::Duration;
/// use shm_core::presence::{PresenceServer, PresenceClient};
/// use shm_core::{Key, Options, Publisher};
///
/// let options = Options::new().directory(directory.path());
/// let publisher = Publisher::open(&Key::new("stage")?, &options)?;
/// let (sender, changes) = mpsc::channel();
/// let server = PresenceServer::listen(&publisher, move |viewers| {
///     sender.send(viewers.to_vec()).ok();
/// })?;
///
/// let client = PresenceClient::connect(publisher.id(), &options)?; // in another program
/// assert_eq!(changes.recv()?[0].report, None);
/// client.report(12, Duration::from_millis(3));
/// let report = changes.recv()?[0].report.expect("it has shown a sample");
/// assert_eq!((report.sequence.get(), report.latency), (12, Duration::from_millis(3)));
///
/// drop(client);
/// assert!(changes.recv()?.is_empty());
/// # Ok(()) }
/// ```
pub struct PresenceServer {
    directory: SocketDirectory,
    socket: String,
    worker: WorkerThread,
}

impl PresenceServer {
    /// Listens for viewers, and calls `on_change` with all of them whenever one connects, reports
    /// or leaves.
    ///
    /// The server's own thread calls it, at most ten times a second; a slow callback delays the
    /// next call and nothing else. The first call is for the first viewer; dropping the server
    /// makes none.
    ///
    /// # Errors
    ///
    /// [`PresenceError`] if no directory is safe for a socket or the system cannot make one.
    /// Publishing works without.
    pub fn listen(
        publisher: &Publisher,
        on_change: impl FnMut(&[Viewer]) + Send + 'static,
    ) -> Result<Self, PresenceError> {
        let segment = publisher.id();
        let mut failure = None;
        for directory in SocketDirectory::all(publisher.directory(), Missing::Make)? {
            let (listener, socket) = match directory.listen(segment) {
                Ok(listening) => listening,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            let server = Server::new(listener, on_change);
            let worker =
                WorkerThread::start("presence-server", move |eventfd| server.serve(&eventfd))
                    .inspect_err(|_| directory.remove(&socket))?;
            return Ok(Self {
                directory,
                socket,
                worker,
            });
        }
        let source = failure.unwrap_or_else(|| ErrorKind::NotFound.into());
        Err(PresenceError::io("making its socket")(source))
    }
}

impl Drop for PresenceServer {
    fn drop(&mut self) {
        if !self.worker.is_forked() {
            self.directory.remove(&self.socket);
        }
    }
}

impl fmt::Debug for PresenceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceServer")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// Serves all connections, on the thread.
struct Server<OnChange> {
    listener: Listener,
    connections: Vec<Connection>,
    accept_paused_at: Option<Instant>,
    /// Something changed since the last call of `on_change`.
    is_dirty: bool,
    rate_limit: RateLimit,
    on_change: OnChange,
}

/// What woke the thread.
struct Ready {
    end: bool,
    listener: bool,
    /// For each connection, whether it is readable or closed.
    connections: Vec<bool>,
}

impl<OnChange: FnMut(&[Viewer])> Server<OnChange> {
    fn new(listener: Listener, on_change: OnChange) -> Self {
        Self {
            listener,
            connections: Vec::new(),
            accept_paused_at: None,
            is_dirty: false,
            rate_limit: RateLimit::default(),
            on_change,
        }
    }

    fn serve(mut self, eventfd: &Arc<EventFd>) {
        while let Some(ready) = self.wait(eventfd).filter(|ready| !ready.end) {
            let polled = self.connections.iter_mut().zip(&ready.connections);
            for (connection, _) in polled.filter(|(_, is_ready)| **is_ready) {
                connection.receive();
            }
            if ready.listener {
                self.accept();
            }
            self.flush();
        }
        // Also ends the connections for copies of the sockets in forked children.
        sys::hang_up(&self.listener);
        self.connections
            .iter()
            .filter_map(Connection::stream)
            .for_each(sys::hang_up);
    }

    /// Sleeps until there is something to do; returns `None` if the system cannot poll.
    fn wait(&mut self, eventfd: &Arc<EventFd>) -> Option<Ready> {
        let timeout = self.next_timeout();
        let is_open = self.accept_paused_at.is_none();
        let mut fds = vec![PollFd::new(eventfd, PollFlags::IN)];
        if is_open {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        // Closed connections have no descriptor to poll; they are last until they are removed.
        self.connections
            .sort_by_key(|connection| connection.stream().is_none());
        let streams = self.connections.iter().filter_map(Connection::stream);
        fds.extend(streams.map(|stream| PollFd::new(stream, PollFlags::IN)));
        sys::poll(&mut fds, timeout).ok()?;
        let mut called = fds.iter().map(|fd| !fd.revents().is_empty());
        Some(Ready {
            end: called.next()?,
            listener: is_open && called.next()?,
            connections: called.collect(),
        })
    }

    /// Returns how long the thread may sleep if nothing happens.
    fn next_timeout(&mut self) -> Option<Duration> {
        if self
            .accept_paused_at
            .is_some_and(|since| since.elapsed() >= ACCEPT_PAUSE)
        {
            self.accept_paused_at = None;
        }
        let flushing = self.is_dirty.then(|| self.rate_limit.remaining());
        let accepting = self
            .accept_paused_at
            .map(|since| ACCEPT_PAUSE.saturating_sub(since.elapsed()));
        let silent = self.connections.iter().filter_map(Connection::greeting_due);
        silent.chain(flushing).chain(accepting).min()
    }

    /// Accepts the connections that wait, as far as there is room.
    fn accept(&mut self) {
        for _ in 0..MAX_ACCEPTS {
            match self.listener.accept() {
                Ok(stream) => {
                    let is_ours =
                        sys::peer_user(&stream).is_ok_and(|user| user == sys::effective_user());
                    if is_ours && self.connections.len() < MAX_CONNECTIONS {
                        self.connections.push(Connection::new(stream));
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => {
                        self.accept_paused_at = Some(Instant::now());
                        return;
                    }
                },
            }
        }
    }

    /// Calls `on_change` if something changed and the rate limit allows; removes closed
    /// connections.
    fn flush(&mut self) {
        for connection in &mut self.connections {
            if connection.greeting_due() == Some(Duration::ZERO) {
                connection.close();
            }
        }
        self.is_dirty |= self.connections.iter().any(Connection::is_dirty);
        self.remove_finished();
        if self.is_dirty && self.rate_limit.is_due() {
            let viewers = self.connections.iter().filter_map(Connection::viewer);
            let viewers: Vec<Viewer> = viewers.cloned().collect();
            (self.on_change)(&viewers);
            self.rate_limit.step();
            self.is_dirty = false;
            self.connections
                .iter_mut()
                .for_each(Connection::mark_flushed);
            // A connection that closed meanwhile was part of this call; the next call leaves it
            // out.
            self.remove_finished();
        }
    }

    /// Removes closed connections; that is a change if they were reported to the callback.
    fn remove_finished(&mut self) {
        let was_reported =
            |connection: &Connection| connection.is_finished() && connection.viewer().is_some();
        self.is_dirty |= self.connections.iter().any(was_reported);
        self.connections
            .retain(|connection| !connection.is_finished());
    }
}
