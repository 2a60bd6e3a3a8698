//! A subscriber that reads frames as fast as it can.

use e2e_tests::{Fixture, TIMEOUT};
use shm_core::{ImageMetadata, Metadata, Next, Sample, Subscriber, WaitResult};

use crate::actor::{key, options};

/// A frame that a reader has received.
pub(crate) struct ReceivedFrame {
    pub(crate) sequence: u64,
    pub(crate) shape: ImageMetadata,
    pub(crate) pixels: Vec<u8>,
}

/// A subscriber of frames.
pub(crate) struct Reader(pub(crate) Subscriber);

impl Reader {
    /// Waits for the segment.
    pub(crate) fn attach(fixture: &Fixture) -> Reader {
        let timeout = Some(TIMEOUT);
        Reader(Subscriber::attach_within(&key(fixture), &options(fixture), timeout).unwrap())
    }

    /// Returns the next frame that it receives; `None` when no more will follow.
    pub(crate) fn next(&mut self) -> Option<ReceivedFrame> {
        loop {
            match self.0.wait(Some(TIMEOUT)).unwrap() {
                WaitResult::New => {}
                WaitResult::PublisherGone | WaitResult::Removed => return None,
                WaitResult::Timeout | WaitResult::Interrupted => panic!("no frame arrived"),
            }
            let Some(sample) = self.0.latest().unwrap() else {
                continue;
            };
            return Some(ReceivedFrame::of(&sample));
        }
    }

    /// Returns the oldest frame in the ring.
    pub(crate) fn oldest(fixture: &Fixture) -> ReceivedFrame {
        let mut subscriber = Reader::attach(fixture).0.from_oldest();
        match subscriber.next(TIMEOUT).unwrap() {
            Next::Sample(sample) => ReceivedFrame::of(&sample),
            other => panic!("no frame, but {other:?}"),
        }
    }
}

impl ReceivedFrame {
    fn of(sample: &Sample) -> ReceivedFrame {
        let Metadata::Image(shape) = sample.metadata().clone() else {
            panic!("frames are pictures");
        };
        ReceivedFrame {
            sequence: sample.sequence().get(),
            shape,
            pixels: sample.payload().to_vec(),
        }
    }

    /// Reads the number of this frame of the test pattern.
    pub(crate) fn number(&self) -> u64 {
        number_in(&self.pixels, &self.shape)
    }
}

/// Reads the number of a frame of the test pattern, as `loader-app frames --help` describes.
pub(crate) fn number_in(pixels: &[u8], shape: &ImageMetadata) -> u64 {
    let bytes_per_pixel = u32::try_from(shape.format.bytes_per_pixel()).unwrap();
    (0..32).fold(0, |number, cell| {
        let x = (2 * cell + 1) * shape.width / 64;
        let at = (shape.height - 1) * shape.stride + x * bytes_per_pixel;
        number << 1 | u64::from(pixels[at as usize] > 127)
    })
}
