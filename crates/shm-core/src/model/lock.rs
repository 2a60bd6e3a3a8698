//! The lock: mutual exclusion, no lost wake-up, recovery from dead holders.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::deadline::Deadline;
use crate::lock::{self, HolderProbe, Owner};
use crate::model::{check, futex};
use crate::sync::AtomicU32;

/// A lock word, the data that it guards, and which SLOT bytes are locked.
struct Segment {
    word: AtomicU32,
    guarded: UnsafeCell<u32>,
    live_slots: Mutex<[bool; 3]>,
}

/// A process that contends for the lock.
struct Contender<'a> {
    segment: &'a Segment,
    me: Owner,
}

impl HolderProbe for Contender<'_> {
    fn is_alive(&self, holder: Owner) -> bool {
        holder.slot() == self.me.slot()
            || self.segment.live_slots.lock().unwrap()[usize::from(holder.slot())]
    }

    fn should_abort(&self) -> bool {
        false
    }
}

impl Segment {
    fn new() -> Arc<Segment> {
        Arc::new(Segment {
            word: AtomicU32::new(0),
            guarded: UnsafeCell::new(0),
            live_slots: Mutex::new([true; 3]),
        })
    }

    /// Acquires the lock; returns `true` if it was abandoned.
    fn acquire(&self, slot: u8, generation: u32) -> bool {
        let contender = Contender {
            segment: self,
            me: Owner::new(slot, generation),
        };
        let never = Deadline::after_option(None);
        lock::acquire(&self.word, contender.me, || never, &contender)
            .unwrap()
            .abandoned
    }

    /// Writes the guarded data; the checker panics if another thread accesses it at the same time.
    #[expect(unsafe_code, reason = "the access whose exclusion is checked")]
    fn write_guarded(&self) -> u32 {
        self.guarded.with_mut(|guarded| {
            // SAFETY: the lock is held; the model checks that this excludes other threads.
            unsafe { *guarded += 1 };
            // SAFETY: as above.
            unsafe { *guarded }
        })
    }

    fn kill(&self, slot: u8) {
        self.live_slots.lock().unwrap()[usize::from(slot)] = false;
    }
}

#[test]
fn two_processes_exclude_each_other_and_no_wake_up_is_lost() {
    futex::set_timeouts(false);
    check(4, || {
        let segment = Segment::new();
        let rival = {
            let segment = Arc::clone(&segment);
            thread::spawn(move || {
                assert!(!segment.acquire(1, 1));
                segment.write_guarded();
                lock::release(&segment.word, false);
            })
        };
        assert!(!segment.acquire(0, 1));
        segment.write_guarded();
        lock::release(&segment.word, false);
        rival.join().unwrap();
        assert!(!segment.acquire(0, 1));
        assert_eq!(segment.write_guarded(), 3);
    });
}

#[test]
fn three_processes_exclude_each_other_and_no_wake_up_is_lost() {
    futex::set_timeouts(false);
    check(2, || {
        let segment = Segment::new();
        let rivals: Vec<_> = [1, 2]
            .map(|slot| {
                let segment = Arc::clone(&segment);
                thread::spawn(move || {
                    segment.acquire(slot, 1);
                    segment.write_guarded();
                    lock::release(&segment.word, false);
                })
            })
            .into();
        segment.acquire(0, 1);
        segment.write_guarded();
        lock::release(&segment.word, false);
        for rival in rivals {
            rival.join().unwrap();
        }
        segment.acquire(0, 1);
        assert_eq!(segment.write_guarded(), 4);
    });
}

/// Acquires the lock, writes the data, and releases the lock as repaired; returns 1 if it was
/// abandoned.
fn acquire_and_repair(segment: &Segment, slot: u8) -> u32 {
    let abandoned = segment.acquire(slot, 1);
    segment.write_guarded();
    lock::release(&segment.word, false);
    u32::from(abandoned)
}

#[test]
fn exactly_one_of_two_contenders_sees_an_abandoned_lock() {
    futex::set_timeouts(true);
    check(3, || {
        let segment = Segment::new();
        segment.acquire(2, 1);
        segment.write_guarded();
        segment.kill(2);
        let rival = {
            let segment = Arc::clone(&segment);
            thread::spawn(move || acquire_and_repair(&segment, 1))
        };
        assert_eq!(acquire_and_repair(&segment, 0) + rival.join().unwrap(), 1);
    });
}

#[test]
fn a_dead_holder_is_detected_by_the_next_process() {
    futex::set_timeouts(true);
    check(3, || {
        let segment = Segment::new();
        let holder = {
            let segment = Arc::clone(&segment);
            thread::spawn(move || {
                segment.acquire(2, 1);
                segment.write_guarded();
                segment.kill(2);
            })
        };
        // If this comes before the holder, it must not be abandoned; then the second acquisition
        // is.
        let early = acquire_and_repair(&segment, 0);
        holder.join().unwrap();
        assert_eq!(early + acquire_and_repair(&segment, 0), 1);
    });
}

#[test]
fn a_reused_slot_neither_leaks_the_lock_nor_grants_it_twice() {
    futex::set_timeouts(true);
    check(3, || {
        let segment = Segment::new();
        // The holder of slot 2 has died with the lock.
        segment.acquire(2, 1);
        segment.kill(2);
        let successor = {
            let segment = Arc::clone(&segment);
            thread::spawn(move || {
                // It locks the dead process's SLOT byte, releases that process's locks, and has a
                // new generation.
                segment.live_slots.lock().unwrap()[2] = true;
                lock::release_dead_owner(&segment.word, 2);
                let abandoned = segment.acquire(2, 2);
                segment.write_guarded();
                lock::release(&segment.word, false);
                u32::from(abandoned)
            })
        };
        let abandoned = segment.acquire(0, 1);
        segment.write_guarded();
        lock::release(&segment.word, false);
        let reports = u32::from(abandoned) + successor.join().unwrap();
        assert_eq!(
            reports, 1,
            "only the first process after the death sees an abandoned lock"
        );
    });
}
