//! The form of content under a Qt key: chosen, written, read back.

use qt_bridge::{QtKey, Reading};

use super::*;

/// Returns a window with its own Qt key.
fn bench() -> (Bench, QtKey) {
    let mut bench = Bench::new();
    let path = bench.directory.path().join("native");
    let key = format!("systemv:{}", path.display());
    bench.send(Message::Window(main_window::Message::KeyEdited(
        key.clone(),
    )));
    (bench, key.parse().unwrap())
}

fn read(key: &QtKey) -> Reading {
    qt_bridge::read(key, None, shm_io::TIMEOUT).unwrap()
}

fn monitored_form(bench: &Bench) -> Option<Form> {
    bench
        .state
        .monitor
        .as_ref()
        .expect("a key is monitored")
        .form()
}

#[test]
fn only_a_qt_key_has_forms() {
    let (mut bench, _) = bench();
    let is_offered = |bench: &Bench| {
        let mut ui = Simulator::<Message>::new(bench.state.view());
        ui.find(iced::widget::Id::new(gui_common::widget::form_choice::ID))
            .is_ok()
    };
    assert!(is_offered(&bench));
    assert!(bench.shows("Automatic"));
    bench.press(Chord::ctrl('f'));
    assert!(bench.shows("QString"));
    assert_eq!(monitored_form(&bench), Some(Form::QString));
    assert!(bench.status().ends_with("will be written as QString."));
    bench.edit_key("Mine");
    assert!(!is_offered(&bench));
    assert_eq!(monitored_form(&bench), None);
    bench.press(Chord::ctrl('f'));
    assert!(bench.status().contains("Only Qt keys"));
}

#[test]
fn content_is_written_and_read_in_the_chosen_form() {
    let (mut bench, key) = bench();
    bench.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::QByteArray,
    ))));
    bench.load_text("hi");
    assert!(bench.status().ends_with("as QByteArray."));
    assert_eq!(read(&key).form, Form::QByteArray);
    // The chosen form does not change the content that is already loaded.
    bench.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::QString,
    ))));
    assert_eq!(monitored_form(&bench), Some(Form::QByteArray));
    let file = bench.file("words.txt", "日本".as_bytes());
    bench.drop_files(&[&file]);
    assert_eq!(read(&key).form, Form::QString);
    assert_eq!(monitored_form(&bench), Some(Form::QString));
    bench.send(Message::Window(main_window::Message::FormChosen(None)));
    bench.load_text("日本");
    assert_eq!(monitored_form(&bench), None);
    bench.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::Raw,
    ))));
    bench.click("Release");
    assert_eq!(monitored_form(&bench), Some(Form::Raw));
}

#[test]
fn a_form_that_does_not_fit_is_reported_and_leaves_the_content() {
    let (mut bench, key) = bench();
    bench.load_text("kept");
    bench.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::QImage,
    ))));
    bench.load_text("no picture");
    assert_eq!(bench.level(), Level::Error);
    let told = bench.state.window.status.current().to_string();
    assert!(
        told.contains("The content cannot be written as QImage"),
        "{told}"
    );
    let text = |text: &str| Some(shm_core::Message::Text(text.to_owned()));
    assert_eq!(read(&key).value.into_message(), text("kept"));
    assert_eq!(monitored_form(&bench), None);
    // The text is still in the dialog, and is loaded in a form that fits.
    bench.press(Chord::ctrl('f'));
    bench.click("OK");
    assert!(!bench.shows("Text to load"));
    assert_eq!(read(&key).value.into_message(), text("no picture"));
}

#[test]
fn the_command_line_sets_the_initial_form() {
    let directory = tempfile::tempdir().unwrap();
    let open = |key: &str| {
        State::new(&LaunchSettings {
            key: key.parse().ok(),
            form: Some(Form::Raw),
            directory: Some(directory.path().to_owned()),
            verbose: false,
            saved: LoadedSettings::default(),
        })
    };
    let state = open("qt:K");
    assert_eq!(state.window.key.form(), Some(Form::Raw));
    assert_eq!(state.monitored_form(), Some(Form::Raw));
    assert_eq!(open("K").window.key.form(), None);
}

#[test]
fn a_narrow_window_hides_the_attachment_text() {
    let (mut bench, _) = bench();
    assert!(bench.shows("not attached"));
    bench.send(Message::Window(main_window::Message::Resized(
        gui_common::settings::MIN_SIZE,
    )));
    assert!(!bench.shows("not attached"));
    bench.edit_key("Mine");
    assert!(bench.shows("not attached"));
}
