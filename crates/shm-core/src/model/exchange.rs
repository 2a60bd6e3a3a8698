//! The exchange of regions: no torn copy, no write under a pin, no sample lost from sight.

use std::collections::VecDeque;

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::layout::{Entry, Region, SMALL_PAYLOAD_BYTES};
use crate::process::Process;
use crate::sample::exchange::{Claims, Exchange, Pins};
use crate::sync::{AtomicU64, Ordering};

const REGIONS: u16 = 3;

/// A segment with three regions of one number each, and the kernel's locks on them.
struct World {
    latest: AtomicU64,
    regions: Vec<Region>,
    /// What stands in a small sample: copied while it may be written.
    small: Vec<AtomicU64>,
    /// What stands in a large sample: read in place.
    large: Vec<UnsafeCell<u64>>,
    /// Per region: who has claimed it, who has pinned it.
    bytes: Mutex<Vec<Byte>>,
    /// The lock under which is published.
    lock: Mutex<()>,
}

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
        if byte.claimed.is_some_and(|claimer| claimer != self.name) {
            return Ok(false);
        }
        byte.claimed = None;
        byte.pinned.push(self.name);
        Ok(true)
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

    fn admit_readers(&self, region: u16) -> Result<(), ()> {
        assert!(
            self.try_pin(region)?,
            "converting one's own lock cannot fail"
        );
        Ok(())
    }
}

impl World {
    fn new() -> Arc<World> {
        let count = usize::from(REGIONS) + 1;
        Arc::new(World {
            latest: AtomicU64::new(0),
            regions: (0..count).map(|_| Region::new_for_model()).collect(),
            small: (0..count).map(|_| AtomicU64::new(0)).collect(),
            large: (0..count).map(|_| UnsafeCell::new(0)).collect(),
            bytes: Mutex::new(vec![Byte::default(); count]),
            lock: Mutex::new(()),
        })
    }

    fn exchange(&self) -> Exchange<'_> {
        Exchange::new(&self.latest, &self.regions)
    }

    /// Publishes one number, which names itself: every writer's numbers differ.
    fn publish(&self, name: u8, number: u64, is_large: bool) {
        let file = File { world: self, name };
        // Both others may be pinned: then this one publishes nothing.
        let Some(region) = self.claim(&file) else {
            return;
        };
        self.publish_in(&file, region, number, is_large);
        file.release(region);
    }

    /// The same for small numbers, by one who keeps regions claimed and uses them in turn.
    fn publish_keeping(&self, name: u8, number: u64, kept: &mut VecDeque<u16>) {
        let file = File { world: self, name };
        let reused = kept.pop_front_if(|region| self.exchange().reuse(*region));
        let Some(region) = reused.or_else(|| self.claim(&file)) else {
            return;
        };
        self.publish_in(&file, region, number, false);
        kept.push_back(region);
    }

    fn claim(&self, file: &File<'_>) -> Option<u16> {
        (1..=REGIONS).find(|&region| self.exchange().claim(file, region).unwrap())
    }

    fn publish_in(&self, file: &File<'_>, region: u16, number: u64, is_large: bool) {
        let payload_bytes = if is_large {
            self.write_large(region, number);
            SMALL_PAYLOAD_BYTES as u64 + number
        } else {
            self.small[usize::from(region)].store(number, Ordering::Relaxed);
            number
        };
        let entry = Entry {
            generation: 0,
            payload_bytes,
            metadata_bytes: 0,
            writer: Process::with_pid(0),
            published: 0,
        };
        let lock = self.lock.lock().unwrap();
        self.exchange().publish(file, region, entry).unwrap();
        drop(lock);
    }

    /// Reads the latest sample, trying twice; its number, or nothing where it was overtaken twice.
    fn read(&self, name: u8) -> Option<u64> {
        let file = File { world: self, name };
        (0..2).find_map(|_| {
            let latest = self.exchange().latest();
            let region = latest.region().expect("something was published before");
            let number = self.read_from(&file, region, latest.generation());
            // A claimed byte says nothing; an entry that has gone says that this is not the latest.
            if number.is_none() && self.exchange().entry(region, latest.generation()).is_none() {
                assert_ne!(
                    self.exchange().latest(),
                    latest,
                    "the latest was taken from its readers"
                );
            }
            number
        })
    }

    fn read_from(&self, file: &File<'_>, region: u16, generation: u64) -> Option<u64> {
        let entry = self.exchange().entry(region, generation)?;
        if entry.payload_bytes <= SMALL_PAYLOAD_BYTES as u64 {
            let copy = self.small[usize::from(region)].load(Ordering::Relaxed);
            let number = self.exchange().copied(region, &entry, copy)?;
            assert_eq!(
                number, entry.payload_bytes,
                "torn: another sample's payload"
            );
            return Some(number);
        }
        let entry = self.exchange().pin(file, region, generation).unwrap()?;
        let number = self.read_large(region);
        assert_eq!(
            number,
            entry.payload_bytes - SMALL_PAYLOAD_BYTES as u64,
            "torn under a pin"
        );
        file.release(region);
        Some(number)
    }

    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn write_large(&self, region: u16, number: u64) {
        // SAFETY: the region is claimed; that this excludes others is what the model proves.
        self.large[usize::from(region)].with_mut(|large| unsafe { *large = number });
    }

    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn read_large(&self, region: u16) -> u64 {
        // SAFETY: the region is pinned; that this excludes writers is what the model proves.
        self.large[usize::from(region)].with(|large| unsafe { *large })
    }
}

