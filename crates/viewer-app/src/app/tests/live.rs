//! Live mode: new contents are shown automatically, and the last stays when its publisher detaches.

use gui_common::picture::drawable::Picture;
use shm_core::{ImageMetadata, PixelFormat};

use super::clipboard_and_drop::assert_matches_snapshot;
use super::*;

fn live() -> State {
    let mut state = state();
    drop(state.update(Message::LiveToggled));
    state
}

fn appear(state: &mut State, snapshot: Snapshot) {
    observe(
        state,
        Observation::Content(Box::new(Update::new(snapshot, Arc::default()))),
    );
}

fn picture() -> Snapshot {
    let metadata = ImageMetadata::packed(PixelFormat::Rgb8, 320, 180).expect("it is small");
    let payload = [40, 90, 160].repeat(320 * 180);
    let picture = Picture::from_payload(&metadata, &payload, None).expect("the pixels fit");
    snapshot(snapshot::Preview::Picture(picture), payload.len() as u64)
}

fn shown_text(state: &State) -> String {
    match &state.shown {
        Shown::Content(pane) => pane.shown_text(),
        Shown::Notice { title, .. } => panic!("only a notice: {title}"),
    }
}

/// Draws the window once.
fn draw(state: &State) {
    ui(state)
        .snapshot(&Theme::Light)
        .expect("it can be drawn without a display");
}

#[test]
fn a_click_toggles_the_switch() {
    let state = state();
    let mut ui = ui(&state);
    ui.click("Live").expect("the switch is there");
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(
        matches!(messages[..], [Message::LiveToggled]),
        "{messages:?} is not one toggle"
    );
}

#[test]
fn without_live_mode_no_content_is_shown_automatically() {
    let mut state = state();
    observe(&mut state, presence(1, *MINUTE_AGO));
    assert!(!state.live.is_on());
    assert!(matches!(state.shown, Shown::Notice { .. }));
    assert_matches_snapshot(&state, "live-off");
}

#[test]
fn new_contents_are_shown_automatically() {
    let mut state = live();
    observe(&mut state, Observation::Nothing);
    assert_eq!(
        state.window.status.current().text(),
        "Waiting for something in MySharedMemory."
    );
    ui(&state)
        .find("Nothing there yet")
        .expect("the notice is drawn");
    assert_matches_snapshot(&state, "live-waiting");

    observe(&mut state, presence(3, *MINUTE_AGO));
    appear(&mut state, text("one"));
    assert_eq!(shown_text(&state), "one");
    appear(&mut state, text("and two"));
    assert_eq!(shown_text(&state), "and two");
    ui(&state).find("following").expect("the mark is drawn");
    assert_matches_snapshot(&state, "live-text");
}

#[test]
fn the_status_is_restored_after_an_error() {
    let mut state = live();
    appear(&mut state, text("one"));
    let shown_status = state.window.status.current().text().to_owned();
    let key = "qt:A".parse().expect("it is a key");
    let held = qt_bridge::LockError::new(&key, qt_bridge::LockErrorKind::Lost);
    let error = SnapshotError::Source(SourceError::Qt(qt_bridge::ReadingError::Lock(held)));
    observe(&mut state, Observation::Unreadable(Arc::new(error)));
    assert_eq!(state.window.status.current().level(), Level::Error);
    appear(&mut state, text("one"));
    assert_eq!(state.window.status.current().text(), shown_status);
    assert_eq!(state.window.status.current().level(), Level::Success);
}

#[test]
fn the_last_copy_stays_when_the_publisher_detaches() {
    let mut state = live();
    observe(&mut state, presence(3, *MINUTE_AGO));
    appear(&mut state, text("to be kept"));
    observe(&mut state, Observation::Nothing);
    let sentence = "The loader has left; this is the last copy.";
    assert_eq!(state.window.status.current().text(), sentence);
    assert_eq!(state.window.status.current().level(), Level::Warning);
    assert_eq!(shown_text(&state), "to be kept");
    assert_matches_snapshot(&state, "live-left");

    // The button does not replace it by an error.
    let error = AttachError::new(&key(), AttachErrorKind::NotFound);
    show(&mut state, Err(attach_error(error)));
    assert_eq!(shown_text(&state), "to be kept");
    assert_eq!(state.window.status.current().text(), sentence);

    // A new publisher attaches, and publishes later.
    let nothing = snapshot(snapshot::Preview::Empty, 0);
    observe(&mut state, presence(0, *MINUTE_AGO));
    appear(&mut state, nothing.clone());
    assert_eq!(shown_text(&state), "to be kept");
    appear(&mut state, text("back"));
    assert_eq!(shown_text(&state), "back");
    assert_eq!(state.window.status.current().level(), Level::Success);

    // A segment cleared by an attached publisher is shown as empty.
    appear(&mut state, nothing);
    assert_eq!(shown_text(&state), "");
}

