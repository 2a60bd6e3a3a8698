mod chinese;
mod form;
mod help;
mod live;
mod saved_settings;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gui_common::session::monitor::{Observation, Update};
use gui_common::session::snapshot::{self, Bytes, SnapshotError};
use gui_common::session::worker::WorkerError;
use gui_common::settings;
use gui_common::text::explain::Explain;
use gui_common::widget::shortcut::{Chord, press};
use gui_common::widget::status::Level;
use iced::keyboard::key::Named;
use iced::{Event, Size, window};
use iced_test::{Simulator, simulator};
use shm_core::segment::{Content, Info, Latest};
use shm_core::{
    Access, Annotations, AttachError, AttachErrorKind, ForeignReason, Key, Metadata, Participant,
    Process, SegmentId,
};
use shm_io::{Publication, SourceError};

use super::*;

mod clipboard_and_drop;

fn key() -> Key {
    Key::new("MySharedMemory").expect("it is a key")
}

fn state() -> State {
    State {
        // A directory without segments: no publisher receives reports of this test.
        presence_guard: PresenceGuard::new(Options::new().directory("/nowhere")),
        ..State::new(&Settings::default())
    }
}

fn ui(state: &State) -> Simulator<'_, Message> {
    simulator(state.view())
}

fn loader() -> Participant {
    Participant {
        process: Process::with_pid(4711),
        program: "loader-app".to_owned(),
        access: Access::ReadWrite,
        since: None,
    }
}

fn snapshot(content: snapshot::Preview, bytes: u64) -> Snapshot {
    Snapshot {
        key: key().into(),
        content,
        form: None,
        digest: None,
        bytes,
        origin: Some(Publication {
            segment: SegmentId::new(7),
            elsewhere: None,
            sequence: 3.into(),
            writer: Process::with_pid(4711),
            writer_program: Some("loader-app".to_owned()),
            published: *MINUTE_AGO,
        }),
        persistent: false,
        permissions: None,
        attached: vec![loader()],
    }
}

/// A time more than one minute ago.
static MINUTE_AGO: LazyLock<SystemTime> =
    LazyLock::new(|| SystemTime::now() - Duration::from_secs(70));

fn text(words: &str) -> Snapshot {
    let content = snapshot::Preview::Text(snapshot::Text {
        shown: words.to_owned(),
        is_whole: true,
    });
    snapshot(content, words.len() as u64)
}

/// Presses the button and answers the request.
fn show(state: &mut State, answer: Result<Snapshot, ShowError>) {
    // The task would read real shared memory, so it is dropped.
    drop(state.update(Message::Show));
    let request = state.request;
    let answer = answer.map(Box::new);
    drop(state.update(Message::Answered { request, answer }));
}

fn attach_error(error: AttachError) -> ShowError {
    ShowError::Snapshot(Arc::new(SnapshotError::Source(SourceError::Attach(error))))
}

/// Sends an observation of the monitored key.
fn observe(state: &mut State, observation: Observation) {
    let message = state.live.notification(observation);
    drop(state.update(message));
}

fn presence(sequence: u64, published: SystemTime) -> Observation {
    Observation::Presence(Arc::new(Info {
        key: key(),
        id: SegmentId::new(1),
        content: Content::Samples {
            ring_bytes: 1 << 18,
            retain_bytes: 0,
            latest: Some(Latest {
                metadata: Metadata::Text,
                annotations: Annotations::new(),
                bytes: 5,
                sequence: sequence.into(),
                writer: Process::with_pid(4711),
                published,
                age: std::time::Duration::ZERO,
            }),
        },
        mode: 0o600,
        group: 0,
        persistent: false,
        created: SystemTime::now(),
        reserved_bytes: 4096,
        attached: vec![
            loader(),
            Participant {
                process: Process::with_pid(4712),
                program: "viewer-app".to_owned(),
                access: Access::ReadOnly,
                since: None,
            },
        ],
    }))
}

#[test]
fn the_button_requests_the_content() {
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
fn typing_edits_the_key_and_enter_requests_it() {
    let mut state = State::new(&Settings {
        key: "K".parse().ok(),
        ..Settings::default()
    });
    let mut ui = ui(&state);
    ui.click("K").expect("the field shows the key");
    ui.typewrite("ey");
    ui.tap_key(Named::Enter);
    let messages: Vec<Message> = ui.into_messages().collect();
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| match message {
            Message::Window(main_window::Message::KeyEdited(text)) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 2, "one message per letter: {texts:?}");
    assert!(matches!(messages.last(), Some(Message::Show)));
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "Key".to_owned(),
        ))),
    );
    assert_eq!(state.window.key.text(), "Key");
}

#[test]
fn an_invalid_key_is_an_error_and_not_requested() {
    let mut state = state();
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "a/b".to_owned(),
        ))),
    );
    drop(state.update(Message::Show));
    assert_eq!(state.request, 0);
    assert_eq!(state.window.status.current().level(), Level::Error);
    ui(&state)
        .find("This key cannot be used.")
        .expect("the status line is drawn");
}

#[test]
fn a_text_is_shown_with_its_properties() {
    let mut state = state();
    show(&mut state, Ok(text("Hello, 日本!")));
    let mut ui = ui(&state);
    ui.find("text · 14 bytes · sequence 3 · 1 min old")
        .expect("the facts are there");
    ui.find("loaded by loader-app (pid 4711)")
        .expect("the loader is named");
    ui.find("Showing the text from MySharedMemory, 14 bytes.")
        .expect("the status line is drawn");
}

