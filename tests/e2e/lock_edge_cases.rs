//! Edge cases of a design on byte locks, one test each.
//!
//! Two more are elsewhere: what a forked child that outlives its parent keeps (`container`), and
//! how a forked child may use its parent's handles (shm-core's own test `fork`).

use std::{fs::File, os::unix::fs::FileExt, thread, time::Duration};

use e2e_tests::{
    Fixture, Step, Tracer,
    layout::{LAST, LOCK},
    skip,
};
use shm_core::{
    AttachErrorKind, Block, LockErrorKind, Locked, Metadata, Options, Publisher, ReadWrite,
    RemoveErrorKind, Subscriber, segment,
};

use crate::actor::{Actor, key, options, timed};

/// The limit for an operation that waits for no live process; the rest is for a loaded machine.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(2);

/// Starts an operation and stops the process when `stops` returns `true`; `None` if programs cannot
/// be traced.
fn stopped(
    actor: &mut Actor,
    fixture: &Fixture,
    line: &str,
    stops: impl Fn(Step) -> bool,
) -> Option<Tracer> {
    let mut tracer = match Tracer::seize(actor.program(), fixture.segments()) {
        Ok(tracer) => tracer,
        Err(error) => {
            skip(&format!("programs cannot be traced here: {error}"));
            return None;
        }
    };
    actor.send(line);
    tracer.take_line();
    while !stops(tracer.step().expect("the step comes before the answer")) {}
    Some(tracer)
}

fn is_abandoned(locked: &Locked<'_, ReadWrite>) -> bool {
    matches!(locked, Locked::Abandoned(_))
}

/// *Slot reuse.* A slot is claimed again before any process has detected that its holder died with
/// the lock.
#[test]
fn a_dead_holder_is_detected_after_its_slot_is_reused() {
    let fixture = Fixture::new();
    let keeper = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let mut holder = Actor::new(&fixture);
    holder.run("attach");
    holder.run("lock 1000");
    holder.kill();

    // The claim releases the dead process's lock: the word is free, and marked abandoned.
    let heir = Block::attach(&key(&fixture), &options(&fixture)).unwrap();
    let mut word = [0; 4];
    let file = File::open(fixture.segment()).unwrap();
    file.read_exact_at(&mut word, LOCK as u64).unwrap();
    assert_eq!(u32::from_le_bytes(word), 0b10);

    // The new owner of the slot gets the abandoned lock like any other process, and every holder
    // does, until one of them repairs.
    for block in [&heir, &keeper, &heir] {
        assert!(is_abandoned(&block.try_lock().unwrap()));
    }
    drop(keeper.lock().unwrap().repair_with(|bytes| bytes.fill(0)));
    for block in [&heir, &keeper] {
        assert!(!is_abandoned(&block.try_lock().unwrap()));
    }
}

/// *Own descriptor.* The kernel does not report a process's own locks: the own holder counts as
/// alive.
#[test]
fn own_locks_count_as_alive() {
    let fixture = Fixture::new();
    let timeout = Duration::from_millis(100); // several checks of the holder's liveness
    let block = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let second = Block::attach(&key(&fixture), &options(&fixture)).unwrap();
    let guard = block.lock().unwrap();
    // Neither another thread with the same handle nor another handle takes the lock over.
    for handle in [&block, &second] {
        thread::scope(|scope| {
            let other = scope.spawn(|| handle.lock_for(timeout).map(drop));
            let refused = other.join().unwrap();
            assert!(
                matches!(&refused, Err(error) if matches!(error.kind(), LockErrorKind::Timeout { .. }))
            );
        });
    }
    drop(guard);
    assert!(
        !second.detach().removed,
        "the first handle keeps the block alive"
    );
    assert_eq!(segment::list(&options(&fixture)).unwrap().len(), 1);
    assert!(
        block.detach().removed,
        "the last participant removes the segment"
    );

    // A publisher does not reuse a region that a subscriber of the same process has pinned.
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    publisher.publish(&Metadata::Text, &[b'a'; 20_000]).unwrap();
    let pinned = subscriber.latest().unwrap().unwrap();
    for _ in 0..20 {
        publisher.publish(&Metadata::Text, &[b'b'; 20_000]).unwrap();
    }
    assert_eq!(pinned.payload(), [b'a'; 20_000]);
}

