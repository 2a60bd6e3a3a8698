//! Shared memory and a futex, nothing else: the lower bound of sleeping.

use std::path::Path;

use rustix::thread::futex::{self, Flags};

use super::spin::Spin;
use super::{Link, Side};
use crate::Outcome;

pub(crate) struct Futex(Spin);

impl Futex {
    pub(crate) fn open(side: Side, place: &Path, bytes: usize) -> Outcome<Self> {
        Ok(Self(Spin::open(side, place, bytes)?))
    }
}

impl Link for Futex {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        let word = self.0.put(payload);
        futex::wake(self.0.ground.word(word), Flags::empty(), 1)?;
        Ok(())
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        look(self.0.take(|word, seen| {
            // The word is loaded again after every wake-up.
            let _woken = futex::wait(word, Flags::empty(), seen, None);
        }))
    }
}
