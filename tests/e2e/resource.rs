//! Exhausted or missing resources: a clear error, and the previous content stays readable.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use e2e_tests::{Fixture, Launch, OtherUser, PrivateDir, SmallDisk, skip};
use shm_core::{
    AttachError, AttachErrorKind, Block, Key, Metadata, PublishErrorKind, Publisher, Subscriber,
    segment,
};

use crate::actor::{Actor, key, options, timed};

#[test]
fn a_full_disk_is_an_error_and_the_content_remains() {
    let Some(disk) = SmallDisk::mount(2048) else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let loader = fixture.loader(["text", "small enough"]).start();
    loader.wait_for(fixture.key());

    let large = fixture.file("large", &vec![7; 8 << 20]);
    drop(
        fixture
            .loader(["file"])
            .args([&large])
            .run()
            .refused("There is not enough shared memory"),
    );
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "small enough");
    loader.terminate().done();
    fixture.assert_empty();
}

/// Opens and publishes on a disk of so many kilobytes; returns how many steps succeeded.
fn steps_done(kilobytes: u32) -> Option<usize> {
    const STEPS: [&str; 5] = [
        "open",
        "publish 1 100",
        "publish 2 20000",
        "publish 3 20000",
        "publish 4 40000",
    ];
    let disk = SmallDisk::mount(kilobytes)?;
    let fixture = Fixture::within(disk.path());
    let mut actor = Actor::new(&fixture);
    let mut done = 0;
    for step in STEPS {
        let answer = actor.try_run(step);
        if !answer.starts_with("ok") {
            assert!(
                answer.contains("no space"),
                "{kilobytes} KB, {step}: {answer}"
            );
            break;
        }
        done += 1;
    }
    match Subscriber::attach(&key(&fixture), &options(&fixture)) {
        Err(error) => assert_eq!(done, 0, "{kilobytes} KB: {error}"),
        Ok(mut subscriber) => {
            let latest = subscriber.latest().unwrap();
            let number = latest.map_or(0, |sample| sample.payload()[0]);
            assert_eq!(usize::from(number), done - 1, "{kilobytes} KB");
        }
    }
    assert_eq!(actor.finish().code, Some(0));
    fixture.assert_empty();
    Some(done)
}

#[test]
fn a_disk_that_is_full_at_any_page_keeps_the_last_sample_readable() {
    let mut before = 0;
    // The ring takes 272 KB from the beginning; regions are allocated later.
    for kilobytes in (4..264).step_by(36).chain((264..=400).step_by(4)) {
        let Some(done) = steps_done(kilobytes) else {
            return;
        };
        assert!(done >= before, "more room, and less done: {kilobytes} KB");
        before = done;
    }
    assert_eq!(before, 5, "the last disk has room for everything");
}

/// Returns how many segments with a short text fit, up to `most`.
fn segments_with_a_text(disk: &SmallDisk, ring_bytes: Option<u64>, most: usize) -> usize {
    let fixture = Fixture::within(disk.path());
    let plain = options(&fixture);
    let options = ring_bytes.map_or(plain.clone(), |bytes| plain.ring_bytes(bytes));
    let publish = |number: usize| {
        let publisher = Publisher::open(&Key::new(&format!("text{number}")).unwrap(), &options)?;
        publisher.publish_text("short enough for the ring").unwrap();
        Ok::<_, AttachError>(publisher)
    };
    let publishers: Vec<_> = (0..most).map_while(|number| publish(number).ok()).collect();
    publishers.len()
}

#[test]
fn a_container_of_64_mb_has_room_for_200_keys_and_with_short_rings_for_2000() {
    for (ring_bytes, keys) in [(None, 200), (Some(16 << 10), 2_000)] {
        let Some(disk) = SmallDisk::mount(64 << 10) else {
            return;
        };
        assert_eq!(segments_with_a_text(&disk, ring_bytes, keys), keys);
    }
}

