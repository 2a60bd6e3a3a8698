//! A segment's name that leads elsewhere, or nowhere: its participants detect it within a second.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use e2e_tests::{Desktop, Fixture, LoaderWindow, Picture, PictureFile, Program};
use shm_core::{
    Block, LockErrorKind, PublishErrorKind, Publisher, Subscriber, WaitResult,
    guard_against_truncation, segment,
};

use crate::actor::{Actor, key, options, timed};

/// A second, plus the time that a loaded machine needs.
const DETECTION_LIMIT: Duration = Duration::from_secs(5);
/// After this time it must be detected.
const DETECTION_TIME: Duration = Duration::from_millis(1100);

/// How a segment's name is changed.
#[derive(Clone, Copy, Debug)]
enum Replacement {
    Removed,
    Moved,
    /// Moved away, and a foreign file put in its place.
    Squatted,
    /// Moved away, and a segment of another program put in its place.
    Replaced,
    DirectoryMoved,
}

impl Replacement {
    const ALL: [Replacement; 5] = [
        Replacement::Removed,
        Replacement::Moved,
        Replacement::Squatted,
        Replacement::Replaced,
        Replacement::DirectoryMoved,
    ];

    /// Applies the change to the segment of a fixture; returns the publisher of the new segment, if
    /// any.
    fn apply(self, fixture: &Fixture) -> Option<Publisher> {
        let path = fixture.segment();
        match self {
            Replacement::Removed => fs::remove_file(path).unwrap(),
            Replacement::Moved => fs::rename(&path, away(&path)).unwrap(),
            Replacement::Squatted => {
                fs::rename(&path, away(&path)).unwrap();
                fs::write(path, "another program's notes").unwrap();
            }
            Replacement::Replaced => {
                fs::rename(&path, away(&path)).unwrap();
                let other = Publisher::open(&key(fixture), &options(fixture)).unwrap();
                other.publish_text("of another").unwrap();
                return Some(other);
            }
            Replacement::DirectoryMoved => {
                fs::rename(fixture.segments(), away(fixture.segments())).unwrap()
            }
        }
        None
    }

    /// Restores the directory, so that the fixture can clean up.
    fn undo(self, fixture: &Fixture) {
        if matches!(self, Replacement::DirectoryMoved) {
            if fixture.segments().exists() {
                fs::remove_dir_all(fixture.segments()).unwrap();
            }
            fs::rename(away(fixture.segments()), fixture.segments()).unwrap();
        }
    }
}

fn away(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-away");
    name.into()
}

fn loaded(fixture: &Fixture, arguments: &[&str]) -> Program {
    let loader = fixture.loader(arguments).start();
    loader.wait_for(fixture.key());
    loader
}

fn shown(fixture: &Fixture) -> String {
    let shown = fixture.viewer(["show"]).run().done();
    shown.text().to_owned()
}

#[test]
fn an_idle_loader_reports_a_lost_name_and_exits_with_1() {
    let mut loaders = Vec::new();
    for replacement in Replacement::ALL {
        let fixture = Fixture::new();
        let loader = loaded(&fixture, &["text", "held"]);
        let other = replacement.apply(&fixture);
        loaders.push((replacement, fixture, loader, other));
    }
    for (replacement, fixture, loader, _other) in loaders {
        let (outcome, time) = timed(|| loader.finish());
        let outcome = outcome.refused("removed, moved away or replaced");
        assert!(
            outcome.stderr.contains("--restore"),
            "{replacement:?}: {outcome:?}"
        );
        assert!(time < DETECTION_LIMIT, "{replacement:?}: {time:?}");
        replacement.undo(&fixture);
    }
}

