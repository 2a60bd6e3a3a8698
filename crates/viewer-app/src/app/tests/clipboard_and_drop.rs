//! Copying, saving and dropping; the list of segments and the history.

use std::path::{Path, PathBuf};

use gui_common::desktop::clipboard::Copied;
use gui_common::picture::drawable::Picture;
use gui_common::widget::drop_target::Event::{Dropped, Hovered};
use iced_test::runtime::task;
use shm_core::segment::Listed;
use shm_core::{Annotations, ImageMetadata, ListedError, PixelFormat};

use super::*;
use shm_io::Entry;

/// Returns the error of a file that is too short for a segment.
fn too_short(name: &str) -> ListedError {
    let kind = AttachErrorKind::Foreign {
        path: Path::new("/dev/shm").join(name),
        reason: ForeignReason::TooShort,
    };
    let key = Key::new(name).expect("it is a key");
    ListedError::Attach(AttachError::new(&key, kind))
}

const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");

/// Returns a picture with a gradient from red at the left to blue at the right.
pub(super) fn picture() -> Snapshot {
    let (width, height) = (320, 200);
    let metadata = ImageMetadata::packed(PixelFormat::Rgb8, width, height)
        .expect("it is small")
        .with_file_name("sunset.jpg");
    let row = (0..160_u8).flat_map(|x| [255 - x, 90, x].repeat(2));
    let pixels = row.collect::<Vec<u8>>().repeat(height as usize);
    let picture = Picture::from_payload(&metadata, &pixels, None).expect("it fits");
    snapshot(snapshot::Preview::Picture(picture), pixels.len() as u64)
}

fn listed(name: &str, metadata: Metadata, bytes: u64, attached: Vec<Participant>) -> Entry {
    let Observation::Presence(info) = presence(1, *MINUTE_AGO) else {
        panic!("it is there");
    };
    Entry::from(Listed {
        name: name.to_owned(),
        path: PathBuf::from("/dev/shm").join(name),
        segment: Ok(Info {
            key: Key::new(name).expect("it is a key"),
            content: Content::Samples {
                ring_bytes: 1 << 18,
                retain_bytes: 0,
                latest: Some(Latest {
                    annotations: Annotations::new(),
                    metadata,
                    bytes,
                    sequence: 1.into(),
                    writer: Process::with_pid(4711),
                    published: *MINUTE_AGO,
                    age: std::time::Duration::ZERO,
                }),
            },
            persistent: attached.is_empty(),
            attached,
            ..Info::clone(&info)
        }),
    })
}

/// Opens the list with several segments.
pub(super) fn open_list(state: &mut State) {
    let viewer = Participant {
        process: Process::with_pid(4712),
        program: "viewer-app".to_owned(),
        access: Access::ReadOnly,
        since: None,
    };
    let image = Metadata::Image(
        ImageMetadata::packed(PixelFormat::Rgba8, 1_920, 1_080).expect("it is usual"),
    );
    let bytes = Metadata::bytes("application/pdf");
    drop(state.update(Message::ToggleSegments));
    let segments = vec![
        listed("Camera", image, 8_294_400, vec![loader(), viewer]),
        listed("Notes 日本", Metadata::Text, 42, vec![]),
        listed("Report", bytes, 1_250_000, vec![loader()]),
        Entry::Qt(qt_bridge::Listed {
            key: "qt:Sketch".parse().expect("it is a key"),
            size: 65_536,
            attached: Some(2),
            users: vec![qt_bridge::User {
                pid: 4713,
                program: "paint".to_owned(),
            }],
        }),
        Entry::from(Listed {
            name: "zebra".to_owned(),
            path: "/dev/shm/zebra".into(),
            segment: Err(too_short("zebra")),
        }),
    ];
    let listed = segment_list::Message::Listed(Ok(Arc::new(segments)));
    drop(state.update(Message::Segments(listed)));
}

fn click(state: &mut State, label: &str) {
    let messages: Vec<Message> = {
        let mut ui = ui(state);
        ui.click(label)
            .unwrap_or_else(|_| panic!("\"{label}\" is drawn"));
        ui.into_messages().collect()
    };
    for message in messages {
        drop(state.update(message));
    }
}

fn shows(state: &State, words: &str) -> bool {
    ui(state).find(words).is_ok()
}

