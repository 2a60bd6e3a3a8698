mod live;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use app_kit::snapshot::{self, Bytes, Origin, SnapshotError};
use app_kit::status::Level;
use app_kit::watch::{Fresh, Observation};
use app_kit::worker::WorkerError;
use iced_test::{Simulator, simulator};
use shm_core::segment::{Content, Info, Latest};
use shm_core::{Access, AttachError, Attached, Metadata, Process};

use super::*;

fn key() -> Key {
    Key::new("MySharedMemory").expect("it is a key")
}

fn state() -> State {
    State::new(&key(), false)
}

fn ui(state: &State) -> Simulator<'_, Message> {
    simulator(state.view())
}

fn loader() -> Attached {
    Attached {
        process: Process::with_pid(4711),
        program: "loader-app".to_owned(),
        access: Access::ReadWrite,
        since: None,
    }
}

fn snapshot(content: snapshot::Content, bytes: u64) -> Snapshot {
    Snapshot {
        key: key(),
        content,
        bytes,
        origin: Some(Origin {
            generation: 3,
            writer: Process::with_pid(4711),
            writer_program: Some("loader-app".to_owned()),
            published: *LONG_AGO,
        }),
        persistent: false,
        attached: vec![loader()],
    }
}

/// A minute ago, and a bit.
static LONG_AGO: LazyLock<SystemTime> =
    LazyLock::new(|| SystemTime::now() - Duration::from_secs(70));

fn text(words: &str) -> Snapshot {
    let content = snapshot::Content::Text(snapshot::Text {
        shown: words.to_owned(),
        is_whole: true,
    });
    snapshot(content, words.len() as u64)
}

/// Presses the button and lets the request be answered.
fn show(state: &mut State, answer: Result<Snapshot, ShowError>) {
    // The task would look into real shared memory: the answer is given here instead.
    drop(state.update(Message::Show));
    let request = state.request;
    drop(state.update(Message::Answered { request, answer }));
}

fn attach_error(error: AttachError) -> ShowError {
    ShowError::Snapshot(Arc::new(SnapshotError::Attach(error)))
}

/// Lets what looks at the key see something.
fn observe(state: &mut State, observation: Observation) {
    let message = state.live.news(observation);
    drop(state.update(message));
}

fn seen(generation: u64, published: SystemTime) -> Observation {
    Observation::Presence(Arc::new(Info {
        key: key(),
        id: 1,
        content: Content::Samples {
            latest: Some(Latest {
                metadata: Metadata::Text,
                bytes: 5,
                generation,
                writer: Process::with_pid(4711),
                published,
            }),
        },
        mode: 0o600,
        persistent: false,
        created: SystemTime::now(),
        reserved_bytes: 4096,
        attached: vec![
            loader(),
            Attached {
                process: Process::with_pid(4712),
                program: "viewer-app".to_owned(),
                access: Access::ReadOnly,
                since: None,
            },
        ],
    }))
}

#[test]
fn the_button_asks_for_what_is_there() {
    let state = state();
    let mut ui = ui(&state);
    ui.click("Show from shared memory")
        .expect("the button is there");
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(
        matches!(messages[..], [Message::Show]),
        "{messages:?} is not one request"
    );
}

#[test]
fn typing_changes_the_key_and_enter_shows() {
    let mut state = State::new(&Key::new("K").expect("it is a key"), false);
    let mut ui = ui(&state);
    ui.click("K").expect("the field shows the key");
    ui.typewrite("ey");
    ui.tap_key(Named::Enter);
    let messages: Vec<Message> = ui.into_messages().collect();
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| match message {
            Message::KeyChanged(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 2, "each letter is told: {texts:?}");
    assert!(matches!(messages.last(), Some(Message::Show)));
    drop(state.update(Message::KeyChanged("Key".to_owned())));
    assert_eq!(state.key.text(), "Key");
}

#[test]
fn a_wrong_key_is_told_and_not_asked_for() {
    let mut state = state();
    drop(state.update(Message::KeyChanged("a/b".to_owned())));
    drop(state.update(Message::Show));
    assert_eq!(state.request, 0);
    assert_eq!(state.status.current().level(), Level::Error);
    ui(&state)
        .find("This key cannot be used.")
        .expect("the status line says so");
}

#[test]
fn a_text_is_shown_with_its_facts() {
    let mut state = state();
    show(&mut state, Ok(text("Hello, 日本!")));
    let mut ui = ui(&state);
    ui.find("text · 14 bytes · generation 3 · 1 min old")
        .expect("the facts are there");
    ui.find("loaded by loader-app (pid 4711)")
        .expect("the loader is named");
    ui.find("Showing the text from MySharedMemory, 14 bytes.")
        .expect("the status line says what happened");
}

#[test]
fn the_shown_text_cannot_be_changed() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    let mut ui = ui(&state);
    ui.point_at(iced::Point::new(100.0, 300.0));
    ui.simulate(iced_test::simulator::click());
    ui.typewrite("x");
    ui.tap_key(Named::Delete);
    ui.tap_key(Named::Enter);
    for message in ui.into_messages().collect::<Vec<_>>() {
        assert!(matches!(message, Message::Pane(_)), "{message:?}");
        drop(state.update(message));
    }
    let Shown::Content(pane) = &state.shown else {
        panic!("the text is still shown");
    };
    assert_eq!(pane.shown_text(), "Hello");
}

#[test]
fn nothing_there_says_what_to_do() {
    let mut state = state();
    show(
        &mut state,
        Err(attach_error(AttachError::NotFound { key: key() })),
    );
    let mut ui = ui(&state);
    ui.find("Enter a text first")
        .expect("the words of the original are there");
    ui.find("Unable to attach to shared memory segment. Load an image first.")
        .expect("the status line says so");
    ui.find(
        "There is nothing in MySharedMemory yet. Start SharedMemoryLoad with the same key, press \
         Load, enter a text, and show it here.",
    )
    .expect("what to do is there");
}