#[test]
fn every_kind_of_loader_exits_with_1() {
    let scenes: Vec<Fixture> = (0..5).map(|_| Fixture::new()).collect();
    let bytes = scenes[0].file("bytes", &[7; 100_000]);
    let picture = Picture::draw(70, 50, 1).encode(PictureFile::Png);
    let picture = scenes[0].file("p.png", &picture);
    let pattern = ["frames", "--test-pattern", "--size", "64x48", "--fps"];
    let mut waiting = scenes[4]
        .loader(["frames", "--size", "2x1", "-"])
        .input_kept_open()
        .start();
    waiting.write(&[0; 8]);
    waiting.wait_for(scenes[4].key());
    // In the middle of a frame, with no more input.
    waiting.write(&[0; 3]);
    let loaders = [
        scenes[0].loader(["file"]).args([bytes]).start(),
        scenes[1].loader(["image"]).args([picture]).start(),
        scenes[2].loader(pattern).args(["60"]).start(),
        // The next frame is due much later.
        scenes[3].loader(pattern).args(["0.01"]).start(),
    ];
    for (loader, fixture) in loaders.iter().zip(&scenes) {
        loader.wait_for(fixture.key());
        fs::rename(fixture.segment(), away(&fixture.segment())).unwrap();
    }
    fs::remove_file(scenes[4].segment()).unwrap();
    for loader in loaders.into_iter().chain([waiting]) {
        // It does not wait for the end of its input.
        let (outcome, time) = timed(|| {
            loader.wait_for_end();
            loader.finish()
        });
        drop(outcome.refused("removed, moved away or replaced"));
        assert!(time < DETECTION_LIMIT, "{time:?}");
    }
}

#[test]
fn restore_loads_the_same_content_each_time() {
    let fixture = Fixture::new();
    let text = fixture
        .loader(["text", "--restore"])
        .input("through a pipe, 管道")
        .start();
    text.wait_for(fixture.key());
    for _ in 0..2 {
        fs::remove_file(fixture.segment()).unwrap();
        text.wait_for_stderr("Restored: Loaded text");
        assert_eq!(shown(&fixture), "through a pipe, 管道");
    }
    text.terminate().done();
    fixture.assert_empty();

    // The current content of the file is not the loaded content.
    let fixture = Fixture::new();
    let picture = Picture::draw(700, 500, 2);
    let path = fixture.file("p.png", &picture.encode(PictureFile::Png));
    let image = fixture.loader(["image", "--restore"]).args([&path]).start();
    image.wait_for(fixture.key());
    fs::remove_file(&path).unwrap();
    fs::remove_file(fixture.segment()).unwrap();
    image.wait_for_stderr("Restored: Loaded image");
    let shown = fixture
        .viewer(["show", "--output", "-"])
        .run()
        .done()
        .stdout;
    assert!(image::load_from_memory(&shown).unwrap().into_rgb8() == *picture.pixels());
    image.terminate().done();
    fixture.assert_empty();
}

#[test]
fn restore_continues_a_stream_and_loses_no_frame() {
    let fixture = Fixture::new();
    let mut video = fixture
        .loader([
            "frames",
            "--restore",
            "--size",
            "2x1",
            "--format",
            "gray",
            "-",
        ])
        .input_kept_open()
        .start();
    video.write(b"ab");
    video.wait_for(fixture.key());
    let pixels = || {
        let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
        let sample = subscriber.latest().unwrap().unwrap();
        sample.payload().to_vec()
    };
    assert_eq!(pixels(), b"ab");
    // In the middle of the second frame, with no more input for a while.
    video.write(b"c");
    fs::remove_file(fixture.segment()).unwrap();
    video.wait_for_stderr("Restored: Loaded image");
    assert_eq!(pixels(), b"ab", "the last frame is restored");
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    video.write(b"d");
    assert_eq!(
        subscriber.wait(Some(DETECTION_LIMIT)).unwrap(),
        WaitResult::New
    );
    assert_eq!(pixels(), b"cd");
    drop(video.finish().done());
    fixture.assert_empty();
}

#[test]
fn restore_joins_the_new_segment_and_leaves_foreign_files_alone() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &["text", "--restore", "mine"]);
    let other = Replacement::Replaced.apply(&fixture);
    loader.wait_for_stderr("This replaces");
    loader.wait_for_stderr("Restored");
    assert_eq!(shown(&fixture), "mine");
    let attached = segment::info(&key(&fixture), &options(&fixture)).unwrap();
    assert_eq!(attached.attached.len(), 2, "{attached:?}");
    drop(other);

    Replacement::Moved.apply(&fixture);
    fs::write(fixture.segment(), "another program's notes").unwrap();
    drop(loader.finish().refused("taken by something else"));
    assert_eq!(
        fs::read(fixture.segment()).unwrap(),
        b"another program's notes"
    );

    let fixture = Fixture::new();
    let loader = loaded(&fixture, &["text", "--restore", "mine"]);
    Replacement::DirectoryMoved.apply(&fixture);
    drop(loader.finish().refused("does not exist"));
    Replacement::DirectoryMoved.undo(&fixture);
}