/// Compares the window with its snapshots, in light and dark mode.
pub(super) fn assert_matches_snapshot(state: &State, name: &str) {
    for (mode, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let settings = iced::Settings {
            default_font: gui_common::widget::theme::FONT,
            ..iced::Settings::default()
        };
        let mut ui = Simulator::with_size(settings, (640.0, 560.0), state.view());
        let snapshot = ui.snapshot(&theme).expect("it is drawn");
        let path = Path::new(SNAPSHOTS).join(format!("{name}-{mode}"));
        let is_alike = snapshot.matches_image(path).expect("it can be compared");
        assert!(is_alike, "{name} in {mode} looks different");
    }
}

#[test]
fn an_empty_pane_cannot_be_copied_or_saved() {
    let mut state = state();
    for message in [Message::Copy, Message::SaveAs] {
        drop(state.update(message));
        assert_eq!(
            state.window.status.current().text(),
            "There is nothing here to copy or to save."
        );
    }
    assert!(state.save_dialog.is_none());
}

#[test]
fn the_status_reports_a_full_or_partial_copy() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    assert!(task::into_stream(state.update(Message::Copy)).is_some());
    let copy = CopyContent {
        copied: Copied::Text("Hello".to_owned()),
        part: None,
    };
    // The task would copy to a real clipboard.
    drop(state.update(Message::CopyFetched(Ok(copy))));
    drop(state.update(Message::Copied(Ok(()), None)));
    assert_eq!(state.window.status.current().level(), Level::Success);
    let part = Some("the first 131 kB of 10 MB".to_owned());
    drop(state.update(Message::Copied(Ok(()), part)));
    assert_eq!(state.window.status.current().level(), Level::Warning);
    assert!(shows(&state, "Copied the first 131 kB of 10 MB."));
    drop(state.update(Message::Copied(Err(ClipboardError::Closed), None)));
    assert_eq!(state.window.status.current().level(), Level::Error);
}

#[test]
fn bytes_can_be_saved_but_not_copied() {
    let mut state = state();
    let content = snapshot::Preview::Bytes(Bytes {
        media_type: Some("application/pdf".to_owned()),
        array: None,
        file_name: Some("report.pdf".to_owned()),
        head: b"%PDF".to_vec(),
        is_half_written: false,
    });
    show(&mut state, Ok(snapshot(content, 4)));
    click(&mut state, "Copy");
    assert!(!state.window.status.current().text().starts_with("Copied"));
    click(&mut state, "Save as...");
    assert!(shows(&state, "Save the bytes as"));
    assert!(shows(&state, "~/report.pdf"));
}

#[test]
fn shortcuts_are_blocked_by_the_save_dialog() {
    let mut state = state();
    show(&mut state, Ok(picture()));
    let press = |state: &mut State, message: Message| drop(state.press(message));
    press(&mut state, Message::SaveAs);
    assert_matches_snapshot(&state, "save");
    press(&mut state, Message::ToggleSegments);
    assert!(matches!(state.panel, Panel::Content));
    press(
        &mut state,
        Message::Window(main_window::Message::ToggleHelp),
    );
    press(&mut state, Message::Escape);
    assert!(state.save_dialog.is_some(), "the help is closed first");
    press(&mut state, Message::Escape);
    assert!(state.save_dialog.is_none());
}

#[test]
fn a_dropped_file_is_refused_with_the_load_command() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    let path = PathBuf::from("/home/ada/my cat.PNG");
    drop(
        state.update(Message::Window(main_window::Message::Dragged(Hovered(
            path.clone(),
        )))),
    );
    assert!(shows(&state, "my cat.PNG"));
    assert_matches_snapshot(&state, "drop");
    drop(
        state.update(Message::Window(main_window::Message::Dragged(Dropped(
            path,
        )))),
    );
    assert!(!shows(&state, "my cat.PNG"));
    assert_eq!(
        state.window.status.current().remedy(),
        Some("Drop it there, or run: loader-app image --key MySharedMemory '/home/ada/my cat.PNG'")
    );
}

#[test]
fn a_click_in_the_list_shows_the_segment() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    open_list(&mut state);
    assert_matches_snapshot(&state, "list");
    assert!(!shows(&state, "Copy"), "a hidden content cannot be copied");
    click(&mut state, "Report");
    assert_eq!(state.window.key.text(), "Report");
    assert!(state.is_reading);
    assert!(matches!(state.panel, Panel::Content));
}

