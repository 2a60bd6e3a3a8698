use gui_common::session::snapshot::{Bytes, Text};
use iced_test::simulator;
use shm_core::{Key, PixelFormat, Process};

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn at(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

fn snapshot(content: Preview, sequence: u64) -> Snapshot {
    Snapshot {
        key: Key::new("Notes").expect("it is a key").into(),
        content,
        form: None,
        digest: None,
        bytes: 5,
        origin: Some(Publication {
            segment: shm_core::SegmentId::new(1),
            elsewhere: None,
            sequence: sequence.into(),
            writer: Process::with_pid(4711),
            writer_program: None,
            published: at(sequence),
        }),
        persistent: false,
        permissions: None,
        attached: vec![],
    }
}

fn text(words: &str, sequence: u64) -> Snapshot {
    let content = Preview::Text(Text {
        shown: words.to_owned(),
        is_whole: true,
    });
    snapshot(content, sequence)
}

fn picture(side: u32, sequence: u64) -> Snapshot {
    snapshot(Preview::Picture(drawn(side, side)), sequence)
}

fn drawn(width: u32, height: u32) -> Picture {
    let pixels = vec![200; width as usize * height as usize * 4];
    Picture {
        handle: Handle::from_rgba(width, height, pixels),
        width,
        height,
        format: PixelFormat::Rgba8,
        file_name: None,
        original: None,
        is_opaque: true,
    }
}

fn shows(history: &History, words: &str) -> bool {
    simulator(history.view(at(65))).find(words).is_ok()
}

#[test]
fn shown_contents_are_listed_newest_first() {
    let mut history = History::new();
    assert!(shows(&history, "Nothing was shown yet"));
    history.record(&text("\n  first line\nsecond line", 1), at(5));
    history.record(&text("newest", 2), at(62));
    assert!(shows(&history, "first line"));
    assert!(shows(
        &history,
        "1 min ago · Notes · sequence 1 · text · 5 bytes"
    ));
    assert!(shows(
        &history,
        "3 s ago · Notes · sequence 2 · text · 5 bytes"
    ));
    match history.update(Message::Opened(0)) {
        Action::Show(snapshot, shown) => {
            assert_eq!((snapshot.sequence(), shown), (Some(2.into()), at(62)));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(history.update(Message::Opened(2)), Action::None));
}

#[test]
fn duplicates_and_empty_contents_are_not_recorded() {
    let mut history = History::new();
    history.record(&text("one", 1), at(1));
    history.record(&text("one", 1), at(2));
    history.record(&snapshot(Preview::Empty, 2), at(3));
    assert_eq!(history.entries.len(), 1);
    // The same sequence in a new segment of the same key.
    let mut restarted = text("two", 1);
    restarted.origin.as_mut().expect("it has one").segment = shm_core::SegmentId::new(2);
    history.record(&restarted, at(9));
    assert_eq!(history.entries.len(), 2);
    // A block has no sequence.
    let block = |byte| Snapshot {
        origin: None,
        ..snapshot(
            Preview::Bytes(Bytes {
                media_type: None,
                array: None,
                file_name: None,
                head: vec![byte],
                is_half_written: false,
            }),
            0,
        )
    };
    for byte in [1, 1, 2] {
        history.record(&block(byte), at(10));
    }
    assert_eq!(history.entries.len(), 4);
}

#[test]
fn one_picture_a_second_of_a_stream_is_recorded() {
    let mut history = History::new();
    for frame in 0..180 {
        history.record(&picture(8, frame), NOW + Duration::from_millis(frame * 16));
    }
    assert_eq!(history.entries.len(), 3);
}

#[test]
fn the_number_of_entries_is_bounded() {
    let mut history = History::new();
    for sequence in 0..500 {
        history.record(&text("words", sequence), at(sequence));
    }
    assert_eq!(history.entries.len(), MAX_ENTRIES);
    assert_eq!(history.entries[0].snapshot.sequence(), Some(400.into()));
}

#[test]
fn memory_is_bounded_and_old_pictures_are_reduced_to_thumbnails() {
    let mut history = History::new();
    history.record(&text("kept", 0), at(0));
    for sequence in 1..20 {
        // 4 MB each.
        history.record(&picture(1_024, sequence), at(sequence * 2));
        assert!(history.bytes() <= MAX_BYTES);
    }
    assert_eq!(history.entries.len(), 20, "no entry is dropped");
    let sides: Vec<u32> = history
        .entries
        .iter()
        .filter_map(|entry| match &entry.snapshot.content {
            Preview::Picture(Picture {
                handle: Handle::Rgba { width, .. },
                ..
            }) => Some(*width),
            _ => None,
        })
        .collect();
    let whole = sides.iter().filter(|side| **side == 1_024).count();
    assert_eq!(whole, 3);
    assert_eq!(sides[..16], [THUMBNAIL_SIDE; 16]);
    assert_eq!(sides[16..], [1_024; 3]);
    // Texts cannot be reduced: the oldest are dropped.
    for sequence in 100..160 {
        history.record(&text(&"x".repeat(1 << 20), sequence), at(sequence));
        assert!(history.bytes() <= MAX_BYTES);
    }
    assert!(history.entries.len() >= 15);
}

#[test]
fn clearing_removes_all_entries() {
    let mut history = History::new();
    history.record(&text("a secret", 1), at(1));
    assert!(!history.is_empty());
    assert!(matches!(history.update(Message::Cleared), Action::Cleared));
    assert!(history.is_empty());
    assert_eq!(history.bytes(), 0);
    assert!(shows(&history, "Nothing was shown yet"));
}

#[test]
fn a_thumbnail_keeps_the_aspect_ratio() {
    let sides = |width: u32, height: u32| match thumbnail(&drawn(width, height)) {
        Some(Handle::Rgba { width, height, .. }) => Some((width, height)),
        _ => None,
    };
    assert_eq!(sides(96, 96), None);
    assert_eq!(sides(192, 96), Some((96, 48)));
    assert_eq!(sides(1, 2_000), Some((1, 96)));
}

#[test]
fn earlier_samples_are_recorded_once_and_in_order() {
    let mut history = History::new();
    let past = [text("one", 1), text("two", 2), text("three", 3)];
    history.record_earlier(&past);
    history.record(&text("four", 4), at(10));
    history.record_earlier(&past);
    let titles: Vec<&str> = history
        .entries
        .iter()
        .map(|entry| entry.title.as_str())
        .collect();
    assert_eq!(titles, ["one", "two", "three", "four"]);
    assert_eq!(history.entries[0].shown_at, at(1));
    let many: Vec<Snapshot> = (5..500).map(|number| text("more", number)).collect();
    history.record_earlier(&many);
    assert_eq!(history.entries.len(), MAX_ENTRIES);
}
