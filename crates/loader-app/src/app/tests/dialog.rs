//! The text dialog, the shortcuts, and the help.

use super::*;

#[test]
fn a_text_is_loaded_from_the_dialog() {
    let mut bench = Bench::new();
    let text = "Hello, 世界 😀\nمرحبا\r\n\tend";
    bench.load_text(text);
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some(text)
    );
    let sentence = format!(
        "Loaded text, {} bytes, into MySharedMemory (sequence 1).",
        text.len()
    );
    assert_eq!(bench.status(), sentence);
    assert_eq!(bench.level(), Level::Success);
    assert!(bench.shows("attached"));
    assert!(!bench.shows("Text to load"), "the dialog is closed");
}

#[test]
fn cancel_closes_the_dialog_without_loading() {
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(bench.shows("Text to load"));
    bench.write("not to be loaded");
    bench.click("Cancel");
    assert!(!bench.shows("Text to load"));
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn an_empty_text_is_not_loaded() {
    let mut bench = Bench::new();
    bench.click("Load");
    bench.click("OK");
    assert!(bench.shows("Enter a text first"));
    bench.write("now");
    assert!(!bench.shows("Enter a text first"));
    bench.click("OK");
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("now")
    );
}

#[test]
fn ctrl_enter_and_escape_close_the_dialog() {
    let mut bench = Bench::new();
    bench.click("Load");
    assert!(bench.shows("Text to load"));
    bench.write("by keyboard");
    bench.press(Chord::named(Named::Enter).with(Modifiers::CTRL));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("by keyboard")
    );
    bench.press(Chord::ctrl('l'));
    assert!(bench.shows("Text to load"));
    bench.press(Chord::ctrl('r'));
    bench.press(Chord::ctrl('q'));
    assert!(bench.shows("Text to load"), "other shortcuts do nothing");
    assert!(bench.in_memory("MySharedMemory").is_some());
    bench.press(Chord::named(Named::Escape));
    assert!(!bench.shows("Text to load"));
    bench.press(Chord::ctrl('r'));
    assert!(bench.in_memory("MySharedMemory").is_none());
}

#[test]
fn every_shortcut_of_the_help_sends_its_message() {
    for (label, message) in [
        ("Enter a text to load", "LoadPressed"),
        ("Load the entered text", "Dialog(Accept)"),
        ("Load an image from a file", "LoadImagePressed"),
        ("Go to the image path", "FocusPath"),
        ("Go to the key", "Window(FocusKey)"),
        ("Clear the content", "ClearPressed"),
        ("Release the content", "ReleasePressed"),
        ("Go to the next field", "Window(Focus(Forward))"),
        ("Go to the previous field", "Window(Focus(Backward))"),
        ("Open or close this help", "Window(ToggleHelp)"),
        ("Close or cancel", "CancelPressed"),
        ("Close the window", "Window(Quit)"),
    ] {
        let shortcut = shortcut::TABLE
            .iter()
            .find(|shortcut| shortcut.label() == label);
        let shortcut = shortcut.unwrap_or_else(|| panic!("no shortcut {label}"));
        for chord in shortcut.chords {
            match message_of(*chord) {
                // An earlier row with the same keys would win.
                Some(Message::Shortcut(action)) => assert_eq!(format!("{:?}", action()), message),
                other => panic!("{chord} is not a shortcut: {other:?}"),
            }
        }
    }
}

#[test]
fn closing_the_help_returns_to_the_dialog() {
    let mut bench = Bench::new();
    bench.click("Load");
    bench.write("half a sen");
    bench.press(Chord::named(Named::F1));
    assert!(bench.shows("Close the window"));
    bench.press(Chord::named(Named::Escape));
    assert!(!bench.state.window.is_help_open());
    assert!(bench.shows("Text to load"), "only the help is closed");
    bench.press(Chord::named(Named::Enter).with(Modifiers::CTRL));
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("half a sen")
    );
    bench.click("?");
    bench.press(Chord::ctrl('e'));
    assert!(
        !bench.state.window.is_help_open(),
        "a shortcut closes the help"
    );
    assert!(matches!(
        bench.in_memory("MySharedMemory"),
        Some(Preview::Empty)
    ));
}

#[test]
fn a_text_that_cannot_be_loaded_stays_in_the_dialog() {
    let mut bench = Bench::new();
    // Without the directory no segment can be created.
    let elsewhere = bench.directory.path().join("gone");
    bench.state.session = SessionThread::start(Options::new().directory(elsewhere));
    bench.load_text("the only copy");
    assert_eq!(bench.status(), "Unable to create shared memory segment.");
    assert!(bench.state.window.status.current().remedy().is_some());
    assert!(bench.shows("Text to load"), "the dialog stays open");
    bench.state.session = SessionThread::start(bench.options());
    bench.click("OK");
    assert_eq!(
        bench.text_in_memory("MySharedMemory").as_deref(),
        Some("the only copy")
    );
}
