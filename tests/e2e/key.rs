//! Keys that are none, and keys that look odd and are fine.

use e2e_tests::Scene;

#[test]
fn bad_keys_are_wrong_usage_with_a_reason() {
    let scene = Scene::new();
    let overlong = "k".repeat(129);
    for (key, reason) in [
        ("", "empty"),
        (overlong.as_str(), "128"),
        ("a/b", "/"),
        ("tab\there", "character"),
        ("shm:x", "shm:"),
        ("qt:", "empty"),
        ("systemv:relative", "whole path"),
        ("posix:/a/b", "no other"),
    ] {
        for launch in [
            scene.bare_loader(["text", "--key", key, "x"]),
            scene.bare_viewer(["show", "--key", key]),
            scene.bare_viewer(["info", "--key", key]),
            scene.bare_viewer(["remove", "--key", key]),
        ] {
            drop(launch.run().misused(reason));
        }
    }
    scene.assert_empty();
}

#[test]
fn odd_keys_are_fine() {
    let scene = Scene::new();
    let longest = "é".repeat(64);
    for key in [
        longest.as_str(),
        ".",
        "..",
        "-dash",
        "shm-core",
        "with space",
        "鍵 🔑",
    ] {
        let loader = scene
            .bare_loader(["text", &format!("--key={key}"), "content"])
            .start();
        loader.wait_for(key);
        let shown = scene
            .bare_viewer(["show", &format!("--key={key}")])
            .run()
            .done();
        assert_eq!(shown.text(), "content", "{key}");
        loader.terminate().done();
    }
    scene.assert_empty();
}

#[test]
fn two_keys_do_not_disturb_each_other() {
    let scene = Scene::new();
    let one = scene.bare_loader(["text", "--key", "one", "1st"]).start();
    let two = scene.bare_loader(["text", "--key", "two", "2nd"]).start();
    one.wait_for("one");
    two.wait_for("two");
    assert_eq!(
        scene
            .bare_viewer(["show", "--key", "one"])
            .run()
            .done()
            .text(),
        "1st"
    );
    one.terminate().done();
    assert_eq!(
        scene
            .bare_viewer(["show", "--key", "two"])
            .run()
            .done()
            .text(),
        "2nd"
    );
    two.terminate().done();
    scene.assert_empty();
}

#[test]
fn the_programs_explain_themselves() {
    let scene = Scene::new();
    for launch in [scene.bare_loader(["--help"]), scene.bare_viewer(["--help"])] {
        let help = launch.run().done();
        assert!(help.text().contains("--key"), "{help:?}");
        assert!(help.text().contains("Examples"), "{help:?}");
    }
    for launch in [
        scene.bare_loader(["--version"]),
        scene.bare_viewer(["--version"]),
    ] {
        assert!(
            launch
                .run()
                .done()
                .text()
                .contains(env!("CARGO_PKG_VERSION"))
        );
    }
    drop(scene.bare_loader(["nonsense"]).run().misused("nonsense"));
    drop(
        scene
            .bare_viewer(["show", "--nonsense"])
            .run()
            .misused("--nonsense"),
    );
}
