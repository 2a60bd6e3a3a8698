//! The system calls of a publication.

use std::{collections::BTreeMap, time::Instant};

use e2e_tests::{Fixture, Step, Stores, Tracer, skip};

use crate::actor::Actor;

const WAKE: u64 = libc::SYS_futex.unsigned_abs();
/// A check of the segment's name takes two more: where the name leads, and its file's metadata.
const NAME_CHECK_CALLS: u64 = 2;

/// Returns all system calls of so many publications, by their number, and the elapsed seconds,
/// rounded up.
fn calls(
    actor: &mut Actor,
    fixture: &Fixture,
    count: u64,
    size: usize,
) -> Option<(BTreeMap<u64, u64>, u64)> {
    let line = format!("copies {count} {size}");
    // What only the first publication of a size does.
    actor.run(&line);
    let tracer = match Tracer::seize(actor.program(), fixture.segments()) {
        Ok(tracer) => tracer,
        Err(error) => {
            skip(&format!("programs cannot be traced here: {error}"));
            return None;
        }
    };
    let mut tracer = tracer.stopping_at(Stores::new());
    actor.send(&line);
    tracer.take_line();
    let began = Instant::now();
    let mut calls = BTreeMap::new();
    while let Some(step) = tracer.step() {
        if let Step::Call(number) = step {
            *calls.entry(number).or_default() += 1;
        }
    }
    let seconds = began.elapsed().as_secs() + 1;
    tracer.detach();
    actor.wait_done(&line);
    Some((calls, seconds))
}

/// Counts them for every size that lies in the ring; `wakes` returns the expected number of wakes.
fn count_for_all_sizes(launch: impl Fn(&Fixture) -> Actor, wakes: impl Fn(u64) -> u64) {
    const COUNT: u64 = 300;
    let fixture = Fixture::new();
    let mut actor = launch(&fixture);
    actor.run("open");
    for size in [0, 8, 64, 1_000, 16_384] {
        let Some((mut calls, seconds)) = calls(&mut actor, &fixture, COUNT, size) else {
            return;
        };
        let woken = calls.remove(&WAKE).unwrap_or(0);
        assert_eq!(woken, wakes(COUNT), "wakes at {size} bytes");
        let others: u64 = calls.values().sum();
        assert!(
            others <= seconds * NAME_CHECK_CALLS,
            "{size} bytes: {calls:?} in {seconds} s"
        );
    }
}

#[test]
fn a_small_publication_makes_no_system_call_but_the_wake() {
    count_for_all_sizes(Actor::new, |publications| publications);
}

#[test]
fn a_publication_without_notification_makes_no_system_call() {
    let quiet =
        |fixture: &Fixture| Actor::start(Actor::launch(fixture).env("ACTOR_NO_NOTIFY", "1"));
    count_for_all_sizes(quiet, |_| 0);
}
