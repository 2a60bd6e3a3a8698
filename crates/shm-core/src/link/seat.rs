//! The viewer's end: says to every publisher of a segment that it is watched, and what was shown.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interprocess::os::unix::uds_local_socket::Stream;

use crate::directory_watch::DirectoryWatch;
use crate::error::LinkError;
use crate::link::Shown;
use crate::link::attendant::Attendant;
use crate::link::pace::Pace;
use crate::link::place::{Missing, Place};
use crate::link::record::{self, GREETING};
use crate::options::Options;
use crate::process::Process;
use crate::sys::{self, EventFd, PollFd, PollFlags};

/// The most publishers that are told: a segment has no more slots.
const MOST_PUBLISHERS: usize = crate::layout::SLOTS;
/// How soon it is looked again for publishers where nothing tells of them.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A viewer's place in the [`Audience`](crate::link::Audience) of each publisher of a segment.
///
/// It goes to the publishers that are there and, as they come, to those that
/// come later. A thread of its own sleeps until then; it costs nothing while
/// nothing happens. Dropping it leaves every audience. A program that dies leaves them, too.
///
/// A seat attaches to nothing: a window that shows a copy keeps its seat as
/// long as it shows that. Publishers of other users are not told.
pub struct Seat {
    segment: u128,
    wishes: Arc<Mutex<Wishes>>,
    attendant: Attendant,
}

/// What the seat's thread is to do.
#[derive(Debug, Default)]
struct Wishes {
    /// What was shown and not said yet.
    report: Option<Shown>,
    leave: bool,
}

impl Seat {
    /// Takes a seat at the segment with this id, as [`Publisher::id`](crate::Publisher::id),
    /// [`Subscriber::id`](crate::Subscriber::id) and [`Info::id`](crate::segment::Info::id) tell it.
    ///
    /// Never waits. Succeeds where no publisher listens, too: one may come; and where there is no
    /// place for sockets: then nobody is told.
    ///
    /// # Errors
    ///
    /// [`LinkError`] where the system gives no thread.
    pub fn take(segment: u128, options: &Options) -> Result<Self, LinkError> {
        let segments = options.directory_path();
        let wishes = Arc::<Mutex<Wishes>>::default();
        let its = Arc::clone(&wishes);
        let attendant = Attendant::start("seat", move |eventfd| {
            if let Ok(places) = Place::all(&segments, Missing::Make) {
                Visitor::new(segment, places, its).visit(&eventfd);
            }
        })?;
        Ok(Self {
            segment,
            wishes,
            attendant,
        })
    }

    /// The id of the segment that is watched.
    #[must_use]
    pub fn segment(&self) -> u128 {
        self.segment
    }