#[test]
fn the_shown_text_is_read_only() {
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
fn a_missing_segment_shows_a_remedy() {
    let mut state = state();
    show(
        &mut state,
        Err(attach_error(AttachError::new(
            &key(),
            AttachErrorKind::NotFound,
        ))),
    );
    let mut ui = ui(&state);
    ui.find("Enter a text first")
        .expect("the title of the Qt example is drawn");
    ui.find("Unable to attach to shared memory segment. Load an image first.")
        .expect("the status line is drawn");
    ui.find(
        "There is nothing in MySharedMemory yet. Start SharedMemoryLoad with the same key, press \
         Load, enter a text, and show it here.",
    )
    .expect("the remedy is drawn");
}

#[test]
fn a_cleared_segment_is_a_warning() {
    let mut state = state();
    show(
        &mut state,
        Ok(Snapshot {
            origin: None,
            ..snapshot(snapshot::Preview::Empty, 0)
        }),
    );
    assert_eq!(state.window.status.current().level(), Level::Warning);
    let mut ui = ui(&state);
    ui.find("Enter a text first").expect("the notice is drawn");
}

#[test]
fn an_attach_error_shows_its_reason() {
    let mut state = state();
    let kind = AttachErrorKind::Foreign {
        path: "/dev/shm/K".into(),
        reason: ForeignReason::Magic,
    };
    let error = AttachError::new(&key(), kind);
    let why = error.explain();
    show(&mut state, Err(attach_error(error)));
    assert_eq!(state.window.status.current().level(), Level::Error);
    let mut ui = ui(&state);
    ui.find("Unable to attach to shared memory segment.")
        .expect("the title of the Qt example is drawn");
    ui.find(why.as_str()).expect("and the reason");
}

#[test]
fn a_dead_worker_is_an_error() {
    let mut state = state();
    show(&mut state, Err(ShowError::Worker(WorkerError::Died)));
    assert_eq!(state.window.status.current().level(), Level::Error);
}

#[test]
fn answers_to_older_requests_are_ignored() {
    let mut state = state();
    drop(state.update(Message::Show));
    drop(state.update(Message::Show));
    drop(state.update(Message::Answered {
        request: 1,
        answer: Ok(Box::new(text("old"))),
    }));
    assert!(matches!(state.shown, Shown::Notice { .. }));
    drop(state.update(Message::Answered {
        request: 2,
        answer: Ok(Box::new(text("new"))),
    }));
    assert!(matches!(state.shown, Shown::Content(_)));
    assert!(!state.is_reading);
}

#[test]
fn ages_and_attached_processes_are_updated() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    observe(&mut state, presence(3, *MINUTE_AGO));
    state.now += Duration::from_secs(60);
    let mut ui = ui(&state);
    ui.find("text · 5 bytes · sequence 3 · 2 min old")
        .expect("the age moved on");
    ui.find("also attached: viewer-app (pid 4712, reading)")
        .expect("the other viewer is named");
    ui.find("up to date").expect("nothing newer is there");
}

#[test]
fn newer_content_and_a_removed_segment_are_shown() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    observe(&mut state, presence(4, SystemTime::now()));
    ui(&state)
        .find("newer content")
        .expect("sequence 4 is there");
    observe(&mut state, Observation::Nothing);
    let mut ui = ui(&state);
    ui.find("nothing there").expect("the segment is gone");
    ui.find("loaded by loader-app (pid 4711), which has left")
        .expect("the content stays and is marked");
}

#[test]
fn observations_of_another_key_are_ignored() {
    let mut state = state();
    let message = state.live.notification(presence(1, *MINUTE_AGO));
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "Other".to_owned(),
        ))),
    );
    drop(state.update(message));
    assert!(state.presence.is_none());
}

#[test]
fn an_outdated_observation_does_not_replace_an_answer() {
    let mut state = state();
    let message = state.live.notification(Observation::Nothing);
    show(&mut state, Ok(text("Hello")));
    drop(state.update(message));
    assert!(ui(&state).find("nothing there").is_err());
}

#[test]
fn bytes_are_shown_as_a_hex_dump() {
    let mut state = state();
    let content = snapshot::Preview::Bytes(Bytes {
        media_type: Some("application/pdf".to_owned()),
        array: None,
        file_name: Some("report.pdf".to_owned()),
        head: b"%PDF".to_vec(),
        is_half_written: false,
    });
    show(&mut state, Ok(snapshot(content, 4)));
    let mut ui = ui(&state);
    ui.find("application/pdf · report.pdf")
        .expect("the media type is drawn");
    ui.find("00000000  25 50 44 46                                       |%PDF|")
        .expect("the first bytes are there");
}

#[test]
fn a_content_that_appears_is_announced_once() {
    let mut state = state();
    observe(&mut state, Observation::Nothing);
    assert_eq!(state.window.status.current().text(), "Ready.");
    observe(&mut state, presence(1, *MINUTE_AGO));
    let announced = "MySharedMemory has content now. Press Show from shared memory.";
    assert_eq!(state.window.status.current().text(), announced);
    show(&mut state, Ok(text("Hello")));
    observe(&mut state, presence(2, SystemTime::now()));
    assert_ne!(state.window.status.current().text(), announced);
}
