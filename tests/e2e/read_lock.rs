//! Another user who may read a segment, and holds read locks on it forever.

use std::time::Duration;

use e2e_tests::{Fixture, Launch, OtherUser, Program};
use shm_core::{
    AttachErrorKind, LockHolder, Options, PublishErrorKind, Publisher, RemoveErrorKind, Subscriber,
    WaitResult, segment,
};

use crate::actor::{Actor, key, options, timed};
use crate::permission::SharedDirectory;

/// The library's timeout in these tests.
const TIMEOUT: Duration = Duration::from_millis(200);
/// A bound for every operation, on a loaded machine too.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Every possible read lock, by an open file description and by a process.
const WHOLE: [&str; 2] = ["read-all", "read-all-as-a-process"];

fn malicious_peer(fixture: &Fixture, attack: &str) -> Launch {
    let peer = fixture.program(env!("CARGO_BIN_EXE_malicious_peer"));
    peer.args([fixture.segment()]).args([attack])
}

fn locks(other_user: &OtherUser, fixture: &Fixture, attack: &str) -> Program {
    let peer = other_user
        .launch_as(malicious_peer(fixture, attack))
        .start();
    peer.wait_for("attacking");
    peer
}

fn options_with_timeout(fixture: &Fixture) -> Options {
    options(fixture).timeout(TIMEOUT).mode(0o644)
}

/// Asserts that the blocking process is reported, with its program and its user.
fn assert_names(holder: &LockHolder, peer: &Program, other_user: &OtherUser) {
    let LockHolder::Process {
        pid, program, user, ..
    } = holder
    else {
        panic!("root can inspect every process: {holder:?}");
    };
    assert_eq!(
        (*pid, program.as_str(), *user),
        (peer.pid(), "malicious_peer", other_user.id())
    );
}

#[test]
fn read_locks_keep_no_dead_segment_alive() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for attack in [
        "read-slots",
        "read-lifecycle",
        "read-all",
        "read-all-as-a-process",
    ] {
        let shared = SharedDirectory::new();
        let fixture = &shared.fixture;
        let loader = shared.load(&["text", "--mode", "644", "dies soon"]);
        let _attacker = locks(&other_user, fixture, attack);
        let info = segment::info(&key(fixture), &options(fixture)).unwrap();
        assert_eq!(info.attached.len(), 1, "{attack}: {:?}", info.attached);
        drop(loader.kill());
        // While they are still locked.
        fixture.assert_empty();
    }
}

#[test]
fn read_locks_keep_no_name_occupied() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for attack in WHOLE {
        let shared = SharedDirectory::new();
        let fixture = &shared.fixture;
        let first = shared.load(&["text", "--mode", "644", "first"]);
        let _attacker = locks(&other_user, fixture, attack);
        drop(first.kill());
        let (second, time) =
            timed(|| Publisher::open(&key(fixture), &options_with_timeout(fixture)).unwrap());
        assert!(second.created(), "{attack}");
        assert!(time < TIME_LIMIT, "{time:?}");
        assert!(second.detach().removed);
        fixture.assert_empty();
    }
}

#[test]
fn the_last_participant_removes_the_segment_despite_read_locks() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for attack in WHOLE {
        let shared = SharedDirectory::new();
        let fixture = &shared.fixture;
        let publisher = Publisher::open(&key(fixture), &options_with_timeout(fixture)).unwrap();
        let _attacker = locks(&other_user, fixture, attack);
        assert!(publisher.detach().removed, "{attack}");
        assert!(shared.directory.names().is_empty(), "{attack}");
    }
}

#[test]
fn a_sleeping_subscriber_detects_the_end_despite_read_locks() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let loader = shared.load(&["text", "--mode", "644", "dies soon"]);
    let _attacker = locks(&other_user, fixture, "read-all");
    let mut subscriber = Subscriber::attach(&key(fixture), &options_with_timeout(fixture)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    drop(loader.kill());
    assert_eq!(
        subscriber.wait(Some(TIME_LIMIT)).unwrap(),
        WaitResult::PublisherGone
    );
}

#[test]
fn the_lock_of_a_dead_holder_is_taken_over_despite_read_locks() {
    let shared = SharedDirectory::new();
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let fixture = &shared.fixture;
    let block = shm_core::Block::create(&key(fixture), 64, &options_with_timeout(fixture)).unwrap();
    let mut holder = Actor::new(fixture);
    holder.run("attach");
    holder.run("lock 1000");
    let _attacker = locks(&other_user, fixture, "read-slots");
    let busy = block.lock_for(TIMEOUT).map(drop);
    assert!(busy.is_err(), "the holder lives");
    holder.kill();
    let locked = block.lock_for(TIME_LIMIT).unwrap();
    assert!(matches!(locked, shm_core::Locked::Abandoned(_)));
}

