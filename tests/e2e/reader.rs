//! Whoever reads frames along, as fast as it can.

use e2e_tests::{PATIENCE, Scene};
use shm_core::{ImageMetadata, Metadata, Subscriber, Wait};

use crate::actor::{key, options};

/// A frame that a reader has seen.
pub(crate) struct Seen {
    pub(crate) generation: u64,
    pub(crate) shape: ImageMetadata,
    pub(crate) pixels: Vec<u8>,
}

/// A subscriber of frames.
pub(crate) struct Reader(pub(crate) Subscriber);

impl Reader {
    /// Waits for the segment.
    pub(crate) fn attach(scene: &Scene) -> Reader {
        let patience = Some(PATIENCE);
        Reader(Subscriber::attach_within(&key(scene), &options(scene), patience).unwrap())
    }

    /// The next frame that it comes to see; `None` when no more will come.
    pub(crate) fn next(&mut self) -> Option<Seen> {
        loop {
            match self.0.wait(Some(PATIENCE)).unwrap() {
                Wait::New => {}
                Wait::Ended | Wait::Orphaned => return None,
                Wait::Timeout => panic!("no frame came"),
            }
            let Some(sample) = self.0.latest().unwrap() else {
                continue;
            };
            let Metadata::Image(shape) = sample.metadata().clone() else {
                panic!("frames are pictures");
            };
            return Some(Seen {
                generation: sample.generation(),
                shape,
                pixels: sample.payload().to_vec(),
            });
        }
    }
}

impl Seen {
    /// Reads the number of this frame of the test pattern, as `loader-app frames --help` says.
    pub(crate) fn number(&self) -> u64 {
        let ImageMetadata {
            width,
            height,
            stride,
            format,
            ..
        } = self.shape;
        (0..32).fold(0, |number, cell| {
            let x = (2 * cell + 1) * width / 64;
            let at = (height - 1) * stride + x * u32::try_from(format.bytes_per_pixel()).unwrap();
            number << 1 | u64::from(self.pixels[at as usize] > 127)
        })
    }
}
