//! Where contents come from: a segment of shm-core, which wakes who waits for it, or one of Qt programs.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use app_kit::attendance::Attendance;
use app_kit::follower::{self, Follower};
use app_kit::qt::PATIENCE;
use app_kit::snapshot::Origin;
use qt_bridge::{Address, QtKey};
use shm_core::Key;

use super::Arguments;
use crate::cli::{self, Failure};
use crate::session::{self, Content, FetchError, Found};
use crate::user::User;

/// Where contents come from.
pub(super) trait Source {
    /// Waits for the next content, at most as long as is `left`; it may give up before.
    fn next(&mut self, left: Option<Duration>) -> Result<Option<Found>, Failure>;

    /// Lets whoever loaded a content know that it was shown.
    fn delivered(&mut self, found: &Found);
}

/// Begins to follow what has this address.
pub(super) fn open(address: &Address, arguments: &Arguments) -> Box<dyn Source> {
    match address {
        Address::Own(key) => Box::new(Own::new(key, arguments)),
        Address::Qt(key) => Box::new(Polled::new(key, arguments)),
    }
}

/// A segment of shm-core.
struct Own {
    key: Key,
    owner: Option<User>,
    follower: Follower,
    /// Lets loaders know what was shown here.
    attendance: Attendance,
    /// Whether more is to be told of the segment than it costs nothing to know.
    is_reported: bool,
}

impl Own {
    fn new(key: &Key, arguments: &Arguments) -> Own {
        let owner = arguments.owner.clone();
        Own {
            key: key.clone(),
            follower: session::follower(key, owner.as_ref()),
            attendance: Attendance::new(session::options(owner.as_ref())),
            owner,
            is_reported: arguments.json,
        }
    }
}

impl Source for Own {
    fn next(&mut self, left: Option<Duration>) -> Result<Option<Found>, Failure> {
        let owner = self.owner.as_ref();
        let step = self.follower.next(left);
        match step.map_err(|error| FetchError::follow(error, owner))? {
            follower::Step::Sample(sample) => Ok(Some(Found {
                attached: self.follower.others(),
                persistent: self.is_reported && session::is_persistent(&self.key, owner),
                content: Content::Sample(sample),
                seat: None,
            })),
            follower::Step::Block => Err(block(&self.key)),
            follower::Step::Empty
            | follower::Step::Left
            | follower::Step::Gone
            | follower::Step::Quiet => Ok(None),
        }
    }

    fn delivered(&mut self, found: &Found) {
        if let Content::Sample(sample) = &found.content {
            let origin = Origin::of(sample, &found.attached);
            // A clock that was set back makes it younger than now.
            let took = SystemTime::now().duration_since(origin.published);
            self.attendance.shown(&origin, took.unwrap_or_default());
        }
    }
}

fn block(key: &Key) -> Failure {
    Failure::new(format!(
        "{key} is a block of bytes, and nothing tells when those change. Read them with \
         viewer-app show --key {}",
        app_kit::shell::quoted(key.as_str())
    ))
}

/// A segment of Qt programs, looked at again and again.
struct Polled {
    follower: qt_bridge::Follower,
    /// When to look again.
    due: Instant,
}

impl Polled {
    fn new(key: &QtKey, arguments: &Arguments) -> Polled {
        cli::warn(format_args!(
            "Nothing tells when a Qt program changes {key}: it is looked at five times a second at most."
        ));
        Polled {
            follower: qt_bridge::Follower::new(key, arguments.form, PATIENCE),
            due: Instant::now(),
        }
    }
}

impl Source for Polled {
    fn next(&mut self, left: Option<Duration>) -> Result<Option<Found>, Failure> {
        let pause = self.due.saturating_duration_since(Instant::now());
        // Nothing tells when there is more to see.
        thread::sleep(left.map_or(pause, |left| left.min(pause)));
        if Instant::now() < self.due {
            return Ok(None);
        }
        let step = self.follower.look()?;
        self.due = Instant::now() + self.follower.pause();
        Ok(match step {
            qt_bridge::Step::New(reading) => Some(Found::of_reading(reading)),
            qt_bridge::Step::Same | qt_bridge::Step::Gone => None,
        })
    }

    /// Qt programs know of no readers.
    fn delivered(&mut self, _found: &Found) {}
}
