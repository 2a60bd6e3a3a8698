//! Eight measured faults of Qt's `QSharedMemory`, F1 to F8: none of them can happen here.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use e2e_tests::{Fixture, Launch, Program, Signal, skip};
use shm_core::{
    AttachErrorKind, Block, Guard, LockErrorKind, Locked, PublishErrorKind, Publisher, ReadWrite,
    Subscriber, WaitResult, segment,
};

use crate::actor::{Actor, key, options, timed};

/// The limit for taking over a dead holder's lock. It takes about 10 ms; the rest is for a loaded
/// machine.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(2);

/// Takes the lock of a 64-byte block whose killed holder has written the first 32 bytes.
fn lock_of_killed_holder<'a>(
    block: &'a Block<ReadWrite>,
    fixture: &Fixture,
) -> Locked<'a, ReadWrite> {
    let mut holder = Actor::new(fixture);
    holder.run("attach");
    holder.run("lock 1000");
    holder.run("scrawl 32");
    holder.kill();
    let (locked, time) = timed(|| block.lock().unwrap());
    println!("the lock came {time:?} after its holder's death");
    assert!(time < TAKEOVER_LIMIT, "{time:?}");
    locked
}

fn is_clean(block: &Block<ReadWrite>) -> bool {
    matches!(block.lock().unwrap(), Locked::Clean(_))
}

/// F1: `kill -9` the lock's holder. Qt passes the lock on without a hint, or never again.
#[test]
fn f1_a_killed_holder_frees_the_lock_and_the_next_holder_repairs_or_discards() {
    let fixture = Fixture::new();
    let block = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();

    let Locked::Abandoned(mut found) = lock_of_killed_holder(&block, &fixture) else {
        panic!("a half-written block is reported as clean");
    };
    assert_eq!(found[..32], [255; 32]);
    assert_eq!(found[32..], [0; 32]);
    found[32..].fill(255);
    let repaired: Guard<'_, _> = found.repaired();
    assert!(repaired.iter().all(|&byte| byte == 255));
    drop(repaired);
    assert!(
        is_clean(&block),
        "a repaired block is reported as abandoned"
    );

    drop(lock_of_killed_holder(&block, &fixture).repair_with(|bytes| bytes.fill(0)));
    let discarded = block.lock().unwrap();
    assert!(matches!(&discarded, Locked::Clean(guard) if guard[..] == [0; 64]));
    drop(discarded);

    // A holder that neither repairs nor discards leaves it to the next.
    drop(lock_of_killed_holder(&block, &fixture).ignore_abandonment());
    assert!(
        !is_clean(&block),
        "a half-written block is reported as clean"
    );
}

#[test]
fn f1_a_waiter_gets_the_lock_soon_after_its_holder_is_killed() {
    let fixture = Fixture::new();
    let (mut holder, mut heir) = (Actor::new(&fixture), Actor::new(&fixture));
    holder.run("create 64");
    heir.run("attach");
    assert_eq!(holder.run("lock 1000"), "clean");
    let refused = heir.try_run("lock 50");
    assert!(
        refused.contains("held by actor"),
        "the holder is not named: {refused}"
    );

    heir.send("lock 60000");
    let death = Instant::now();
    holder.kill();
    assert_eq!(heir.wait_done("lock"), "abandoned");
    println!("a waiter got the lock {:?} after the kill", death.elapsed());
    assert!(death.elapsed() < TAKEOVER_LIMIT, "{:?}", death.elapsed());
    heir.run("unlock");
    assert_eq!(heir.run("lock 1000"), "clean");
    heir.kill();
    fixture.assert_empty();
}

/// F2: `kill -9` the only attached process, then create. Qt returns `AlreadyExists`.
#[test]
fn f2_killing_the_only_participant_does_not_block_the_next_create() {
    let fixture = Fixture::new();
    for size in [64, 4096, 1] {
        let mut actor = Actor::new(&fixture);
        actor.run(&format!("create {size}"));
        actor.kill();
        assert!(
            fixture.segment().exists(),
            "a killed process leaves its file"
        );
    }
    let block = Block::create(&key(&fixture), 10, &options(&fixture)).unwrap();
    assert_eq!(block.size(), 10);
    assert!(matches!(block.lock().unwrap(), Locked::Clean(guard) if guard[..] == [0; 10]));
    drop(block);
    fixture.assert_empty();
}