#[test]
fn a_disk_that_fills_up_refuses_only_new_content() {
    let Some(disk) = SmallDisk::mount(512) else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    publisher.publish_text("before").unwrap();
    let filler = disk.path().join("filler");
    // As much as fits; that it does not all fit is intended.
    drop(fs::write(&filler, vec![1; 1 << 20]));

    let too_much = "too much ".repeat(10_000);
    let refused = publisher.publish_text(&too_much).unwrap_err();
    assert!(
        matches!(refused.kind(), PublishErrorKind::NoSpace { .. }),
        "{refused}"
    );
    // Attaching, inspecting and reading need no space, nor do small samples.
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "before");
    publisher.publish_text("small").unwrap();
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "small");
    fixture.viewer(["info"]).run().done();
    assert_eq!(fixture.list().len(), 1);
    fs::remove_file(filler).unwrap();
    publisher.publish_text(&too_much).unwrap();
    assert_eq!(fixture.viewer(["show"]).run().done().text(), too_much);
    drop(publisher);
    fixture.assert_empty();
}

#[test]
fn a_disk_too_full_for_any_segment_is_an_error() {
    let Some(disk) = SmallDisk::mount(64) else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let filler = disk.path().join("filler");
    drop(fs::write(&filler, vec![1; 128 << 10]));
    let refused = fixture.loader(["text", "no room"]).run();
    drop(refused.refused("Unable to create shared memory segment."));
    fs::remove_file(filler).unwrap();
    fixture.assert_empty();
}

/// A user without inotify instances, in a directory for segments that every user may write to.
struct WithoutInotify {
    user: OtherUser,
    directory: PrivateDir,
    fixture: Fixture,
    _holder: Actor,
}

impl WithoutInotify {
    fn new() -> Option<WithoutInotify> {
        let user = OtherUser::unique()?;
        let directory = PrivateDir::in_memory();
        directory.set_mode(0o1777);
        let fixture = Fixture::within(directory.path());
        let mut holder = Actor::start(user.launch_as(Actor::launch(&fixture)));
        let taken: u32 = holder.run("exhaust inotify").parse().unwrap();
        assert!(taken > 0);
        Some(WithoutInotify {
            user,
            directory,
            fixture,
            _holder: holder,
        })
    }

    fn actor(&self) -> Actor {
        Actor::start(self.user.launch_as(Actor::launch(&self.fixture)))
    }
}

#[test]
fn without_inotify_waiting_polls_and_reports_it() {
    let Some(exhausted) = WithoutInotify::new() else {
        return;
    };
    let (fixture, user) = (&exhausted.fixture, &exhausted.user);
    let follow = ["follow", "--count", "1"];
    let follow = user.launch_as(fixture.viewer(follow)).start();
    let show = user
        .launch_as(fixture.viewer(["show", "--wait", "60"]))
        .start();
    for viewer in [&follow, &show] {
        viewer.wait_for_stderr("fs.inotify.max_user_instances");
    }
    let loader = user
        .launch_as(fixture.loader(["text", "seen all the same"]))
        .start();
    loader.wait_for(fixture.key());
    for viewer in [follow, show] {
        let shown = viewer.finish().done();
        assert_eq!(shown.text().trim_end(), "seen all the same");
        assert_eq!(shown.stderr.matches("inotify").count(), 1, "{shown:?}");
    }
    loader.terminate().done();
    assert!(exhausted.directory.names().is_empty());
}

#[test]
fn without_inotify_appearing_and_disappearing_names_are_detected() {
    let Some(exhausted) = WithoutInotify::new() else {
        return;
    };
    let (mut watcher, mut waiter) = (exhausted.actor(), exhausted.actor());
    let mut publisher = exhausted.actor();
    watcher.send("watch 60000");
    waiter.send("await 60000");
    for actor in [&mut watcher, &mut waiter] {
        assert_eq!(actor.wait_done("polls"), "true");
    }
    publisher.run("join samples");
    assert_eq!(
        watcher.wait_done("watch"),
        "true",
        "the watch reports the new segment"
    );
    waiter.wait_done("await");
    watcher.send("watch 60000");
    assert_eq!(watcher.wait_done("polls"), "true");
    publisher.run("leave");
    assert_eq!(
        watcher.wait_done("watch"),
        "true",
        "the watch reports the removed segment"
    );
    watcher.send("watch 300");
    assert_eq!(watcher.wait_done("polls"), "true");
    assert_eq!(watcher.wait_done("watch"), "false", "the watch times out");
}

