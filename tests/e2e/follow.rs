//! `viewer-app follow`: each new content as it comes.

use std::fs;

use e2e_tests::{Launch, Picture, PictureFile, Program, Scene, Signal};
use serde_json::Value;

/// A loader that has loaded `text`, after whatever was there.
fn loaded(scene: &Scene, text: &str) -> Program {
    let loader = scene.loader(["text", text]).start();
    loader.wait_for(scene.key());
    loader
}

/// Starts a loader that streams frames of this size, and leaves the last one there.
fn streaming(scene: &Scene, size: &str, count: &str) -> Program {
    scene
        .loader(["frames", "--test-pattern", "--persist", "--size", size])
        .args(["--fps", "20", "--count", count])
        .start()
}

#[test]
fn each_text_is_a_line() {
    let scene = Scene::new();
    let first = loaded(&scene, "what is there");
    let follow = scene.viewer(["follow", "--count", "3"]).start();
    follow.wait_for("what is there");
    let second = loaded(&scene, "zwei\nZeilen\t和");
    follow.wait_for(r"zwei\nZeilen\t和");
    let third = loaded(&scene, "");
    let outcome = follow.finish().done();
    assert_eq!(outcome.text(), "what is there\nzwei\\nZeilen\\t和\n\n");
    for loader in [first, second, third] {
        loader.terminate().done();
    }
    scene.assert_empty();
}

#[test]
fn loaders_go_and_come() {
    let scene = Scene::new();
    let follow = scene.viewer(["follow"]).start();
    let first = loaded(&scene, "before the kill");
    follow.wait_for("before the kill");
    first.kill();
    let second = loaded(&scene, "after it");
    follow.wait_for("after it");
    second.terminate().done();
    let third = loaded(&scene, "after an orderly end");
    follow.wait_for("after an orderly end");
    // Removed under its feet.
    scene.viewer(["remove", "--force"]).run().done();
    let fourth = loaded(&scene, "after the removal");
    follow.wait_for("after the removal");
    follow.terminate().done();
    drop(third.finish().refused("removed"));
    fourth.terminate().done();
    scene.assert_empty();
}

#[test]
fn json_is_an_object_a_line_with_the_fields_of_show() {
    let scene = Scene::new();
    let loader = loaded(&scene, "zwei\nZeilen");
    let follow = scene.viewer(["follow", "--json", "--count", "2"]).start();
    follow.wait_for("zwei");
    let source = scene.file("p.png", &Picture::draw(70, 50, 1).encode(PictureFile::Png));
    let image = scene.loader(["image"]).args([&source]).start();
    let outcome = follow.finish().done();
    let lines: Vec<Value> = outcome
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{outcome:?}");
    assert_eq!(lines[0]["text"], "zwei\nZeilen");
    assert_eq!(lines[0]["kind"], "text");
    assert_eq!(lines[0]["sequence"], 1);
    assert_eq!(lines[0]["skipped"], 0);
    assert_eq!(lines[0]["writer_pid"], loader.pid());
    assert_eq!(lines[1]["text"], Value::Null);
    assert_eq!(lines[1]["width"], 70);
    assert_eq!(lines[1]["writer_pid"], image.pid());
    let shown = scene.viewer(["show", "--json"]).run().done().json();
    for field in shown.as_object().unwrap().keys() {
        assert!(lines[0].get(field).is_some(), "{field} in {outcome:?}");
    }
}

#[test]
fn time_without_anything_new_is_a_failure() {
    let scene = Scene::new();
    let nothing = scene.viewer(["follow", "--timeout", "100ms"]).run();
    let said = nothing.refused("No new content in").stderr;
    assert!(said.contains(scene.key()), "{said}");

    let _loader = loaded(&scene, "one");
    let follow = scene.viewer(["follow", "--timeout", "0.1", "--count", "2"]);
    let outcome = follow.run().refused("after the first 1");
    assert_eq!(outcome.text(), "one\n");
}