/// *Bounded waits.* A process stops for good in the middle of attaching.
#[test]
fn every_wait_on_a_stopped_process_is_bounded() {
    let fixture = Fixture::new();
    let timeout = Duration::from_millis(200);
    let impatient = Options::new()
        .directory(fixture.segments())
        .timeout(timeout);
    let keeper = Block::create(&key(&fixture), 64, &impatient).unwrap();
    let second = Block::attach(&key(&fixture), &impatient).unwrap();
    let mut sitter = Actor::new(&fixture);
    let takes_lifecycle =
        |step| matches!(step, Step::Call(call) if call == libc::SYS_fcntl.unsigned_abs());
    let Some(tracer) = stopped(&mut sitter, &fixture, "attach", takes_lifecycle) else {
        return;
    };

    let soon = |what: &str, act: &mut dyn FnMut()| {
        let ((), time) = timed(act);
        assert!(time < timeout + TAKEOVER_LIMIT, "{what} took {time:?}");
    };
    soon("attaching", &mut || {
        let refused = Block::attach(&key(&fixture), &impatient).map(drop);
        assert!(
            matches!(&refused, Err(error) if matches!(error.kind(), AttachErrorKind::Busy { .. }))
        );
    });
    soon("creating", &mut || {
        let refused = Block::create(&key(&fixture), 64, &impatient).map(drop);
        assert!(
            matches!(&refused, Err(error) if matches!(error.kind(), AttachErrorKind::Busy { .. }))
        );
    });
    soon("removing", &mut || {
        let refused = segment::remove(&key(&fixture), &impatient, segment::Removal::Forced);
        assert!(
            matches!(&refused, Err(error) if matches!(error.kind(), RemoveErrorKind::Busy { .. }))
        );
    });
    soon("listing", &mut || {
        assert_eq!(segment::list(&impatient).unwrap().len(), 1);
    });
    soon("locking", &mut || drop(keeper.lock().unwrap()));
    let mut second = Some(second);
    soon("detaching", &mut || drop(second.take()));

    tracer.detach();
    sitter.wait_done("attach");
    drop(Block::attach(&key(&fixture), &impatient).unwrap());
}

/// *Death between publish and wake.* No process is woken, and every waiter detects it.
#[test]
fn a_death_between_publish_and_wake_is_detected() {
    let fixture = Fixture::new();
    let _keeper = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut sleeper = Actor::new(&fixture);
    sleeper.run("subscribe");
    let mut peer = Actor::new(&fixture);
    peer.run("open");
    sleeper.send("wait 60000");
    sleeper.wait_until_asleep();
    let names_it = |step| matches!(step, Step::Store(offset) if offset == LAST);
    let Some(tracer) = stopped(&mut peer, &fixture, "publish 2 64", names_it) else {
        return;
    };
    peer.kill();
    drop(tracer);
    let (woken, time) = timed(|| sleeper.wait_done("wait"));
    assert_eq!(woken, "New");
    // It polls once a second.
    assert!(time < Duration::from_secs(1) + TAKEOVER_LIMIT, "{time:?}");
}

/// *Fork.* A child inherits its parent's descriptors; a parent that detaches counts as detached.
#[test]
fn a_parent_detaches_although_its_forked_child_lives() {
    let fixture = Fixture::new();
    let keeper = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut parent = Actor::new(&fixture);
    parent.run("join samples");
    let last = parent.run("leave behind child");
    assert_eq!(last, "false", "another participant stays");
    // The child lives, and holds nothing.
    let impatient = options(&fixture).timeout(TAKEOVER_LIMIT);
    drop(Publisher::open(&key(&fixture), &impatient).unwrap());
    drop(Subscriber::attach(&key(&fixture), &impatient).unwrap());
    assert_eq!(keeper.peers(), [], "the parent has left");
    assert!(
        keeper.detach().removed,
        "the last participant removes the segment"
    );
    fixture.assert_empty();
}
