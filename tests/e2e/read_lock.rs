//! Another user who may read a segment, and holds read locks on it for ever.

use std::time::Duration;

use e2e_tests::{Launch, OtherUser, Program, Scene};
use shm_core::{
    AttachErrorKind, LockHolder, Options, PublishErrorKind, Publisher, RemoveErrorKind, Subscriber,
    WaitResult, segment,
};

use crate::actor::{Actor, key, options, timed};
use crate::permission::Commons;

/// How long the library waits in these tests, where it may wait.
const PATIENCE: Duration = Duration::from_millis(200);
/// What nothing here may take, on a loaded machine too.
const BOUND: Duration = Duration::from_secs(20);

/// All that one can lock, at once and by parts, by an open file and by a process.
const WHOLE: [&str; 2] = ["read-all", "read-all-as-a-process"];

fn malicious_peer(scene: &Scene, lie: &str) -> Launch {
    let peer = scene.program(env!("CARGO_BIN_EXE_malicious_peer"));
    peer.args([scene.segment()]).args([lie])
}

fn locks(other_user: &OtherUser, scene: &Scene, lie: &str) -> Program {
    let peer = other_user.starts(malicious_peer(scene, lie)).start();
    peer.wait_for("lies");
    peer
}

fn patient(scene: &Scene) -> Options {
    options(scene).timeout(PATIENCE).mode(0o644)
}

/// Asserts that the process which is in the way is named, with its program and its user.
fn assert_names(holder: &LockHolder, peer: &Program, other_user: &OtherUser) {
    let LockHolder::Process {
        pid, program, user, ..
    } = holder
    else {
        panic!("root may look into every process: {holder:?}");
    };
    assert_eq!(
        (*pid, program.as_str(), *user),
        (peer.pid(), "malicious_peer", other_user.id())
    );
}

#[test]
fn a_dead_segment_is_dead_whatever_is_read_locked() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for lie in [
        "read-slots",
        "read-lifecycle",
        "read-all",
        "read-all-as-a-process",
    ] {
        let commons = Commons::new();
        let scene = &commons.scene;
        let loader = commons.loads(&["text", "--mode", "644", "dies soon"]);
        let _liar = locks(&other_user, scene, lie);
        let info = segment::info(&key(scene), &options(scene)).unwrap();
        assert_eq!(info.attached.len(), 1, "{lie}: {:?}", info.attached);
        drop(loader.kill());
        // While they are locked still.
        scene.assert_empty();
    }
}

#[test]
fn a_name_is_free_again_whatever_is_read_locked() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for lie in WHOLE {
        let commons = Commons::new();
        let scene = &commons.scene;
        let first = commons.loads(&["text", "--mode", "644", "first"]);
        let _liar = locks(&other_user, scene, lie);
        drop(first.kill());
        let (second, time) = timed(|| Publisher::open(&key(scene), &patient(scene)).unwrap());
        assert!(second.created(), "{lie}");
        assert!(time < BOUND, "{time:?}");
        assert!(second.detach().removed);
        scene.assert_empty();
    }
}

#[test]
fn who_leaves_in_order_takes_the_segment_along() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for lie in WHOLE {
        let commons = Commons::new();
        let scene = &commons.scene;
        let publisher = Publisher::open(&key(scene), &patient(scene)).unwrap();
        let _liar = locks(&other_user, scene, lie);
        assert!(publisher.detach().removed, "{lie}");
        assert!(commons.directory.names().is_empty(), "{lie}");
    }
}

#[test]
fn a_sleeper_learns_of_the_end() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let loader = commons.loads(&["text", "--mode", "644", "dies soon"]);
    let _liar = locks(&other_user, scene, "read-all");
    let mut subscriber = Subscriber::attach(&key(scene), &patient(scene)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    drop(loader.kill());
    assert_eq!(
        subscriber.wait(Some(BOUND)).unwrap(),
        WaitResult::PublisherGone
    );
}

#[test]
fn the_lock_of_a_dead_holder_is_taken_over() {
    let commons = Commons::new();
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let scene = &commons.scene;
    let block = shm_core::Block::create(&key(scene), 64, &patient(scene)).unwrap();
    let mut holder = Actor::new(scene);
    holder.does("attach");
    holder.does("lock 1000");
    let _liar = locks(&other_user, scene, "read-slots");
    let busy = block.lock_for(PATIENCE).map(drop);
    assert!(busy.is_err(), "it lives");
    holder.dies();
    let locked = block.lock_for(BOUND).unwrap();
    assert!(matches!(locked, shm_core::Locked::Abandoned(_)));
}