fn check(preemptions: usize, is_large: bool, publishers: u8, rounds: u64) {
    super::check(preemptions, move || {
        let world = World::new();
        world.publish(0, 1, is_large);
        let writers: Vec<_> = (0..publishers)
            .map(|name| {
                let world = Arc::clone(&world);
                thread::spawn(move || {
                    for round in 0..rounds {
                        world.publish(name, 2 + 2 * u64::from(name) + round, is_large);
                    }
                })
            })
            .collect();
        // Whatever is found is whole, which `read` asserts. In a thread of its
        // own, so that it comes at any time without a preemption.
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.read(9))
        };
        for writer in writers {
            writer.join().unwrap();
        }
        let _overtaken = reader.join().unwrap();
        assert!(
            world.read(9).is_some_and(|number| number > 1),
            "the latest is always there to be read"
        );
    });
}

#[test]
fn small_samples_are_never_torn() {
    check(2, false, 1, 2);
}

#[test]
fn large_samples_do_not_change_under_a_pin() {
    check(2, true, 1, 2);
}

#[test]
fn two_publishers_of_small_samples_never_share_a_region() {
    check(1, false, 2, 1);
}

#[test]
fn two_publishers_of_large_samples_never_share_a_region() {
    check(1, true, 2, 1);
}

/// One publisher keeps its regions; `others` publish beside it, and do not.
fn check_keeping(preemptions: usize, rounds: u64, others: u8) {
    super::check(preemptions, move || {
        let world = World::new();
        let mut kept = VecDeque::new();
        world.publish_keeping(0, 1, &mut kept);
        let keeping = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for round in 0..rounds {
                    world.publish_keeping(0, 2 + round, &mut kept);
                }
            })
        };
        let others: Vec<_> = (1..=others)
            .map(|name| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.publish(name, 10 + u64::from(name), false))
            })
            .collect();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.read(9))
        };
        keeping.join().unwrap();
        for other in others {
            other.join().unwrap();
        }
        let _overtaken = reader.join().unwrap();
        assert!(
            world.read(9).is_some_and(|number| number > 1),
            "the latest is always there to be read"
        );
    });
}

#[test]
fn small_samples_in_kept_regions_are_never_torn() {
    check_keeping(2, 2, 0);
}

#[test]
fn kept_regions_are_nobody_elses() {
    check_keeping(1, 1, 1);
}
