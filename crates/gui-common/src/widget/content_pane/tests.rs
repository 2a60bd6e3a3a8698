use std::path::Path;
use std::time::Duration;

use iced::{Size, Theme};
use iced_test::Simulator;
use shm_core::{
    Access, ArrayMetadata, ElementType, ImageMetadata, Key, Participant, PixelFormat, SegmentId,
    Sequence,
};
use shm_io::Publication;

use crate::picture::drawable::Picture;
use crate::session::snapshot::{Bytes, Text};

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");

fn peer(pid: u32, program: &str, access: Access) -> Participant {
    Participant {
        process: Process::with_pid(pid),
        program: program.to_owned(),
        access,
        since: None,
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        key: Key::new("two words").expect("it is a key").into(),
        content: Preview::Text(Text {
            shown: "Hello".to_owned(),
            is_whole: false,
        }),
        form: None,
        digest: None,
        bytes: 1_500_000,
        origin: Some(Publication {
            segment: SegmentId::new(7),
            sequence: Sequence::new(3),
            writer: Process::with_pid(4711),
            writer_program: Some("loader-app".to_owned()),
            published: NOW,
            elsewhere: None,
        }),
        persistent: true,
        permissions: None,
        attached: vec![
            peer(4713, "viewer-app", Access::ReadOnly),
            peer(4711, "loader-app", Access::ReadWrite),
            peer(4712, "camera", Access::ReadWrite),
            peer(4712, "camera", Access::ReadOnly),
            peer(std::process::id(), "myself", Access::ReadOnly),
        ],
    }
}

#[test]
fn facts_are_one_line() {
    assert_eq!(
        facts(&snapshot(), NOW + Duration::from_secs(125)),
        "text · 1.5 MB · sequence 3 · 2 min old · stays until removed"
    );
    // A clock that was set back.
    let earlier = NOW - Duration::from_secs(60);
    assert!(facts(&snapshot(), earlier).contains("just now"));
}

#[test]
fn every_other_participant_is_named_once() {
    assert_eq!(
        also_attached(&snapshot(), &[]).as_deref(),
        Some("also attached: camera (pid 4712), viewer-app (pid 4713, reading)")
    );
    let told = [Process::with_pid(4713)];
    assert_eq!(
        also_attached(&snapshot(), &told).as_deref(),
        Some("also attached: camera (pid 4712)")
    );
}

#[test]
fn the_publisher_is_named_after_it_left() {
    let mut snapshot = snapshot();
    let said = |snapshot: &Snapshot| loaded_by(snapshot, NOW).expect("it has a publisher");
    assert_eq!(said(&snapshot), "loaded by loader-app (pid 4711)");
    snapshot.attached.clear();
    assert_eq!(
        said(&snapshot),
        "loaded by loader-app (pid 4711), which has left"
    );
    snapshot.origin = None;
    assert_eq!(loaded_by(&snapshot, NOW), None);
}

#[test]
fn content_from_another_host_names_the_host() {
    let mut elsewhere = snapshot();
    let published = NOW - Duration::from_millis(12);
    let mut origin = shm_core::Origin::new("hostA", "camera", 9, published);
    let said = |snapshot: &Snapshot| loaded_by(snapshot, NOW);
    let mut told = |origin: &shm_core::Origin| {
        let here = elsewhere.origin.as_mut().expect("it was published");
        here.elsewhere = Some(origin.clone());
        said(&elsewhere)
    };
    let live = told(&origin);
    assert_eq!(
        live.as_deref(),
        Some("loaded by camera on hostA, 12 ms ago")
    );
    origin.is_stale = true;
    let stale = told(&origin);
    assert_eq!(
        stale.as_deref(),
        Some("loaded by camera on hostA, 12 ms ago, stale")
    );
    // The other computer's clock is ahead.
    origin.published = NOW + Duration::from_secs(60);
    assert!(told(&origin).is_some_and(|told| told.contains("0.0 ms ago")));
}

#[test]
fn an_array_shows_its_element_type_and_shape() {
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).expect("it is a shape");
    let snapshot = Snapshot {
        content: Preview::Bytes(Bytes {
            media_type: Some("application/octet-stream".to_owned()),
            file_name: None,
            array: Some(array),
            head: vec![7; 48],
            is_half_written: false,
        }),
        bytes: 48,
        ..snapshot()
    };
    let told = facts(&snapshot, NOW);
    assert!(
        told.starts_with("array · f4 · 3 × 4 · 48 bytes · sequence 3"),
        "{told}"
    );
}

#[test]
fn a_cut_text_names_the_command_that_saves_all() {
    let pane = ContentPane::new(snapshot());
    let mut ui = iced_test::simulator(pane.view());
    ui.find(
        "The first 5 bytes of 1.5 MB are shown. To save all of it, run\n\
         viewer-app show --key 'two words' --output FILE",
    )
    .expect("the notice is there");
}

