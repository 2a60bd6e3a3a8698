//! `loader-app text` and `viewer-app show`.

use e2e_tests::Fixture;

/// Loads `text` as an argument and asserts that the viewer prints exactly its bytes.
fn assert_preserved(text: &str) {
    let fixture = Fixture::new();
    let loader = fixture.loader(["text", "--", text]).start();
    loader.wait_for(fixture.key());
    let shown = fixture.viewer(["show"]).run().done();
    assert_eq!(shown.text(), text);
    loader.terminate().done();
    fixture.assert_empty();
}

/// Loads `bytes` from standard input and asserts that the viewer prints exactly these.
fn assert_input_preserved(arguments: &[&str], bytes: &[u8]) {
    let fixture = Fixture::new();
    let loader = fixture.loader(arguments).input(bytes).start();
    loader.wait_for(fixture.key());
    assert_eq!(fixture.viewer(["show"]).run().done().stdout, bytes);
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_line_is_shown_unchanged() {
    assert_preserved("Hello from the other side");
}

#[test]
fn line_endings_are_preserved() {
    assert_preserved("first\nsecond\r\n\n\tfourth\n");
}

#[test]
fn every_script_is_preserved() {
    assert_preserved(
        "你好，世界。こんにちは 안녕하세요\nПривет, мир! مرحبا שלום नमस्ते\n👩‍👩‍👧‍👦 🏳️‍🌈 é e\u{301} \u{feff}",
    );
}

#[test]
fn an_empty_text_is_preserved() {
    assert_preserved("");
}

#[test]
fn a_text_may_look_like_an_option() {
    assert_preserved("--persist");
}

#[test]
fn a_text_is_read_from_standard_input() {
    assert_input_preserved(&["text"], "zeilen\n和\n".as_bytes());
    assert_input_preserved(&["text", "-"], b"a dash means the same");
    assert_input_preserved(&["text"], b"");
}

#[test]
fn a_long_text_is_preserved() {
    let long: String = (0..400_000)
        .map(|line| format!("{line} – Zeile\n"))
        .collect();
    assert_input_preserved(&["text"], long.as_bytes());
}

#[test]
fn the_loader_reports_the_publication() {
    let fixture = Fixture::new();
    let loader = fixture.loader(["text", "five!"]).start();
    let line = loader.wait_for(fixture.key());
    for part in ["text", "5", "1"] {
        assert!(line.contains(part), "{part} in {line:?}");
    }
    loader.terminate().done();
}

#[test]
fn bytes_that_are_not_text_are_refused_and_the_content_remains() {
    let fixture = Fixture::new();
    let before = fixture.loader(["text", "before"]).start();
    before.wait_for(fixture.key());
    let refused = fixture
        .loader(["text"])
        .input(b"good \xff\xfe bad".as_slice())
        .run();
    let refused = refused.refused("UTF-8");
    assert!(
        refused.stderr.contains("loader-app file"),
        "no remedy: {refused:?}"
    );
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "before");
    before.terminate().done();
    fixture.assert_empty();
}

#[test]
fn show_writes_a_text_to_a_file() {
    let fixture = Fixture::new();
    let loader = fixture.loader(["text", "into a file"]).start();
    loader.wait_for(fixture.key());
    let path = fixture.path("out.txt");
    fixture
        .viewer(["show", "--output"])
        .args([&path])
        .run()
        .done();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "into a file");
    assert_eq!(
        fixture
            .viewer(["show", "--output", "-"])
            .run()
            .done()
            .text(),
        "into a file"
    );
}

#[test]
fn without_a_key_both_use_the_default_key() {
    let fixture = Fixture::new();
    let loader = fixture.bare_loader(["text", "the usual key"]).start();
    loader.wait_for("MySharedMemory");
    assert_eq!(
        fixture.bare_viewer(["show"]).run().done().text(),
        "the usual key"
    );
}
