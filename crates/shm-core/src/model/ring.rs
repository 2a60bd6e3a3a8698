//! The ring and its regions: no torn sample, no write under a pin, samples in order, every sample
//! read or counted as skipped, also if a publisher dies.

use std::cell::RefCell;
use std::io;

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::layout::Region;
use crate::process::Process;
use crate::sample::clock::Timestamps;
use crate::sample::cursor::{Copied, Cursor, Found, ReadMode, ReadStep};
use crate::sample::regions::{RegionLocks, RegionTable, Retention};
use crate::sample::ring::{NewRecord, Newest, Payload, Ring};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::ByteLock;

/// Four records of one line.
const WORDS: usize = 32;
const REGIONS: u16 = 3;
/// The length of a large sample.
const LARGE_BYTES: u64 = 4096;

/// A segment, and the byte locks on its file.
struct Segment {
    last: AtomicU64,
    oldest: AtomicU64,
    words: Vec<AtomicU64>,
    large_bytes: AtomicU64,
    table: Vec<Region>,
    /// The contents of the regions, which are read in place.
    contents: Vec<UnsafeCell<u64>>,
    region_locks: Mutex<Vec<RegionLock>>,
    /// The segment's lock, and whether its last holder died.
    lock: Mutex<Abandoned>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Abandoned(bool);

#[derive(Clone, Default)]
struct RegionLock {
    claimed: Option<u8>,
    pinned: Vec<u8>,
}

/// One open file.
struct File<'a> {
    segment: &'a Segment,
    id: u8,
}

impl RegionLocks for File<'_> {
    fn try_lock(&self, region: u16, lock: ByteLock) -> io::Result<bool> {
        let mut locks = self.segment.region_locks.lock().unwrap();
        let held = &mut locks[usize::from(region)];
        let is_write = lock == ByteLock::Write;
        let is_free = held.claimed.is_none() && !(is_write && !held.pinned.is_empty());
        match lock {
            ByteLock::Read if is_free => held.pinned.push(self.id),
            ByteLock::Write if is_free => held.claimed = Some(self.id),
            _ => {}
        }
        Ok(is_free)
    }

    fn release(&self, region: u16) {
        let mut locks = self.segment.region_locks.lock().unwrap();
        let held = &mut locks[usize::from(region)];
        held.claimed = held.claimed.filter(|claimer| *claimer != self.id);
        held.pinned.retain(|pinner| *pinner != self.id);
    }
}

/// When a publisher dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    /// After reserving space, before any word of the record is written.
    Reserved,
    /// After the region is named, before the record is committed.
    Named,
}

/// A publisher and its state between samples.
struct Publisher {
    id: u8,
    newest: Option<Newest>,
    retention: Retention,
}

impl Segment {
    fn new() -> Arc<Segment> {
        let words = || AtomicU64::new(0);
        let count = usize::from(REGIONS) + 1;
        let segment = Segment {
            last: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            words: (0..WORDS).map(|_| words()).collect(),
            large_bytes: AtomicU64::new(0),
            table: (0..count).map(|_| Region::new_for_model()).collect(),
            contents: (0..count).map(|_| UnsafeCell::new(0)).collect(),
            region_locks: Mutex::new(vec![RegionLock::default(); count]),
            lock: Mutex::new(Abandoned(false)),
        };
        segment.ring().begin(writer());
        Arc::new(segment)
    }

    fn ring(&self) -> Ring<'_> {
        Ring::new(&self.last, &self.oldest, &self.words)
    }

    fn regions(&self) -> RegionTable<'_> {
        RegionTable {
            last: &self.last,
            large_bytes: &self.large_bytes,
            entries: &self.table,
        }
    }

    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn write(&self, region: u16, number: u64) {
        // SAFETY: the region is claimed; the model checks that this excludes other processes.
        self.contents[usize::from(region)].with_mut(|content| unsafe { *content = number });
    }

    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn read(&self, region: u16) -> u64 {
        // SAFETY: the region is pinned; the model checks that this excludes writers.
        self.contents[usize::from(region)].with(|content| unsafe { *content })
    }
}

impl Publisher {
    fn new(id: u8) -> Publisher {
        Publisher {
            id,
            newest: None,
            retention: Retention::Keep(0),
        }
    }

    fn retaining(self, bytes: u64) -> Publisher {
        Publisher {
            retention: Retention::Keep(bytes),
            ..self
        }
    }

    /// Publishes an inline sample whose payload depends on its sequence.
    fn publish(&mut self, segment: &Segment) {
        self.commit(segment, None);
    }

    /// Publishes a large sample; publishes nothing if no region can be claimed.
    fn publish_large(&mut self, segment: &Segment, death: Option<Death>) {
        let file = File {
            segment,
            id: self.id,
        };
        let claimed = |retention| {
            (1..=REGIONS).find(|&region| segment.regions().claim(&file, region, retention).unwrap())
        };
        let Some(region) = claimed(self.retention).or_else(|| claimed(Retention::Ignore)) else {
            return;
        };
        self.commit(segment, Some((region, death)));
        file.release(region);
    }

