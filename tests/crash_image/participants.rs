//! The other participants while a peer dies.

use e2e_tests::Fixture;
use shm_core::{Block, Metadata, Publisher, ReadWrite, Sample, Semaphore, Subscriber};

use crate::actor::{key, options};

/// The length of a block.
pub(crate) const BLOCK: usize = 64;
/// The units of a semaphore, and how many of them the other participant holds all the time.
pub(crate) const UNITS: u32 = 3;
pub(crate) const PARTICIPANTS_UNITS: u32 = 1;
/// The smallest ring: it is soon full, and soon cleared.
pub(crate) const RING_BYTES: u64 = 1 << 14;
/// The number, and the length, of the sample that is pinned all the time.
pub(crate) const PINNED: (u64, usize) = (7, 5000);
/// The number, and the length, of the sample that was published before the peer started.
pub(crate) const BEFORE: (u64, usize) = (1, 5000);

/// Handles of the test's own process; `Some` once they are attached.
#[derive(Debug)]
pub(crate) enum Participants {
    /// No participant.
    None,
    /// A participant of a block.
    Block(Option<Box<Block<ReadWrite>>>),
    /// A participant of a semaphore.
    Semaphore(Option<Box<Semaphore>>),
    /// A publisher, and a subscriber that has pinned a sample.
    Samples(Option<Box<(Publisher, Subscriber, Sample)>>),
}

impl Participants {
    pub(crate) const BLOCK: Participants = Participants::Block(None);
    pub(crate) const SEMAPHORE: Participants = Participants::Semaphore(None);
    pub(crate) const SAMPLES: Participants = Participants::Samples(None);

    /// Returns the commands of a holder that dies before the peer starts.
    pub(crate) fn holder(&self) -> &'static [&'static str] {
        match self {
            Participants::Semaphore(_) => &["semaphore open", "semaphore acquire 2 1000"],
            _ => &["attach", "lock 1000"],
        }
    }

    /// Attaches the participants.
    pub(crate) fn attach(&self, fixture: &Fixture) -> Participants {
        let (key, options) = (key(fixture), options(fixture));
        match self {
            Participants::None => Participants::None,
            Participants::Block(_) => Participants::Block(Some(Box::new(
                Block::create(&key, BLOCK, &options).unwrap(),
            ))),
            Participants::Semaphore(_) => {
                let semaphore = Semaphore::create(&key, UNITS, &options).unwrap();
                semaphore.acquire(PARTICIPANTS_UNITS, None).unwrap();
                Participants::Semaphore(Some(Box::new(semaphore)))
            }
            Participants::Samples(_) => {
                let options = options.ring_bytes(RING_BYTES);
                let publisher = Publisher::open(&key, &options).unwrap();
                let mut subscriber = Subscriber::attach(&key, &options).unwrap();
                publish(&publisher, PINNED).unwrap();
                let pinned = subscriber.latest().unwrap().unwrap();
                publish(&publisher, BEFORE).unwrap();
                Participants::Samples(Some(Box::new((publisher, subscriber, pinned))))
            }
        }
    }
}

impl Clone for Participants {
    /// Copies the kind without the handles.
    fn clone(&self) -> Participants {
        match self {
            Participants::None => Participants::None,
            Participants::Block(_) => Participants::BLOCK,
            Participants::Semaphore(_) => Participants::SEMAPHORE,
            Participants::Samples(_) => Participants::SAMPLES,
        }
    }
}

/// Publishes a number as the actor does.
pub(crate) fn publish(
    publisher: &Publisher,
    (number, length): (u64, usize),
) -> Result<shm_core::Sequence, shm_core::PublishError> {
    let mut loan = publisher.loan(length)?;
    loan.fill(number.to_le_bytes()[0]);
    loan[..8].copy_from_slice(&number.to_le_bytes());
    loan.publish(&Metadata::bytes("application/octet-stream"))
}

/// Returns the number and the length of a sample, which must be intact.
pub(crate) fn number(sample: &Sample) -> (u64, usize) {
    let payload = sample.payload();
    let number = u64::from_le_bytes(payload[..8].try_into().unwrap());
    let whole = payload[8..].iter().all(|byte| *byte == payload[0]);
    assert!(whole, "a torn sample: {sample:?}");
    (number, payload.len())
}
