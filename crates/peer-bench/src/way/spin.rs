//! Two words and two buffers: the lower bound between two cores.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::{Link, Side};
use crate::Outcome;
use crate::ground::Ground;

/// The payload is on the cache line after its word's, so that processors that prefetch pairs of
/// lines fetch both.
const WORD: usize = 0;
const PAYLOAD: usize = 64;

pub(crate) struct Spin {
    pub(super) ground: Ground,
    pub(super) there: Lane,
    pub(super) back: Lane,
    bytes: usize,
    /// The buffer that messages are copied to, if they are copied.
    room: Option<Vec<u8>>,
}

/// One direction.
pub(super) struct Lane {
    word: usize,
    payload: usize,
    count: u32,
}

impl Spin {
    pub(crate) fn open(side: Side, place: &Path, bytes: usize) -> Outcome<Self> {
        let length = PAYLOAD + bytes.next_multiple_of(4096);
        let ground = Ground::open(&place.join("words"), 2 * length)?;
        let lane = |start| Lane {
            word: start + WORD,
            payload: start + PAYLOAD,
            count: 0,
        };
        let (there, back) = match side {
            Side::Asking => (lane(0), lane(length)),
            Side::Answering => (lane(length), lane(0)),
        };
        Ok(Self {
            ground,
            there,
            back,
            bytes,
            room: None,
        })
    }

    /// Copies each message out, as ways without zero-copy reads do.
    pub(crate) fn copying(mut self) -> Self {
        self.room = Some(vec![1; self.bytes]);
        self
    }

    /// Writes the bytes, then stores the count. Returns the offset of its word.
    pub(super) fn put(&mut self, payload: &[u8]) -> usize {
        let lane = &mut self.there;
        lane.count = lane.count.wrapping_add(1);
        self.ground.write(lane.payload, payload);
        // Release: pairs with the acquire load of the receiver, so that it sees the bytes.
        self.ground
            .word(lane.word)
            .store(lane.count, Ordering::Release);
        lane.word
    }

    /// Waits for the next count, calling `pause` meanwhile. Returns the bytes.
    pub(super) fn take(&mut self, pause: impl Fn(&std::sync::atomic::AtomicU32, u32)) -> &[u8] {
        let lane = &mut self.back;
        let seen = lane.count;
        lane.count = seen.wrapping_add(1);
        let word = self.ground.word(lane.word);
        while word.load(Ordering::Acquire) == seen {
            pause(word, seen);
        }
        let arrived = self.ground.read(lane.payload, self.bytes);
        match &mut self.room {
            Some(room) => {
                room.copy_from_slice(arrived);
                room
            }
            None => arrived,
        }
    }
}

impl Link for Spin {
    fn send(&mut self, payload: &[u8]) -> Outcome {
        self.put(payload);
        Ok(())
    }

    fn receive(&mut self, look: &mut dyn FnMut(&[u8]) -> Outcome) -> Outcome {
        look(self.take(|_, _| std::hint::spin_loop()))
    }
}