    fn commit(&mut self, segment: &Segment, large: Option<(u16, Option<Death>)>) {
        let file = File {
            segment,
            id: self.id,
        };
        let ring = segment.ring();
        let mut lock = segment.lock.lock().unwrap();
        if lock.0 {
            recover(segment, &file);
            *lock = Abandoned(false);
        }
        // The payload depends on the sequence, which is known only after the reservation.
        let placeholder = [0; 8];
        let record = new_record(match large {
            None => Payload::Inline(&placeholder),
            Some((region, _)) => Payload::Large {
                region,
                bytes: LARGE_BYTES,
            },
        });
        let reservation = ring.make_room(&mut self.newest, &record).unwrap();
        if let Some((region, death)) = large {
            // As if it had been filled before, with a number that no other publisher writes.
            segment.write(region, reservation.position);
            if death == Some(Death::Reserved) {
                *lock = Abandoned(true);
                return;
            }
            segment
                .regions()
                .name(&file, region, reservation.position, LARGE_BYTES);
            if death == Some(Death::Named) {
                *lock = Abandoned(true);
                return;
            }
        }
        let payload = (reservation.sequence * 10).to_le_bytes();
        let record = match large {
            None => new_record(Payload::Inline(&payload)),
            Some(_) => record,
        };
        ring.append(&mut self.newest, reservation, &record, WHEN);
    }

    fn clear(&mut self, segment: &Segment) {
        let file = File {
            segment,
            id: self.id,
        };
        let lock = segment.lock.lock().unwrap();
        let cleared = new_record(Payload::Cleared);
        let reservation = segment
            .ring()
            .make_room(&mut self.newest, &cleared)
            .unwrap();
        segment
            .ring()
            .append(&mut self.newest, reservation, &cleared, WHEN);
        segment.ring().erase();
        erase_regions(segment, &file);
        drop(lock);
    }
}

/// Recovers as a publisher does that acquires the lock from a dead one.
fn recover(segment: &Segment, file: &File<'_>) {
    segment.regions().recover();
    if segment.ring().is_cleared() {
        segment.ring().erase();
        erase_regions(segment, file);
    }
}

fn erase_regions(segment: &Segment, file: &File<'_>) {
    for region in 1..=REGIONS {
        if segment
            .regions()
            .claim(file, region, Retention::Ignore)
            .unwrap()
        {
            segment.write(region, 0);
            file.release(region);
        }
    }
}

const WHEN: Timestamps = Timestamps {
    wall: 0,
    monotonic: 0,
};