#[test]
fn without_inotify_a_later_publisher_learns_its_viewers() {
    let Some(exhausted) = WithoutInotify::new() else {
        return;
    };
    let (mut viewer, mut first) = (exhausted.actor(), exhausted.actor());
    first.run("open");
    viewer.run("connect");
    let mut second = exhausted.actor();
    second.run("open");
    second.run("listen");
    let told = second.run("viewers");
    assert!(told.contains("actor"), "{told}");
}

#[test]
fn a_disk_without_reservations_is_an_error() {
    let Some(disk) = SmallDisk::mount_ramfs() else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let refused = fixture.loader(["text", "not here"]).run();
    let refused = refused.refused("(ramfs)");
    assert!(refused.stderr.contains("SHM_CORE_DIR"), "{refused:?}");
    fixture.assert_empty();
}

#[test]
fn file_systems_that_cannot_hold_segments_are_reported_at_once() {
    for (path, kind) in [
        ("/proc", "(proc)"),
        ("/sys", "(sysfs)"),
        ("/proc/self/fd", "(proc)"),
    ] {
        let fixture = Fixture::within(std::path::Path::new(path));
        for launch in [
            fixture.loader(["text", "nowhere"]),
            fixture.viewer(["show"]),
            fixture.viewer(["show", "--wait", "60"]),
            fixture.viewer(["follow"]),
            fixture.viewer(["info"]),
            fixture.viewer(["remove"]),
            fixture.bare_viewer(["list"]),
        ] {
            let (refused, time) = timed(|| launch.run().refused(kind));
            assert!(refused.stderr.contains("SHM_CORE_DIR"), "{refused:?}");
            assert!(time.as_secs() < 4, "{time:?}: {refused:?}");
        }
        let block = Block::create(&key(&fixture), 64, &options(&fixture)).map(drop);
        assert!(
            matches!(&block, Err(error) if matches!(error.kind(), AttachErrorKind::FileSystem { .. })),
            "{block:?}"
        );
    }
}

#[test]
fn a_file_system_without_long_files_is_reported_at_once() {
    // With blocks of 1 KiB no file is longer than some gigabytes.
    let Some(disk) = SmallDisk::mount_ext2() else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    let refused = fixture.loader(["text", "nowhere"]).run().refused("(ext2");
    assert!(refused.stderr.contains("SHM_CORE_DIR"), "{refused:?}");
    // A block is short enough, and works.
    let block = Block::create(&key(&fixture), 64, &options(&fixture));
    assert!(
        block.is_ok()
            || matches!(&block, Err(error) if matches!(error.kind(), AttachErrorKind::FileSystem { .. })),
        "{block:?}"
    );
    drop(block);
    let left: Vec<_> = fs::read_dir(disk.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(left.iter().all(|name| name == "lost+found"), "{left:?}");
}

#[test]
fn a_disk_that_became_read_only_is_still_readable() {
    let Some(disk) = SmallDisk::mount(512) else {
        return;
    };
    let fixture = Fixture::within(disk.path());
    fixture.loader(["text", "--persist", "kept"]).run().done();
    let remount = |mode: &str| {
        let options = format!("remount,{mode}");
        let mount = Launch::new("mount").args(["-o", &options]);
        drop(mount.args([disk.path()]).run().done());
    };
    remount("ro");
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "kept");
    assert_eq!(fixture.list().len(), 1);
    for launch in [fixture.loader(["text", "new"]), fixture.viewer(["remove"])] {
        drop(launch.run().refused("ead-only"));
    }
    remount("rw");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

/// Removes root's privilege to bypass permissions, if the tests run as root.
fn unprivileged(launch: Launch) -> Option<Launch> {
    const NO_PRIVILEGES: [&str; 2] = ["--bounding-set=-all", "--inh-caps=-all"];
    if !rustix::process::getuid().is_root() {
        return Some(launch);
    }
    let attempt = Launch::new("true").through("setpriv", NO_PRIVILEGES).run();
    if attempt.code != Some(0) {
        skip("setpriv cannot take root's privileges away here");
        return None;
    }
    Some(launch.through("setpriv", NO_PRIVILEGES))
}

#[test]
fn an_unwritable_directory_is_an_error() {
    let directory = PrivateDir::in_memory();
    let fixture = Fixture::within(directory.path());
    directory.set_mode(0o500);
    let Some(launch) = unprivileged(fixture.loader(["text", "not here"])) else {
        return;
    };
    drop(
        launch
            .run()
            .refused("Unable to create shared memory segment."),
    );
    directory.set_mode(0o700);
    assert_eq!(directory.names(), [] as [String; 0]);
}

/// Starts it with a limit, such as `--nofile=5`.
fn limited(launch: Launch, limit: &str) -> Launch {
    launch.through("prlimit", [limit])
}

#[test]
fn a_limit_of_open_files_is_an_error_at_every_step() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "kept"]).run().done();
    let mut enough = 0;
    for files in 4..16 {
        let limit = format!("--nofile={files}");
        for launch in [
            fixture.viewer(["show"]),
            fixture.viewer(["list"]),
            fixture.loader(["text", "--persist", "kept"]),
        ] {
            let outcome = limited(launch, &limit).run();
            let said = outcome.stderr.contains("Too many open files");
            assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
            assert!(
                outcome.code == Some(0) || outcome.code == Some(1) && said,
                "{outcome:?}"
            );
            enough += i32::from(outcome.code == Some(0));
        }
        assert_eq!(fixture.viewer(["show"]).run().done().text(), "kept");
    }
    assert!(enough > 0, "some of these limits suffice");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

