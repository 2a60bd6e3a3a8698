//! Containers, forks and stopped processes: who counts as alive where process ids say nothing.

use std::os::fd::OwnedFd;

use e2e_tests::{Launch, Scene, Signal, skip};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use shm_core::{Block, Metadata, Publisher};

use crate::actor::{Actor, key, options};

/// Starts it as the first process of a pid namespace of its own, as containers do.
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

fn contained_actor(scene: &Scene) -> Option<Actor> {
    contained(Actor::launch(scene)).map(Actor::start)
}

/// The process ids of all who are attached, as they count them themselves.
fn attached(scene: &Scene) -> Vec<u64> {
    let info = scene.viewer(["info", "--json"]).run().done().json();
    let attached = info["attached"].as_array().unwrap().iter();
    attached.map(|peer| peer["pid"].as_u64().unwrap()).collect()
}

#[test]
fn a_living_holder_is_not_taken_for_the_dead_one_with_its_pid() {
    let scene = Scene::new();
    let Some(mut holder) = contained_actor(&scene) else {
        return;
    };
    let mut other = contained_actor(&scene).unwrap();
    holder.does("create 64");
    other.does("attach");
    assert_eq!(attached(&scene), [1, 1], "the pids are to collide");

    holder.does("lock 1000");
    let refused = other.tries("lock 200");
    assert!(refused.contains("held by actor (pid 1)"), "{refused}");
    // A dead process with that pid, which was attached too, changes nothing.
    let mut third = contained_actor(&scene).unwrap();
    third.does("attach");
    third.dies();
    assert!(other.tries("lock 200").contains("held by actor"));
    holder.does("unlock");
    assert_eq!(other.does("lock 1000"), "clean");
}

#[test]
fn a_dead_holder_is_not_taken_for_the_living_one_with_its_pid() {
    let scene = Scene::new();
    let Some(mut holder) = contained_actor(&scene) else {
        return;
    };
    let mut other = contained_actor(&scene).unwrap();
    holder.does("create 64");
    other.does("attach");
    holder.does("lock 1000");
    holder.dies();
    assert_eq!(other.does("lock 5000"), "abandoned");
    other.does("unlock");
    assert_eq!(other.does("lock 1000"), "clean");

    // With all of them gone a create succeeds, although a process with pid 1 lives everywhere.
    other.dies();
    let anew = Block::open_or_create(&key(&scene), 32, &options(&scene)).unwrap();
    drop(anew);
    scene.assert_empty();
}

#[test]
fn loaders_in_two_containers_share_a_key() {
    let scene = Scene::new();
    let Some(first) = contained(scene.loader(["text", "of the first"])) else {
        return;
    };
    let first = first.start();
    first.wait_for(scene.key());
    let second = contained(scene.loader(["text", "of the second"])).unwrap();
    let second = second.start();
    second.wait_for(scene.key());
    assert_eq!(attached(&scene), [1, 1]);
    let shown = scene.viewer(["show"]).run().done();
    assert_eq!(shown.text(), "of the second");
    let contained_viewer = contained(scene.viewer(["show"])).unwrap();
    assert_eq!(contained_viewer.run().done().text(), "of the second");

    // The one that came first may go first: what was loaded last stays.
    first.kill();
    assert_eq!(scene.viewer(["show"]).run().done().text(), "of the second");
    assert_eq!(attached(&scene), [1]);
    second.kill();
    scene.assert_empty();
}

#[test]
fn a_publisher_sees_another_with_the_same_pid() {
    let scene = Scene::new();
    let Some(mut first) = contained_actor(&scene) else {
        return;
    };
    let mut second = contained_actor(&scene).unwrap();
    first.does("open");
    second.does("open");
    assert_eq!(first.does("others"), "1", "hidden by its pid");
}

#[test]
fn a_loader_warns_whose_content_it_replaces_although_the_pids_are_the_same() {
    let scene = Scene::new();
    let Some(first) = contained(scene.loader(["text", "of the first"])) else {
        return;
    };
    let first = first.start();
    first.wait_for(scene.key());
    let second = contained(scene.loader(["text", "--for", "1ms", "of the second"])).unwrap();
    let outcome = second.run().done();
    assert!(outcome.stderr.contains("warning"), "{outcome:?}");
}

#[test]
fn a_stopped_holder_is_alive_and_others_wait_or_time_out() {
    let scene = Scene::new();
    let (mut holder, mut other) = (Actor::new(&scene), Actor::new(&scene));
    holder.does("create 64");
    other.does("attach");
    holder.does("lock 1000");
    holder.program().signal(Signal::STOP);
    assert!(other.tries("lock 100").contains("held by actor"));
    holder.program().signal(Signal::CONT);
    holder.does("unlock");
    assert_eq!(other.does("lock 5000"), "clean");
}

/// Lets it fork without exec and kills it; the child, by its process, stays until the actor is dropped.
fn outlived(actor: &mut Actor) -> OwnedFd {
    let child = Pid::from_raw(actor.does("fork").parse().unwrap()).unwrap();
    // Found while its parent lives; later its id might be another's.
    let child = pidfd_open(child, PidfdFlags::empty()).unwrap();
    actor.program().signal(Signal::KILL);
    actor.program().wait_for_end();
    child
}

#[test]
fn a_forked_child_that_outlives_its_parent_keeps_neither_segment_nor_lock() {
    let scene = Scene::new();
    let (mut parent, mut heir) = (Actor::new(&scene), Actor::new(&scene));
    parent.does("create 64");
    parent.does("lock 1000");
    heir.does("attach");
    let _child = outlived(&mut parent);
    assert_eq!(heir.does("lock 60000"), "abandoned");
    heir.dies();
    scene.assert_empty();
}

#[test]
fn a_forked_child_that_outlives_its_parent_keeps_none_of_its_pins() {
    let scene = Scene::new();
    let ours = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    let bytes = Metadata::bytes("application/octet-stream");
    ours.publish(&bytes, &[1; 100_000]).unwrap();
    let mut reader = Actor::new(&scene);
    reader.does("subscribe");
    reader.does("pin");
    let _child = outlived(&mut reader);
    ours.publish(&bytes, &[2; 100_000]).unwrap();
    assert_eq!(ours.clear().unwrap(), 0, "the pin went with the parent");
}