/// F3: the writer is gone, a reader is still attached, a new writer creates. Qt returns
/// `AlreadyExists` until the reader detaches.
#[test]
fn f3_an_attached_reader_does_not_block_a_new_writer() {
    let fixture = Fixture::new();
    let old = fixture.loader(["text", "of the old writer"]).start();
    old.wait_for(fixture.key());
    let mut reader = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let kept = reader.latest().unwrap().unwrap();
    old.kill();

    let new = fixture.loader(["text", "of the new writer"]).start();
    new.wait_for(fixture.key());
    let shown = fixture.viewer(["show"]).run().done();
    assert_eq!(shown.text(), "of the new writer");
    // The reader keeps its sample, and is notified that no more will follow.
    assert_eq!(kept.payload(), b"of the old writer");
    let mut told = reader.wait(Some(TAKEOVER_LIMIT)).unwrap();
    if told == WaitResult::PublisherGone {
        told = reader.wait(Some(TAKEOVER_LIMIT)).unwrap();
    }
    assert_eq!(told, WaitResult::Removed);
    new.terminate().done();
    fixture.assert_empty();
}

#[test]
fn f3_a_new_writer_joins_a_block_that_a_reader_keeps_alive() {
    let fixture = Fixture::new();
    let mut old = Actor::new(&fixture);
    old.run("create 64");
    let reader = Block::attach_read_only(&key(&fixture), &options(&fixture)).unwrap();
    old.run("lock 1000");
    old.run("scrawl 32");
    old.kill();

    let new = Block::open_or_create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let locked = new.lock().unwrap();
    assert!(matches!(locked, Locked::Abandoned(_)));
    locked.repair_with(|bytes| bytes.fill(7));
    assert!(matches!(reader.lock().unwrap(), Locked::Clean(guard) if guard[..] == [7; 64]));
    drop(new);

    // Or it creates a new block, and the reader keeps the old bytes.
    segment::remove(&key(&fixture), &options(&fixture), segment::Removal::Forced).unwrap();
    let anew = Block::create(&key(&fixture), 32, &options(&fixture)).unwrap();
    assert_eq!(anew.size(), 32);
    drop((anew, reader));
    fixture.assert_empty();
}

/// F4: A holds the lock, B's create fails, C locks. Qt gives C the lock that A holds.
#[test]
fn f4_a_failed_create_leaves_the_lock_with_its_holder() {
    let fixture = Fixture::new();
    let mut holder = Actor::new(&fixture);
    holder.run("create 64");
    holder.run("lock 1000");

    let mut second = Actor::new(&fixture);
    let refused = second.try_run("create 64");
    assert!(refused.contains("already"), "{refused}");
    let mut third = Actor::new(&fixture);
    third.run("attach");
    assert!(third.try_run("lock 100").contains("held by actor"));
    second.kill();
    assert!(third.try_run("lock 100").contains("held by actor"));

    holder.run("unlock");
    assert_eq!(third.run("lock 1000"), "clean");
}

/// F5: a reader holds the lock, the writer closes. With Qt its exit hangs until the unlock.
#[test]
fn f5_a_writer_closes_while_a_reader_holds_the_lock() {
    let fixture = Fixture::new();
    let block = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let mut reader = Actor::new(&fixture);
    reader.run("attach");
    reader.run("lock 1000");
    let (removed, time) = timed(|| block.detach().removed);
    println!("detaching took {time:?} while another held the lock");
    assert!(time < TAKEOVER_LIMIT, "{time:?}");
    assert!(!removed, "the reader keeps the block alive");
    reader.run("unlock");
    assert_eq!(reader.run("lock 1000"), "clean");
}

#[test]
fn f5_a_loader_ends_while_a_reader_pins_its_sample() {
    let fixture = Fixture::new();
    let large = fixture.file("large", &[7; 100_000]);
    let loader = fixture.loader(["file"]).args([&large]).start();
    loader.wait_for(fixture.key());
    let mut reader = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let pinned = reader.latest().unwrap().unwrap();
    let (outcome, time) = timed(|| loader.terminate());
    outcome.done();
    println!("the loader ended within {time:?}, with its sample pinned");
    assert!(time < TAKEOVER_LIMIT, "{time:?}");
    assert_eq!(pinned.payload(), [7; 100_000]);
}

/// Retries until an attempt succeeds, for a second plus the time that a loaded machine needs.
fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    const DETECTION_LIMIT: Duration = Duration::from_secs(5);
    let began = Instant::now();
    loop {
        if let Some(result) = attempt() {
            println!("{what} after {:?}", began.elapsed());
            return result;
        }
        assert!(began.elapsed() < DETECTION_LIMIT, "not {what}");
        std::thread::yield_now();
    }
}

