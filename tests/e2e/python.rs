//! `examples/python/shm_view.py`: what docs/LAYOUT.md says is enough to read along.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use e2e_tests::{Launch, Picture, PictureFile, Program, Scene, skip};
use image::RgbaImage;
use serde_json::Value;

use crate::actor::Actor;

/// The example, in a scene; nothing where there is no Python.
struct Python {
    scene: Scene,
}

impl Python {
    fn new() -> Option<Python> {
        let found = Command::new("python3").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            skip("there is no python3");
            return None;
        }
        let scene = Scene::new();
        Some(Python { scene })
    }

    /// The example's command line with the scene's key.
    fn keyed(&self, arguments: &[&str]) -> Launch {
        let (command, arguments) = arguments.split_first().unwrap();
        let keyed = self.bare(&[command, "--key", self.scene.key()]);
        keyed.args(arguments)
    }

    fn bare(&self, arguments: &[&str]) -> Launch {
        let python = self.scene.program("python3").args(["-B"]);
        python
            .args([examples().join("shm_view.py")])
            .args(arguments)
    }

    /// A script that uses the example as a module; its argument is the scene's key.
    fn script(&self, lines: &str) -> Launch {
        let python = self.scene.program("python3").args(["-B", "-c", lines]);
        let python = python.args([self.scene.key()]);
        python.env("PYTHONPATH", examples())
    }

    fn loads(&self, arguments: &[&str]) -> Program {
        let loader = self.scene.loader(arguments).start();
        loader.wait_for(self.scene.key());
        loader
    }

    fn loads_picture(&self, picture: &Picture, name: &str) -> Program {
        let file = self.scene.file(name, &picture.encode(PictureFile::Png));
        self.loads(&["image", file.to_str().unwrap()])
    }

    /// Who is attached, as the viewer tells it.
    fn attached(&self) -> Vec<Value> {
        let info = self.scene.viewer(["info", "--json"]).run().done().json();
        info["attached"].as_array().unwrap().clone()
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python")
}

fn is_reader(peer: &Value, program: &Program) -> bool {
    peer["pid"] == program.pid() && peer["access"] == "read-only"
}

#[test]
fn a_text_comes_through() {
    let Some(python) = Python::new() else { return };
    let long: String = (0..100_000).map(|line| format!("{line} – 行\n")).collect();
    assert!(long.len() > 1 << 20);
    for text in ["", "Hello", "你好，世界 👩‍👩‍👧‍👦 e\u{301}\r\n\t", &long] {
        let loader = python.scene.loader(["text"]).input(text).start();
        loader.wait_for(python.scene.key());
        let shown = python.keyed(&["show"]).run().done();
        assert!(shown.text() == text, "{} bytes", text.len());
        assert!(shown.stderr.contains("sequence 1"), "{}", shown.stderr);
        loader.terminate().done();
    }
    python.scene.assert_empty();
}

#[test]
fn a_picture_comes_through() {
    let Some(python) = Python::new() else { return };
    let copy = python.scene.path("copy.png");
    // Copied by its sequence, and pinned.
    for (width, height) in [(34, 33), (640, 400)] {
        let picture = Picture::draw(width, height, 1);
        let loader = python.loads_picture(&picture, "picture.png");
        let show = python.keyed(&["show", "--output"]).args([&copy]);
        let facts = show.run().done().stderr;
        assert!(facts.contains(&format!("{width} × {height}")), "{facts}");
        let shown = image::open(&copy).unwrap().into_rgb8();
        assert!(shown == *picture.pixels(), "{width} × {height}");
        loader.terminate().done();
    }
    python.scene.assert_empty();
}

#[test]
fn transparency_comes_through() {
    let Some(python) = Python::new() else { return };
    let drawn = RgbaImage::from_fn(90, 70, |x, y| {
        let [x, y] = [x, y].map(|at| u8::try_from(at * 2).unwrap());
        image::Rgba([x, y, 77, x.wrapping_add(y)])
    });
    let file = python.scene.path("glass.png");
    drawn.save(&file).unwrap();
    let _loader = python.loads(&["image", file.to_str().unwrap()]);
    let shown = python.keyed(&["show", "--output", "-"]).run().done().stdout;
    assert!(image::load_from_memory(&shown).unwrap().into_rgba8() == drawn);
}