#[test]
fn restore_is_limited_to_once_a_second() {
    let fixture = Fixture::new();
    let loaders = [
        loaded(&fixture, &["text", "--restore", "again"]),
        fixture
            .loader(["frames", "--restore", "--test-pattern", "--size", "64x48"])
            .start(),
    ];
    loaders[1].wait_for(fixture.key());
    const DURATION: Duration = Duration::from_secs(3);
    let began = Instant::now();
    let mut removed = 0;
    while began.elapsed() < DURATION {
        removed += u32::from(fs::remove_file(fixture.segment()).is_ok());
        std::thread::yield_now();
    }
    // Two loaders, each once a second, and the initial content.
    println!("removed {removed} times");
    assert!((2..=10).contains(&removed), "{removed}");
    for loader in loaders {
        drop(loader.terminate().done());
    }
    fixture.assert_empty();
}

#[test]
fn invalid_option_combinations_are_usage_errors() {
    let fixture = Fixture::new();
    drop(
        fixture
            .loader(["text", "--restore", "--persist", "x"])
            .run()
            .misused("--persist"),
    );
}

#[test]
fn a_persistent_segment_is_restored_as_persistent() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "first"]).run().done();
    let loader = fixture.loader(["text", "--restore", "second"]).start();
    loader.wait_for(fixture.key());
    fs::remove_file(fixture.segment()).unwrap();
    loader.wait_for_stderr("Restored");
    loader.terminate().done();
    assert_eq!(shown(&fixture), "second");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

#[test]
fn fast_publishers_fail_within_a_second() {
    guard_against_truncation().unwrap();
    for replacement in Replacement::ALL {
        let fixture = Fixture::new();
        let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
        // So fast that the lock's skip budget would let a thousand through without a check.
        for _ in 0..20_000 {
            publisher.publish_text("hasty").unwrap();
        }
        let _other = replacement.apply(&fixture);
        assert!(
            publisher.is_removed(),
            "{replacement:?}: is_removed does not check at once"
        );
        // A second has to pass.
        std::thread::sleep(DETECTION_TIME);
        for _ in 0..3 {
            let error = publisher.publish_text("into nowhere").unwrap_err();
            assert!(
                matches!(error.kind(), PublishErrorKind::Removed),
                "{replacement:?}: {error}"
            );
        }
        // It removes no other file.
        assert!(!publisher.detach().removed);
        replacement.undo(&fixture);
        assert_eq!(
            fixture.segment().exists(),
            !matches!(replacement, Replacement::Removed | Replacement::Moved)
        );
    }
}

#[test]
fn sleeping_and_busy_subscribers_detect_a_lost_name() {
    for replacement in Replacement::ALL {
        let fixture = Fixture::new();
        let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
        publisher.publish_text("before").unwrap();
        let mut sleeper = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
        assert!(sleeper.latest().unwrap().is_some());
        let _other = replacement.apply(&fixture);
        let (told, time) = timed(|| sleeper.wait(Some(2 * DETECTION_LIMIT)).unwrap());
        assert_eq!(told, WaitResult::Removed, "{replacement:?}");
        assert!(time < DETECTION_LIMIT, "{replacement:?}: {time:?}");
        replacement.undo(&fixture);
    }

    // A publisher that does not check keeps its readers busy with samples that no other process
    // finds.
    let fixture = Fixture::new();
    let mut publisher = Actor::new(&fixture);
    publisher.run("open");
    publisher.run("publish 1 64");
    let mut busy = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let peer = fixture.program(env!("CARGO_BIN_EXE_malicious_peer"));
    let peer = peer.args([fixture.segment()]).args(["flood"]).start();
    peer.wait_for("attacking");
    Replacement::Moved.apply(&fixture);
    let began = Instant::now();
    while busy.wait(None).unwrap() != WaitResult::Removed {
        assert!(
            began.elapsed() < DETECTION_LIMIT,
            "the subscriber does not detect the lost name"
        );
    }
}

