//! Changes of a block, from process to process: who announces them, who sleeps until one, who dies.

use std::{fs, time::Duration};

use e2e_tests::Fixture;
use shm_core::segment;

use crate::actor::{Actor, key, options, timed};

/// A process that has made a block, and one that is attached to it for reading.
fn pair(fixture: &Fixture) -> (Actor, Actor) {
    let (mut writer, mut reader) = (Actor::new(fixture), Actor::new(fixture));
    writer.run("create 64");
    reader.run("attach read-only");
    (writer, reader)
}

/// Has the reader wait for another number than `seen`.
fn waits(reader: &mut Actor, seen: u32) {
    let line = format!("await change {seen}");
    assert_eq!(reader.run(&line), "waiting");
}

#[test]
fn an_announcement_wakes_a_process_that_only_reads() {
    const ROUNDS: u32 = 20;
    let fixture = Fixture::new();
    let (mut writer, mut reader) = pair(&fixture);
    let ((), time) = timed(|| {
        for seen in 0..ROUNDS {
            waits(&mut reader, seen);
            reader.wait_until_asleep();
            writer.run("lock 1000");
            writer.run("announce");
            let told = reader.wait_done("await change");
            assert_eq!(told, format!("Announced({})", seen + 1));
        }
    });
    // A reader that is not woken looks once a second.
    assert!(time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn a_lock_in_two_calls_announces_when_it_is_let_go() {
    let fixture = Fixture::new();
    let (mut writer, mut reader) = pair(&fixture);
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    assert_eq!(writer.run("detached lock"), "false");
    writer.run("detached announce");
    writer.run("detached unlock");
    assert_eq!(reader.wait_done("await change"), "Announced(1)");
    assert!(writer.try_run("detached announce").starts_with("error"));
}

#[test]
fn the_removal_of_a_block_ends_the_wait() {
    let fixture = Fixture::new();
    let (_writer, mut reader) = pair(&fixture);
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    segment::remove(&key(&fixture), &options(&fixture), segment::Removal::Forced).unwrap();
    assert_eq!(reader.wait_done("await change"), "Removed");
}

#[test]
fn the_removal_of_the_file_ends_the_wait() {
    let fixture = Fixture::new();
    let (_writer, mut reader) = pair(&fixture);
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    fs::remove_file(fixture.segment()).unwrap();
    assert_eq!(reader.wait_done("await change"), "Removed");
}

#[test]
fn a_change_is_told_although_its_process_died_before_it_could_wake_anybody() {
    let fixture = Fixture::new();
    let (mut keeper, mut reader) = pair(&fixture);
    let mut peer = Actor::new(&fixture);
    peer.run("attach");
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    peer.run("detached lock");
    peer.run("detached announce");
    peer.kill();
    assert_eq!(reader.wait_done("await change"), "Announced(1)");
    assert_eq!(keeper.run("lock 5000"), "abandoned");
}
