//! `viewer-app info`, `list` and `remove`.

use e2e_tests::{Picture, PictureFile, Program, Scene};

fn loaded(scene: &Scene, arguments: &[&str]) -> Program {
    let loader = scene.loader(arguments).start();
    loader.wait_for(scene.key());
    loader
}

#[test]
fn info_tells_a_text_in_every_field() {
    let scene = Scene::new();
    let loader = loaded(&scene, &["text", "héllo"]);
    let info = scene.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["key"], scene.key());
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
fn info_for_people_tells_the_same() {
    let scene = Scene::new();
    let loader = loaded(&scene, &["text", "hello"]);
    let info = scene.viewer(["info"]).run().done();
    for part in [scene.key(), "text", &loader.pid().to_string()] {
        assert!(info.text().contains(part), "{part} in {info:?}");
    }
}

#[test]
fn hex_dumps_the_first_bytes() {
    let scene = Scene::new();
    let _loader = loaded(&scene, &["text", "ABCDEFGH"]);
    let info = scene.viewer(["info", "--hex"]).run().done();
    assert!(info.text().contains("41 42 43 44"), "{info:?}");
}

#[test]
fn info_of_nothing_is_refused() {
    let scene = Scene::new();
    let info = scene.viewer(["info"]).run();
    drop(info.refused(scene.key()));
}

#[test]
fn show_as_json_tells_about_a_picture() {
    let scene = Scene::new();
    let source = scene.file("p.png", &Picture::draw(70, 50, 1).encode(PictureFile::Png));
    let loader = scene.loader(["image"]).args([&source]).start();
    loader.wait_for(scene.key());
    let shown = scene.viewer(["show", "--json"]).run().done().json();
    assert_eq!(shown["kind"], "image", "{shown}");
    assert_eq!(
        (&shown["width"], &shown["height"]),
        (&70.into(), &50.into()),
        "{shown}"
    );
    assert_eq!(shown["writer_pid"], loader.pid(), "{shown}");
}

#[test]
fn list_is_an_array_of_all() {
    let scene = Scene::new();
    assert!(scene.list().is_empty());
    let mut loaders = Vec::new();
    for key in ["alpha", "beta", "gamma with spaces – 鍵"] {
        let loader = scene.bare_loader(["text", "--key", key, "content"]).start();
        loader.wait_for(key);
        loaders.push(loader);
    }
    let segments = scene.list();
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

    let printed = scene.bare_viewer(["list"]).run().done();
    for key in keys {
        assert!(printed.text().contains(key), "{key} in {printed:?}");
    }
    for loader in loaders {
        loader.terminate().done();
    }
    scene.assert_empty();
}

#[test]
fn remove_is_refused_while_somebody_is_attached() {
    let scene = Scene::new();
    let loader = loaded(&scene, &["text", "in use"]);
    let refused = scene.viewer(["remove"]).run().refused("--force");
    assert!(
        refused.stderr.contains(&loader.pid().to_string()),
        "by whom? {refused:?}"
    );
    assert_eq!(scene.viewer(["show"]).run().done().text(), "in use");

    scene.viewer(["remove", "--force"]).run().done();
    assert!(!scene.segment().exists());
    drop(scene.viewer(["show"]).run().refused("Enter a text first"));
    // The loader notices by itself that nobody finds what it has loaded.
    drop(loader.finish().refused("removed"));
    scene.assert_empty();
}

#[test]
fn remove_of_nothing_is_refused() {
    let scene = Scene::new();
    drop(scene.viewer(["remove"]).run().refused(scene.key()));
}
