//! `viewer-app info`, `list` and `remove`.

use e2e_tests::{Fixture, Picture, PictureFile, Program};

fn loaded(fixture: &Fixture, arguments: &[&str]) -> Program {
    let loader = fixture.loader(arguments).start();
    loader.wait_for(fixture.key());
    loader
}

#[test]
fn info_as_json_describes_a_text_in_every_field() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &["text", "héllo"]);
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["key"], fixture.key());
    assert_eq!(info["kind"], "text");
    assert_eq!(info["bytes"], 6);
    assert_eq!(info["sequence"], 1);
    assert_eq!(info["writer_pid"], loader.pid());
    assert_eq!(info["persistent"], false);
    assert!(
        info["media_type"]
            .as_str()
            .unwrap()
            .starts_with("text/plain"),
        "{info}"
    );
    assert!(info["age_ms"].as_u64().unwrap() < 600_000, "{info}");
    let attached = info["attached"].as_array().unwrap();
    assert_eq!(attached.len(), 1, "{info}");
    assert_eq!(attached[0]["pid"], loader.pid());
    assert_eq!(attached[0]["program"], "loader-app");
    assert!(attached[0]["access"].is_string(), "{info}");
}

#[test]
fn info_as_text_describes_the_same() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &["text", "hello"]);
    let info = fixture.viewer(["info"]).run().done();
    for part in [fixture.key(), "text", &loader.pid().to_string()] {
        assert!(info.text().contains(part), "{part} in {info:?}");
    }
}

#[test]
fn hex_dumps_the_first_bytes() {
    let fixture = Fixture::new();
    let _loader = loaded(&fixture, &["text", "ABCDEFGH"]);
    let info = fixture.viewer(["info", "--hex"]).run().done();
    assert!(info.text().contains("41 42 43 44"), "{info:?}");
}

#[test]
fn info_of_a_missing_segment_is_refused() {
    let fixture = Fixture::new();
    let info = fixture.viewer(["info"]).run();
    drop(info.refused(fixture.key()));
}

#[test]
fn show_as_json_describes_a_picture() {
    let fixture = Fixture::new();
    let source = fixture.file("p.png", &Picture::draw(70, 50, 1).encode(PictureFile::Png));
    let loader = fixture.loader(["image"]).args([&source]).start();
    loader.wait_for(fixture.key());
    let shown = fixture.viewer(["show", "--json"]).run().done().json();
    assert_eq!(shown["kind"], "image", "{shown}");
    assert_eq!(
        (&shown["width"], &shown["height"]),
        (&70.into(), &50.into()),
        "{shown}"
    );
    assert_eq!(shown["writer_pid"], loader.pid(), "{shown}");
}

#[test]
fn list_prints_every_segment() {
    let fixture = Fixture::new();
    assert!(fixture.list().is_empty());
    let mut loaders = Vec::new();
    for key in ["alpha", "beta", "gamma with spaces – 鍵"] {
        let loader = fixture
            .bare_loader(["text", "--key", key, "content"])
            .start();
        loader.wait_for(key);
        loaders.push(loader);
    }
    let segments = fixture.list();
    let mut keys: Vec<_> = segments
        .iter()
        .map(|info| info["key"].as_str().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["alpha", "beta", "gamma with spaces – 鍵"]);
    assert!(
        segments.iter().all(|info| info["bytes"] == 7),
        "{segments:?}"
    );

    let printed = fixture.bare_viewer(["list"]).run().done();
    for key in keys {
        assert!(printed.text().contains(key), "{key} in {printed:?}");
    }
    for loader in loaders {
        loader.terminate().done();
    }
    fixture.assert_empty();
}

#[test]
fn remove_is_refused_while_a_process_is_attached() {
    let fixture = Fixture::new();
    let loader = loaded(&fixture, &["text", "in use"]);
    let refused = fixture.viewer(["remove"]).run().refused("--force");
    assert!(
        refused.stderr.contains(&loader.pid().to_string()),
        "the participant is not named: {refused:?}"
    );
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "in use");

    fixture.viewer(["remove", "--force"]).run().done();
    assert!(!fixture.segment().exists());
    drop(fixture.viewer(["show"]).run().refused("Enter a text first"));
    // The loader detects by itself that its segment was removed.
    drop(loader.finish().refused("removed"));
    fixture.assert_empty();
}

#[test]
fn remove_of_a_missing_segment_is_refused() {
    let fixture = Fixture::new();
    drop(fixture.viewer(["remove"]).run().refused(fixture.key()));
}
