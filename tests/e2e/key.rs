//! Invalid keys, and unusual keys that are valid.

use e2e_tests::Fixture;

#[test]
fn invalid_keys_are_usage_errors_with_a_reason() {
    let fixture = Fixture::new();
    let overlong = "k".repeat(129);
    for (key, reason) in [
        ("", "empty"),
        (overlong.as_str(), "128"),
        ("a/b", "/"),
        ("tab\there", "character"),
        ("shm:x", "shm:"),
        ("qt:", "empty"),
        ("systemv:relative", "absolute path"),
        ("posix:/a/b", "no other"),
    ] {
        for launch in [
            fixture.bare_loader(["text", "--key", key, "x"]),
            fixture.bare_viewer(["show", "--key", key]),
            fixture.bare_viewer(["info", "--key", key]),
            fixture.bare_viewer(["remove", "--key", key]),
        ] {
            drop(launch.run().misused(reason));
        }
    }
    fixture.assert_empty();
}

#[test]
fn unusual_keys_are_valid() {
    let fixture = Fixture::new();
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
        let loader = fixture
            .bare_loader(["text", &format!("--key={key}"), "content"])
            .start();
        loader.wait_for(key);
        let shown = fixture
            .bare_viewer(["show", &format!("--key={key}")])
            .run()
            .done();
        assert_eq!(shown.text(), "content", "{key}");
        loader.terminate().done();
    }
    fixture.assert_empty();
}

#[test]
fn two_keys_are_independent() {
    let fixture = Fixture::new();
    let one = fixture.bare_loader(["text", "--key", "one", "1st"]).start();
    let two = fixture.bare_loader(["text", "--key", "two", "2nd"]).start();
    one.wait_for("one");
    two.wait_for("two");
    assert_eq!(
        fixture
            .bare_viewer(["show", "--key", "one"])
            .run()
            .done()
            .text(),
        "1st"
    );
    one.terminate().done();
    assert_eq!(
        fixture
            .bare_viewer(["show", "--key", "two"])
            .run()
            .done()
            .text(),
        "2nd"
    );
    two.terminate().done();
    fixture.assert_empty();
}

#[test]
fn help_and_version_are_printed() {
    let fixture = Fixture::new();
    for launch in [
        fixture.bare_loader(["--help"]),
        fixture.bare_viewer(["--help"]),
    ] {
        let help = launch.run().done();
        assert!(help.text().contains("--key"), "{help:?}");
        assert!(help.text().contains("Examples"), "{help:?}");
    }
    for launch in [
        fixture.bare_loader(["--version"]),
        fixture.bare_viewer(["--version"]),
    ] {
        assert!(
            launch
                .run()
                .done()
                .text()
                .contains(env!("CARGO_PKG_VERSION"))
        );
    }
    drop(fixture.bare_loader(["nonsense"]).run().misused("nonsense"));
    drop(
        fixture
            .bare_viewer(["show", "--nonsense"])
            .run()
            .misused("--nonsense"),
    );
}