#[test]
fn slots_that_are_locked_from_outside_are_no_slots_that_are_taken() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let loader = commons.loads(&["text", "--mode", "644", "alone"]);
    let peer = locks(&other_user, scene, "read-slots");
    let (refused, time) = timed(|| Publisher::open(&key(scene), &patient(scene)).map(drop));
    assert!(time < BOUND, "{time:?}");
    let refused = refused.unwrap_err();
    let AttachErrorKind::SlotsBlocked { holder } = refused.kind() else {
        panic!("{refused:?}");
    };
    assert_names(holder, &peer, &other_user);
    let told = scene.loader(["text", "no"]).run();
    let told = told.refused(&format!("peer (pid {}", peer.pid()));
    assert!(told.stderr.contains("mode 600"), "{told:?}");
    drop(peer.kill());
    drop(Publisher::open(&key(scene), &patient(scene)).unwrap());
    loader.terminate().done();
    scene.assert_empty();
}

#[test]
fn who_keeps_others_from_coming_and_going_is_named() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for lie in ["read-lifecycle", "read-all", "read-all-as-a-process"] {
        let commons = Commons::new();
        let scene = &commons.scene;
        let loader = commons.loads(&["text", "--mode", "644", "--persist", "stays"]);
        drop(loader.terminate());
        let peer = locks(&other_user, scene, lie);
        let opened = Publisher::open(&key(scene), &patient(scene)).map(drop);
        let opened = opened.unwrap_err();
        let AttachErrorKind::Busy { holder } = opened.kind() else {
            panic!("{lie}: {opened:?}");
        };
        assert_names(holder, &peer, &other_user);
        let removed = segment::remove(&key(scene), &patient(scene), segment::Removal::Forced);
        let removed = removed.unwrap_err();
        let RemoveErrorKind::Busy { holder } = removed.kind() else {
            panic!("{lie}: {removed:?}");
        };
        assert_names(holder, &peer, &other_user);
        let words = removed.to_string();
        assert!(
            words.contains(&format!("user nobody (uid {})", other_user.id())),
            "{words}"
        );
        // Readers go on as ever.
        assert_eq!(scene.viewer(["show"]).run().done().text(), "stays");
        drop(peer.kill());
        segment::remove(&key(scene), &patient(scene), segment::Removal::Forced).unwrap();
        scene.assert_empty();
    }
}

#[test]
fn who_keeps_all_regions_is_named() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for lie in ["read-regions", "read-all"] {
        let commons = Commons::new();
        let scene = &commons.scene;
        let publisher = Publisher::open(&key(scene), &patient(scene)).unwrap();
        publisher.publish_text("before").unwrap();
        let peer = locks(&other_user, scene, lie);
        // What it has claimed already it has.
        let (full, time) =
            timed(|| (0..4).find_map(|_| publisher.publish_text(&"long".repeat(5000)).err()));
        assert!(time < BOUND, "{time:?}");
        let full = full.expect("a region is missing");
        let PublishErrorKind::RegionsFull { holder } = full.kind() else {
            panic!("{lie}: {full:?}");
        };
        assert_names(holder, &peer, &other_user);
        drop(peer.kill());
        publisher.publish_text("after").unwrap();
    }
}

#[test]
fn a_free_region_is_found_among_locked_ones() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let publisher = Publisher::open(&key(scene), &patient(scene)).unwrap();
    let mut subscriber = Subscriber::attach(&key(scene), &patient(scene)).unwrap();
    let _liar = locks(&other_user, scene, "read-most-regions");
    for number in 0..20 {
        publisher
            .publish_text(&format!("{number} {}", "long".repeat(5000)))
            .unwrap();
        assert!(subscriber.latest().unwrap().is_some());
    }
}

#[test]
fn without_the_right_to_look_another_user_is_named() {
    let (Some(owner), Some(reader)) = (OtherUser::new(), OtherUser::another()) else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let segment = scene
        .segments()
        .join(format!("shm-core.{}.{}", owner.id(), scene.key()));
    let load = ["text", "--mode", "644", "--persist", "shared"];
    owner.starts(scene.loader(load)).run().done();
    let peer = scene.program(env!("CARGO_BIN_EXE_malicious_peer")).args([&segment]);
    let peer = reader.starts(peer.args(["read-slots"])).start();
    peer.wait_for("lies");
    let refused = owner.starts(scene.loader(["text", "no"])).run();
    drop(refused.refused("process of another user"));
    drop(peer.kill());
    owner.starts(scene.viewer(["remove"])).run().done();
}
