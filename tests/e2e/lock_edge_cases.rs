//! The holes that a design on byte locks has to close, a test each.
//!
//! Two more stand elsewhere: what a forked child keeps that outlives its parent (`container`), and what
//! a forked child may do with its parent's handles (shm-core's own tests, `fork`).

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

/// How long something may take that waits for nobody, or for a dead one; a loaded machine is given time.
const SOON: Duration = Duration::from_secs(2);

/// Begins something and stops where `stops` says so; nothing where programs cannot be traced.
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
    while !stops(tracer.step().expect("it gets there before it answers")) {}
    Some(tracer)
}

fn is_abandoned(locked: &Locked<'_, ReadWrite>) -> bool {
    matches!(locked, Locked::Abandoned(_))
}

/// *Slot reuse.* A slot is claimed again before anybody noticed that its holder died with the lock.
#[test]
fn slot_reuse() {
    let fixture = Fixture::new();
    let keeper = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let mut holder = Actor::new(&fixture);
    holder.run("attach");
    holder.run("lock 1000");
    holder.kill();

    // The claim settles what the dead one left: the word is free, and says that it was abandoned.
    let heir = Block::attach(&key(&fixture), &options(&fixture)).unwrap();
    let mut word = [0; 4];
    let file = File::open(fixture.segment()).unwrap();
    file.read_exact_at(&mut word, LOCK as u64).unwrap();
    assert_eq!(u32::from_le_bytes(word), 0b10);

    // Who holds the slot now is told like anybody else, and everybody is, until somebody repairs.
    for block in [&heir, &keeper, &heir] {
        assert!(is_abandoned(&block.try_lock().unwrap()));
    }
    drop(keeper.lock().unwrap().repair_with(|bytes| bytes.fill(0)));
    for block in [&heir, &keeper] {
        assert!(!is_abandoned(&block.try_lock().unwrap()));
    }
}

/// *Own descriptor.* The kernel does not tell of one's own locks: what one holds oneself is alive.
#[test]
fn own_descriptor() {
    let fixture = Fixture::new();
    let timeout = Duration::from_millis(100); // several looks at whether the holder lives
    let block = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let second = Block::attach(&key(&fixture), &options(&fixture)).unwrap();
    let guard = block.lock().unwrap();
    // Neither another thread through the same handle nor another handle takes it for a dead one's.
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
    assert!(!second.detach().removed, "the first handle keeps it");
    assert_eq!(segment::list(&options(&fixture)).unwrap().len(), 1);
    assert!(block.detach().removed, "the last one out");

    // A publisher does not claim what a subscriber of the same process has pinned.
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    publisher.publish(&Metadata::Text, &[b'a'; 20_000]).unwrap();
    let pinned = subscriber.latest().unwrap().unwrap();
    for _ in 0..20 {
        publisher.publish(&Metadata::Text, &[b'b'; 20_000]).unwrap();
    }
    assert_eq!(pinned.payload(), [b'a'; 20_000]);
}

/// *No wait without a bound.* Somebody stops for good in the middle of attaching.
#[test]
fn no_wait_without_a_bound() {
    let fixture = Fixture::new();
    let timeout = Duration::from_millis(200);
    let impatient = Options::new().directory(fixture.segments()).timeout(timeout);
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
        assert!(time < timeout + SOON, "{what} took {time:?}");
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

    tracer.let_go();
    sitter.wait_done("attach");
    drop(Block::attach(&key(&fixture), &impatient).unwrap());
}

/// *Death between publishing and waking.* Nobody is woken, and everybody notices.
#[test]
fn death_between_publishing_and_waking() {
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
    // It looks again once a second.
    assert!(time < Duration::from_secs(1) + SOON, "{time:?}");
}

/// *Fork.* A child has its parent's descriptors; when the parent leaves in order, it has left.
#[test]
fn fork() {
    let fixture = Fixture::new();
    let keeper = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut parent = Actor::new(&fixture);
    parent.run("join samples");
    let last = parent.run("leave behind child");
    assert_eq!(last, "false", "somebody else stays");
    // The child lives, and sits on nothing.
    let impatient = options(&fixture).timeout(SOON);
    drop(Publisher::open(&key(&fixture), &impatient).unwrap());
    drop(Subscriber::attach(&key(&fixture), &impatient).unwrap());
    assert_eq!(keeper.peers(), [], "the parent has left");
    assert!(keeper.detach().removed, "the last one out");
    fixture.assert_empty();
}