/// A pane that shows a red picture with a transparent stripe.
fn picture_pane() -> ContentPane {
    let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 64, 48).expect("it is small");
    let row = [[200, 30, 60, 255].repeat(40), [0, 0, 0, 0].repeat(24)].concat();
    let picture = Picture::from_payload(&metadata, &row.repeat(48), None).expect("it fits");
    ContentPane::new(Snapshot {
        content: Preview::Picture(picture),
        bytes: 64 * 48 * 4,
        permissions: None,
        attached: Vec::new(),
        persistent: false,
        ..snapshot()
    })
}

/// The card and the lines below it, as a window draws them.
fn view(pane: &ContentPane) -> Element<'_, Message> {
    let facts = pane.view_facts(NOW + Duration::from_secs(90), None, &[]);
    container(self::column![pane.view(), facts].spacing(theme::space::MEDIUM))
        .padding(theme::space::LARGE)
        .into()
}

/// Compares with the pictures in the folder of snapshots.
fn assert_looks_like(pane: &ContentPane, name: &str) {
    for (mode, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let size = Size::new(480.0, 300.0);
        let mut ui = Simulator::with_size(iced::Settings::default(), size, view(pane));
        let snapshot = ui.snapshot(&theme).expect("it is drawn");
        let path = Path::new(SNAPSHOTS).join(format!("pane-{name}-{mode}"));
        let is_alike = snapshot.matches_image(path).expect("it can be compared");
        assert!(is_alike, "{name} in {mode} looks different");
    }
}

#[test]
fn the_pixel_under_the_pointer_is_shown_without_moving_the_layout() {
    let mut pane = picture_pane();
    let place_of_facts = |pane: &ContentPane| {
        let mut ui = iced_test::simulator(view(pane));
        let loaded_by = "loaded by loader-app (pid 4711), which has left";
        ui.find(loaded_by).expect("it is drawn").bounds()
    };
    let before = place_of_facts(&pane);
    assert_looks_like(&pane, "picture");
    for (pixel, zoom, said) in [
        (Some((3, 4)), None, "3, 4 · #C81E3CFF"),
        (None, Some(0.015), "1.5 %"),
        (Some((63, 47)), Some(12.0), "63, 47 · #00000000 · 1200 %"),
    ] {
        drop(pane.update(Message::Picture(picture_view::Seen {
            pane: iced::Size::new(400, 200),
            zoom,
            pixel,
        })));
        let mut ui = iced_test::simulator(view(&pane));
        ui.find(said).expect("it is drawn");
        drop(ui);
        assert_eq!(place_of_facts(&pane), before);
    }
    assert_looks_like(&pane, "pixel");
}

#[test]
fn edits_are_ignored() {
    use iced::widget::text_editor::{Action, Edit};
    let mut pane = ContentPane::new(snapshot());
    drop(pane.update(Message::Text(Action::SelectAll)));
    drop(pane.update(Message::Text(Action::Edit(Edit::Delete))));
    drop(pane.update(Message::Text(Action::Edit(Edit::Insert('x')))));
    assert_eq!(pane.shown_text(), "Hello");
}

#[test]
fn hidden_characters_are_shown_and_copied_as_they_are() {
    use iced::widget::text_editor::{Action, Cursor, Position};
    let text = "pay\u{202e}001\u{202c} now\u{200b}\r\nand \u{1b}[2J\u{e0041} too";
    let mut pane = ContentPane::new(Snapshot {
        content: Preview::Text(crate::session::snapshot::Text {
            shown: text.to_owned(),
            is_whole: true,
        }),
        ..snapshot()
    });
    let shown = pane.shown_text();
    let seen = "pay\\u{202e}001\\u{202c} now\\u{200b}\r\nand \\u{1b}[2J\\u{e0041} too";
    assert_eq!(shown, seen);
    let selected = |pane: &ContentPane| {
        let selected = shown_text::selected(text, &pane.editor);
        selected.map(str::to_owned)
    };
    drop(pane.update(Message::Text(Action::SelectAll)));
    assert_eq!(selected(&pane).as_deref(), Some(text));
    // From within an escape, on the first line, to the end of one on the second.
    let at = |line, column| Position { line, column };
    pane.editor.move_to(Cursor {
        position: at(0, 5),
        selection: Some(at(1, 10)),
    });
    let part = "001\u{202c} now\u{200b}\r\nand \u{1b}";
    assert_eq!(selected(&pane).as_deref(), Some(part));
}

#[test]
fn code_and_columns_are_recognised() {
    assert!(has_columns("if x:\n    y\n"));
    assert!(has_columns("a\tb"));
    assert!(!has_columns("Dear reader,\n\n this is prose.  Really."));
}