#[test]
fn any_bytes_come_through() {
    let Some(python) = Python::new() else { return };
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let file = python.scene.file("some.pdf", &bytes);
    let _loader = python.loads(&["file", file.to_str().unwrap()]);
    let shown = python.keyed(&["show"]).run().done();
    assert!(shown.stdout == bytes);
    assert!(shown.stderr.contains("application/pdf"), "{}", shown.stderr);
}

#[test]
fn a_publication_wakes_who_waits_for_the_next() {
    let Some(python) = Python::new() else { return };
    let first = python.loads(&["text", "the one before"]);
    let waiting = python.keyed(&["show", "--next", "--timeout", "60"]).start();
    waiting.wait_for_complaint("after sequence 1");
    assert!(
        python
            .attached()
            .iter()
            .any(|peer| is_reader(peer, &waiting))
    );
    let second = python.loads(&["text", "the next"]);
    assert_eq!(waiting.finish().done().text(), "the next");
    // Who has left is not seen any more.
    assert!(
        python
            .attached()
            .iter()
            .all(|peer| peer["access"] == "read-write")
    );
    first.terminate().done();
    second.terminate().done();
    python.scene.assert_empty();
}

#[test]
fn a_publication_wakes_and_not_only_the_next_look() {
    let Some(python) = Python::new() else { return };
    let _first = python.loads(&["text", "the one before"]);
    // One sleep, much longer than the patience of this test.
    let script = python.script(
        "import shm_view, sys
with shm_view.Subscriber.attach(shm_view.Place(), sys.argv[1]) as subscriber:
    seen = subscriber.sequence()
    print('asleep', flush=True)
    subscriber.segment.words.sleep_while(shm_view.LATEST, seen, 3600.0)
    print(subscriber.sequence())
",
    );
    let sleeping = script.start();
    sleeping.wait_for("asleep");
    let _second = python.loads(&["text", "the next"]);
    assert_eq!(sleeping.finish().done().text(), "asleep\n2\n");
}

#[test]
fn no_sample_is_ever_torn() {
    let Some(python) = Python::new() else { return };
    let mut flooding = Actor::new(&python.scene);
    flooding.does("open");
    flooding.does("publish 1 20000");
    flooding.does("flood 20000");
    // Each byte of what the actor publishes is the low byte of the number in the first eight.
    let script = python.script(
        "import shm_view, sys
kinds, count = set(), 0
with shm_view.Subscriber.attach(shm_view.Place(), sys.argv[1]) as subscriber:
    while count < 5000 or len(kinds) < 2:
        with subscriber.latest() as sample:
            data = b''.join(sample.chunks())
            assert len(data) == sample.size
            assert data[8:] == data[:1] * (len(data) - 8), sample.facts()
            kinds.add(len(data) <= shm_view.SMALL)
        count += 1
print('whole')
",
    );
    assert_eq!(script.run().done().text(), "whole\n");
    flooding.dies();
    python.scene.assert_empty();
}

#[test]
fn what_holds_no_sample_is_told_apart() {
    let Some(python) = Python::new() else { return };
    let mut actor = Actor::new(&python.scene);
    actor.does("open");
    let list = python.bare(&["list"]).run().done();
    assert!(list.text().contains("nothing loaded yet"), "{list:?}");
    drop(python.keyed(&["show"]).run().refused("--next"));
    drop(actor.ends().done());

    let mut actor = Actor::new(&python.scene);
    actor.does("create 64");
    let list = python.bare(&["list"]).run().done();
    assert!(list.text().contains("block of 64 bytes"), "{list:?}");
    drop(python.keyed(&["show"]).run().refused("block of bytes"));
}

