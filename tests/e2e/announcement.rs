//! Changes of a block, from process to process: who announces them, who sleeps until one, who dies.

use std::{fs, time::Duration};

use e2e_tests::Scene;
use shm_core::segment;

use crate::actor::{Actor, key, options, timed};

/// A process that has made a block, and one that is attached to it for reading.
fn pair(scene: &Scene) -> (Actor, Actor) {
    let (mut writer, mut reader) = (Actor::new(scene), Actor::new(scene));
    writer.does("create 64");
    reader.does("attach read-only");
    (writer, reader)
}

/// Has the reader wait for another number than `seen`.
fn waits(reader: &mut Actor, seen: u32) {
    let line = format!("await change {seen}");
    assert_eq!(reader.does(&line), "waiting");
}

#[test]
fn an_announcement_wakes_a_process_that_only_reads() {
    const ROUNDS: u32 = 20;
    let scene = Scene::new();
    let (mut writer, mut reader) = pair(&scene);
    let ((), time) = timed(|| {
        for seen in 0..ROUNDS {
            waits(&mut reader, seen);
            reader.wait_until_asleep();
            writer.does("lock 1000");
            writer.does("announce");
            let told = reader.has_done("await change");
            assert_eq!(told, format!("Announced({})", seen + 1));
        }
    });
    // A reader that is not woken looks once a second.
    assert!(time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn a_lock_in_two_calls_announces_when_it_is_let_go() {
    let scene = Scene::new();
    let (mut writer, mut reader) = pair(&scene);
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    assert_eq!(writer.does("detached lock"), "false");
    writer.does("detached announce");
    writer.does("detached unlock");
    assert_eq!(reader.has_done("await change"), "Announced(1)");
    assert!(writer.tries("detached announce").starts_with("error"));
}

#[test]
fn the_removal_of_a_block_ends_the_wait() {
    let scene = Scene::new();
    let (_writer, mut reader) = pair(&scene);
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    segment::remove(&key(&scene), &options(&scene), segment::Removal::Forced).unwrap();
    assert_eq!(reader.has_done("await change"), "Removed");
}

#[test]
fn the_removal_of_the_file_ends_the_wait() {
    let scene = Scene::new();
    let (_writer, mut reader) = pair(&scene);
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    fs::remove_file(scene.segment()).unwrap();
    assert_eq!(reader.has_done("await change"), "Removed");
}

#[test]
fn a_change_is_told_although_its_process_died_before_it_could_wake_anybody() {
    let scene = Scene::new();
    let (mut keeper, mut reader) = pair(&scene);
    let mut victim = Actor::new(&scene);
    victim.does("attach");
    waits(&mut reader, 0);
    reader.wait_until_asleep();
    victim.does("detached lock");
    victim.does("detached announce");
    victim.dies();
    assert_eq!(reader.has_done("await change"), "Announced(1)");
    assert_eq!(keeper.does("lock 5000"), "abandoned");
}