#[test]
fn a_limit_of_the_file_size_is_an_error_and_no_signal() {
    let fixture = Fixture::new();
    // A text so long lies in a region, 64 GiB from the beginning of the file.
    let long = "long ".repeat(10_000);
    for (limit, text) in [
        ("--fsize=0", "hello"),
        ("--fsize=4096", "hello"),
        ("--fsize=65536", "hello"),
        ("--fsize=1000000000", long.as_str()),
    ] {
        let refused = limited(fixture.loader(["text", text]), limit).run();
        assert_eq!(
            (refused.code, refused.signal),
            (Some(1), None),
            "{refused:?}"
        );
        let remedy = "ulimit -f unlimited";
        assert!(refused.stderr.contains(remedy), "{refused:?}");
        fixture.assert_empty();
    }
}

#[test]
fn a_limit_of_the_file_size_permits_detaching_and_removing() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "kept"]).run().done();
    limited(fixture.viewer(["show"]), "--fsize=0").run().done();
    let removed = limited(fixture.viewer(["remove"]), "--fsize=0").run();
    assert_eq!(removed.signal, None, "{removed:?}");
    removed.done();
    fixture.assert_empty();
}

#[test]
fn a_limit_of_the_file_size_permits_clearing() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    for text in ["one", "two", "three"] {
        publisher.publish_text(text).unwrap();
    }
    let mut actor = Actor::start(limited(Actor::launch(&fixture), "--fsize=1000000000"));
    actor.run("open");
    actor.send("clear");
    let outcome = actor.finish();
    assert_eq!(
        (outcome.code, outcome.signal),
        (Some(0), None),
        "{outcome:?}"
    );
    assert!(Subscriber::attach(&key(&fixture), &options(&fixture)).is_ok());
}

/// A large sample for the limits below.
const LARGE: usize = 96 << 20;

/// Asserts that the viewer shows the large content, or reports an error, under every memory limit.
fn assert_shown_or_refused(fixture: &Fixture) {
    let mut shown = 0;
    // From too little for the mapping to enough for everything: it never crashes in between.
    for megabytes in (128..=640).step_by(64) {
        let limit = format!("--as={}", megabytes << 20);
        let outcome = limited(fixture.viewer(["show"]), &limit).run();
        match outcome.code {
            Some(0) => {
                assert_eq!(outcome.stdout.len(), LARGE, "{megabytes} MB");
                shown += 1;
            }
            // Not the whole outcome, whose output is large.
            code => assert!(
                code == Some(1) && outcome.stderr.contains("emory"),
                "{megabytes} MB: code {code:?}, signal {:?}, {}",
                outcome.signal,
                outcome.stderr
            ),
        }
    }
    assert!(shown > 0, "some of these limits suffice");
}

