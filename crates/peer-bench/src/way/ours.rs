//! This project: a publisher at each side, and a subscriber of the other's.

use std::path::Path;
use std::time::Duration;

use shm_core::{Key, Metadata, Next, Options, Publisher, Subscriber};

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
        // Nobody sleeps where all poll, so nobody is woken: as at the other polled ways.
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

/// What bytes of no further meaning are called.
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
            while !self.subscriber.has_news() {
                std::hint::spin_loop();
            }
        } else {
            self.subscriber.wait(None)?;
        }
        let sample = self.subscriber.latest()?.ok_or("nothing was published")?;
        look(sample.payload())
    }
}

/// This project where nothing may be lost: the ring holds more than a reader ever lags behind, and a
/// number that is missing fails the contest.
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
