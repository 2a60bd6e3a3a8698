//! The switch "Live": what appears by itself, and what stays when its loader has left.

use gui_common::picture::drawable::Picture;
use shm_core::{ImageMetadata, PixelFormat};

use super::clipboard_and_drop::looks_like;
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

/// Draws the window once, as its renderer does.
fn draw(state: &State) {
    ui(state)
        .snapshot(&Theme::Light)
        .expect("it can be drawn without a display");
}

#[test]
fn the_switch_is_thrown_by_mouse() {
    let state = state();
    let mut ui = ui(&state);
    ui.click("Live").expect("the switch is there");
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(
        matches!(messages[..], [Message::LiveToggled]),
        "{messages:?} is not one throw"
    );
}

#[test]
fn off_nothing_appears_by_itself() {
    let mut state = state();
    observe(&mut state, seen(1, *LONG_AGO));
    assert!(!state.live.is_on());
    assert!(matches!(state.shown, Shown::Notice { .. }));
    looks_like(&state, "live-off");
}

#[test]
fn what_is_loaded_appears_by_itself() {
    let mut state = live();
    observe(&mut state, Observation::Nothing);
    assert_eq!(
        state.window.status.current().text(),
        "Waiting for something in MySharedMemory."
    );
    ui(&state)
        .find("Nothing there yet")
        .expect("the pane says so");
    looks_like(&state, "live-waiting");

    observe(&mut state, seen(3, *LONG_AGO));
    appear(&mut state, text("one"));
    assert_eq!(shown_text(&state), "one");
    appear(&mut state, text("and two"));
    assert_eq!(shown_text(&state), "and two");
    ui(&state)
        .find("following")
        .expect("it says that it goes on");
    looks_like(&state, "live-text");
}

#[test]
fn what_is_shown_again_after_an_error_is_said_again() {
    let mut state = live();
    appear(&mut state, text("one"));
    let said = state.window.status.current().text().to_owned();
    let key = "qt:A".parse().expect("it is a key");
    let held = qt_bridge::LockError::new(&key, qt_bridge::LockErrorKind::Lost);
    let error = SnapshotError::Source(SourceError::Qt(qt_bridge::ReadingError::Lock(held)));
    observe(&mut state, Observation::Unreadable(Arc::new(error)));
    assert_eq!(state.window.status.current().level(), Level::Error);
    appear(&mut state, text("one"));
    assert_eq!(state.window.status.current().text(), said);
    assert_eq!(state.window.status.current().level(), Level::Success);
}

#[test]
fn the_last_copy_stays_when_the_loader_leaves() {
    let mut state = live();
    observe(&mut state, seen(3, *LONG_AGO));
    appear(&mut state, text("to be kept"));
    observe(&mut state, Observation::Nothing);
    let sentence = "The loader has left; this is the last copy.";
    assert_eq!(state.window.status.current().text(), sentence);
    assert_eq!(state.window.status.current().level(), Level::Warning);
    assert_eq!(shown_text(&state), "to be kept");
    looks_like(&state, "live-left");

    // The button has nothing better.
    let error = AttachError::new(&key(), AttachErrorKind::NotFound);
    show(&mut state, Err(attach_error(error)));
    assert_eq!(shown_text(&state), "to be kept");
    assert_eq!(state.window.status.current().text(), sentence);

    // A loader comes, and takes its time.
    let nothing = snapshot(snapshot::Preview::Empty, 0);
    observe(&mut state, seen(0, *LONG_AGO));
    appear(&mut state, nothing.clone());
    assert_eq!(shown_text(&state), "to be kept");
    appear(&mut state, text("back"));
    assert_eq!(shown_text(&state), "back");
    assert_eq!(state.window.status.current().level(), Level::Success);

    // What is cleared by a loader that is here shall not be seen any more.
    appear(&mut state, nothing);
    assert_eq!(shown_text(&state), "");
}

#[test]
fn the_switch_off_leaves_what_is_shown() {
    let mut state = live();
    appear(&mut state, text("still"));
    let late = state.live.news(Observation::Nothing);
    drop(state.update(Message::LiveToggled));
    drop(state.update(late));
    assert_eq!(shown_text(&state), "still");
    assert!(!state.live.is_on());
    assert!(!state.live.is_last_copy());
}

#[test]
fn another_key_is_followed_when_it_is_complete() {
    let mut state = live();
    appear(&mut state, text("of the first"));
    drop(
        state.update(Message::Window(main_window::Message::KeyEdited(
            "Other".to_owned(),
        ))),
    );
    assert_eq!(state.live.followed(), Some(&key().into()));
    ui(&state).find("Enter follows").expect("it says how");
    drop(state.update(Message::Show));
    let other = Key::new("Other").expect("it is a key");
    assert_eq!(state.live.followed(), Some(&other.into()));
    // The first key's content is no copy of what was in the other.
    observe(&mut state, Observation::Nothing);
    ui(&state)
        .find("Nothing there yet")
        .expect("nothing of it is shown");
}

#[test]
fn the_switch_is_remembered() {
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
fn no_key_cannot_be_followed() {
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
fn what_cannot_be_read_is_told() {
    let mut state = live();
    let error = SnapshotError::Text { key: key().into() };
    let why = error.to_string();
    observe(&mut state, Observation::Unreadable(Arc::new(error)));
    assert_eq!(state.window.status.current().level(), Level::Error);
    ui(&state).find(why.as_str()).expect("and why");
}

#[test]
fn pictures_are_counted_when_they_are_drawn() {
    let mut state = live();
    assert_eq!(state.live.figures(), None);
    appear(&mut state, picture());
    draw(&state);
    // Two before the window is drawn again: the first of them nobody saw.
    appear(&mut state, picture());
    let mut late = Update::new(picture(), Arc::default());
    late.skipped = 3;
    observe(&mut state, Observation::Content(Box::new(late)));
    let figures = state.live.figures().expect("one was shown");
    assert_eq!(figures.shown, 1);
    assert!(figures.latency >= Duration::from_secs(70), "{figures:?}");
    // Told only twice a second: the counts go on nevertheless.
    draw(&state);
    appear(&mut state, picture());
    assert_eq!(state.live.figures(), Some(figures));
    let words = figures.to_string();
    ui(&state)
        .find(words.as_str())
        .expect("the figures are drawn");

    // A text ends the run.
    appear(&mut state, text("no picture"));
    assert_eq!(state.live.figures(), None);
}

#[test]
fn what_a_person_is_to_read_is_not_talked_over() {
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
fn a_picture_that_came_with_more_pixels_is_no_news() {
    let mut state = live();
    appear(&mut state, picture());
    draw(&state);
    let mut again = Update::new(picture(), Arc::default());
    again.is_again = true;
    observe(&mut state, Observation::Content(Box::new(again)));
    assert_eq!(state.live.figures(), None);
}