#[test]
fn a_limit_of_memory_is_an_error_when_reading_a_sample() {
    let fixture = Fixture::new();
    let loader = fixture.loader(["text"]).input("x".repeat(LARGE)).start();
    loader.wait_for(fixture.key());
    assert_shown_or_refused(&fixture);
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_limit_of_memory_is_an_error_when_reading_a_block() {
    let fixture = Fixture::new();
    let mut actor = Actor::new(&fixture);
    actor.run(&format!("create {LARGE}"));
    assert_shown_or_refused(&fixture);
    actor.kill();
    fixture.assert_empty();
}

#[test]
fn a_limit_of_memory_refuses_a_loan_and_keeps_the_last_sample() {
    let fixture = Fixture::new();
    let mut actor = Actor::start(limited(Actor::launch(&fixture), "--as=100000000"));
    actor.run("open");
    actor.run("publish 1 20000");
    let refused = actor.try_run("loan 200000000");
    assert!(refused.contains("emory"), "{refused}");
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    assert_eq!(subscriber.latest().unwrap().unwrap().payload()[0], 1);
    actor.run("publish 2 20000");
    assert_eq!(subscriber.latest().unwrap().unwrap().payload()[0], 2);
}

/// Loads and shows with both programs started in a restricted environment.
fn assert_works(fixture: &Fixture, surround: impl Fn(Launch) -> Launch) {
    let loader = surround(fixture.loader(["text", "all the same"])).start();
    loader.wait_for(fixture.key());
    let names: Vec<_> = fs::read_dir(fixture.segments()).unwrap().collect();
    assert_eq!(names.len(), 1, "a temporary name is left: {names:?}");
    for shown in [surround(fixture.viewer(["show"])), fixture.viewer(["show"])] {
        assert_eq!(shown.run().done().text(), "all the same");
    }
    // Both ways to create meet at one name.
    let publisher = Publisher::open(&key(fixture), &options(fixture)).unwrap();
    assert!(!publisher.created());
    drop(publisher);
    let mut actor = Actor::start(surround(Actor::launch(fixture)));
    let refused = actor.try_run("create 64");
    assert!(refused.contains("already"), "{refused}");
    assert_eq!(loader.kill().signal, Some(9));
    // It replaces a stale segment like the other way does.
    actor.run("create 64");
    actor.kill();
    fixture.assert_empty();
}

#[test]
fn without_proc_everything_works() {
    const HIDE: [&str; 4] = [
        "--mount",
        "sh",
        "-c",
        "mount -t tmpfs none /proc && exec \"$@\"",
    ];
    let hidden = |launch: Launch| launch.through("unshare", HIDE.into_iter().chain(["sh"]));
    let attempt = hidden(Launch::new("sh").args(["-c", "! test -e /proc/self"])).run();
    if attempt.code != Some(0) {
        return skip("/proc cannot be hidden here: that needs root");
    }
    assert_works(&Fixture::new(), hidden);
}

/// Prepares programs without unnamed files; `None` if system calls cannot be filtered here.
fn without_unnamed_files() -> Option<impl Fn(Launch) -> Launch> {
    let without = |launch: Launch| launch.through(env!("CARGO_BIN_EXE_without"), ["O_TMPFILE"]);
    if without(Launch::new("true")).run().code != Some(0) {
        skip("system calls cannot be filtered here");
        return None;
    }
    Some(without)
}

#[test]
fn without_unnamed_files_everything_works() {
    if let Some(without) = without_unnamed_files() {
        assert_works(&Fixture::new(), without);
    }
}

#[test]
fn without_unnamed_files_no_list_removes_a_segment_being_created() {
    const CREATIONS: usize = 100;
    let Some(without) = without_unnamed_files() else {
        return;
    };
    let fixture = Fixture::new();
    let created = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !created.load(Ordering::Relaxed) {
                segment::list(&options(&fixture)).unwrap();
            }
        });
        let outcomes: Vec<_> = (0..CREATIONS)
            .map(|_| without(fixture.loader(["text", "--for", "1ms", "new"])).run())
            .collect();
        created.store(true, Ordering::Relaxed);
        for outcome in outcomes {
            outcome.done();
        }
    });
    fixture.assert_empty();
}

#[test]
fn all_slots_taken_is_an_error_with_the_number_of_slots() {
    let fixture = Fixture::new();
    let publishers: Vec<_> = (0..128)
        .map(|_| Publisher::open(&key(&fixture), &options(&fixture)).unwrap())
        .collect();
    publishers[0]
        .publish(&Metadata::Text, b"to be read")
        .unwrap();
    let refused = fixture.loader(["text", "one too many"]).run();
    drop(refused.refused("All 128 slots"));
    // Readers need no slot.
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "to be read");
    drop(publishers);
    fixture.assert_empty();
}
