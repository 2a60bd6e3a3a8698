//! Copying, saving, dropping; the list of segments and the history.

use std::path::{Path, PathBuf};

use gui_common::desktop::clipboard::Copied;
use gui_common::picture::drawable::Picture;
use gui_common::widget::drop_target::Event::{Dropped, Hovered};
use iced_test::runtime::task;
use shm_core::segment::Listed;
use shm_core::{Annotations, ImageMetadata, ListedError, PixelFormat};

use super::*;
use shm_io::Entry;

/// The error of a file that is no segment.
fn too_short(name: &str) -> ListedError {
    let kind = AttachErrorKind::Foreign {
        path: Path::new("/dev/shm").join(name),
        reason: ForeignReason::TooShort,
    };
    let key = Key::new(name).expect("it is a key");
    ListedError::Attach(AttachError::new(&key, kind))
}

const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");

/// A picture that is easy to know again: red at the left, blue at the right.
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
    let Observation::Presence(info) = seen(1, *LONG_AGO) else {
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
                    published: *LONG_AGO,
                    age: std::time::Duration::ZERO,
                }),
            },
            persistent: attached.is_empty(),
            attached,
            ..Info::clone(&info)
        }),
    })
}

/// Opens the list with some segments in it.
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

/// Compares with the picture in the folder of snapshots, in light and dark.
pub(super) fn looks_like(state: &State, name: &str) {
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
fn nothing_shown_is_nothing_to_copy_or_save() {
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
fn what_is_copied_is_told_with_what_is_missing() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    assert!(task::into_stream(state.update(Message::Copy)).is_some());
    let copying = Copying {
        copied: Copied::Text("Hello".to_owned()),
        part: None,
    };
    // The task would copy to a real clipboard.
    drop(state.update(Message::CopyFetched(Ok(copying))));
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
fn bytes_are_saved_and_not_copied() {
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
fn keys_go_to_the_card_while_it_is_open() {
    let mut state = state();
    show(&mut state, Ok(picture()));
    let press = |state: &mut State, message: Message| drop(state.press(message));
    press(&mut state, Message::SaveAs);
    looks_like(&state, "save");
    press(&mut state, Message::ToggleSegments);
    assert!(matches!(state.panel, Panel::Content));
    press(
        &mut state,
        Message::Window(main_window::Message::ToggleHelp),
    );
    press(&mut state, Message::Escape);
    assert!(state.save_dialog.is_some(), "first the help is left");
    press(&mut state, Message::Escape);
    assert!(state.save_dialog.is_none());
}

#[test]
fn a_dropped_file_is_sent_to_the_other_window() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    let path = PathBuf::from("/home/ada/my cat.PNG");
    drop(
        state.update(Message::Window(main_window::Message::Dragged(Hovered(
            path.clone(),
        )))),
    );
    assert!(shows(&state, "my cat.PNG"));
    looks_like(&state, "drop");
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
fn a_segment_of_the_list_is_shown_by_a_click() {
    let mut state = state();
    show(&mut state, Ok(text("Hello")));
    open_list(&mut state);
    looks_like(&state, "list");
    assert!(!shows(&state, "Copy"), "what is hidden is not to be copied");
    click(&mut state, "Report");
    assert_eq!(state.window.key.text(), "Report");
    assert!(state.is_reading);
    assert!(matches!(state.panel, Panel::Content));
}

#[test]
fn a_segment_of_a_qt_program_is_shown_by_a_click_on_its_key() {
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
fn the_list_asks_in_place_before_it_removes() {
    let mut state = state();
    open_list(&mut state);
    let camera = Key::new("Camera").expect("it is a key");
    let remove = segment_list::Message::RemovePressed(camera.into());
    drop(state.update(Message::Segments(remove)));
    looks_like(&state, "list-remove");
    drop(state.update(Message::Escape));
    assert!(!shows(&state, "Remove by force"));
    assert!(
        matches!(state.panel, Panel::Segments(_)),
        "first the question is left"
    );
    drop(state.update(Message::Escape));
    assert!(matches!(state.panel, Panel::Content));
    // A removal that ends after the list was left is told.
    let key = Key::new("Notes").expect("it is a key");
    let removed = segment_list::Message::Removed(key.into(), Ok(()));
    drop(state.update(Message::Segments(removed)));
    assert_eq!(state.window.status.current().text(), "Removed Notes.");
}

#[test]
fn the_history_shows_again_what_was_shown_and_says_so() {
    let mut state = state();
    show(&mut state, Ok(text("the first line\nand more")));
    let mut second = picture();
    second.origin.as_mut().expect("it has one").sequence = 4.into();
    show(&mut state, Ok(second));
    looks_like(&state, "picture");
    drop(state.update(Message::ToggleHistory));
    looks_like(&state, "history");
    click(&mut state, "the first line");
    assert!(shows(&state, "From the history, just now"));
    assert!(
        state
            .window
            .status
            .current()
            .text()
            .contains("not what is there now")
    );
    looks_like(&state, "history-shown");
    let Shown::Content(pane) = &state.shown else {
        panic!("the text is shown again");
    };
    assert_eq!(pane.shown_text(), "the first line\nand more");
    // Shown anew, it is what is there.
    show(&mut state, Ok(text("now")));
    assert!(!shows(&state, "From the history, just now"));
}

#[test]
fn the_history_is_cleared_by_its_button() {
    let mut state = state();
    show(&mut state, Ok(text("a secret")));
    drop(state.update(Message::ToggleHistory));
    assert!(shows(&state, "a secret"));
    click(&mut state, "Clear history");
    assert!(!shows(&state, "a secret"));
    assert!(shows(&state, "Nothing was shown yet"));
    assert_eq!(
        state.window.status.current().text(),
        "History cleared."
    );
    assert_eq!(
        state.window.status.current().remedy(),
        Some("The shown content stays until you show something else.")
    );
}

#[test]
fn looking_back_turns_live_off() {
    let mut state = state();
    show(&mut state, Ok(text("old")));
    drop(state.update(Message::LiveToggled));
    assert!(state.live.is_on());
    drop(state.update(Message::ToggleHistory));
    click(&mut state, "old");
    assert!(!state.live.is_on(), "the next content would take its place");
    assert!(shows(&state, "From the history, just now"));
    let remedy = state.window.status.current().remedy();
    assert!(remedy.is_some_and(|remedy| remedy.starts_with("Live is off")));
}

#[test]
fn while_live_a_segment_of_the_list_is_followed() {
    let mut state = state();
    drop(state.update(Message::LiveToggled));
    open_list(&mut state);
    click(&mut state, "Report");
    assert_eq!(state.live.followed().map(Address::as_str), Some("Report"));
    assert!(matches!(state.panel, Panel::Content));
}

#[test]
fn an_answer_that_comes_late_does_not_take_the_place_of_history() {
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
