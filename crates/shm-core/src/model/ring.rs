//! The ring and its regions: no torn sample, no write under a pin, order kept, every sample read or
//! counted as skipped, whoever dies where.

use std::cell::RefCell;

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::layout::Region;
use crate::process::Process;
use crate::sample::clock::When;
use crate::sample::cursor::{Copied, Cursor, Found, PinRegion, Turn, Which};
use crate::sample::regions::{Claims, Pinned, Pins, Regions, Retention};
use crate::sample::ring::{Draft, Newest, Payload, Ring};
use crate::sync::{AtomicU64, Ordering};

/// Four records of one line.
const WORDS: usize = 32;
const REGIONS: u16 = 3;
/// What a large sample takes.
const LARGE: u64 = 4096;

/// A segment, and what the kernel knows of its byte locks.
struct World {
    last: AtomicU64,
    oldest: AtomicU64,
    words: Vec<AtomicU64>,
    large_bytes: AtomicU64,
    table: Vec<Region>,
    /// What stands in a region: read in place.
    memory: Vec<UnsafeCell<u64>>,
    bytes: Mutex<Vec<Byte>>,
    /// The segment's lock: free, held, or left by a publisher that died.
    lock: Mutex<Abandoned>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Abandoned(bool);

#[derive(Clone, Default)]
struct Byte {
    claimed: Option<u8>,
    pinned: Vec<u8>,
}

/// One open file.
struct File<'a> {
    world: &'a World,
    name: u8,
}

impl Pins for File<'_> {
    type Error = ();

    fn try_pin(&self, region: u16) -> Result<bool, ()> {
        let mut bytes = self.world.bytes.lock().unwrap();
        let byte = &mut bytes[usize::from(region)];
        let is_free = byte.claimed.is_none();
        if is_free {
            byte.pinned.push(self.name);
        }
        Ok(is_free)
    }

    fn release(&self, region: u16) {
        let mut bytes = self.world.bytes.lock().unwrap();
        let byte = &mut bytes[usize::from(region)];
        byte.claimed = byte.claimed.filter(|claimer| *claimer != self.name);
        byte.pinned.retain(|pinner| *pinner != self.name);
    }
}

impl Claims for File<'_> {
    fn try_claim(&self, region: u16) -> Result<bool, ()> {
        let mut bytes = self.world.bytes.lock().unwrap();
        let byte = &mut bytes[usize::from(region)];
        let is_free = byte.claimed.is_none() && byte.pinned.is_empty();
        if is_free {
            byte.claimed = Some(self.name);
        }
        Ok(is_free)
    }
}

impl PinRegion for File<'_> {
    type Error = ();

    fn pin(&self, region: u16, position: u64) -> Result<Pinned, ()> {
        self.world.regions().pin(self, region, position)
    }
}

/// Where a publisher dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    /// After making room, before anything of the record is written.
    Room,
    /// After the region's entry names the record, before the record is there.
    Named,
}

/// A publisher, with what it remembers.
struct Publisher {
    name: u8,
    newest: Option<Newest>,
    retention: Retention,
}

impl World {
    fn new() -> Arc<World> {
        let words = || AtomicU64::new(0);
        let count = usize::from(REGIONS) + 1;
        let world = World {
            last: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            words: (0..WORDS).map(|_| words()).collect(),
            large_bytes: AtomicU64::new(0),
            table: (0..count).map(|_| Region::new_for_model()).collect(),
            memory: (0..count).map(|_| UnsafeCell::new(0)).collect(),
            bytes: Mutex::new(vec![Byte::default(); count]),
            lock: Mutex::new(Abandoned(false)),
        };
        world.ring().begin(writer());
        Arc::new(world)
    }

    fn ring(&self) -> Ring<'_> {
        Ring::new(&self.last, &self.oldest, &self.words)
    }

    fn regions(&self) -> Regions<'_> {
        Regions::new(&self.last, &self.large_bytes, &self.table)
    }

    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn write(&self, region: u16, number: u64) {
        // SAFETY: the region is claimed; that this excludes others is what the model proves.
        self.memory[usize::from(region)].with_mut(|memory| unsafe { *memory = number });
    }

    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn read(&self, region: u16) -> u64 {
        // SAFETY: the region is pinned; that this excludes writers is what the model proves.
        self.memory[usize::from(region)].with(|memory| unsafe { *memory })
    }
}

