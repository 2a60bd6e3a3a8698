//! The checks after a death, for every kind of successor.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    process,
    time::Duration,
};

use e2e_tests::{Fixture, layout};
use shm_core::{
    AttachErrorKind, Block, LockErrorKind, Locked, Next, PublishErrorKind, Publisher, ReadWrite,
    RemoveErrorKind, Sample, Semaphore, SemaphoreErrorKind, Sequence, Subscriber, segment,
};

use crate::{
    actor::{key, options, timed},
    image::Image,
    operation::{Death, Expected, Found, Operation},
    participants::{
        BLOCK, PARTICIPANTS_UNITS, PINNED, Participants, RING_BYTES, UNITS, number, publish,
    },
};

/// The limit for taking over a dead holder's lock. It takes about 10 ms; the rest is for a loaded
/// machine.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(2);
/// The memory of a region with a large sample of these tests, in whole pages.
const REGION: usize = 20_480;
/// Control area and ring, and as many regions as all these processes use at once.
const MEMORY: u64 = layout::RING as u64 + RING_BYTES + 12 * REGION as u64;
/// How many samples are published afterwards: enough that memory of earlier large samples is freed.
const LATER_PUBLICATIONS: u64 = 40;
const SMALL: usize = 64;

/// The process that acts first after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Successor {
    /// A process that lists.
    List,
    /// A participant that is attached already.
    Participants,
    /// A process that creates, or joins.
    Newcomer,
    /// A process that attaches to the existing segment.
    Attacher,
    /// A process that removes.
    Remover,
}

impl Successor {
    pub(crate) fn kinds(participants: &Participants) -> &'static [Successor] {
        match participants {
            Participants::None => &[Self::List, Self::Newcomer, Self::Attacher, Self::Remover],
            Participants::Block(_) | Participants::Semaphore(_) | Participants::Samples(_) => {
                &[Self::List, Self::Participants, Self::Newcomer]
            }
        }
    }
}

/// Checks that every operation works after a death, and that nothing is left in the end.
pub(crate) fn check(operation: &Operation, death: Death, successor: Successor) {
    let accompanied = !matches!(death.participants, Participants::None);
    let alive = death
        .image
        .is_some_and(|image| !image.is_removed() && (accompanied || image.is_persistent()));
    match operation.expected {
        Expected::Remains => assert!(alive, "the participants' segment is removed"),
        Expected::Removed => assert!(!alive, "the segment exists without a participant"),
        Expected::RemainsOrRemoved => {}
    }
    let fixture = &death.fixture;
    match death.participants {
        Participants::None if alive => remains_persistent(operation, fixture),
        Participants::None => removed_for_successor(fixture, successor),
        Participants::Block(Some(block)) if alive => {
            let abandoned = death.image.is_some_and(Image::is_abandoned);
            check_block(fixture, &block, successor, abandoned);
            assert!(
                block.detach().removed,
                "the last participant removes the segment"
            );
            assert_empty(fixture);
        }
        Participants::Semaphore(Some(semaphore)) if alive => {
            check_semaphore(fixture, &semaphore, successor);
            assert!(
                semaphore.detach().removed,
                "the last participant removes the segment"
            );
            assert_empty(fixture);
        }
        Participants::Samples(Some(samples)) if alive => {
            check_samples(operation, fixture, *samples, successor);
        }
        orphans => {
            participants_see_removal(&orphans);
            removed_for_successor(fixture, Successor::Newcomer);
        }
    }
}

/// Attached participants detect the removal as soon as they publish or wait.
fn participants_see_removal(participants: &Participants) {
    match participants {
        Participants::Block(Some(block)) => {
            // A free lock can still be taken: the guarded memory exists as long as the handle.
            let locked = block.lock_for(TAKEOVER_LIMIT).map(drop);
            assert!(
                locked.is_ok()
                    || matches!(&locked, Err(error) if *error.kind() == LockErrorKind::Removed)
            );
        }
        Participants::Semaphore(Some(semaphore)) => {
            let refused = semaphore.acquire(UNITS, TAKEOVER_LIMIT);
            assert!(matches!(&refused, Err(error) if *error.kind() == SemaphoreErrorKind::Removed));
        }
        Participants::Samples(Some(samples)) => {
            let refused = publish(&samples.0, (2, SMALL));
            assert!(matches!(&refused, Err(error) if *error.kind() == PublishErrorKind::Removed));
        }
        plan => unreachable!("no participant is attached: {plan:?}"),
    }
}

