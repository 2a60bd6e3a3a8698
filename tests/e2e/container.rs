//! Containers, forks and stopped processes: liveness where process ids are ambiguous.

use std::os::fd::OwnedFd;

use e2e_tests::{Fixture, Launch, Signal, skip};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use shm_core::{Block, Metadata, Publisher};

use crate::actor::{Actor, key, options};

/// Starts it as the first process of its own pid namespace, as containers do.
fn contained(launch: Launch) -> Option<Launch> {
    const NAMESPACE: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    const UNPRIVILEGED: [&str; 2] = ["--user", "--map-current-user"];
    let arguments = [UNPRIVILEGED.as_slice(), NAMESPACE.as_slice()].concat();
    let possible = [NAMESPACE.to_vec(), arguments];
    let permitted = possible.into_iter().find(|arguments| {
        let attempt = Launch::new("true").through("unshare", arguments);
        attempt.run().code == Some(0)
    });
    let Some(arguments) = permitted else {
        skip("pid namespaces are not permitted here");
        return None;
    };
    Some(launch.through("unshare", arguments))
}

fn contained_actor(fixture: &Fixture) -> Option<Actor> {
    contained(Actor::launch(fixture)).map(Actor::start)
}

/// Returns the process ids of all participants, as they report them themselves.
fn attached(fixture: &Fixture) -> Vec<u64> {
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    let attached = info["attached"].as_array().unwrap().iter();
    attached.map(|peer| peer["pid"].as_u64().unwrap()).collect()
}

#[test]
fn a_live_holder_is_not_confused_with_a_dead_one_of_the_same_pid() {
    let fixture = Fixture::new();
    let Some(mut holder) = contained_actor(&fixture) else {
        return;
    };
    let mut other = contained_actor(&fixture).unwrap();
    holder.run("create 64");
    other.run("attach");
    assert_eq!(attached(&fixture), [1, 1], "the pids collide");

    holder.run("lock 1000");
    let refused = other.try_run("lock 200");
    assert!(refused.contains("held by actor (pid 1)"), "{refused}");
    // A dead process with that pid, which was attached too, changes nothing.
    let mut third = contained_actor(&fixture).unwrap();
    third.run("attach");
    third.kill();
    assert!(other.try_run("lock 200").contains("held by actor"));
    holder.run("unlock");
    assert_eq!(other.run("lock 1000"), "clean");
}

#[test]
fn a_dead_holder_is_not_confused_with_a_live_one_of_the_same_pid() {
    let fixture = Fixture::new();
    let Some(mut holder) = contained_actor(&fixture) else {
        return;
    };
    let mut other = contained_actor(&fixture).unwrap();
    holder.run("create 64");
    other.run("attach");
    holder.run("lock 1000");
    holder.kill();
    assert_eq!(other.run("lock 5000"), "abandoned");
    other.run("unlock");
    assert_eq!(other.run("lock 1000"), "clean");

    // Once all of them are gone a create succeeds, although a process with pid 1 lives in every
    // namespace.
    other.kill();
    let anew = Block::open_or_create(&key(&fixture), 32, &options(&fixture)).unwrap();
    drop(anew);
    fixture.assert_empty();
}

#[test]
fn loaders_in_two_containers_share_a_key() {
    let fixture = Fixture::new();
    let Some(first) = contained(fixture.loader(["text", "of the first"])) else {
        return;
    };
    let first = first.start();
    first.wait_for(fixture.key());
    let second = contained(fixture.loader(["text", "of the second"])).unwrap();
    let second = second.start();
    second.wait_for(fixture.key());
    assert_eq!(attached(&fixture), [1, 1]);
    let shown = fixture.viewer(["show"]).run().done();
    assert_eq!(shown.text(), "of the second");
    let contained_viewer = contained(fixture.viewer(["show"])).unwrap();
    assert_eq!(contained_viewer.run().done().text(), "of the second");

    // The first loader may end first: the latest content remains.
    first.kill();
    assert_eq!(
        fixture.viewer(["show"]).run().done().text(),
        "of the second"
    );
    assert_eq!(attached(&fixture), [1]);
    second.kill();
    fixture.assert_empty();
}

#[test]
fn a_publisher_lists_a_peer_with_the_same_pid() {
    let fixture = Fixture::new();
    let Some(mut first) = contained_actor(&fixture) else {
        return;
    };
    let mut second = contained_actor(&fixture).unwrap();
    first.run("open");
    second.run("open");
    assert_eq!(first.run("others"), "1", "hidden by the same pid");
}

#[test]
fn a_loader_names_the_replaced_publisher_with_the_same_pid() {
    let fixture = Fixture::new();
    let Some(first) = contained(fixture.loader(["text", "of the first"])) else {
        return;
    };
    let first = first.start();
    first.wait_for(fixture.key());
    let second = contained(fixture.loader(["text", "--for", "1ms", "of the second"])).unwrap();
    let outcome = second.run().done();
    assert!(outcome.stderr.contains("warning"), "{outcome:?}");
}

#[test]
fn a_stopped_holder_is_alive_and_waiters_time_out() {
    let fixture = Fixture::new();
    let (mut holder, mut other) = (Actor::new(&fixture), Actor::new(&fixture));
    holder.run("create 64");
    other.run("attach");
    holder.run("lock 1000");
    holder.program().signal(Signal::STOP);
    assert!(other.try_run("lock 100").contains("held by actor"));
    holder.program().signal(Signal::CONT);
    holder.run("unlock");
    assert_eq!(other.run("lock 5000"), "clean");
}

/// Makes it fork without exec and kills it. Returns the child as a pidfd; the child lives until the
/// actor is dropped.
fn child_of_killed_actor(actor: &mut Actor) -> OwnedFd {
    let child = Pid::from_raw(actor.run("fork").parse().unwrap()).unwrap();
    // Opened while its parent lives; later its id may be reused.
    let child = pidfd_open(child, PidfdFlags::empty()).unwrap();
    actor.program().signal(Signal::KILL);
    actor.program().wait_for_end();
    child
}

#[test]
fn a_forked_child_that_outlives_its_parent_keeps_neither_segment_nor_lock() {
    let fixture = Fixture::new();
    let (mut parent, mut heir) = (Actor::new(&fixture), Actor::new(&fixture));
    parent.run("create 64");
    parent.run("lock 1000");
    heir.run("attach");
    let _child = child_of_killed_actor(&mut parent);
    assert_eq!(heir.run("lock 60000"), "abandoned");
    heir.kill();
    fixture.assert_empty();
}

#[test]
fn a_forked_child_that_outlives_its_parent_keeps_no_pins() {
    let fixture = Fixture::new();
    let ours = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let bytes = Metadata::bytes("application/octet-stream");
    ours.publish(&bytes, &[1; 100_000]).unwrap();
    let mut reader = Actor::new(&fixture);
    reader.run("subscribe");
    reader.run("pin");
    let _child = child_of_killed_actor(&mut reader);
    ours.publish(&bytes, &[2; 100_000]).unwrap();
    assert_eq!(ours.clear().unwrap(), 0, "the parent's pin remains");
}
