//! This project: a publisher at each side, and a subscriber of the other's.

use std::path::Path;
use std::time::Duration;

use shm_core::{Key, Metadata, Options, Publisher, Subscriber};

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
        let (there, back) = match side {
            Side::Asking => ("there", "back"),
            Side::Answering => ("back", "there"),
        };
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
