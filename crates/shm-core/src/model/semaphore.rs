//! The semaphore: no unit is lost or created if a process dies after any store; no wake-up is lost.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::deadline::Deadline;
use crate::layout::SLOTS;
use crate::model::{check, death, futex};
use crate::semaphore::{HolderProbe, Units, Word};
use crate::sync::{AtomicU64, Ordering};

/// The number of processes.
const PROCESSES: usize = 3;
/// An upper bound of the stores of a process in these models.
const STORES: u32 = 9;

/// A semaphore, the data that it guards, and which SLOT bytes are locked.
struct Segment {
    word: AtomicU64,
    records: [[AtomicU64; 1]; PROCESSES],
    guarded: UnsafeCell<u32>,
    live_slots: Mutex<[bool; PROCESSES]>,
}

/// The simulated kernel.
struct Kernel<'a>(&'a Segment);

impl HolderProbe for Kernel<'_> {
    fn is_alive(&self, slot: u8) -> bool {
        self.0.live_slots.lock().unwrap()[usize::from(slot)]
    }

    fn should_abort(&self) -> bool {
        false
    }
}

impl Segment {
    fn new(units: u32) -> Arc<Segment> {
        Arc::new(Segment {
            word: AtomicU64::new(Word::new(units).bits()),
            records: [(); PROCESSES].map(|()| [AtomicU64::new(0)]),
            guarded: UnsafeCell::new(0),
            live_slots: Mutex::new([true; PROCESSES]),
        })
    }

    fn units(&self, slot: u8) -> Units<'_, 1> {
        Units::new(&self.word, &self.records, slot)
    }

    fn acquire(&self, slot: u8, wanted: u32) {
        let never = Deadline::after_option(None);
        self.units(slot)
            .acquire(wanted, || never, &Kernel(self))
            .unwrap();
    }

    fn release(&self, slot: u8, given: u32) {
        self.units(slot).release(given).unwrap();
    }

    /// Acquires and releases a unit, first on the fast path, as a program mostly does.
    fn pair(&self, slot: u8) {
        if !self.units(slot).take_fast(1, |_| false) {
            self.acquire(slot, 1);
        }
        if !self.units(slot).give_fast(1) {
            self.release(slot, 1);
        }
    }

    /// Writes the guarded data; the checker panics if another process accesses it at the same time.
    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn write_guarded(&self) {
        self.guarded.with_mut(|guarded| {
            // SAFETY: the only unit is held; the model checks that this excludes other processes.
            unsafe { *guarded += 1 };
        });
    }

    fn kill(&self, slot: u8) {
        self.live_slots.lock().unwrap()[usize::from(slot)] = false;
    }

    /// Runs a process that dies as planned.
    fn run(&self, slot: u8, steps: impl FnOnce()) {
        if death::run_process(steps) {
            self.kill(slot);
        }
    }

    /// Returns how many units a slot holds.
    fn held(&self, slot: u8) -> u32 {
        self.units(slot).held()
    }

    /// Asserts how many units are available and how many each slot holds.
    fn assert_units(&self, available: u32, held: [u32; PROCESSES]) {
        for (slot, held) in (0..).zip(held) {
            assert_eq!(self.held(slot), held, "held by slot {slot}");
        }
        assert_eq!(self.units(0).available(), available);
    }

    /// Returns the units of dead processes, and asserts that all units are available.
    fn assert_whole(&self, units: u32) {
        for slot in 0..3 {
            if !self.live_slots.lock().unwrap()[usize::from(slot)] {
                self.units(slot).give_back(slot);
            }
        }
        self.assert_units(units, [0; PROCESSES]);
    }
}

fn spawn(segment: &Arc<Segment>, steps: impl FnOnce(&Segment) + 'static) -> thread::JoinHandle<()> {
    let segment = Arc::clone(segment);
    thread::spawn(move || steps(&segment))
}

#[test]
fn two_processes_exclude_each_other_and_no_wake_up_is_lost() {
    futex::set_timeouts(false);
    check(3, || {
        let segment = Segment::new(1);
        let steps = |segment: &Segment, slot| {
            segment.acquire(slot, 1);
            segment.write_guarded();
            segment.release(slot, 1);
        };
        let rival = spawn(&segment, move |segment| steps(segment, 1));
        steps(&segment, 0);
        rival.join().unwrap();
        segment.assert_units(1, [0; PROCESSES]);
    });
}

#[test]
fn units_stay_correct_however_late_a_process_helps() {
    futex::set_timeouts(true);
    check(2, || {
        let segment = Segment::new(3);
        // One process acquires and releases, one helps late, one acquires meanwhile.
        let late = spawn(&segment, |segment| segment.pair(1));
        let third = spawn(&segment, |segment| segment.acquire(2, 1));
        segment.pair(0);
        late.join().unwrap();
        third.join().unwrap();
        segment.assert_units(2, [0, 0, 1]);
    });
}

