//! The lock: exclusion, no lost wake-up, death and settlement.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::deadline::Deadline;
use crate::lock::{self, HolderProbe, Owner};
use crate::model::{check, futex};
use crate::sync::AtomicU32;

/// A lock word, what it guards, and which slots the kernel says are held.
struct World {
    word: AtomicU32,
    guarded: UnsafeCell<u32>,
    held: Mutex<[bool; 3]>,
}

/// One who contends, from its slot.
struct Contender<'a> {
    world: &'a World,
    me: Owner,
}

impl HolderProbe for Contender<'_> {
    fn is_alive(&self, holder: Owner) -> bool {
        holder.slot() == self.me.slot()
            || self.world.held.lock().unwrap()[usize::from(holder.slot())]
    }

    fn should_abort(&self) -> bool {
        false
    }
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            word: AtomicU32::new(0),
            guarded: UnsafeCell::new(0),
            held: Mutex::new([true; 3]),
        })
    }

    /// Takes the lock; true where it was abandoned.
    fn acquire(&self, slot: u8, generation: u32) -> bool {
        let contender = Contender {
            world: self,
            me: Owner::new(slot, generation),
        };
        let never = Deadline::after_option(None);
        lock::acquire(&self.word, contender.me, || never, &contender)
            .unwrap()
            .abandoned
    }

    /// Touches what is guarded; the checker cries where somebody else does so too.
    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn touch(&self) -> u32 {
        self.guarded.with_mut(|guarded| {
            // SAFETY: the lock is held; that this excludes others is what the model proves.
            unsafe { *guarded += 1 };
            // SAFETY: as above.
            unsafe { *guarded }
        })
    }

    fn dies(&self, slot: u8) {
        self.held.lock().unwrap()[usize::from(slot)] = false;
    }
}

#[test]
fn two_exclude_each_other_and_no_wake_is_lost() {
    futex::sleep_times_out(false);
    check(4, || {
        let world = World::new();
        let rival = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                assert!(!world.acquire(1, 1));
                world.touch();
                lock::release(&world.word, false);
            })
        };
        assert!(!world.acquire(0, 1));
        world.touch();
        lock::release(&world.word, false);
        rival.join().unwrap();
        assert!(!world.acquire(0, 1));
        assert_eq!(world.touch(), 3);
    });
}

#[test]
fn three_exclude_each_other_and_no_wake_is_lost() {
    futex::sleep_times_out(false);
    check(2, || {
        let world = World::new();
        let rivals: Vec<_> = [1, 2]
            .map(|slot| {
                let world = Arc::clone(&world);
                thread::spawn(move || {
                    world.acquire(slot, 1);
                    world.touch();
                    lock::release(&world.word, false);
                })
            })
            .into();
        world.acquire(0, 1);
        world.touch();
        lock::release(&world.word, false);
        for rival in rivals {
            rival.join().unwrap();
        }
        world.acquire(0, 1);
        assert_eq!(world.touch(), 4);
    });
}

/// Takes the lock, touches, and says repaired by letting go; 1 where it was told of a death.
fn inherit(world: &World, slot: u8) -> u32 {
    let abandoned = world.acquire(slot, 1);
    world.touch();
    lock::release(&world.word, false);
    u32::from(abandoned)
}

#[test]
fn of_two_heirs_exactly_one_is_told_when_it_repairs() {
    futex::sleep_times_out(true);
    check(3, || {
        let world = World::new();
        world.acquire(2, 1);
        world.touch();
        world.dies(2);
        let rival = {
            let world = Arc::clone(&world);
            thread::spawn(move || inherit(&world, 1))
        };
        assert_eq!(inherit(&world, 0) + rival.join().unwrap(), 1);
    });
}

#[test]
fn a_death_at_any_moment_is_told_to_whoever_comes_after_it() {
    futex::sleep_times_out(true);
    check(3, || {
        let world = World::new();
        let holder = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.acquire(2, 1);
                world.touch();
                world.dies(2);
            })
        };
        // Before the holder, nothing is told, and rightly so; then the late one is.
        let early = inherit(&world, 0);
        holder.join().unwrap();
        assert_eq!(early + inherit(&world, 0), 1);
    });
}

#[test]
fn a_slot_claimed_again_neither_loses_the_lock_nor_hands_it_out_twice() {
    futex::sleep_times_out(true);
    check(3, || {
        let world = World::new();
        // The holder of slot 2 has died with the lock.
        world.acquire(2, 1);
        world.dies(2);
        let newcomer = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                // The kernel gives it the dead one's byte; it settles, then has a new generation.
                world.held.lock().unwrap()[2] = true;
                lock::release_dead_owner(&world.word, 2);
                let abandoned = world.acquire(2, 2);
                world.touch();
                lock::release(&world.word, false);
                u32::from(abandoned)
            })
        };
        let abandoned = world.acquire(0, 1);
        world.touch();
        lock::release(&world.word, false);
        let told = u32::from(abandoned) + newcomer.join().unwrap();
        assert_eq!(
            told, 1,
            "whoever came first after the death is told, and repaired"
        );
    });
}