#[test]
fn a_cleared_segment_is_no_error() {
    let mut state = state();
    show(
        &mut state,
        Ok(Snapshot {
            origin: None,
            ..snapshot(snapshot::Content::Empty, 0)
        }),
    );
    assert_eq!(state.status.current().level(), Level::Warning);
    let mut ui = ui(&state);
    ui.find("Enter a text first").expect("the pane says so");
}

#[test]
fn what_cannot_be_attached_says_why() {
    let mut state = state();
    let error = AttachError::Foreign {
        key: key(),
        reason: "it is a directory".to_owned(),
    };
    let why = error.to_string();
    show(&mut state, Err(attach_error(error)));
    assert_eq!(state.status.current().level(), Level::Error);
    let mut ui = ui(&state);
    ui.find("Unable to attach to shared memory segment.")
        .expect("the words of the original are there");
    ui.find(why.as_str()).expect("and the reason");
}

#[test]
fn a_worker_that_died_is_told() {
    let mut state = state();
    show(&mut state, Err(ShowError::Worker(WorkerError::Died)));
    assert_eq!(state.status.current().level(), Level::Error);
}

#[test]
fn only_the_newest_request_counts() {
    let mut state = state();
    drop(state.update(Message::Show));
    drop(state.update(Message::Show));
    drop(state.update(Message::Answered {
        request: 1,
        answer: Ok(text("old")),
    }));
    assert!(matches!(state.shown, Shown::Notice { .. }));
    drop(state.update(Message::Answered {
        request: 2,
        answer: Ok(text("new")),
    }));
    assert!(matches!(state.shown, Shown::Content(_)));
    assert!(!state.is_reading);
}

#[test]
fn ages_and_neighbours_move_on() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    observe(&mut state, seen(3, *LONG_AGO));
    state.now += Duration::from_secs(60);
    let mut ui = ui(&state);
    ui.find("text · 5 bytes · generation 3 · 2 min old")
        .expect("the age moved on");
    ui.find("also attached: viewer-app (pid 4712, reading)")
        .expect("the other viewer is named");
    ui.find("up to date").expect("nothing newer is there");
}

#[test]
fn newer_content_and_its_end_are_told() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    observe(&mut state, seen(4, SystemTime::now()));
    ui(&state)
        .find("newer content")
        .expect("generation 4 is there");
    observe(&mut state, Observation::Nothing);
    let mut ui = ui(&state);
    ui.find("nothing there").expect("the segment is gone");
    ui.find("loaded by loader-app (pid 4711), which has left")
        .expect("what is shown stays, and says so");
}

#[test]
fn what_was_seen_of_another_key_is_of_no_interest() {
    let mut state = state();
    let message = state.live.news(seen(1, *LONG_AGO));
    drop(state.update(Message::KeyChanged("Other".to_owned())));
    drop(state.update(message));
    assert!(state.presence.is_none());
}

#[test]
fn bytes_are_shown_as_a_dump() {
    let mut state = state();
    let content = snapshot::Content::Bytes(Bytes {
        media_type: Some("application/pdf".to_owned()),
        source: Some("report.pdf".to_owned()),
        head: b"%PDF".to_vec(),
        is_half_written: false,
    });
    show(&mut state, Ok(snapshot(content, 4)));
    let mut ui = ui(&state);
    ui.find("application/pdf · report.pdf")
        .expect("it is said what they are");
    ui.find("00000000  25 50 44 46                                       |%PDF|")
        .expect("the first bytes are there");
}

#[test]
fn the_usual_keys_show_and_quit() {
    use iced::keyboard::{Location, Modifiers, key};
    let press = |key: keyboard::Key, modifiers| keyboard::Event::KeyPressed {
        modified_key: key.clone(),
        key,
        physical_key: key::Physical::Unidentified(key::NativeCode::Unidentified),
        location: Location::Standard,
        modifiers,
        text: None,
        repeat: false,
    };
    let named = keyboard::Key::Named;
    let none = Modifiers::empty();
    assert!(matches!(
        shortcut(press(named(Named::F5), none)),
        Some(Message::Show)
    ));
    assert!(matches!(
        shortcut(press(
            keyboard::Key::Character("l".into()),
            Modifiers::COMMAND
        )),
        Some(Message::LiveToggled)
    ));
    assert!(matches!(
        shortcut(press(named(Named::Enter), Modifiers::COMMAND)),
        Some(Message::Show)
    ));
    assert!(shortcut(press(named(Named::Enter), none)).is_none());
    assert!(matches!(
        shortcut(press(named(Named::Tab), Modifiers::SHIFT)),
        Some(Message::FocusPrevious)
    ));
    assert!(matches!(
        shortcut(press(
            keyboard::Key::Character("q".into()),
            Modifiers::COMMAND
        )),
        Some(Message::Quit)
    ));
}

#[test]
fn what_appears_while_nothing_is_shown_is_announced_once() {
    let mut state = state();
    observe(&mut state, Observation::Nothing);
    assert_eq!(state.status.current().text(), "Ready.");
    observe(&mut state, seen(1, *LONG_AGO));
    let announced = "There is something in MySharedMemory now. Press Show from shared memory.";
    assert_eq!(state.status.current().text(), announced);
    show(&mut state, Ok(text("Hello")));
    observe(&mut state, seen(2, SystemTime::now()));
    assert_ne!(state.status.current().text(), announced);
}
