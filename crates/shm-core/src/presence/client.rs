//! The viewer's end: connects to every publisher of a segment and reports what was shown.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interprocess::os::unix::uds_local_socket::Stream;

use crate::directory_watch::DirectoryWatch;
use crate::error::PresenceError;
use crate::options::Options;
use crate::presence::Report;
use crate::presence::protocol::{self, GREETING};
use crate::presence::rate_limit::RateLimit;
use crate::presence::socket_directory::{Missing, SocketDirectory};
use crate::presence::worker_thread::WorkerThread;
use crate::process::Process;
use crate::segment::SegmentId;
use crate::sequence::Sequence;
use crate::sys::{self, EventFd, PollFd, PollFlags};

/// The maximum number of publishers, which is that of slots.
const MAX_PUBLISHERS: usize = crate::layout::SLOTS;
/// How often the directories are scanned for sockets if the kernel reports no events.
const SCAN_INTERVAL: Duration = Duration::from_secs(1);

/// Connects a viewer to the [`PresenceServer`](crate::presence::PresenceServer) of each publisher
/// of a segment.
///
/// Connects to the publishers that exist and to those that start later. A thread of its own sleeps
/// until then and uses no processor time. Dropping the client closes all connections; a crash
/// counts as leaving.
///
/// A client does not attach to the segment: a window that shows a copy keeps the client as long as
/// it shows the copy. Publishers of other users are not connected to.
pub struct PresenceClient {
    segment: SegmentId,
    pending: Arc<Mutex<Pending>>,
    worker: WorkerThread,
}

/// The work of the thread.
#[derive(Debug, Default)]
struct Pending {
    /// The report that was not sent yet.
    report: Option<Report>,
    leave: bool,
}

impl PresenceClient {
    /// Connects to the publishers of the segment with this id: that of
    /// [`Publisher::id`](crate::Publisher::id), [`Subscriber::id`](crate::Subscriber::id) or
    /// [`Info::id`](crate::segment::Info::id).
    ///
    /// Does not block. Succeeds if no publisher listens, because one may start later, and if no
    /// directory is safe for sockets; then no publisher is notified.
    ///
    /// # Errors
    ///
    /// [`PresenceError`] if the system cannot start a thread.
    pub fn connect(segment: SegmentId, options: &Options) -> Result<Self, PresenceError> {
        let segments = options.directory_path();
        let pending = Arc::<Mutex<Pending>>::default();
        let shared = Arc::clone(&pending);
        let worker = WorkerThread::start("presence-client", move |eventfd| {
            if let Ok(directories) = SocketDirectory::all(&segments, Missing::Make) {
                Peer::new(segment, directories, shared).run(&eventfd);
            }
        })?;
        Ok(Self {
            segment,
            pending,
            worker,
        })
    }

    /// Returns the id of the segment.
    #[must_use]
    pub fn segment(&self) -> SegmentId {
        self.segment
    }

    /// Reports that a sample is shown now, and how long after its publication.
    ///
    /// Neither blocks nor fails. Sends at most ten reports a second; of several reports within a
    /// tenth of a second only the last is sent.
    pub fn report(&self, sequence: impl Into<Sequence>, latency: Duration) {
        if self.worker.is_forked() {
            return;
        }
        let sequence = sequence.into();
        let report = Report { sequence, latency };
        if pending(&self.pending).report.replace(report).is_none() {
            self.worker.ring();
        }
    }
}

impl Drop for PresenceClient {
    fn drop(&mut self) {
        // In a forked child a thread that does not exist there may hold the mutex forever.
        if !self.worker.is_forked() {
            pending(&self.pending).leave = true;
        }
    }
}

impl fmt::Debug for PresenceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceClient")
            .field("segment", &self.segment)
            .finish_non_exhaustive()
    }
}