#[test]
fn signals_end_it_well() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let scene = Scene::new();
        let _loader = loaded(&scene, "there");
        // A shell's background jobs ignore SIGINT, those of nohup SIGHUP, and children inherit that.
        let follow = scene
            .viewer(["follow"])
            .through("env", ["--default-signal=INT,HUP"])
            .start();
        follow.wait_for("there");
        follow.signal(signal);
        let outcome = follow.finish().done();
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn it_ends_quietly_when_nobody_listens() {
    let scene = Scene::new();
    let first = loaded(&scene, "one");
    let pipe = scene
        .viewer(["follow"])
        .through("sh", ["-c", r#""$0" "$@" | head -n 1"#])
        .start();
    pipe.wait_for("one");
    // Only a second line finds out that nobody listens.
    let second = loaded(&scene, "two");
    let outcome = pipe.finish().done();
    assert_eq!(outcome.text(), "one\n");
    assert_eq!(outcome.stderr, "");
    first.terminate().done();
    second.terminate().done();
}

#[test]
fn pictures_are_written_with_numbers() {
    let scene = Scene::new();
    let pattern = scene.path("frame-%03d.png");
    let follow = |scene: &Scene, count: &str| -> Launch {
        let output = ["--output".as_ref(), pattern.as_os_str()];
        scene.viewer(["follow", "--count", count]).args(output)
    };
    let follow = follow(&scene, "2").start();
    let text = loaded(&scene, "no picture");
    follow.wait_for_complaint("left out");
    for seed in 1..=2 {
        let picture = Picture::draw(70, 50, seed);
        let source = scene.file("p.png", &picture.encode(PictureFile::Png));
        let loader = scene.loader(["image"]).args([&source]).start();
        loader.wait_for(scene.key());
        let line = follow.wait_for("70 × 50");
        let name = format!("frame-00{seed}.png");
        assert!(line.ends_with(&name), "{line}");
        let written = image::open(scene.path(&name)).unwrap().into_rgb8();
        assert_eq!(&written, picture.pixels());
    }
    follow.finish().done();
    text.terminate().done();
    let names: Vec<_> = fs::read_dir(scene.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("frame") || name.contains("part"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn pixels_go_on_behind_each_other() {
    let scene = Scene::new();
    let follow = scene
        .viewer(["follow", "--raw", "-", "--count", "3", "--timeout", "60"])
        .start();
    streaming(&scene, "64x48", "40").finish().done();
    let outcome = follow.finish().done();
    assert_eq!(outcome.stdout.len(), 3 * 64 * 48 * 4);
    assert_eq!(outcome.stderr, "");

    let file = scene.path("pixels");
    let follow = scene
        .viewer(["follow", "--raw"])
        .args([&file])
        .args(["--timeout", "60"])
        .start();
    follow.wait_for("64 × 48");
    streaming(&scene, "64x50", "1").finish().done();
    let words = "changed from 64 × 48 rgba to 64 × 50 rgba";
    drop(follow.finish().refused(words));
    assert_eq!(fs::read(&file).unwrap().len(), 64 * 48 * 4);
    scene.viewer(["remove"]).run().done();
}

#[test]
fn what_is_no_picture_has_no_pixels() {
    let scene = Scene::new();
    let _loader = loaded(&scene, "no picture");
    let follow = scene.viewer(["follow", "--raw", "-"]).run();
    drop(follow.refused("not a picture"));
}

#[test]
fn wrong_patterns_are_wrong_usage() {
    let scene = Scene::new();
    for pattern in ["frame.png", "frame-%d.doc", "%s.png", "%d%d.png"] {
        drop(
            scene
                .viewer(["follow", "--output", pattern])
                .run()
                .misused(pattern),
        );
    }
}

#[test]
fn a_block_cannot_be_followed() {
    let scene = Scene::new();
    let mut actor = scene
        .program(env!("CARGO_BIN_EXE_actor"))
        .args([scene.key()])
        .input_kept_open()
        .start();
    actor.write_line("create 64");
    actor.wait_for("ok");
    drop(scene.viewer(["follow"]).run().refused("viewer-app show"));
}