#[test]
fn it_follows_until_nobody_is_left() {
    let Some(python) = Python::new() else { return };
    let first = python.loads(&["text", "one\n"]);
    let following = python.keyed(&["follow"]).start();
    following.wait_for("one");
    let second = python.loads(&["text", "two\n"]);
    following.wait_for("two");
    first.terminate().done();
    // Nobody wakes it after this.
    drop(second.kill());
    let ended = following.finish().done();
    assert_eq!(ended.text(), "one\ntwo\n");
    assert!(ended.stderr.contains("Nobody is left"), "{}", ended.stderr);
    python.scene.assert_empty();
}

#[test]
fn a_pinned_picture_stays_while_others_are_loaded() {
    let Some(python) = Python::new() else { return };
    let picture = Picture::draw(640, 400, 2);
    let _first = python.loads_picture(&picture, "first.png");
    let copy = python.scene.path("copy.png");
    let show = python.keyed(&["show", "--hold", "--output"]).args([&copy]);
    let holding = show.input_kept_open().start();
    holding.wait_for_complaint("Held until");
    assert!(
        python
            .attached()
            .iter()
            .any(|peer| is_reader(peer, &holding))
    );
    for seed in 3..9 {
        let other = python.loads_picture(&Picture::draw(640, 400, seed), "other.png");
        other.terminate().done();
    }
    drop(holding.finish().done());
    assert!(image::open(copy).unwrap().into_rgb8() == *picture.pixels());
}

#[test]
fn segments_are_listed_with_who_holds_them() {
    let Some(python) = Python::new() else { return };
    let loader = python.loads(&["text", "hello"]);
    let waiting = python.keyed(&["show", "--next"]).start();
    waiting.wait_for_complaint("Waiting");
    let list = python.bare(&["list"]).run().done();
    let [loader_pid, reader_pid] = [loader.pid(), waiting.pid()].map(|pid| pid.to_string());
    for part in [
        python.scene.key(),
        "text",
        "loader-app",
        &loader_pid,
        &reader_pid,
    ] {
        assert!(list.text().contains(part), "{part}: {list:?}");
    }
}

#[test]
fn where_nothing_is_it_says_so() {
    let Some(python) = Python::new() else { return };
    for command in ["show", "follow"] {
        let refused = python.keyed(&[command]).run().refused("no shared memory");
        assert!(refused.stderr.contains("loader-app text"), "{refused:?}");
        assert!(!refused.stderr.contains("Traceback"), "{refused:?}");
    }
    drop(
        python
            .bare(&["show", "--key", "a/b"])
            .run()
            .refused("slash"),
    );
    let nothing = python.bare(&["list"]).run().done();
    assert!(nothing.stderr.contains("no shared memory"), "{nothing:?}");
    assert!(nothing.stdout.is_empty(), "{nothing:?}");
}

#[test]
fn what_a_crash_left_behind_counts_as_nothing() {
    let Some(python) = Python::new() else { return };
    drop(python.loads(&["text", "gone soon"]).kill());
    let list = python.bare(&["list"]).run().done();
    assert!(list.text().contains("left over"), "{list:?}");
    drop(python.keyed(&["show"]).run().refused("no shared memory"));
    python.scene.assert_empty();
}

#[test]
fn what_is_no_segment_is_refused_in_a_sentence() {
    let Some(python) = Python::new() else { return };
    let segment = python.scene.segment();
    for content in ["", "no segment", &"SHM-CORE".repeat(10_000)] {
        std::fs::write(&segment, content).unwrap();
        let refused = python.keyed(&["show"]).run();
        let refused = refused.refused(segment.to_str().unwrap());
        assert!(!refused.stderr.contains("Traceback"), "{refused:?}");
    }
    std::fs::remove_file(&segment).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &segment).unwrap();
    drop(python.keyed(&["show"]).run().refused("is a link"));
    std::fs::remove_file(&segment).unwrap();
    drop(Command::new("mkfifo").arg(&segment).status());
    drop(python.keyed(&["show"]).run().refused("no regular file"));
}
