//! Changes of a block across processes: announcements, waits and crashes.

use std::{fs, time::Duration};

use e2e_tests::Fixture;
use shm_core::segment;

use crate::actor::{Actor, key, options, timed};

/// Starts a process that has created a block, and one that has attached to it read-only.
fn pair(fixture: &Fixture) -> (Actor, Actor) {
    let (mut writer, mut reader) = (Actor::new(fixture), Actor::new(fixture));
    writer.run("create 64");
    reader.run("attach read-only");
    (writer, reader)
}

/// Makes the reader wait for a number other than `seen`.
fn start_wait(reader: &mut Actor, seen: u32) {
    let line = format!("await change {seen}");
    assert_eq!(reader.run(&line), "waiting");
}

#[test]
fn an_announcement_wakes_a_read_only_process() {
    const ROUNDS: u32 = 20;
    let fixture = Fixture::new();
    let (mut writer, mut reader) = pair(&fixture);
    let ((), time) = timed(|| {
        for seen in 0..ROUNDS {
            start_wait(&mut reader, seen);
            reader.wait_until_asleep();
            writer.run("lock 1000");
            writer.run("announce");
            let told = reader.wait_done("await change");
            assert_eq!(told, format!("Announced({})", seen + 1));
        }
    });
    // Without a wake-up, a reader polls once a second.
    assert!(time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn a_detached_lock_announces_when_it_is_released() {
    let fixture = Fixture::new();
    let (mut writer, mut reader) = pair(&fixture);
    start_wait(&mut reader, 0);
    reader.wait_until_asleep();
    assert_eq!(writer.run("detached lock"), "false");
    writer.run("detached announce");
    writer.run("detached unlock");
    assert_eq!(reader.wait_done("await change"), "Announced(1)");
    assert!(writer.try_run("detached announce").starts_with("error"));
}

#[test]
fn removing_a_block_ends_the_wait() {
    let fixture = Fixture::new();
    let (_writer, mut reader) = pair(&fixture);
    start_wait(&mut reader, 0);
    reader.wait_until_asleep();
    segment::remove(&key(&fixture), &options(&fixture), segment::Removal::Forced).unwrap();
    assert_eq!(reader.wait_done("await change"), "Removed");
}

#[test]
fn removing_the_file_ends_the_wait() {
    let fixture = Fixture::new();
    let (_writer, mut reader) = pair(&fixture);
    start_wait(&mut reader, 0);
    reader.wait_until_asleep();
    fs::remove_file(fixture.segment()).unwrap();
    assert_eq!(reader.wait_done("await change"), "Removed");
}

#[test]
fn a_change_is_reported_if_its_process_dies_before_the_wake() {
    let fixture = Fixture::new();
    let (mut keeper, mut reader) = pair(&fixture);
    let mut peer = Actor::new(&fixture);
    peer.run("attach");
    start_wait(&mut reader, 0);
    reader.wait_until_asleep();
    peer.run("detached lock");
    peer.run("detached announce");
    peer.kill();
    assert_eq!(reader.wait_done("await change"), "Announced(1)");
    assert_eq!(keeper.run("lock 5000"), "abandoned");
}
