//! `viewer-app follow`: each new content as it arrives.

use std::fs;

use e2e_tests::{Fixture, Launch, Picture, PictureFile, Program, Signal};
use serde_json::Value;

/// Starts a loader and waits until it has loaded `text`.
fn loaded(fixture: &Fixture, text: &str) -> Program {
    let loader = fixture.loader(["text", text]).start();
    loader.wait_for(fixture.key());
    loader
}

/// Starts a loader that streams frames of this size, and keeps the last one.
fn streaming(fixture: &Fixture, size: &str, count: &str) -> Program {
    fixture
        .loader(["frames", "--test-pattern", "--persist", "--size", size])
        .args(["--fps", "20", "--count", count])
        .start()
}

#[test]
fn each_text_is_printed_as_a_line() {
    let fixture = Fixture::new();
    let first = loaded(&fixture, "what is there");
    let follow = fixture.viewer(["follow", "--count", "3"]).start();
    follow.wait_for("what is there");
    let second = loaded(&fixture, "zwei\nZeilen\t和");
    follow.wait_for(r"zwei\nZeilen\t和");
    let third = loaded(&fixture, "");
    let outcome = follow.finish().done();
    assert_eq!(outcome.text(), "what is there\nzwei\\nZeilen\\t和\n\n");
    for loader in [first, second, third] {
        loader.terminate().done();
    }
    fixture.assert_empty();
}

#[test]
fn follow_continues_across_loaders() {
    let fixture = Fixture::new();
    let follow = fixture.viewer(["follow"]).start();
    let first = loaded(&fixture, "before the kill");
    follow.wait_for("before the kill");
    first.kill();
    let second = loaded(&fixture, "after it");
    follow.wait_for("after it");
    second.terminate().done();
    let third = loaded(&fixture, "after an orderly end");
    follow.wait_for("after an orderly end");
    // Removed while the viewer follows it.
    fixture.viewer(["remove", "--force"]).run().done();
    let fourth = loaded(&fixture, "after the removal");
    follow.wait_for("after the removal");
    follow.terminate().done();
    drop(third.finish().refused("removed"));
    fourth.terminate().done();
    fixture.assert_empty();
}

#[test]
fn json_prints_one_object_per_line_with_the_fields_of_show() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "zwei\nZeilen");
    let follow = fixture.viewer(["follow", "--json", "--count", "2"]).start();
    follow.wait_for("zwei");
    let source = fixture.file("p.png", &Picture::draw(70, 50, 1).encode(PictureFile::Png));
    let image = fixture.loader(["image"]).args([&source]).start();
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
    let shown = fixture.viewer(["show", "--json"]).run().done().json();
    for field in shown.as_object().unwrap().keys() {
        assert!(lines[0].get(field).is_some(), "{field} in {outcome:?}");
    }
}

#[test]
fn a_timeout_without_new_content_is_a_failure() {
    let fixture = Fixture::new();
    let nothing = fixture.viewer(["follow", "--timeout", "100ms"]).run();
    let said = nothing.refused("No new content in").stderr;
    assert!(said.contains(fixture.key()), "{said}");

    let _loader = loaded(&fixture, "one");
    let follow = fixture.viewer(["follow", "--timeout", "0.1", "--count", "2"]);
    let outcome = follow.run().refused("after the first 1");
    assert_eq!(outcome.text(), "one\n");
}

#[test]
fn signals_end_it_with_success() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let fixture = Fixture::new();
        let _loader = loaded(&fixture, "there");
        // A shell's background jobs ignore SIGINT, those of nohup SIGHUP, and children inherit
        // that.
        let follow = fixture
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
fn a_closed_output_ends_it_silently() {
    let fixture = Fixture::new();
    let first = loaded(&fixture, "one");
    let pipe = fixture
        .viewer(["follow"])
        .through("sh", ["-c", r#""$0" "$@" | head -n 1"#])
        .start();
    pipe.wait_for("one");
    // Only a second line detects that the output is closed.
    let second = loaded(&fixture, "two");
    let outcome = pipe.finish().done();
    assert_eq!(outcome.text(), "one\n");
    assert_eq!(outcome.stderr, "");
    first.terminate().done();
    second.terminate().done();
}

#[test]
fn pictures_are_written_to_numbered_files() {
    let fixture = Fixture::new();
    let pattern = fixture.path("frame-%03d.png");
    let follow = |fixture: &Fixture, count: &str| -> Launch {
        let output = ["--output".as_ref(), pattern.as_os_str()];
        fixture.viewer(["follow", "--count", count]).args(output)
    };
    let follow = follow(&fixture, "2").start();
    let text = loaded(&fixture, "no picture");
    follow.wait_for_stderr("Skipped a content: it is text");
    for seed in 1..=2 {
        let picture = Picture::draw(70, 50, seed);
        let source = fixture.file("p.png", &picture.encode(PictureFile::Png));
        let loader = fixture.loader(["image"]).args([&source]).start();
        loader.wait_for(fixture.key());
        let line = follow.wait_for("70 × 50");
        let name = format!("frame-00{seed}.png");
        assert!(line.ends_with(&name), "{line}");
        let written = image::open(fixture.path(&name)).unwrap().into_rgb8();
        assert_eq!(&written, picture.pixels());
    }
    follow.finish().done();
    text.terminate().done();
    let names: Vec<_> = fs::read_dir(fixture.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("frame") || name.contains("part"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn pixels_of_successive_frames_are_concatenated() {
    let fixture = Fixture::new();
    let follow = fixture
        .viewer(["follow", "--raw", "-", "--count", "3", "--timeout", "60"])
        .start();
    streaming(&fixture, "64x48", "40").finish().done();
    let outcome = follow.finish().done();
    assert_eq!(outcome.stdout.len(), 3 * 64 * 48 * 4);
    assert_eq!(outcome.stderr, "");

    let file = fixture.path("pixels");
    let follow = fixture
        .viewer(["follow", "--raw"])
        .args([&file])
        .args(["--timeout", "60"])
        .start();
    follow.wait_for("64 × 48");
    streaming(&fixture, "64x50", "1").finish().done();
    let words = "changed from 64 × 48 rgba to 64 × 50 rgba";
    drop(follow.finish().refused(words));
    assert_eq!(fs::read(&file).unwrap().len(), 64 * 48 * 4);
    fixture.viewer(["remove"]).run().done();
}

#[test]
fn content_without_pixels_is_refused() {
    let fixture = Fixture::new();
    let _loader = loaded(&fixture, "no picture");
    let follow = fixture.viewer(["follow", "--raw", "-"]).run();
    drop(follow.refused("not a picture"));
}

#[test]
fn invalid_patterns_are_usage_errors() {
    let fixture = Fixture::new();
    for pattern in ["frame.png", "frame-%d.doc", "%s.png", "%d%d.png"] {
        drop(
            fixture
                .viewer(["follow", "--output", pattern])
                .run()
                .misused(pattern),
        );
    }
}

#[test]
fn a_block_cannot_be_followed() {
    let fixture = Fixture::new();
    let mut actor = fixture
        .program(env!("CARGO_BIN_EXE_actor"))
        .args([fixture.key()])
        .input_kept_open()
        .start();
    actor.write_line("create 64");
    actor.wait_for("ok");
    drop(fixture.viewer(["follow"]).run().refused("viewer-app show"));
}