#[test]
fn slots_locked_by_a_reader_are_reported_as_blocked() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let loader = shared.load(&["text", "--mode", "644", "alone"]);
    let peer = locks(&other_user, fixture, "read-slots");
    let (refused, time) =
        timed(|| Publisher::open(&key(fixture), &options_with_timeout(fixture)).map(drop));
    assert!(time < TIME_LIMIT, "{time:?}");
    let refused = refused.unwrap_err();
    let AttachErrorKind::SlotsBlocked { holder } = refused.kind() else {
        panic!("{refused:?}");
    };
    assert_names(holder, &peer, &other_user);
    let told = fixture.loader(["text", "no"]).run();
    let told = told.refused(&format!("peer (pid {}", peer.pid()));
    assert!(told.stderr.contains("mode 600"), "{told:?}");
    drop(peer.kill());
    drop(Publisher::open(&key(fixture), &options_with_timeout(fixture)).unwrap());
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_process_that_blocks_attaching_is_named() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for attack in ["read-lifecycle", "read-all", "read-all-as-a-process"] {
        let shared = SharedDirectory::new();
        let fixture = &shared.fixture;
        let loader = shared.load(&["text", "--mode", "644", "--persist", "stays"]);
        drop(loader.terminate());
        let peer = locks(&other_user, fixture, attack);
        let opened = Publisher::open(&key(fixture), &options_with_timeout(fixture)).map(drop);
        let opened = opened.unwrap_err();
        let AttachErrorKind::Busy { holder } = opened.kind() else {
            panic!("{attack}: {opened:?}");
        };
        assert_names(holder, &peer, &other_user);
        let removed = segment::remove(
            &key(fixture),
            &options_with_timeout(fixture),
            segment::Removal::Forced,
        );
        let removed = removed.unwrap_err();
        let RemoveErrorKind::Busy { holder } = removed.kind() else {
            panic!("{attack}: {removed:?}");
        };
        assert_names(holder, &peer, &other_user);
        let words = removed.to_string();
        assert!(
            words.contains(&format!("user nobody (uid {})", other_user.id())),
            "{words}"
        );
        // Readers are not affected.
        assert_eq!(fixture.viewer(["show"]).run().done().text(), "stays");
        drop(peer.kill());
        segment::remove(
            &key(fixture),
            &options_with_timeout(fixture),
            segment::Removal::Forced,
        )
        .unwrap();
        fixture.assert_empty();
    }
}

#[test]
fn a_process_that_blocks_all_regions_is_named() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for attack in ["read-regions", "read-all"] {
        let shared = SharedDirectory::new();
        let fixture = &shared.fixture;
        let publisher = Publisher::open(&key(fixture), &options_with_timeout(fixture)).unwrap();
        publisher.publish_text("before").unwrap();
        let peer = locks(&other_user, fixture, attack);
        // Regions that it has claimed already remain usable.
        let (full, time) =
            timed(|| (0..4).find_map(|_| publisher.publish_text(&"long".repeat(5000)).err()));
        assert!(time < TIME_LIMIT, "{time:?}");
        let full = full.expect("a loan without a free region fails");
        let PublishErrorKind::RegionsFull { holder } = full.kind() else {
            panic!("{attack}: {full:?}");
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
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let publisher = Publisher::open(&key(fixture), &options_with_timeout(fixture)).unwrap();
    let mut subscriber = Subscriber::attach(&key(fixture), &options_with_timeout(fixture)).unwrap();
    let _attacker = locks(&other_user, fixture, "read-most-regions");
    for number in 0..20 {
        publisher
            .publish_text(&format!("{number} {}", "long".repeat(5000)))
            .unwrap();
        assert!(subscriber.latest().unwrap().is_some());
    }
}

#[test]
fn without_permission_to_inspect_processes_another_user_is_reported() {
    let (Some(owner), Some(reader)) = (OtherUser::new(), OtherUser::another()) else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let segment = fixture
        .segments()
        .join(format!("shm-core.{}.{}", owner.id(), fixture.key()));
    let load = ["text", "--mode", "644", "--persist", "shared"];
    owner.launch_as(fixture.loader(load)).run().done();
    let peer = fixture
        .program(env!("CARGO_BIN_EXE_malicious_peer"))
        .args([&segment]);
    let peer = reader.launch_as(peer.args(["read-slots"])).start();
    peer.wait_for("attacking");
    let refused = owner.launch_as(fixture.loader(["text", "no"])).run();
    drop(refused.refused("process of another user"));
    drop(peer.kill());
    owner.launch_as(fixture.viewer(["remove"])).run().done();
}