fn new_record(payload: Payload<'_>) -> NewRecord<'_> {
    NewRecord::new(&[], payload, writer())
}

fn writer() -> Process {
    Process::with_pid(0)
}

/// A subscriber that checks what it reads.
struct Subscriber {
    id: u8,
    cursor: Cursor,
    copied: RefCell<Copied>,
    /// The number of samples and clearings that were read, or counted as skipped.
    accounted: u64,
    last_sequence: u64,
}

impl Subscriber {
    fn attach(segment: &Segment) -> Subscriber {
        Subscriber {
            id: 9,
            cursor: Cursor::at_newest(segment.ring()),
            copied: RefCell::default(),
            accounted: 0,
            last_sequence: 0,
        }
    }

    /// Makes up to `attempts` attempts to read; returns `true` if nothing is unread.
    fn read(&mut self, segment: &Segment, mode: ReadMode, attempts: usize) -> bool {
        for _ in 0..attempts {
            let file = File {
                segment,
                id: self.id,
            };
            let copied = &mut self.copied.borrow_mut();
            let step = self
                .cursor
                .try_read(segment.ring(), mode, copied, |region, position| {
                    segment.regions().pin(&file, region, position)
                })
                .unwrap();
            match step {
                ReadStep::Empty => return true,
                ReadStep::Retry | ReadStep::Overrun | ReadStep::Contended => {}
                ReadStep::Damaged(error) => panic!("damaged without a malicious peer: {error}"),
                ReadStep::Cleared { skipped } => self.accounted += skipped + 1,
                ReadStep::Sample(found) => {
                    let sequence = found.record.sequence;
                    assert!(sequence > self.last_sequence, "out of order");
                    self.last_sequence = sequence;
                    self.accounted += found.skipped + 1;
                    check_payload(segment, &file, &found, &copied.payload);
                }
            }
        }
        false
    }
}

fn check_payload(segment: &Segment, file: &File<'_>, found: &Found, payload: &[u8]) {
    match found.region {
        None => {
            let number = u64::from_le_bytes(payload.try_into().unwrap());
            assert_eq!(number, found.record.sequence * 10, "torn");
        }
        Some(region) => {
            let number = segment.read(region);
            let position = segment.regions().position(region);
            assert_eq!(number, position, "torn under a pin");
            file.release(region);
        }
    }
}

/// Runs a subscriber beside publishers; afterwards it has read or counted every sample.
fn check(
    preemptions: usize,
    mode: ReadMode,
    before: impl Fn(&Segment) + Sync + Send + 'static,
    publishers: Vec<fn(&Segment)>,
    published: u64,
) {
    super::check(preemptions, move || {
        let segment = Segment::new();
        let mut subscriber = Subscriber::attach(&segment);
        before(&segment);
        let writers: Vec<_> = publishers
            .iter()
            .map(|&publish| {
                let segment = Arc::clone(&segment);
                thread::spawn(move || publish(&segment))
            })
            .collect();
        let reader = {
            let segment = Arc::clone(&segment);
            thread::spawn(move || {
                subscriber.read(&segment, mode, 3);
                subscriber
            })
        };
        for writer in writers {
            writer.join().unwrap();
        }
        let mut subscriber = reader.join().unwrap();
        assert!(subscriber.read(&segment, mode, 20), "reading ends");
        assert!(
            subscriber.accounted <= published,
            "no sample is counted twice"
        );
        if mode == ReadMode::Next {
            assert_eq!(subscriber.accounted, published, "every sample is counted");
        }
    });
}

/// Fills the ring, so that the next publication evicts.
fn fill(segment: &Segment) {
    let mut publisher = Publisher::new(0);
    for _ in 0..3 {
        publisher.publish(segment);
    }
}

fn publish_two(segment: &Segment) {
    let mut publisher = Publisher::new(1);
    publisher.publish(segment);
    publisher.publish(segment);
}

fn publish_one(segment: &Segment) {
    Publisher::new(2).publish(segment);
}

/// Resets the ring as a publisher does that finds it damaged.
fn reset(segment: &Segment) {
    let lock = segment.lock.lock().unwrap();
    segment.ring().reset(&mut None, writer());
    drop(lock);
}

#[test]
fn a_reset_ring_is_never_found_damaged() {
    check(2, ReadMode::Latest, |_| {}, vec![reset], 1);
}

#[test]
fn samples_in_order_are_never_torn_and_all_counted() {
    check(2, ReadMode::Next, |_| {}, vec![publish_two], 2);
}

#[test]
fn an_overrun_subscriber_reads_no_torn_sample_and_counts_what_it_missed() {
    check(2, ReadMode::Next, fill, vec![publish_two], 5);
}

#[test]
fn the_newest_sample_is_never_torn() {
    check(2, ReadMode::Latest, fill, vec![publish_two], 5);
}

#[test]
fn two_publishers_share_one_sequence() {
    check(1, ReadMode::Next, fill, vec![publish_one, publish_one], 5);
}

#[test]
fn a_subscriber_reads_no_erased_sample() {
    let clear = |segment: &Segment| Publisher::new(1).clear(segment);
    check(1, ReadMode::Next, fill, vec![clear], 4);
}

#[test]
fn a_pinned_large_sample_does_not_change() {
    let publish: fn(&Segment) = |segment| {
        let mut publisher = Publisher::new(1);
        publisher.publish_large(segment, None);
        publisher.publish_large(segment, None);
    };
    let before = |segment: &Segment| Publisher::new(0).publish_large(segment, None);
    check(2, ReadMode::Next, before, vec![publish], 3);
}

#[test]
fn two_publishers_of_large_samples_never_share_a_region() {
    let one: fn(&Segment) = |segment| Publisher::new(1).publish_large(segment, None);
    let two: fn(&Segment) = |segment| Publisher::new(2).publish_large(segment, None);
    let before = |segment: &Segment| Publisher::new(0).publish_large(segment, None);
    check(1, ReadMode::Next, before, vec![one, two], 3);
}

#[test]
fn retained_samples_are_reused_only_if_no_other_region_is_free() {
    super::check(1, || {
        let segment = Segment::new();
        let mut subscriber = Subscriber::attach(&segment);
        let mut publisher = Publisher::new(0).retaining(LARGE_BYTES);
        publisher.publish_large(&segment, None);
        let writer = {
            let segment = Arc::clone(&segment);
            thread::spawn(move || {
                publisher.publish_large(&segment, None);
                publisher.publish_large(&segment, None);
            })
        };
        subscriber.read(&segment, ReadMode::Next, 1);
        writer.join().unwrap();
        assert!(subscriber.read(&segment, ReadMode::Next, 20));
        assert_eq!(subscriber.accounted, 3);
    });
}

#[test]
fn a_publisher_that_dies_with_the_lock_leaves_no_sample_and_no_named_region() {
    for death in [Death::Reserved, Death::Named] {
        super::check(1, move || {
            let segment = Segment::new();
            let mut subscriber = Subscriber::attach(&segment);
            Publisher::new(0).publish_large(&segment, None);
            Publisher::new(1).publish_large(&segment, Some(death));
            let successor = {
                let segment = Arc::clone(&segment);
                thread::spawn(move || {
                    let mut publisher = Publisher::new(2);
                    publisher.publish_large(&segment, None);
                    publisher.publish_large(&segment, None);
                })
            };
            subscriber.read(&segment, ReadMode::Next, 2);
            successor.join().unwrap();
            assert!(subscriber.read(&segment, ReadMode::Next, 20));
            assert_eq!(
                subscriber.accounted, 3,
                "the uncommitted record is no sample"
            );
            for region in 1..=REGIONS {
                let position = segment.regions().position(region);
                assert!(position <= segment.last.load(Ordering::Relaxed));
            }
        });
    }
}
