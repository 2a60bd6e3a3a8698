//! How long content lives, for every way that a program may end.

use std::time::{Duration, Instant};

use e2e_tests::{Fixture, Program, Signal, TIMEOUT};

/// Starts a loader and waits until it has loaded `text`.
fn loaded(fixture: &Fixture, text: &str) -> Program {
    let loader = fixture.loader(["text", text]).start();
    loader.wait_for(fixture.key());
    loader
}

/// Asserts that there is no content to show.
fn assert_gone(fixture: &Fixture) {
    let shown = fixture.viewer(["show"]).run();
    drop(shown.refused("Enter a text first"));
}

#[test]
fn a_missing_segment_is_reported_with_the_remedy() {
    let fixture = Fixture::new();
    let shown = fixture.viewer(["show"]).run().refused("Enter a text first");
    assert!(shown.stderr.contains("loader-app"), "no remedy: {shown:?}");
    assert!(shown.stdout.is_empty(), "{shown:?}");
}

#[test]
fn termination_signals_detach_and_remove() {
    for signal in [Signal::TERM, Signal::INT] {
        let fixture = Fixture::new();
        let loader = loaded(&fixture, "until then");
        loader.signal(signal);
        loader.finish().done();
        assert!(!fixture.segment().exists());
        assert_gone(&fixture);
        fixture.assert_empty();
    }
}

#[test]
fn a_viewer_keeps_nothing_alive() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, "shown twice");
    for _ in 0..2 {
        assert_eq!(fixture.viewer(["show"]).run().done().text(), "shown twice");
    }
    loader.terminate().done();
    assert_gone(&fixture);
}

#[test]
fn persistent_content_stays_until_it_is_removed() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "sticky"]).run().done();
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "sticky");
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["persistent"], true, "{info}");
    fixture.viewer(["remove"]).run().done();
    assert_gone(&fixture);
    fixture.assert_empty();
}

#[test]
fn persistent_files_and_pictures_remain() {
    let fixture = Fixture::new();
    let source = fixture.file("bytes", b"sticky bytes");
    fixture
        .loader(["file", "--persist"])
        .args([&source])
        .run()
        .done();
    let shown = fixture.viewer(["show", "--output", "-"]).run().done();
    assert_eq!(shown.stdout, b"sticky bytes");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

#[test]
fn a_duration_ends_the_loader() {
    let fixture = Fixture::new();
    let began = Instant::now();
    let loader = fixture.loader(["text", "--for", "500ms", "short"]).start();
    loader.wait_for(fixture.key());
    loader.finish().done();
    assert!(began.elapsed() >= Duration::from_millis(500));
    assert_gone(&fixture);
    fixture.assert_empty();
}

#[test]
fn after_a_kill_the_next_load_works_and_nothing_is_left() {
    let fixture = Fixture::new();
    for round in ["first", "second", "third"] {
        let loader = loaded(&fixture, round);
        assert_eq!(loader.kill().signal, Some(9));
    }
    assert_gone(&fixture);
    let loader = loaded(&fixture, "after them all");
    assert_eq!(
        fixture.viewer(["show"]).run().done().text(),
        "after them all"
    );
    loader.kill();
    // One `list` removes everything that the killed loaders left.
    fixture.assert_empty();
}

#[test]
fn persistent_content_survives_a_kill() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "kept"]).run().done();
    let joined = loaded(&fixture, "replaced");
    joined.kill();
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "replaced");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}

#[test]
fn a_second_loader_joins_and_is_warned() {
    let fixture = Fixture::new();
    let first = loaded(&fixture, "first");
    let second = fixture.loader(["text", "second"]).start();
    let warning = second.wait_for_stderr("");
    assert!(
        warning.contains(&first.pid().to_string()),
        "the replaced publisher is not named: {warning:?}"
    );
    second.wait_for(fixture.key());
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "second");
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["attached"].as_array().map(Vec::len), Some(2), "{info}");

    // The first loader may end first: the latest content remains.
    first.terminate().done();
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "second");
    second.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_viewer_waits_for_a_loader() {
    let fixture = Fixture::new();
    let seconds = TIMEOUT.as_secs().to_string();
    let viewer = fixture.viewer(["show", "--wait", &seconds]).start();
    let loader = loaded(&fixture, "at last");
    assert_eq!(viewer.finish().done().text(), "at last");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_viewer_stops_waiting_at_its_timeout() {
    let fixture = Fixture::new();
    let shown = fixture.viewer(["show", "--wait", "1"]).run();
    drop(shown.refused("Enter a text first"));
}

#[test]
fn sequences_count_publications() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "one"]).run().done();
    fixture.loader(["text", "--persist", "two"]).run().done();
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["sequence"], 2, "{info}");
    fixture.viewer(["remove"]).run().done();
}