impl Publisher {
    fn new(name: u8) -> Publisher {
        Publisher {
            name,
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

    /// Publishes a sample whose payload says which it is.
    fn publish(&mut self, world: &World) {
        self.commit(world, None);
    }

    /// Publishes a large sample; nothing where every region is needed.
    fn publish_large(&mut self, world: &World, death: Option<Death>) {
        let file = File {
            world,
            name: self.name,
        };
        let claimed = |retention| {
            (1..=REGIONS).find(|&region| world.regions().claim(&file, region, retention).unwrap())
        };
        let Some(region) = claimed(self.retention).or_else(|| claimed(Retention::GiveWay)) else {
            return;
        };
        self.commit(world, Some((region, death)));
        file.release(region);
    }

    fn commit(&mut self, world: &World, large: Option<(u16, Option<Death>)>) {
        let file = File {
            world,
            name: self.name,
        };
        let ring = world.ring();
        let mut lock = world.lock.lock().unwrap();
        if lock.0 {
            recover(world, &file);
            *lock = Abandoned(false);
        }
        // What is published is known only with its sequence, so the payload is written twice as long.
        let length = [0; 8];
        let draft = draft(match large {
            None => Payload::Inline(&length),
            Some((region, _)) => Payload::Large {
                region,
                bytes: LARGE,
            },
        });
        let room = ring.make_room(&mut self.newest, &draft).unwrap();
        if let Some((region, death)) = large {
            // As if it had been filled before, with a number that nobody else writes.
            world.write(region, room.position);
            if death == Some(Death::Room) {
                *lock = Abandoned(true);
                return;
            }
            world.regions().name(&file, region, room.position, LARGE);
            if death == Some(Death::Named) {
                *lock = Abandoned(true);
                return;
            }
        }
        let payload = (room.sequence * 10).to_le_bytes();
        let draft = match large {
            None => self::draft(Payload::Inline(&payload)),
            Some(_) => draft,
        };
        ring.append(&mut self.newest, room, &draft, WHEN);
    }

    fn clear(&mut self, world: &World) {
        let file = File {
            world,
            name: self.name,
        };
        let lock = world.lock.lock().unwrap();
        let cleared = draft(Payload::Cleared);
        let room = world.ring().make_room(&mut self.newest, &cleared).unwrap();
        world.ring().append(&mut self.newest, room, &cleared, WHEN);
        world.ring().erase();
        erase_regions(world, &file);
        drop(lock);
    }
}

/// As a publisher does that takes the lock from a dead one.
fn recover(world: &World, file: &File<'_>) {
    world.regions().recover();
    if world.ring().is_cleared() {
        world.ring().erase();
        erase_regions(world, file);
    }
}

fn erase_regions(world: &World, file: &File<'_>) {
    for region in 1..=REGIONS {
        if world
            .regions()
            .claim(file, region, Retention::GiveWay)
            .unwrap()
        {
            world.write(region, 0);
            file.release(region);
        }
    }
}

const WHEN: When = When {
    wall: 0,
    monotonic: 0,
};

fn draft(payload: Payload<'_>) -> Draft<'_> {
    Draft::new(&[], payload, writer())
}

fn writer() -> Process {
    Process::with_pid(0)
}

/// A subscriber that checks what it reads.
struct Subscriber {
    name: u8,
    cursor: Cursor,
    copied: RefCell<Copied>,
    /// Samples and clearings that it knows of: read, or counted as skipped.
    accounted: u64,
    last: u64,
}

impl Subscriber {
    fn attach(world: &World) -> Subscriber {
        Subscriber {
            name: 9,
            cursor: Cursor::at_newest(world.ring()),
            copied: RefCell::default(),
            accounted: 0,
            last: 0,
        }
    }

    /// Reads up to `turns` times; true where it has read all there was.
    fn read(&mut self, world: &World, which: Which, turns: usize) -> bool {
        for _ in 0..turns {
            let file = File {
                world,
                name: self.name,
            };
            let copied = &mut self.copied.borrow_mut();
            let turn = self
                .cursor
                .turn(world.ring(), which, copied, &file)
                .unwrap();
            match turn {
                Turn::Nothing => return true,
                Turn::Again | Turn::Overrun | Turn::Refused => {}
                Turn::Damaged(error) => panic!("no peer lies here: {error}"),
                Turn::Cleared { skipped } => self.accounted += skipped + 1,
                Turn::Sample(found) => {
                    let sequence = found.record.sequence;
                    assert!(sequence > self.last, "out of order");
                    self.last = sequence;
                    self.accounted += found.skipped + 1;
                    check_payload(world, &file, &found, &copied.payload);
                }
            }
        }
        false
    }
}

fn check_payload(world: &World, file: &File<'_>, found: &Found, payload: &[u8]) {
    match found.region {
        None => {
            let number = u64::from_le_bytes(payload.try_into().unwrap());
            assert_eq!(number, found.record.sequence * 10, "torn");
        }
        Some(region) => {
            let number = world.read(region);
            let position = world.regions().position(region);
            assert_eq!(number, position, "torn under a pin");
            file.release(region);
        }
    }
}

/// One subscriber reads beside publishers; afterwards it has read or counted everything.
fn check(
    preemptions: usize,
    which: Which,
    before: impl Fn(&World) + Sync + Send + 'static,
    publishers: Vec<fn(&World)>,
    published: u64,
) {
    super::check(preemptions, move || {
        let world = World::new();
        let mut subscriber = Subscriber::attach(&world);
        before(&world);
        let writers: Vec<_> = publishers
            .iter()
            .map(|&publish| {
                let world = Arc::clone(&world);
                thread::spawn(move || publish(&world))
            })
            .collect();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                subscriber.read(&world, which, 3);
                subscriber
            })
        };
        for writer in writers {
            writer.join().unwrap();
        }
        let mut subscriber = reader.join().unwrap();
        assert!(subscriber.read(&world, which, 20), "it comes to an end");
        assert!(
            subscriber.accounted <= published,
            "nothing is counted twice"
        );
        if which == Which::Next {
            assert_eq!(
                subscriber.accounted, published,
                "nothing is lost from sight"
            );
        }
    });
}

