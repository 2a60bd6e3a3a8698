//! The form in which the content of a Qt key is decoded.

use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced_test::runtime::{self, task};
use qt_bridge::{Publisher, QtKey, Stream};
use tempfile::TempDir;

use super::*;

/// A window with a unique Qt key, and the publisher of its content.
struct Fixture {
    state: State,
    publisher: Publisher,
    _directory: TempDir,
}

impl Fixture {
    fn new(text: &str, form: Form) -> Fixture {
        let directory = tempfile::tempdir().expect("there is room");
        let key = format!("systemv:{}/native", directory.path().display());
        let key: QtKey = key.parse().expect("it is a key");
        let mut state = state();
        drop(
            state.update(Message::Window(main_window::Message::KeyEdited(
                key.to_string(),
            ))),
        );
        let mut publisher = Publisher::new(&key, shm_io::TIMEOUT);
        let message = shm_core::Message::Text(text.to_owned());
        let stream = Stream::new(&message, form).expect("it fits");
        publisher.publish(&stream).expect("there is room");
        Fixture {
            state,
            publisher,
            _directory: directory,
        }
    }

    /// Sends a message and all messages of its tasks.
    fn send(&mut self, message: Message) {
        let task = self.state.update(message);
        let Some(mut actions) = task::into_stream(task) else {
            return;
        };
        while let Some(action) = block_on(actions.next()) {
            if let runtime::Action::Output(message) = action {
                self.send(message);
            }
        }
    }

    fn shows(&self, words: &str) -> bool {
        ui(&self.state).find(words).is_ok()
    }

    fn shown_text(&self) -> Option<String> {
        match &self.state.shown {
            Shown::Content(pane) => Some(pane.shown_text()),
            Shown::Notice { .. } => None,
        }
    }
}

#[test]
fn only_a_qt_key_has_a_form() {
    let mut state = state();
    let id = || iced::widget::Id::new(gui_common::widget::form_choice::ID);
    assert!(ui(&state).find(id()).is_err());
    drop(state.update(Message::Window(main_window::Message::NextForm)));
    assert!(
        state
            .window
            .status
            .current()
            .text()
            .contains("Only Qt keys")
    );
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "qt:K".to_owned(),
        ))),
    );
    assert!(ui(&state).find(id()).is_ok());
    ui(&state).find("Automatic").expect("nothing is chosen");
    drop(state.update(Message::Window(main_window::Message::NextForm)));
    assert_eq!(state.window.key.form(), Some(Form::QString));
    ui(&state).find("QString").expect("it is chosen");
    // No content was requested yet.
    assert_eq!(state.request, 0);
}

#[test]
fn choosing_a_form_reads_the_content_again() {
    let mut fixture = Fixture::new("hi", Form::QByteArray);
    fixture.send(Message::Show);
    assert_eq!(fixture.shown_text().as_deref(), Some("hi"));
    assert!(fixture.shows("text as QByteArray · 6 bytes"));
    fixture.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::QString,
    ))));
    assert_eq!(fixture.shown_text().as_deref(), Some("桩"));
    assert!(fixture.shows("text as QString · 6 bytes"));
    fixture.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::QImage,
    ))));
    assert_eq!(fixture.shown_text(), None);
    assert_eq!(fixture.state.window.status.current().level(), Level::Error);
    let remedy = fixture
        .state
        .window
        .status
        .current()
        .remedy()
        .unwrap_or_default();
    assert!(remedy.contains("is not a QImage"), "{remedy}");
    fixture.send(Message::Window(main_window::Message::NextForm));
    assert_eq!(fixture.shown_text().as_deref(), Some("hi"));

    // A content of the history is not read again.
    fixture.send(Message::History(history::Message::Opened(1)));
    assert_eq!(fixture.shown_text().as_deref(), Some("桩"));
    assert!(fixture.shows("text as QString · 6 bytes"));
    fixture.send(Message::Window(main_window::Message::FormChosen(Some(
        Form::CString,
    ))));
    assert_eq!(fixture.shown_text().as_deref(), Some("桩"));
    drop(fixture.publisher);
}

#[test]
fn choosing_a_form_restarts_live_mode() {
    let mut fixture = Fixture::new("hi", Form::QByteArray);
    drop(fixture.state.update(Message::LiveToggled));
    let before = fixture.state.live.notification(Observation::Qt(6));
    drop(
        fixture
            .state
            .update(Message::Window(main_window::Message::FormChosen(Some(
                Form::QString,
            )))),
    );
    assert!(fixture.state.live.is_on());
    assert_eq!(fixture.state.live.form(), Some(Form::QString));
    drop(fixture.state.update(before));
    assert!(
        fixture.state.presence.is_none(),
        "it is from the previous monitor"
    );
}

#[test]
fn a_narrow_window_hides_the_mark_beside_the_key() {
    let mut state = state();
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "qt:K".to_owned(),
        ))),
    );
    observe(&mut state, Observation::Qt(34));
    ui(&state).find("Qt, 34 bytes").expect("there is room");
    drop(state.update(Message::Window(main_window::Message::Resized(
        settings::MIN_SIZE,
    ))));
    assert!(ui(&state).find("Qt, 34 bytes").is_err());
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "K".to_owned(),
        ))),
    );
    observe(&mut state, Observation::Nothing);
    ui(&state).find("nothing there").expect("there is room");
}

#[test]
fn the_command_line_chooses_the_initial_form() {
    let open = |key: &str| {
        State::new(&Settings {
            key: key.parse().ok(),
            form: Some(Form::Raw),
            ..Settings::default()
        })
    };
    assert_eq!(open("qt:K").window.key.form(), Some(Form::Raw));
    assert_eq!(open("K").window.key.form(), None);
}