#[test]
fn waiting_and_occasional_lock_holders_detect_a_lost_name() {
    for replacement in [Replacement::Moved, Replacement::DirectoryMoved] {
        let fixture = Fixture::new();
        let (mut holder, mut waiter) = (Actor::new(&fixture), Actor::new(&fixture));
        holder.run("create 64");
        waiter.run("attach");
        let idle = Block::attach(&key(&fixture), &options(&fixture)).unwrap();
        holder.run("lock 1000");
        waiter.send("lock 60000");
        replacement.apply(&fixture);
        let (answer, time) = timed(|| waiter.program().wait_for(""));
        assert!(answer.contains("moved away"), "{answer}");
        assert!(time < DETECTION_LIMIT, "{time:?}");
        holder.run("unlock");
        std::thread::sleep(DETECTION_TIME);
        assert!(idle.is_removed());
        let error = idle.lock().map(drop).unwrap_err();
        assert!(matches!(error.kind(), LockErrorKind::Removed), "{error}");
        replacement.undo(&fixture);
    }
}

#[test]
fn follow_switches_to_the_new_segment() {
    let fixture = Fixture::new();
    let first = loaded(&fixture, &["text", "first"]);
    let follow = fixture.viewer(["follow"]).start();
    follow.wait_for("first");
    let other = Replacement::Replaced.apply(&fixture);
    follow.wait_for("of another");
    drop(first.finish().refused("replaced"));
    drop(other);
    let outcome = follow.terminate().done();
    assert_eq!(outcome.text(), "first\nof another\n");
    assert_eq!(outcome.stderr, "");

    // `show --wait` does the same when it waits for content in an existing segment.
    let fixture = Fixture::new();
    let _empty = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let show = fixture.viewer(["show", "--wait", "60"]).start();
    let info = || segment::info(&key(&fixture), &options(&fixture)).unwrap();
    while info().attached.is_empty() || info().attached.len() < 2 {
        std::thread::yield_now();
    }
    let other = Replacement::Replaced.apply(&fixture);
    assert_eq!(show.finish().done().text(), "of another");
    drop(other);
}

/// A Qt key behaves the same, as far as it can be detected.
#[test]
fn an_idle_loader_under_a_qt_key_detects_a_lost_name() {
    let plain = Fixture::new();
    let file = plain.file("native", b"");
    let name = format!("{}-qt", plain.key());
    let keys = [
        format!("systemv:{}", file.display()),
        format!("posix:/{name}"),
    ];
    for key in keys {
        let fixture = Fixture::new().with_key(&key);
        let take_away = || {
            if key.starts_with("posix") {
                fs::remove_file(Path::new("/dev/shm").join(&name)).unwrap();
            } else {
                fixture.viewer(["remove", "--force"]).run().done();
            }
        };
        let loader = loaded(&fixture, &["text", "held"]);
        take_away();
        drop(loader.finish().refused("can no longer be found"));

        let loader = loaded(&fixture, &["text", "--restore", "held, 守"]);
        take_away();
        loader.wait_for_stderr("Restored: Loaded text");
        assert_eq!(shown(&fixture), "held, 守");
        loader.terminate().done();
        drop(fixture.viewer(["show"]).run().refused("Enter a text first"));
    }
}

#[test]
fn the_window_offers_to_load_it_again() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("in the window");
    fs::rename(fixture.segment(), away(&fixture.segment())).unwrap();
    loader.program.wait_for_status("can no longer be found");
    fs::remove_file(away(&fixture.segment())).unwrap();
    loader.window.press(&["ctrl+y"]);
    loader.program.wait_for_status("Loaded text");
    assert_eq!(shown(&fixture), "in the window");

    // A stream starts again.
    loader.stream_test_pattern();
    fs::remove_file(fixture.segment()).unwrap();
    loader.program.wait_for_status("can no longer be found");
    loader.window.press(&["ctrl+y"]);
    loader.program.wait_for_status("Streaming");
    assert!(fixture.segment().exists());
}