    /// Says that a sample is shown now, and how long after its publication.
    ///
    /// Neither blocks nor fails. It is said at once after a silence, and at most ten times a
    /// second: then what was shown last, and the others not at all.
    pub fn shown(&self, sequence: u64, took: Duration) {
        if self.attendant.is_forked() {
            return;
        }
        let report = Shown { sequence, took };
        if wishes(&self.wishes).report.replace(report).is_none() {
            self.attendant.ring();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // In a forked child the lock may be held for ever, by a thread that is not there.
        if !self.attendant.is_forked() {
            wishes(&self.wishes).leave = true;
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("segment", &format_args!("{:032x}", self.segment))
            .finish_non_exhaustive()
    }
}

fn wishes(wishes: &Mutex<Wishes>) -> MutexGuard<'_, Wishes> {
    // Every change under it is a single store.
    wishes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Goes to the publishers, on the seat's thread.
struct Visitor {
    segment: u128,
    places: Vec<Place>,
    /// Tells when sockets appear; none where the system has no more of them.
    watch: Option<DirectoryWatch>,
    wishes: Arc<Mutex<Wishes>>,
    greeting: [u8; GREETING],
    shown: Option<Shown>,
    pace: Pace,
    visits: Vec<Visit>,
    /// Sockets that were gone to: nobody is bothered twice.
    known: HashSet<(usize, String)>,
}

/// Why a sleep ended.
enum Calls {
    /// The time was over.
    None,
    /// There may be another publisher.
    Appeared,
    /// Something else.
    Some,
}

/// A connection to a publisher.
struct Visit {
    socket: (usize, String),
    stream: Stream,
    /// The publisher does not listen at the moment; what is shown then is said later.
    owes: bool,
}

impl Visitor {
    fn new(segment: u128, places: Vec<Place>, wishes: Arc<Mutex<Wishes>>) -> Self {
        let watch = DirectoryWatch::of_nothing().and_then(|mut watch| {
            places
                .iter()
                .try_for_each(|place| place.watch_with(&mut watch))?;
            Ok(watch)
        });
        Self {
            segment,
            places,
            watch: watch.ok(),
            wishes,
            greeting: record::encode_greeting(Process::current(), &sys::program_name()),
            shown: None,
            pace: Pace::default(),
            visits: Vec::new(),
            known: HashSet::new(),
        }
    }

    fn visit(mut self, eventfd: &Arc<EventFd>) {
        let mut look_again = self.look();
        loop {
            let (leave, is_waiting) = self.take_wishes();
            self.report();
            if leave {
                break;
            }
            let saying = is_waiting.then(|| self.pace.remaining());
            let looking = look_again.then_some(LOOK_AGAIN);
            let timeout = saying.into_iter().chain(looking).min();
            match self.await_calls(eventfd, timeout) {
                Ok(Calls::Appeared) => look_again = self.look(),
                Ok(Calls::None) if look_again => look_again = self.look(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // For copies of the sockets in forked children as well.
        for visit in &self.visits {
            sys::hang_up(&visit.stream);
        }
    }

    /// Takes over what is to be said, if it is time to: whether to leave, and whether something
    /// waits to be said.
    fn take_wishes(&mut self) -> (bool, bool) {
        let mut wishes = wishes(&self.wishes);
        // What was shown last is said before leaving.
        if (wishes.leave || self.pace.is_due())
            && let Some(report) = wishes.report.take()
        {
            self.shown = Some(report);
            self.pace.step();
            self.visits.iter_mut().for_each(|visit| visit.owes = true);
        }
        (wishes.leave, wishes.report.is_some())
    }

    /// Sleeps until there is something to do, and ends the visits that are over.
    fn await_calls(
        &mut self,
        eventfd: &Arc<EventFd>,
        timeout: Option<Duration>,
    ) -> io::Result<Calls> {
        let mut fds = vec![PollFd::new(eventfd, PollFlags::IN)];
        fds.extend(self.visits.iter().map(Visit::interest));
        fds.extend(
            self.watch
                .iter()
                .map(|watch| PollFd::new(watch, PollFlags::IN)),
        );
        sys::poll(&mut fds, timeout)?;
        let events: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        if events.iter().all(PollFlags::is_empty) {
            return Ok(Calls::None);
        }
        if !events[0].is_empty() {
            eventfd.clear();
        }
        let (visited, appeared) = events[1..].split_at(self.visits.len());
        let mut visited = visited.iter();
        // A publisher says nothing: one that is heard has gone.
        let (staying, over): (Vec<_>, Vec<_>) = self.visits.drain(..).partition(|_| {
            visited
                .next()
                .is_some_and(|events| (*events - PollFlags::OUT).is_empty())
        });
        self.visits = staying;
        for Visit {
            socket: (place, name),
            stream,
            ..
        } in over
        {
            drop(stream);
            self.places[place].remove_if_dead(&name);
        }
        match &self.watch {
            Some(watch) if appeared.iter().any(|events| !events.is_empty()) => {
                watch.clear();
                Ok(Calls::Appeared)
            }
            _ => Ok(Calls::Some),
        }
    }

    /// Goes to the publishers that it has not gone to; whether to look again although nothing appears.
    fn look(&mut self) -> bool {
        let places = self.places.iter().enumerate();
        let found: HashSet<(usize, String)> = places
            .flat_map(|(at, place)| {
                place
                    .sockets_of(self.segment)
                    .into_iter()
                    .map(move |name| (at, name))
            })
            .collect();
        self.known.retain(|socket| found.contains(socket));
        let mut look_again = self.watch.is_none();
        for socket in found {
            if self.known.contains(&socket) || self.visits.len() >= MOST_PUBLISHERS {
                continue;
            }
            match self.go_to(&socket) {
                // So many are about to go there that there is no room to wait in.
                Err(error) if error.kind() == ErrorKind::WouldBlock => look_again = true,
                _ => {
                    self.known.insert(socket);
                }
            }
        }
        look_again
    }

    fn go_to(&mut self, (at, name): &(usize, String)) -> io::Result<()> {
        let place = &self.places[*at];
        let stream = place.connect(name).inspect_err(|error| {
            if error.kind() == ErrorKind::ConnectionRefused {
                place.remove_if_dead(name);
            }
        })?;
        send_whole(&stream, &self.greeting)?;
        self.visits.push(Visit {
            socket: (*at, name.clone()),
            stream,
            owes: self.shown.is_some(),
        });
        Ok(())
    }

    /// Says what was shown last to those who have not heard it.
    fn report(&mut self) {
        let Some(shown) = self.shown else { return };
        let report = record::encode_report(shown);
        self.visits.retain_mut(|visit| {
            if !visit.owes {
                return true;
            }
            match send_whole(&visit.stream, &report) {
                Ok(()) => {
                    visit.owes = false;
                    true
                }
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            }
        });
    }
}

impl Visit {
    fn interest(&self) -> PollFd<'_> {
        let room = if self.owes {
            PollFlags::OUT
        } else {
            PollFlags::empty()
        };
        PollFd::new(&self.stream, PollFlags::IN | room)
    }
}

/// Sends all of a record, or nothing; half a record makes the connection worthless.
fn send_whole(stream: &Stream, record: &[u8]) -> io::Result<()> {
    match sys::send(stream, record)? {
        sent if sent == record.len() => Ok(()),
        _ => Err(ErrorKind::WriteZero.into()),
    }
}