#[test]
fn turning_live_off_keeps_the_content() {
    let mut state = live();
    appear(&mut state, text("still"));
    let late = state.live.notification(Observation::Nothing);
    drop(state.update(Message::LiveToggled));
    drop(state.update(late));
    assert_eq!(shown_text(&state), "still");
    assert!(!state.live.is_on());
    assert!(!state.live.is_last_copy());
}

#[test]
fn an_edited_key_is_followed_after_enter() {
    let mut state = live();
    appear(&mut state, text("of the first"));
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "Other".to_owned(),
        ))),
    );
    assert_eq!(state.live.followed(), Some(&key().into()));
    ui(&state).find("Enter follows").expect("the mark is drawn");
    drop(state.update(Message::Show));
    let other = Key::new("Other").expect("it is a key");
    assert_eq!(state.live.followed(), Some(&other.into()));
    // The content of the first key is not the last copy of the other.
    observe(&mut state, Observation::Nothing);
    ui(&state)
        .find("Nothing there yet")
        .expect("nothing of it is shown");
}

#[test]
fn the_switch_is_saved() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("viewer-app.json");
    let open = || {
        State::new(&Settings {
            remembered: settings::load(Some(path.clone())),
            ..Settings::default()
        })
    };
    let mut state = open();
    assert!(!state.live.is_on());
    drop(state.update(Message::LiveToggled));
    drop(state);
    let state = open();
    assert_eq!(state.live.followed(), Some(&key().into()));
}

#[test]
fn an_invalid_key_cannot_be_followed() {
    let mut state = state();
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "a/b".to_owned(),
        ))),
    );
    drop(state.update(Message::LiveToggled));
    assert!(!state.live.is_on());
    assert_eq!(state.window.status.current().level(), Level::Error);
}

#[test]
fn a_read_error_shows_its_reason() {
    let mut state = live();
    let error = SnapshotError::Text { key: key().into() };
    let why = error.to_string();
    observe(&mut state, Observation::Unreadable(Arc::new(error)));
    assert_eq!(state.window.status.current().level(), Level::Error);
    ui(&state).find(why.as_str()).expect("and why");
}

#[test]
fn a_picture_is_counted_when_it_is_drawn() {
    let mut state = live();
    assert_eq!(state.live.figures(), None);
    appear(&mut state, picture());
    draw(&state);
    // Two pictures before the next frame: the first is never drawn.
    appear(&mut state, picture());
    let mut late = Update::new(picture(), Arc::default());
    late.skipped = 3;
    observe(&mut state, Observation::Content(Box::new(late)));
    let figures = state.live.figures().expect("one was shown");
    assert_eq!(figures.shown, 1);
    assert!(figures.latency >= Duration::from_secs(70), "{figures:?}");
    // Updated only twice a second, while counting continues.
    draw(&state);
    appear(&mut state, picture());
    assert_eq!(state.live.figures(), Some(figures));
    let words = figures.to_string();
    ui(&state)
        .find(words.as_str())
        .expect("the figures are drawn");

    // A text ends the stream.
    appear(&mut state, text("no picture"));
    assert_eq!(state.live.figures(), None);
}

#[test]
fn repeated_statuses_do_not_replace_another_status() {
    let mut state = live();
    appear(&mut state, picture());
    drop(state.update(Message::Copied(Ok(()), None)));
    let copied = state.window.status.current().clone();
    appear(&mut state, picture());
    assert_eq!(*state.window.status.current(), copied);
    appear(&mut state, text("something else"));
    assert_ne!(*state.window.status.current(), copied);
}

#[test]
fn a_picture_redrawn_with_more_pixels_is_not_counted() {
    let mut state = live();
    appear(&mut state, picture());
    draw(&state);
    let mut again = Update::new(picture(), Arc::default());
    again.is_again = true;
    observe(&mut state, Observation::Content(Box::new(again)));
    assert_eq!(state.live.figures(), None);
}