fn pending(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    // A panic cannot leave it inconsistent: every change is a single store.
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects and reports, on the thread.
struct Peer {
    segment: SegmentId,
    directories: Vec<SocketDirectory>,
    /// Notifies of new sockets; `None` if the system has no inotify instance left.
    watch: Option<DirectoryWatch>,
    pending: Arc<Mutex<Pending>>,
    greeting: [u8; GREETING],
    last_report: Option<Report>,
    rate_limit: RateLimit,
    connections: Vec<ServerConnection>,
    /// Sockets that were connected to: each once.
    known: HashSet<(usize, String)>,
}

/// Why the thread woke up.
enum Ready {
    /// The timeout.
    None,
    /// A socket may have appeared.
    Appeared,
    /// Anything else.
    Some,
}

/// A connection to a publisher.
struct ServerConnection {
    socket: (usize, String),
    stream: Stream,
    /// The last report was not sent: the socket's buffer was full.
    unsent: bool,
}

impl Peer {
    fn new(
        segment: SegmentId,
        directories: Vec<SocketDirectory>,
        pending: Arc<Mutex<Pending>>,
    ) -> Self {
        let watch = DirectoryWatch::new().and_then(|mut watch| {
            directories
                .iter()
                .try_for_each(|directory| directory.watch_with(&mut watch))?;
            Ok(watch)
        });
        Self {
            segment,
            directories,
            watch: watch.ok(),
            pending,
            greeting: protocol::encode_greeting(Process::current(), &sys::program_name()),
            last_report: None,
            rate_limit: RateLimit::default(),
            connections: Vec::new(),
            known: HashSet::new(),
        }
    }

    fn run(mut self, eventfd: &Arc<EventFd>) {
        let mut scan_again = self.scan();
        loop {
            let (leave, has_pending) = self.take_pending();
            self.report();
            if leave {
                break;
            }
            let sending = has_pending.then(|| self.rate_limit.remaining());
            let scanning = scan_again.then_some(SCAN_INTERVAL);
            let timeout = sending.into_iter().chain(scanning).min();
            match self.wait(eventfd, timeout) {
                Ok(Ready::Appeared) => scan_again = self.scan(),
                Ok(Ready::None) if scan_again => scan_again = self.scan(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // Also ends the connection for copies of the socket in forked children.
        for connection in &self.connections {
            sys::hang_up(&connection.stream);
        }
    }

    /// Takes the pending report if the rate limit allows; returns whether to leave, and whether a
    /// report still waits.
    fn take_pending(&mut self) -> (bool, bool) {
        let mut pending = pending(&self.pending);
        // The last report is sent before the client disconnects.
        let may_send = pending.leave || self.rate_limit.is_due();
        let report = pending.report.take_if(|_| may_send);
        if let Some(report) = report {
            self.last_report = Some(report);
            self.rate_limit.step();
            self.connections
                .iter_mut()
                .for_each(|connection| connection.unsent = true);
        }
        (pending.leave, pending.report.is_some())
    }

    /// Sleeps until there is something to do, and drops the connections that were closed.
    fn wait(&mut self, eventfd: &Arc<EventFd>, timeout: Option<Duration>) -> io::Result<Ready> {
        let mut fds = vec![PollFd::new(eventfd, PollFlags::IN)];
        fds.extend(self.connections.iter().map(ServerConnection::interest));
        fds.extend(
            self.watch
                .iter()
                .map(|watch| PollFd::new(watch, PollFlags::IN)),
        );
        sys::poll(&mut fds, timeout)?;
        let events: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        if events.iter().all(PollFlags::is_empty) {
            return Ok(Ready::None);
        }
        if !events[0].is_empty() {
            eventfd.clear();
        }
        let (polled, appeared) = events[1..].split_at(self.connections.len());
        let mut polled = polled.iter();
        // A publisher sends nothing: a readable socket was closed.
        let (open, closed): (Vec<_>, Vec<_>) = self.connections.drain(..).partition(|_| {
            polled
                .next()
                .is_some_and(|events| (*events - PollFlags::OUT).is_empty())
        });
        self.connections = open;
        for ServerConnection {
            socket: (directory, name),
            stream,
            ..
        } in closed
        {
            drop(stream);
            self.directories[directory].remove_if_dead(&name);
        }
        match &self.watch {
            Some(watch) if appeared.iter().any(|events| !events.is_empty()) => {
                watch.clear();
                Ok(Ready::Appeared)
            }
            _ => Ok(Ready::Some),
        }
    }

    /// Connects to the publishers that it has not connected to; returns whether to scan again
    /// although no socket appears.
    fn scan(&mut self) -> bool {
        let directories = self.directories.iter().enumerate();
        let found: HashSet<(usize, String)> = directories
            .flat_map(|(at, directory)| {
                directory
                    .sockets_of(self.segment)
                    .into_iter()
                    .map(move |name| (at, name))
            })
            .collect();
        self.known.retain(|socket| found.contains(socket));
        let mut scan_again = self.watch.is_none();
        for socket in found {
            if self.known.contains(&socket) || self.connections.len() >= MAX_PUBLISHERS {
                continue;
            }
            match self.connect(&socket) {
                // The listener's queue is full.
                Err(error) if error.kind() == ErrorKind::WouldBlock => scan_again = true,
                _ => {
                    self.known.insert(socket);
                }
            }
        }
        scan_again
    }

    fn connect(&mut self, (at, name): &(usize, String)) -> io::Result<()> {
        let directory = &self.directories[*at];
        let stream = directory.connect(name).inspect_err(|error| {
            if error.kind() == ErrorKind::ConnectionRefused {
                directory.remove_if_dead(name);
            }
        })?;
        send_whole(&stream, &self.greeting)?;
        self.connections.push(ServerConnection {
            socket: (*at, name.clone()),
            stream,
            unsent: self.last_report.is_some(),
        });
        Ok(())
    }

    /// Sends the last report to the publishers that did not get it.
    fn report(&mut self) {
        let Some(last) = self.last_report else { return };
        let report = protocol::encode_report(last);
        self.connections.retain_mut(|connection| {
            if !connection.unsent {
                return true;
            }
            match send_whole(&connection.stream, &report) {
                Ok(()) => {
                    connection.unsent = false;
                    true
                }
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            }
        });
    }
}

impl ServerConnection {
    fn interest(&self) -> PollFd<'_> {
        let room = if self.unsent {
            PollFlags::OUT
        } else {
            PollFlags::empty()
        };
        PollFd::new(&self.stream, PollFlags::IN | room)
    }
}

/// Sends a whole record or nothing; after half a record the connection is useless.
fn send_whole(stream: &Stream, record: &[u8]) -> io::Result<()> {
    match sys::send(stream, record)? {
        sent if sent == record.len() => Ok(()),
        _ => Err(ErrorKind::WriteZero.into()),
    }
}