#[test]
fn threads_that_share_a_slot_keep_units_correct() {
    futex::set_timeouts(true);
    check(3, || {
        let segment = Segment::new(3);
        let thread = spawn(&segment, |segment| segment.acquire(0, 1));
        let other = spawn(&segment, |segment| segment.pair(1));
        segment.pair(0);
        thread.join().unwrap();
        other.join().unwrap();
        segment.assert_units(2, [1, 0, 0]);
    });
}

#[test]
fn two_consumers_acquire_what_one_producer_releases() {
    futex::set_timeouts(false);
    check(2, || {
        let segment = Segment::new(0);
        let consumers = [0, 1].map(|slot| {
            spawn(&segment, move |segment| {
                segment.acquire(slot, 1);
                assert_eq!(segment.units(slot).forget(1), 1);
            })
        });
        segment.release(2, 1);
        segment.release(2, 1);
        for consumer in consumers {
            consumer.join().unwrap();
        }
        segment.assert_units(0, [0; PROCESSES]);
    });
}

#[test]
fn a_waiter_for_several_units_and_a_waiter_for_one_are_both_woken() {
    futex::set_timeouts(false);
    check(2, || {
        let segment = Segment::new(0);
        let consumers = [(0, 2), (1, 1)].map(|(slot, wanted)| {
            spawn(&segment, move |segment| {
                segment.acquire(slot, wanted);
                assert_eq!(segment.units(slot).forget(wanted), wanted);
            })
        });
        segment.release(2, 1);
        segment.release(2, 2);
        for consumer in consumers {
            consumer.join().unwrap();
        }
        segment.assert_units(0, [0; PROCESSES]);
    });
}

#[test]
fn a_death_after_any_store_neither_loses_nor_creates_a_unit() {
    futex::set_timeouts(true);
    for stores in 1..=STORES {
        check(2, move || {
            let segment = Segment::new(2);
            death::plan(2, stores);
            let dying = spawn(&segment, |segment| {
                segment.run(2, || {
                    segment.pair(2);
                    segment.acquire(2, 2);
                    segment.release(2, 1);
                });
                segment.kill(2);
            });
            segment.pair(0);
            segment.acquire(0, 2);
            segment.release(0, 2);
            dying.join().unwrap();
            segment.assert_whole(2);
        });
    }
}

#[test]
fn a_death_beside_two_processes_neither_loses_nor_creates_a_unit() {
    futex::set_timeouts(true);
    for stores in 1..=4 {
        check(2, move || {
            let segment = Segment::new(1);
            death::plan(2, stores);
            let dying = spawn(&segment, |segment| {
                segment.run(2, || segment.acquire(2, 1));
                segment.kill(2);
            });
            // Without blocking: two processes that wait for a death would only wait for each other
            // here.
            let rival = spawn(&segment, |segment| {
                if segment.units(1).try_acquire(1, &Kernel(segment)) == Ok(true) {
                    segment.release(1, 1);
                }
            });
            segment.pair(0);
            rival.join().unwrap();
            dying.join().unwrap();
            segment.assert_whole(1);
        });
    }
}

#[test]
fn a_process_may_die_while_it_returns_the_units_of_a_dead_one() {
    futex::set_timeouts(true);
    for stores in 1..=4 {
        check(2, move || {
            let segment = Segment::new(1);
            segment.acquire(2, 1);
            segment.kill(2);
            death::plan(1, stores);
            let dying = spawn(&segment, |segment| {
                segment.run(1, || segment.acquire(1, 1));
                segment.kill(1);
            });
            segment.acquire(0, 1);
            segment.release(0, 1);
            dying.join().unwrap();
            segment.assert_whole(1);
        });
    }
}

#[test]
fn a_reused_slot_neither_leaks_units_nor_grants_them_twice() {
    futex::set_timeouts(true);
    check(3, || {
        let segment = Segment::new(1);
        // The holder of slot 2 has died with the only unit.
        segment.acquire(2, 1);
        segment.kill(2);
        let successor = spawn(&segment, |segment| {
            // It locks the dead process's SLOT byte, returns that process's units, then uses the
            // slot.
            segment.live_slots.lock().unwrap()[2] = true;
            segment.units(2).give_back(2);
            segment.acquire(2, 1);
            segment.write_guarded();
            segment.release(2, 1);
        });
        segment.acquire(0, 1);
        segment.write_guarded();
        segment.release(0, 1);
        successor.join().unwrap();
        segment.assert_units(1, [0; PROCESSES]);
    });
}

#[test]
fn every_operation_ends_with_invalid_words() {
    // Independent of interleavings, but it must run the code that ships.
    check(0, || {
        for bits in [u64::MAX, 1 << 63, 0x8181 << 48, (SLOTS as u64) << 56] {
            let segment = Segment::new(1);
            segment.word.store(bits, Ordering::Relaxed);
            segment.records[2][0].store(bits, Ordering::Relaxed);
            let units = segment.units(0);
            let _result = (units.held(), units.try_acquire(1, &Kernel(&segment)));
            let _result = (units.release(1), units.forget(9));
            segment.kill(2);
            let _result = units.try_acquire(9, &Kernel(&segment));
            units.give_back(2);
        }
    });
}
