//! This project: a publisher on each side, and a subscriber to the other side's.

use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use shm_core::{Key, Metadata, Next, Notifier, Options, Publisher, Ready, Subscriber, WaitSet};

use super::{Link, Side};
use crate::Outcome;

const SOON: Option<Duration> = Some(Duration::from_secs(10));

pub(crate) struct Ours {
    publisher: Publisher,
    subscriber: Subscriber,
    metadata: Metadata,
    is_polled: bool,
}

impl Ours {
    pub(crate) fn open(side: Side, place: &Path, is_polled: bool) -> Outcome<Self> {
        // If both sides poll, no wake is needed, as with the other polled ways.
        let options = Options::new().directory(place).notify(!is_polled);
        let [there, back] = side.lanes();
        Ok(Self {
            publisher: Publisher::open(&Key::new(there)?, &options)?,
            subscriber: Subscriber::attach_within(&Key::new(back)?, &options, SOON)?,
            metadata: octets(),
            is_polled,
        })
    }
}

/// The media type of the bytes.
pub(crate) fn octets() -> Metadata {
    Metadata::bytes("application/octet-stream")
}

impl Link for Ours {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        self.publisher.publish(&self.metadata, payload)?;
        Ok(())
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        if self.is_polled {
            while !self.subscriber.has_unread() {
                std::hint::spin_loop();
            }
        } else {
            self.subscriber.wait(None)?;
        }
        let sample = self.subscriber.latest()?.ok_or("nothing was published")?;
        look(sample.payload())
    }
}

/// This project in an event loop: asleep in poll.
pub(crate) struct Descriptor {
    ours: Ours,
    notifier: Notifier,
}

impl Descriptor {
    pub(crate) fn open(side: Side, place: &Path) -> Outcome<Self> {
        let ours = Ours::open(side, place, false)?;
        let notifier = ours.subscriber.notifier()?;
        Ok(Self { ours, notifier })
    }
}

impl Link for Descriptor {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        self.ours.send(payload)
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        loop {
            poll(&mut [PollFd::new(&self.notifier, PollFlags::IN)], None)?;
            self.notifier.clear();
            // The descriptor may be readable without a new sample.
            if let Some(sample) = self.ours.subscriber.latest()? {
                return look(sample.payload());
            }
        }
    }
}

/// This project with one thread that waits for many keys.
pub(crate) struct Set {
    ours: Ours,
    set: WaitSet,
    /// The keys without samples.
    _idle: Vec<(Publisher, Subscriber)>,
}

impl Set {
    const KEYS: usize = 20;

    pub(crate) fn open(side: Side, place: &Path) -> Outcome<Self> {
        let ours = Ours::open(side, place, false)?;
        let options = Options::new().directory(place);
        let mut set = WaitSet::new();
        let [there, _] = side.lanes();
        let mut idle = Vec::new();
        for number in 1..Self::KEYS {
            let key = Key::new(&format!("idle-{there}-{number}"))?;
            let publisher = Publisher::open(&key, &options)?;
            let subscriber = Subscriber::attach(&key, &options)?;
            set.add(&subscriber);
            idle.push((publisher, subscriber));
        }
        set.add(&ours.subscriber);
        Ok(Self {
            ours,
            set,
            _idle: idle,
        })
    }
}

impl Link for Set {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        self.ours.send(payload)
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        loop {
            let ready = self.set.wait(None);
            if !matches!(ready, Ready::Sources(_)) {
                return Err(format!("no message, but {ready:?}").into());
            }
            if let Some(sample) = self.ours.subscriber.latest()? {
                return look(sample.payload());
            }
        }
    }
}

/// This project without losses: the ring is longer than a reader ever lags behind, and a missing
/// number fails the contest.
pub(crate) struct InOrder {
    publisher: Publisher,
    subscriber: Subscriber,
    metadata: Metadata,
}

impl InOrder {
    const RING_BYTES: u64 = 64 << 20;

    pub(crate) fn open(side: Side, place: &Path) -> Outcome<Self> {
        let options = Options::new().directory(place).ring_bytes(Self::RING_BYTES);
        let [there, back] = side.lanes();
        Ok(Self {
            publisher: Publisher::open(&Key::new(there)?, &options)?,
            subscriber: Subscriber::attach_within(&Key::new(back)?, &options, SOON)?,
            metadata: octets(),
        })
    }
}

impl Link for InOrder {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        self.publisher.publish(&self.metadata, payload)?;
        Ok(())
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        match self.subscriber.next(None)? {
            Next::Sample(sample) => look(sample.payload()),
            other => Err(format!("no message, but {other:?}").into()),
        }
    }
}