/// Without participants, every successor finds nothing, and nothing blocks it.
fn removed_for_successor(fixture: &Fixture, successor: Successor) {
    let (key, options) = (key(fixture), options(fixture));
    match successor {
        Successor::List | Successor::Participants => {}
        Successor::Newcomer => {
            let newcomer = Publisher::open(&key, &options).unwrap();
            assert!(newcomer.created());
            publish(&newcomer, (3, SMALL)).unwrap();
            assert!(
                newcomer.detach().removed,
                "the last participant removes the segment"
            );
            let block = Block::create(&key, BLOCK, &options).unwrap();
            assert_lock(&block, false);
        }
        Successor::Attacher => {
            let block = Block::attach(&key, &options).map(drop);
            assert!(matches!(&block, Err(error) if *error.kind() == AttachErrorKind::NotFound));
            let samples = Subscriber::attach(&key, &options).map(drop);
            assert!(matches!(&samples, Err(error) if *error.kind() == AttachErrorKind::NotFound));
        }
        Successor::Remover => {
            let removed = segment::remove(&key, &options, segment::Removal::IfUnused);
            assert!(matches!(&removed, Err(error) if *error.kind() == RemoveErrorKind::NotFound));
        }
    }
    assert_empty(fixture);
    drop(Block::create(&key, BLOCK, &options).unwrap());
    assert_empty(fixture);
}

/// Without participants, a persistent segment remains.
fn remains_persistent(operation: &Operation, fixture: &Fixture) {
    let (key, options) = (key(fixture), options(fixture));
    assert_eq!(attached(fixture), [] as [u32; 0]);
    let mut subscriber = Subscriber::attach(&key, &options).unwrap();
    assert_found(operation, subscriber.latest().unwrap().as_ref());
    let newcomer = Publisher::open(&key, &options).unwrap();
    assert!(!newcomer.created());
    publish(&newcomer, (3, SMALL)).unwrap();
    assert_eq!(shown(&mut subscriber), (3, SMALL));
    assert!(!newcomer.detach().removed, "the segment is persistent");
    drop(subscriber);
    segment::remove(&key, &options, segment::Removal::IfUnused).unwrap();
    assert_empty(fixture);
}

fn check_block(
    fixture: &Fixture,
    participants: &Block<ReadWrite>,
    successor: Successor,
    abandoned: bool,
) {
    let newcomer = || Block::open_or_create(&key(fixture), BLOCK, &options(fixture)).unwrap();
    match successor {
        Successor::Newcomer => assert_lock(&newcomer(), abandoned),
        Successor::List => {
            assert_eq!(attached(fixture), [process::id()]);
            assert_lock(participants, abandoned);
        }
        _ => assert_lock(participants, abandoned),
    }
    assert_lock(participants, false);
    let second = newcomer();
    assert_lock(&second, false);
    assert_eq!(attached(fixture), [process::id(); 2]);
    second.lock().unwrap().ignore_abandonment().fill(9);
    drop(second);
    assert_eq!(
        participants.snapshot(TAKEOVER_LIMIT).unwrap().bytes,
        [9; BLOCK]
    );
}

fn check_semaphore(fixture: &Fixture, participants: &Semaphore, successor: Successor) {
    let newcomer = || Semaphore::open_or_create(&key(fixture), 9, &options(fixture)).unwrap();
    match successor {
        Successor::Newcomer => assert_all_units_available(&newcomer(), UNITS - PARTICIPANTS_UNITS),
        Successor::List => assert_eq!(attached(fixture), [process::id()]),
        _ => {}
    }
    assert_all_units_available(participants, UNITS - PARTICIPANTS_UNITS);
    assert_eq!(participants.held().unwrap(), PARTICIPANTS_UNITS);
    participants.release(PARTICIPANTS_UNITS).unwrap();
    assert_all_units_available(&newcomer(), UNITS);
    assert_eq!(
        (participants.available(), participants.held().unwrap()),
        (UNITS, 0)
    );
}

/// Acquires all remaining units in time, and not one unit more.
fn assert_all_units_available(semaphore: &Semaphore, units: u32) {
    let (acquired, time) = timed(|| semaphore.acquire(units, TAKEOVER_LIMIT));
    acquired.unwrap();
    assert!(time < TAKEOVER_LIMIT, "the units took {time:?}");
    assert!(!semaphore.try_acquire(1).unwrap(), "a unit was created");
    semaphore.release(units).unwrap();
}