#[test]
fn a_click_in_the_list_shows_a_qt_segment() {
    let mut state = state();
    open_list(&mut state);
    assert!(shows(
        &state,
        "Qt · 65.5 kB · paint (pid 4713) · 2 attached"
    ));
    click(&mut state, "qt:Sketch");
    assert_eq!(state.window.key.text(), "qt:Sketch");
    assert!(state.is_reading);
    assert!(matches!(state.panel, Panel::Content));
}

#[test]
fn the_list_confirms_a_removal_in_its_row() {
    let mut state = state();
    open_list(&mut state);
    let camera = Key::new("Camera").expect("it is a key");
    let remove = segment_list::Message::RemovePressed(camera.into());
    drop(state.update(Message::Segments(remove)));
    assert_matches_snapshot(&state, "list-remove");
    drop(state.update(Message::Escape));
    assert!(!shows(&state, "Remove by force"));
    assert!(
        matches!(state.panel, Panel::Segments(_)),
        "the confirmation is dismissed first"
    );
    drop(state.update(Message::Escape));
    assert!(matches!(state.panel, Panel::Content));
    // A removal that ends after the list was closed is reported.
    let key = Key::new("Notes").expect("it is a key");
    let removed = segment_list::Message::Removed(key.into(), Ok(()));
    drop(state.update(Message::Segments(removed)));
    assert_eq!(state.window.status.current().text(), "Removed Notes.");
}

#[test]
fn a_content_of_the_history_is_shown_and_marked() {
    let mut state = state();
    show(&mut state, Ok(text("the first line\nand more")));
    let mut second = picture();
    second.origin.as_mut().expect("it has one").sequence = 4.into();
    show(&mut state, Ok(second));
    assert_matches_snapshot(&state, "picture");
    drop(state.update(Message::ToggleHistory));
    assert_matches_snapshot(&state, "history");
    click(&mut state, "the first line");
    assert!(shows(&state, "From the history, just now"));
    assert!(
        state
            .window
            .status
            .current()
            .text()
            .contains("not the current content")
    );
    assert_matches_snapshot(&state, "history-shown");
    let Shown::Content(pane) = &state.shown else {
        panic!("the text is shown again");
    };
    assert_eq!(pane.shown_text(), "the first line\nand more");
    // A new request shows the current content.
    show(&mut state, Ok(text("now")));
    assert!(!shows(&state, "From the history, just now"));
}

#[test]
fn the_button_clears_the_history() {
    let mut state = state();
    show(&mut state, Ok(text("a secret")));
    drop(state.update(Message::ToggleHistory));
    assert!(shows(&state, "a secret"));
    click(&mut state, "Clear history");
    assert!(!shows(&state, "a secret"));
    assert!(shows(&state, "Nothing was shown yet"));
    assert_eq!(state.window.status.current().text(), "History cleared.");
    assert_eq!(
        state.window.status.current().remedy(),
        Some("The shown content stays until you show something else.")
    );
}

#[test]
fn opening_the_history_entry_turns_live_off() {
    let mut state = state();
    show(&mut state, Ok(text("old")));
    drop(state.update(Message::LiveToggled));
    assert!(state.live.is_on());
    drop(state.update(Message::ToggleHistory));
    click(&mut state, "old");
    assert!(!state.live.is_on(), "the next content would replace it");
    assert!(shows(&state, "From the history, just now"));
    let remedy = state.window.status.current().remedy();
    assert!(remedy.is_some_and(|remedy| remedy.starts_with("Live is off")));
}

#[test]
fn in_live_mode_a_click_in_the_list_follows_the_segment() {
    let mut state = state();
    drop(state.update(Message::LiveToggled));
    open_list(&mut state);
    click(&mut state, "Report");
    assert_eq!(state.live.followed().map(Address::as_str), Some("Report"));
    assert!(matches!(state.panel, Panel::Content));
}

#[test]
fn a_late_answer_does_not_replace_a_history_entry() {
    let mut state = state();
    show(&mut state, Ok(text("old")));
    drop(state.update(Message::Show));
    let request = state.request;
    drop(state.update(Message::ToggleHistory));
    click(&mut state, "old");
    let answer = Ok(Box::new(text("late")));
    drop(state.update(Message::Answered { request, answer }));
    assert!(shows(&state, "From the history, just now"));
}