/// Fills the ring, so that the next publication evicts.
fn fill(world: &World) {
    let mut publisher = Publisher::new(0);
    for _ in 0..3 {
        publisher.publish(world);
    }
}

fn publish_two(world: &World) {
    let mut publisher = Publisher::new(1);
    publisher.publish(world);
    publisher.publish(world);
}

fn publish_one(world: &World) {
    Publisher::new(2).publish(world);
}

/// As a publisher does that finds the ring damaged.
fn begin_anew(world: &World) {
    let lock = world.lock.lock().unwrap();
    world.ring().restart(&mut None, writer());
    drop(lock);
}

#[test]
fn a_ring_that_begins_anew_is_never_found_damaged() {
    check(2, Which::Latest, |_| {}, vec![begin_anew], 1);
}

#[test]
fn samples_in_order_are_never_torn_and_never_lost_from_sight() {
    check(2, Which::Next, |_| {}, vec![publish_two], 2);
}

#[test]
fn an_overrun_subscriber_reads_nothing_torn_and_counts_what_it_missed() {
    check(2, Which::Next, fill, vec![publish_two], 5);
}

#[test]
fn the_newest_is_never_torn() {
    check(2, Which::Latest, fill, vec![publish_two], 5);
}

#[test]
fn two_publishers_write_one_sequence() {
    check(1, Which::Next, fill, vec![publish_one, publish_one], 5);
}

#[test]
fn a_cleared_ring_shows_nothing_that_was_erased() {
    let clear = |world: &World| Publisher::new(1).clear(world);
    check(1, Which::Next, fill, vec![clear], 4);
}

#[test]
fn large_samples_do_not_change_under_a_pin() {
    let publish: fn(&World) = |world| {
        let mut publisher = Publisher::new(1);
        publisher.publish_large(world, None);
        publisher.publish_large(world, None);
    };
    let before = |world: &World| Publisher::new(0).publish_large(world, None);
    check(2, Which::Next, before, vec![publish], 3);
}

#[test]
fn two_publishers_of_large_samples_never_share_a_region() {
    let one: fn(&World) = |world| Publisher::new(1).publish_large(world, None);
    let two: fn(&World) = |world| Publisher::new(2).publish_large(world, None);
    let before = |world: &World| Publisher::new(0).publish_large(world, None);
    check(1, Which::Next, before, vec![one, two], 3);
}

#[test]
fn retained_samples_give_way_only_where_nothing_else_is_free() {
    super::check(1, || {
        let world = World::new();
        let mut subscriber = Subscriber::attach(&world);
        let mut publisher = Publisher::new(0).retaining(LARGE);
        publisher.publish_large(&world, None);
        let writer = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                publisher.publish_large(&world, None);
                publisher.publish_large(&world, None);
            })
        };
        subscriber.read(&world, Which::Next, 1);
        writer.join().unwrap();
        assert!(subscriber.read(&world, Which::Next, 20));
        assert_eq!(subscriber.accounted, 3);
    });
}

#[test]
fn a_publisher_that_died_with_the_lock_leaves_nothing_behind() {
    for death in [Death::Room, Death::Named] {
        super::check(1, move || {
            let world = World::new();
            let mut subscriber = Subscriber::attach(&world);
            Publisher::new(0).publish_large(&world, None);
            Publisher::new(1).publish_large(&world, Some(death));
            let heir = {
                let world = Arc::clone(&world);
                thread::spawn(move || {
                    let mut publisher = Publisher::new(2);
                    publisher.publish_large(&world, None);
                    publisher.publish_large(&world, None);
                })
            };
            subscriber.read(&world, Which::Next, 2);
            heir.join().unwrap();
            assert!(subscriber.read(&world, Which::Next, 20));
            assert_eq!(subscriber.accounted, 3, "the dead one's is no sample");
            for region in 1..=REGIONS {
                let position = world.regions().position(region);
                assert!(position <= world.last.load(Ordering::Relaxed));
            }
        });
    }
}
