//! `--ring` and `--retain`: how much of the loaded content remains.

use e2e_tests::{Fixture, Program};

fn loaded(fixture: &Fixture, arguments: &[&str]) -> Program {
    let loader = fixture.loader(arguments).start();
    loader.wait_for(fixture.key());
    loader
}

/// Returns the samples that are still in the segment, as lines.
fn kept(fixture: &Fixture) -> Vec<String> {
    let follow = fixture.viewer(["follow", "--oldest", "--until-end"]).run();
    follow.done().text().lines().map(str::to_owned).collect()
}

#[test]
fn a_ring_keeps_the_size_of_its_creator() {
    let fixture = Fixture::new();
    drop(loaded(
        &fixture,
        &["text", "--persist", "--ring", "16K", "first"],
    ));
    let long = "x".repeat(1_900);
    for _ in 0..20 {
        fixture.loader(["text", "--persist", &long]).run().done();
    }
    let lines = kept(&fixture);
    assert!((5..=8).contains(&lines.len()), "{}", lines.len());
    fixture.viewer(["remove"]).run().done();
    fixture
        .loader(["file", "--persist", "--ring", "1M", "-"])
        .input("bytes")
        .run()
        .done();
    for _ in 0..20 {
        fixture.loader(["text", "--persist", &long]).run().done();
    }
    assert_eq!(kept(&fixture).len(), 21);
}

#[test]
fn pictures_are_retained_up_to_the_configured_size() {
    for (retain, most) in [("0", 3), ("64M", 20)] {
        let fixture = Fixture::new();
        let frames = ["frames", "--test-pattern", "--persist", "--size", "320x180"];
        let frames = fixture.loader(frames).args(["--retain", retain]);
        let frames = frames.args(["--fps", "max", "--count", "20"]).run();
        frames.done();
        let lines = kept(&fixture);
        assert!(lines.iter().all(|line| line.contains("320 × 180")));
        if retain == "0" {
            assert!(lines.len() <= most, "{lines:?}");
        } else {
            assert_eq!(lines.len(), most, "{lines:?}");
        }
    }
}

#[test]
fn an_existing_segment_keeps_its_ring_and_the_loader_reports_it() {
    let fixture = Fixture::new();
    let _first = loaded(
        &fixture,
        &["text", "--ring", "100K", "--retain", "3M", "one"],
    );
    let same = loaded(
        &fixture,
        &["text", "--ring", "128K", "--retain", "3M", "two"],
    );
    let other = loaded(
        &fixture,
        &["text", "--ring", "1M", "--retain", "0", "three"],
    );
    let warning = other.wait_for_stderr("keeps its");
    assert!(
        warning.contains("keeps its --ring 128K and --retain 3M. For --ring 1M and --retain 0 end"),
        "{warning}"
    );
    let frames = ["frames", "--test-pattern", "--size", "64x48"];
    let frames = fixture.loader(frames).args(["--ring", "16K"]).start();
    let warning = frames.wait_for_stderr("keeps its");
    assert!(
        warning.contains("its --ring 128K. For --ring 16K"),
        "{warning}"
    );
    let same = same.terminate().done();
    assert!(!same.stderr.contains("keeps its"), "{same:?}");
    frames.terminate().done();
}

#[test]
fn invalid_ring_sizes_are_usage_errors() {
    let fixture = Fixture::new();
    for (option, size, words) in [
        ("--ring", "8K", "at least 16K"),
        ("--ring", "2G", "at most 1G"),
        ("--ring", "long", "such as 512M"),
        ("--retain", "much", "such as 512M"),
        ("--retain", "1.5M", "such as 512M"),
    ] {
        let loader = fixture.loader(["text", option, size, "x"]).run();
        drop(loader.misused(words));
    }
    for option in ["--ring", "--retain"] {
        let loader = fixture.bare_loader(["--key", "qt:K", "text", option, "1M", "x"]);
        drop(loader.run().refused(option));
    }
    fixture.assert_empty();
}
