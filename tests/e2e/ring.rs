//! `--ring` and `--retain`: how much of what was loaded stays.

use e2e_tests::{Program, Scene};

fn loaded(scene: &Scene, arguments: &[&str]) -> Program {
    let loader = scene.loader(arguments).start();
    loader.wait_for(scene.key());
    loader
}

/// What the loaders have left that is still there, as lines.
fn kept(scene: &Scene) -> Vec<String> {
    let follow = scene.viewer(["follow", "--oldest", "--until-end"]).run();
    follow.done().text().lines().map(str::to_owned).collect()
}

#[test]
fn a_ring_keeps_what_its_creator_said() {
    let scene = Scene::new();
    drop(loaded(
        &scene,
        &["text", "--persist", "--ring", "16K", "first"],
    ));
    let long = "x".repeat(1_900);
    for _ in 0..20 {
        scene.loader(["text", "--persist", &long]).run().done();
    }
    let lines = kept(&scene);
    assert!((5..=8).contains(&lines.len()), "{}", lines.len());
    scene.viewer(["remove"]).run().done();
    scene
        .loader(["file", "--persist", "--ring", "1M", "-"])
        .input("bytes")
        .run()
        .done();
    for _ in 0..20 {
        scene.loader(["text", "--persist", &long]).run().done();
    }
    assert_eq!(kept(&scene).len(), 21);
}

#[test]
fn pictures_are_retained_as_far_as_was_said() {
    for (retain, most) in [("0", 3), ("64M", 20)] {
        let scene = Scene::new();
        let frames = ["frames", "--test-pattern", "--persist", "--size", "320x180"];
        let frames = scene.loader(frames).args(["--retain", retain]);
        let frames = frames.args(["--fps", "max", "--count", "20"]).run();
        frames.done();
        let lines = kept(&scene);
        assert!(lines.iter().all(|line| line.contains("320 × 180")));
        if retain == "0" {
            assert!(lines.len() <= most, "{lines:?}");
        } else {
            assert_eq!(lines.len(), most, "{lines:?}");
        }
    }
}

#[test]
fn a_segment_that_was_there_keeps_its_ring_and_the_loader_says_so() {
    let scene = Scene::new();
    let _first = loaded(&scene, &["text", "--ring", "100K", "--retain", "3M", "one"]);
    let same = loaded(&scene, &["text", "--ring", "128K", "--retain", "3M", "two"]);
    let other = loaded(&scene, &["text", "--ring", "1M", "--retain", "0", "three"]);
    let warning = other.wait_for_complaint("keeps its");
    assert!(
        warning.contains("keeps its --ring 128K and --retain 3M. For --ring 1M and --retain 0 end"),
        "{warning}"
    );
    let frames = ["frames", "--test-pattern", "--size", "64x48"];
    let frames = scene.loader(frames).args(["--ring", "16K"]).start();
    let warning = frames.wait_for_complaint("keeps its");
    assert!(
        warning.contains("its --ring 128K. For --ring 16K"),
        "{warning}"
    );
    let same = same.terminate().done();
    assert!(!same.stderr.contains("keeps its"), "{same:?}");
    frames.terminate().done();
}

#[test]
fn what_is_no_ring_is_wrong_usage() {
    let scene = Scene::new();
    for (option, size, words) in [
        ("--ring", "8K", "at least 16K"),
        ("--ring", "2G", "at most 1G"),
        ("--ring", "long", "such as 512M"),
        ("--retain", "much", "such as 512M"),
        ("--retain", "1.5M", "such as 512M"),
    ] {
        let loader = scene.loader(["text", option, size, "x"]).run();
        drop(loader.misused(words));
    }
    for option in ["--ring", "--retain"] {
        let loader = scene.bare_loader(["--key", "qt:K", "text", option, "1M", "x"]);
        drop(loader.run().refused(option));
    }
    scene.assert_empty();
}
