//! The semaphore: no unit is lost or made if a process dies after any store; no wake-up is lost.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::deadline::Deadline;
use crate::layout::SLOTS;
use crate::model::{check, death, futex};
use crate::semaphore::{HolderProbe, Units, Word};
use crate::sync::{AtomicU64, Ordering};

/// How many processes there are.
const PROCESSES: usize = 3;
/// More stores than any process of these models makes.
const STORES: u32 = 9;

/// A semaphore, what it guards, and which slots the kernel says are held.
struct World {
    word: AtomicU64,
    records: [[AtomicU64; 1]; PROCESSES],
    guarded: UnsafeCell<u32>,
    held: Mutex<[bool; PROCESSES]>,
}

/// A process that asks the kernel of the model.
struct Kernel<'a>(&'a World);

impl HolderProbe for Kernel<'_> {
    fn is_alive(&self, slot: u8) -> bool {
        self.0.held.lock().unwrap()[usize::from(slot)]
    }

    fn should_abort(&self) -> bool {
        false
    }
}

impl World {
    fn new(units: u32) -> Arc<World> {
        Arc::new(World {
            word: AtomicU64::new(Word::new(units).bits()),
            records: [(); PROCESSES].map(|()| [AtomicU64::new(0)]),
            guarded: UnsafeCell::new(0),
            held: Mutex::new([true; PROCESSES]),
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

    /// What a program does mostly: the quick way first.
    fn pair(&self, slot: u8) {
        if !self.units(slot).take_fast(1, |_| false) {
            self.acquire(slot, 1);
        }
        if !self.units(slot).give_fast(1) {
            self.release(slot, 1);
        }
    }

    /// Touches what is guarded; the checker cries where another process does so too.
    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn touch(&self) {
        self.guarded.with_mut(|guarded| {
            // SAFETY: the only unit is held; that this excludes others is what the model proves.
            unsafe { *guarded += 1 };
        });
    }

    fn dies(&self, slot: u8) {
        self.held.lock().unwrap()[usize::from(slot)] = false;
    }

    /// Runs a process that dies where it is planned.
    fn lives(&self, slot: u8, steps: impl FnOnce()) {
        if death::process(steps) {
            self.dies(slot);
        }
    }

    /// What a slot holds.
    fn held(&self, slot: u8) -> u32 {
        self.units(slot).held()
    }

    /// Asserts that so many units are available once those of the dead are back, and so many held.
    fn assert(&self, available: u32, held: [u32; PROCESSES]) {
        for (slot, held) in (0..).zip(held) {
            assert_eq!(self.held(slot), held, "held by slot {slot}");
        }
        assert_eq!(self.units(0).available(), available);
    }

    /// Gives the units of the dead back, and asserts that all are there.
    fn assert_whole(&self, units: u32) {
        for slot in 0..3 {
            if !self.held.lock().unwrap()[usize::from(slot)] {
                self.units(slot).give_back(slot);
            }
        }
        self.assert(units, [0; PROCESSES]);
    }
}

fn spawn(world: &Arc<World>, steps: impl FnOnce(&World) + 'static) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || steps(&world))
}

#[test]
fn two_exclude_each_other_and_no_wake_is_lost() {
    futex::sleep_times_out(false);
    check(3, || {
        let world = World::new(1);
        let steps = |world: &World, slot| {
            world.acquire(slot, 1);
            world.touch();
            world.release(slot, 1);
        };
        let rival = spawn(&world, move |world| steps(world, 1));
        steps(&world, 0);
        rival.join().unwrap();
        world.assert(1, [0; PROCESSES]);
    });
}

#[test]
fn three_count_right_however_late_one_helps() {
    futex::sleep_times_out(true);
    check(2, || {
        let world = World::new(3);
        // One that comes and goes in a hurry, one that helps late, one that goes on meanwhile.
        let late = spawn(&world, |world| world.pair(1));
        let third = spawn(&world, |world| world.acquire(2, 1));
        world.pair(0);
        late.join().unwrap();
        third.join().unwrap();
        world.assert(2, [0, 0, 1]);
    });
}

#[test]
fn threads_of_one_slot_count_right() {
    futex::sleep_times_out(true);
    check(3, || {
        let world = World::new(3);
        let thread = spawn(&world, |world| world.acquire(0, 1));
        let other = spawn(&world, |world| world.pair(1));
        world.pair(0);
        thread.join().unwrap();
        other.join().unwrap();
        world.assert(2, [1, 0, 0]);
    });
}

#[test]
fn two_consumers_get_what_one_producer_releases() {
    futex::sleep_times_out(false);
    check(2, || {
        let world = World::new(0);
        let consumers = [0, 1].map(|slot| {
            spawn(&world, move |world| {
                world.acquire(slot, 1);
                assert_eq!(world.units(slot).forget(1), 1);
            })
        });
        world.release(2, 1);
        world.release(2, 1);
        for consumer in consumers {
            consumer.join().unwrap();
        }
        world.assert(0, [0; PROCESSES]);
    });
}

#[test]
fn who_wants_several_units_and_who_wants_one_both_get_them() {
    futex::sleep_times_out(false);
    check(2, || {
        let world = World::new(0);
        let consumers = [(0, 2), (1, 1)].map(|(slot, wanted)| {
            spawn(&world, move |world| {
                world.acquire(slot, wanted);
                assert_eq!(world.units(slot).forget(wanted), wanted);
            })
        });
        world.release(2, 1);
        world.release(2, 2);
        for consumer in consumers {
            consumer.join().unwrap();
        }
        world.assert(0, [0; PROCESSES]);
    });
}

#[test]
fn a_death_after_any_store_neither_loses_nor_makes_a_unit() {
    futex::sleep_times_out(true);
    for stores in 1..=STORES {
        check(2, move || {
            let world = World::new(2);
            death::plan(2, stores);
            let dying = spawn(&world, |world| {
                world.lives(2, || {
                    world.pair(2);
                    world.acquire(2, 2);
                    world.release(2, 1);
                });
                world.dies(2);
            });
            world.pair(0);
            world.acquire(0, 2);
            world.release(0, 2);
            dying.join().unwrap();
            world.assert_whole(2);
        });
    }
}

#[test]
fn a_death_beside_two_neither_loses_nor_makes_a_unit() {
    futex::sleep_times_out(true);
    for stores in 1..=4 {
        check(2, move || {
            let world = World::new(1);
            death::plan(2, stores);
            let dying = spawn(&world, |world| {
                world.lives(2, || world.acquire(2, 1));
                world.dies(2);
            });
            // Without a wait: two who wait for a death would only wait for each other here.
            let rival = spawn(&world, |world| {
                if world.units(1).try_acquire(1, &Kernel(world)) == Ok(true) {
                    world.release(1, 1);
                }
            });
            world.pair(0);
            rival.join().unwrap();
            dying.join().unwrap();
            world.assert_whole(1);
        });
    }
}

#[test]
fn who_gives_back_what_a_dead_process_held_may_die_of_it_too() {
    futex::sleep_times_out(true);
    for stores in 1..=4 {
        check(2, move || {
            let world = World::new(1);
            world.acquire(2, 1);
            world.dies(2);
            death::plan(1, stores);
            let dying = spawn(&world, |world| {
                world.lives(1, || world.acquire(1, 1));
                world.dies(1);
            });
            world.acquire(0, 1);
            world.release(0, 1);
            dying.join().unwrap();
            world.assert_whole(1);
        });
    }
}

#[test]
fn a_slot_claimed_again_neither_loses_its_units_nor_hands_them_out_twice() {
    futex::sleep_times_out(true);
    check(3, || {
        let world = World::new(1);
        // The holder of slot 2 has died with the only unit.
        world.acquire(2, 1);
        world.dies(2);
        let newcomer = spawn(&world, |world| {
            // The kernel gives it the dead one's byte; it gives back, then uses the slot.
            world.held.lock().unwrap()[2] = true;
            world.units(2).give_back(2);
            world.acquire(2, 1);
            world.touch();
            world.release(2, 1);
        });
        world.acquire(0, 1);
        world.touch();
        world.release(0, 1);
        newcomer.join().unwrap();
        world.assert(1, [0; PROCESSES]);
    });
}

#[test]
fn nonsense_in_the_words_ends_every_operation() {
    // Not a matter of interleavings, but of the code that ships.
    check(0, || {
        for bits in [u64::MAX, 1 << 63, 0x8181 << 48, (SLOTS as u64) << 56] {
            let world = World::new(1);
            world.word.store(bits, Ordering::Relaxed);
            world.records[2][0].store(bits, Ordering::Relaxed);
            let units = world.units(0);
            let _whatever = (units.held(), units.try_acquire(1, &Kernel(&world)));
            let _whatever = (units.release(1), units.forget(9));
            world.dies(2);
            let _whatever = units.try_acquire(9, &Kernel(&world));
            units.give_back(2);
        }
    });
}