/// F6: a cleaner removes the file. With Qt there are then two segments under one key, permanently.
#[test]
fn f6_a_removed_file_is_detected_by_publisher_and_subscriber() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    publisher.publish_text("before").unwrap();
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    fs::remove_file(fixture.segment()).unwrap();

    // Nothing is published meanwhile: a sleeping subscriber detects it by itself.
    assert_eq!(subscriber.wait(None).unwrap(), WaitResult::Removed);
    eventually("noticed by publishing", || {
        let published = publisher.publish_text("after");
        matches!(&published, Err(error) if *error.kind() == PublishErrorKind::Removed).then_some(())
    });
    let anew = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    assert!(anew.created());
    anew.publish_text("anew").unwrap();
    // The publisher that lost its name removes no other file when it detaches.
    assert!(!publisher.detach().removed);
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "anew");
    drop(anew);
    fixture.assert_empty();
}

#[test]
fn f6_a_removed_file_is_detected_when_locking() {
    let fixture = Fixture::new();
    let old = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    drop(old.lock().unwrap());
    fs::remove_file(fixture.segment()).unwrap();
    let new = Block::create(&key(&fixture), 64, &options(&fixture)).unwrap();
    let _guard = new.lock().unwrap();
    // The old block's lock is free; still two processes must not hold locks under one key for long.
    eventually("noticed by locking", || {
        matches!(old.lock(), Err(error) if *error.kind() == LockErrorKind::Removed).then_some(())
    });
}

#[test]
fn f6_a_removed_file_is_detected_while_waiting_for_the_lock() {
    let fixture = Fixture::new();
    let (mut holder, mut waiter) = (Actor::new(&fixture), Actor::new(&fixture));
    holder.run("create 64");
    waiter.run("attach");
    holder.run("lock 1000");
    waiter.send("lock 60000");
    fs::remove_file(fixture.segment()).unwrap();
    let (answer, time) = timed(|| waiter.program().wait_for(""));
    assert!(answer.contains("was removed"), "{answer}");
    assert!(time < TAKEOVER_LIMIT, "{time:?}");
}

/// F7: a reader's attach failed first, later both lock. With Qt both hold the lock.
#[test]
fn f7_a_failed_attach_does_not_let_two_processes_hold_the_lock() {
    let fixture = Fixture::new();
    let (mut reader, mut writer) = (Actor::new(&fixture), Actor::new(&fixture));
    assert!(reader.try_run("attach").contains("no such segment"));
    writer.run("create 64");
    writer.run("lock 1000");
    reader.run("attach");
    assert!(reader.try_run("lock 100").contains("held by actor"));
    writer.run("unlock");
    assert_eq!(reader.run("lock 1000"), "clean");
    assert!(writer.try_run("lock 100").contains("held by actor"));
}

/// Starts a process of another user that creates a file at the fixture's key, in a directory that
/// every user may write to.
fn squatter(fixture: &Fixture) -> Option<Program> {
    const NOBODY: [&str; 2] = ["--reuid=65534", "--clear-groups"];
    let attempt = Launch::new("true").through("setpriv", NOBODY);
    if !rustix::process::getuid().is_root() || attempt.run().code != Some(0) {
        skip("becoming another user needs root and setpriv");
        return None;
    }
    let world_writable = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(fixture.segments(), world_writable).unwrap();
    let script = "exec 3>\"$1\"; echo squats; exec sleep 60";
    let squatter = Launch::new("sh")
        .args(["-c", script, "sh"])
        .args([fixture.segment()])
        .through("setpriv", NOBODY)
        .start();
    squatter.wait_for("squats");
    Some(squatter)
}

/// F8: another user squats the key. Qt returns `AlreadyExists` to its rightful owner.
#[test]
fn f8_a_squatted_key_is_reported_at_once_with_its_owner_and_the_remedy() {
    let fixture = Fixture::new();
    let Some(squatter) = squatter(&fixture) else {
        return;
    };
    for launch in [
        fixture.loader(["text", "mine"]),
        fixture.viewer(["show"]),
        fixture.viewer(["info"]),
        fixture.viewer(["remove", "--force"]),
    ] {
        let (refused, time) = timed(|| launch.run().refused("belongs to user nobody (uid 65534)"));
        println!("told within {time:?}: {}", refused.stderr.trim());
        assert!(time < TAKEOVER_LIMIT, "{time:?}");
        let way_out = "have its owner remove it";
        assert!(refused.stderr.contains(way_out), "{refused:?}");
    }
    let error = Publisher::open(&key(&fixture), &options(&fixture)).unwrap_err();
    assert!(
        matches!(error.kind(), AttachErrorKind::Foreign { .. }),
        "{error}"
    );

    // Both remedies work.
    let elsewhere = fixture.bare_loader(["text", "--key", "another", "mine"]);
    let elsewhere = elsewhere.start();
    elsewhere.wait_for("another");
    elsewhere.terminate().done();
    squatter.signal(Signal::TERM);
    fs::remove_file(fixture.segment()).unwrap();
    let loader = fixture.loader(["text", "mine at last"]).start();
    loader.wait_for(fixture.key());
    loader.terminate().done();
    fixture.assert_empty();
}