fn check_samples(
    operation: &Operation,
    fixture: &Fixture,
    (publisher, mut subscriber, pinned): (Publisher, Subscriber, Sample),
    successor: Successor,
) {
    let (key, options) = (key(fixture), options(fixture));
    if successor == Successor::List {
        assert_eq!(attached(fixture), [process::id()]);
    }
    let found = subscriber.latest().unwrap().as_ref().map(number);
    let mut other = Subscriber::attach(&key, &options).unwrap();
    assert_eq!(other.latest().unwrap().as_ref().map(number), found);
    assert!(operation.found.contains(&found), "found {found:?}");
    assert_in_order(fixture, found);

    let newcomer = (successor == Successor::Newcomer).then(|| {
        let newcomer = Publisher::open(&key, &options).unwrap();
        assert_publishes(&newcomer, (3, 5000), &mut [&mut subscriber, &mut other]);
        newcomer
    });
    for next in 0..LATER_PUBLICATIONS {
        assert_publishes(&publisher, (100 + next, SMALL), &mut [&mut subscriber]);
    }
    let newcomer = newcomer.unwrap_or_else(|| Publisher::open(&key, &options).unwrap());
    assert!(!newcomer.created());
    assert_publishes(&newcomer, (4, SMALL), &mut [&mut subscriber, &mut other]);
    let memory = segment::info(&key, &options).unwrap().reserved_bytes;
    assert!(memory <= MEMORY, "{memory} bytes are in use");

    assert_eq!(number(&pinned), PINNED, "the pinned sample is unchanged");
    drop(pinned);
    assert_eq!(publisher.clear().unwrap(), 0, "nothing is pinned");
    assert_blank(fixture);
    let loans: Vec<_> = std::iter::from_fn(|| newcomer.loan(5000).ok()).collect();
    assert_eq!(loans.len(), layout::REGIONS, "every region can be claimed");
    drop(loans);
    drop((newcomer, other, subscriber));
    assert!(
        publisher.detach().removed,
        "the last participant removes the segment"
    );
    assert_empty(fixture);
}

/// Publishes a sample in time, and asserts that subscribers find it.
fn assert_publishes(
    publisher: &Publisher,
    sample: (u64, usize),
    subscribers: &mut [&mut Subscriber],
) {
    let (published, time) = timed(|| publish(publisher, sample));
    published.unwrap();
    assert!(time < TAKEOVER_LIMIT, "publishing took {time:?}");
    for subscriber in subscribers {
        assert_eq!(shown(subscriber), sample);
    }
}

/// Reads the whole ring: complete samples, in order, the last of them the newest.
fn assert_in_order(fixture: &Fixture, newest: Found) {
    let subscriber = Subscriber::attach(&key(fixture), &options(fixture)).unwrap();
    let mut subscriber = subscriber.from_oldest();
    let (mut last, mut sequence) = (None, Sequence::default());
    loop {
        match subscriber.next(Duration::ZERO).unwrap() {
            Next::Sample(sample) => {
                assert!(sample.sequence() > sequence, "{sample:?} after {sequence}");
                sequence = sample.sequence();
                last = Some(number(&sample));
            }
            Next::Cleared { .. } => last = None,
            _ => break,
        }
    }
    // A cleared ring has only the clear, which a later subscriber does not report.
    assert!(
        newest.is_none() || last == newest,
        "{last:?} is not {newest:?}"
    );
}

fn shown(subscriber: &mut Subscriber) -> (u64, usize) {
    number(&subscriber.latest().unwrap().unwrap())
}

fn assert_found(operation: &Operation, sample: Option<&Sample>) {
    let found: Found = sample.map(number);
    assert!(operation.found.contains(&found), "found {found:?}");
}

/// Takes the lock in time; it is abandoned exactly if a holder died. Then repairs.
fn assert_lock(block: &Block<ReadWrite>, abandoned: bool) {
    let (locked, time) = timed(|| block.lock_for(TAKEOVER_LIMIT).unwrap());
    assert!(time < TAKEOVER_LIMIT, "the lock took {time:?}");
    assert_eq!(matches!(locked, Locked::Abandoned(_)), abandoned);
    drop(locked.repair_with(|bytes| bytes.fill(0)));
}

/// Returns the process ids of the participants that may write; the segment is the only one listed.
fn attached(fixture: &Fixture) -> Vec<u32> {
    let listed = segment::list(&options(fixture)).unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let info = listed[0].segment.as_ref().unwrap();
    info.attached.iter().map(|one| one.process.pid()).collect()
}

fn assert_empty(fixture: &Fixture) {
    let listed = segment::list(&options(fixture)).unwrap();
    assert!(listed.is_empty(), "{listed:?}");
    let left: Vec<_> = fs::read_dir(fixture.segments())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Asserts that no byte of any published content is left.
fn assert_blank(fixture: &Fixture) {
    let file = File::open(fixture.segment()).unwrap();
    let memory = segment::info(&key(fixture), &options(fixture)).unwrap();
    assert!(memory.reserved_bytes <= MEMORY, "{memory:?}");
    let mut ring = vec![0; usize::try_from(RING_BYTES).unwrap()];
    file.read_exact_at(&mut ring, layout::RING as u64).unwrap();
    // Only the record of the clear is left.
    let lines = ring
        .chunks(64)
        .filter(|line| line.iter().any(|byte| *byte != 0));
    assert_eq!(lines.count(), 1, "the ring still holds content");
    for region in 1..=layout::REGIONS as u64 {
        let mut memory = vec![0; REGION];
        let length = file
            .read_at(&mut memory, region * layout::REGION_STRIDE)
            .unwrap();
        let blank = memory[..length].iter().all(|byte| *byte == 0);
        assert!(blank, "region {region} still holds content");
    }
}
