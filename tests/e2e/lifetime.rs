//! How long content lives, whoever ends and however.

use std::time::{Duration, Instant};

use e2e_tests::{PATIENCE, Program, Scene, Signal};

/// A loader that has loaded `text`.
fn loaded(scene: &Scene, text: &str) -> Program {
    let loader = scene.loader(["text", text]).start();
    loader.wait_for(scene.key());
    loader
}

/// Asserts that there is nothing to be shown.
fn assert_gone(scene: &Scene) {
    let shown = scene.viewer(["show"]).run();
    drop(shown.refused("Enter a text first"));
}

#[test]
fn nothing_there_is_said_with_what_to_do() {
    let scene = Scene::new();
    let shown = scene.viewer(["show"]).run().refused("Enter a text first");
    assert!(shown.stderr.contains("loader-app"), "no remedy: {shown:?}");
    assert!(shown.stdout.is_empty(), "{shown:?}");
}

#[test]
fn both_signals_that_ask_to_end_detach_and_remove() {
    for signal in [Signal::TERM, Signal::INT] {
        let scene = Scene::new();
        let loader = loaded(&scene, "until then");
        loader.signal(signal);
        loader.finish().done();
        assert!(!scene.segment().exists());
        assert_gone(&scene);
        scene.assert_empty();
    }
}

#[test]
fn a_viewer_keeps_nothing_alive() {
    let scene = Scene::new();
    let loader = loaded(&scene, "shown twice");
    for _ in 0..2 {
        assert_eq!(scene.viewer(["show"]).run().done().text(), "shown twice");
    }
    loader.terminate().done();
    assert_gone(&scene);
}

#[test]
fn persistent_content_stays_until_it_is_removed() {
    let scene = Scene::new();
    scene.loader(["text", "--persist", "sticky"]).run().done();
    assert_eq!(scene.viewer(["show"]).run().done().text(), "sticky");
    let info = scene.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["persistent"], true, "{info}");
    scene.viewer(["remove"]).run().done();
    assert_gone(&scene);
    scene.assert_empty();
}

#[test]
fn persistent_files_and_pictures_return_too() {
    let scene = Scene::new();
    let source = scene.file("bytes", b"sticky bytes");
    scene
        .loader(["file", "--persist"])
        .args([&source])
        .run()
        .done();
    let shown = scene.viewer(["show", "--output", "-"]).run().done();
    assert_eq!(shown.stdout, b"sticky bytes");
    scene.viewer(["remove"]).run().done();
    scene.assert_empty();
}

#[test]
fn a_duration_ends_the_loader_by_itself() {
    let scene = Scene::new();
    let began = Instant::now();
    let loader = scene.loader(["text", "--for", "500ms", "short"]).start();
    loader.wait_for(scene.key());
    loader.finish().done();
    assert!(began.elapsed() >= Duration::from_millis(500));
    assert_gone(&scene);
    scene.assert_empty();
}

#[test]
fn after_a_kill_the_next_load_works_and_nothing_is_left() {
    let scene = Scene::new();
    for round in ["first", "second", "third"] {
        let loader = loaded(&scene, round);
        assert_eq!(loader.kill().signal, Some(9));
    }
    assert_gone(&scene);
    let loader = loaded(&scene, "after them all");
    assert_eq!(scene.viewer(["show"]).run().done().text(), "after them all");
    loader.kill();
    // One `list` clears away what the killed ones left.
    scene.assert_empty();
}

#[test]
fn persistent_content_survives_a_kill() {
    let scene = Scene::new();
    scene.loader(["text", "--persist", "kept"]).run().done();
    let joined = loaded(&scene, "replaced");
    joined.kill();
    assert_eq!(scene.viewer(["show"]).run().done().text(), "replaced");
    scene.viewer(["remove"]).run().done();
    scene.assert_empty();
}

#[test]
fn a_second_loader_joins_and_is_warned() {
    let scene = Scene::new();
    let first = loaded(&scene, "first");
    let second = scene.loader(["text", "second"]).start();
    let warning = second.wait_for_complaint("");
    assert!(
        warning.contains(&first.pid().to_string()),
        "whose content it replaces is not said: {warning:?}"
    );
    second.wait_for(scene.key());
    assert_eq!(scene.viewer(["show"]).run().done().text(), "second");
    let info = scene.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["attached"].as_array().map(Vec::len), Some(2), "{info}");

    // The one that came first may go first: what was loaded last stays.
    first.terminate().done();
    assert_eq!(scene.viewer(["show"]).run().done().text(), "second");
    second.terminate().done();
    scene.assert_empty();
}

#[test]
fn a_viewer_waits_for_a_loader_to_come() {
    let scene = Scene::new();
    let seconds = PATIENCE.as_secs().to_string();
    let viewer = scene.viewer(["show", "--wait", &seconds]).start();
    let loader = loaded(&scene, "at last");
    assert_eq!(viewer.finish().done().text(), "at last");
    loader.terminate().done();
    scene.assert_empty();
}

#[test]
fn a_viewer_waits_no_longer_than_it_was_told() {
    let scene = Scene::new();
    let shown = scene.viewer(["show", "--wait", "1"]).run();
    drop(shown.refused("Enter a text first"));
}

#[test]
fn generations_count_what_was_loaded() {
    let scene = Scene::new();
    scene.loader(["text", "--persist", "one"]).run().done();
    scene.loader(["text", "--persist", "two"]).run().done();
    let info = scene.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["sequence"], 2, "{info}");
    scene.viewer(["remove"]).run().done();
}
