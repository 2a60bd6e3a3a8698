mod removal;

use std::path::PathBuf;
use std::time::Duration;

use iced::Point;
use iced_test::simulator::click;
use iced_test::{Simulator, simulator};
use qt_bridge::{QtKey, SegmentError, SegmentErrorKind, User};
use shm_core::segment::{Content, Info, Latest, Listed, Removal};
use shm_core::{
    Access, Annotations, AttachError, AttachErrorKind, ForeignReason, Key, ListedError, Metadata,
    Participant, Process, RemoveError, RemoveErrorKind, SegmentId,
};
use shm_io::RemovalError;

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn peer(program: &str, access: Access) -> Participant {
    Participant {
        process: Process::with_pid(4711),
        program: program.to_owned(),
        access,
        since: None,
    }
}

fn segment(name: &str, attached: Vec<Participant>) -> Entry {
    Entry::from(Listed {
        name: name.to_owned(),
        path: PathBuf::from("/dev/shm/shm-core.0").join(name),
        segment: Ok(Info {
            key: Key::new(name).expect("it is a key"),
            id: SegmentId::new(1),
            content: Content::Samples {
                ring_bytes: 1 << 18,
                retain_bytes: 0,
                latest: Some(Latest {
                    metadata: Metadata::Text,
                    annotations: Annotations::new(),
                    bytes: 42,
                    sequence: 3.into(),
                    writer: Process::with_pid(4711),
                    published: NOW,
                    age: std::time::Duration::ZERO,
                }),
            },
            persistent: attached.is_empty(),
            created: NOW,
            mode: 0o600,
            group: 0,
            reserved_bytes: 4096,
            attached,
        }),
    })
}

fn ignored(name: &str) -> Entry {
    let path = PathBuf::from("/dev/shm").join(name);
    let kind = AttachErrorKind::Foreign {
        path: path.clone(),
        reason: ForeignReason::TooShort,
    };
    // The name need not be a valid key.
    let key = Key::new("K").expect("it is a key");
    Entry::from(Listed {
        name: name.to_owned(),
        path,
        segment: Err(ListedError::Attach(AttachError::new(&key, kind))),
    })
}

fn address(text: &str) -> Address {
    text.parse().expect("it is an address")
}

fn of_qt(key: &str, attached: Option<u64>, users: &[&str]) -> Entry {
    let user = |program: &&str| User {
        pid: 4712,
        program: (*program).to_owned(),
    };
    Entry::Qt(qt_bridge::Listed {
        key: key.parse().expect("it is a key"),
        size: 42,
        attached,
        users: users.iter().map(user).collect(),
    })
}

/// A list with segments of Qt programs.
fn mixed() -> SegmentList {
    list(vec![
        segment("Camera", vec![]),
        of_qt("qt-posix:Left", None, &[]),
        of_qt("qt-posix:Seen", None, &["paint", "show"]),
        of_qt("qt:Abandoned", Some(0), &[]),
        of_qt("qt:Paint", Some(3), &["paint"]),
        of_qt("qt:Unseen", Some(1), &[]),
        segment("zebra", vec![]),
    ])
}

fn list(listed: Vec<Entry>) -> SegmentList {
    let mut list = SegmentList::default();
    list.update(Message::Listed(Ok(Arc::new(listed))));
    list
}

fn sample() -> SegmentList {
    list(vec![
        segment(
            "Camera",
            vec![
                peer("loader-app", Access::ReadWrite),
                peer("viewer-app", Access::ReadOnly),
                peer("viewer-app", Access::ReadOnly),
            ],
        ),
        segment("Notes", vec![]),
        ignored("zebra"),
    ])
}

fn ui(list: &SegmentList) -> Simulator<'_, Message> {
    simulator(list.view(NOW + Duration::from_secs(180)))
}

fn shows(list: &SegmentList, words: &str) -> bool {
    ui(list).find(words).is_ok()
}

fn press(list: &mut SegmentList, label: &str) -> Action {
    let messages: Vec<Message> = {
        let mut ui = ui(list);
        ui.click(label)
            .unwrap_or_else(|_| panic!("\"{label}\" is drawn"));
        ui.into_messages().collect()
    };
    let mut action = Action::None;
    for message in messages {
        action = list.update(message);
    }
    action
}

fn click_at(list: &mut SegmentList, point: Point) -> Action {
    let messages: Vec<Message> = {
        let mut ui = ui(list);
        ui.point_at(point);
        ui.simulate(click());
        ui.into_messages().collect()
    };
    let mut action = Action::None;
    for message in messages {
        action = list.update(message);
    }
    action
}

fn filter(list: &mut SegmentList, words: &str) {
    list.update(Message::FilterEdited(words.to_owned()));
}

fn opened(action: Action) -> Option<String> {
    match action {
        Action::Open(key) => Some(key.to_string()),
        _ => None,
    }
}

#[test]
fn a_row_describes_its_segment() {
    let list = sample();
    assert!(shows(&list, "Camera"));
    assert!(shows(
        &list,
        "text · 42 bytes · loader-app (pid 4711) · 2 watching · 3 min old"
    ));
    assert!(shows(
        &list,
        "text · 42 bytes · its loader has left · 3 min old · stays"
    ));
    assert!(shows(&list, "zebra"));
    assert!(shows(&list, "ignored: it is too short to be a segment"));
}

#[test]
fn empty_lists_show_a_notice() {
    assert!(shows(&list(vec![]), "There are no segments"));
    let mut unreadable = SegmentList::default();
    unreadable.update(Message::Listed(Err("No such directory.".to_owned())));
    assert!(shows(&unreadable, "No such directory."));
    let mut filtered = sample();
    filter(&mut filtered, "nowhere");
    assert!(shows(&filtered, "No segment matches"));
}

#[test]
fn the_filter_matches_keys_kinds_and_programs() {
    let mut list = sample();
    for (words, expected) in [
        ("", 3),
        ("CAM", 1),
        (" loader-APP ", 1),
        ("text", 2),
        ("too short", 1),
        ("nowhere", 0),
    ] {
        filter(&mut list, words);
        assert_eq!(list.matching.len(), expected, "{words:?}");
    }
    // The filter applies to later listings too.
    filter(&mut list, "new");
    list.update(Message::Listed(Ok(Arc::new(vec![
        segment("new", vec![]),
        segment("old", vec![]),
    ]))));
    assert!(shows(&list, "new") && !shows(&list, "old"));
}

#[test]
fn a_click_or_enter_opens_a_segment() {
    let mut list = sample();
    assert_eq!(opened(press(&mut list, "Notes")).as_deref(), Some("Notes"));
    // Without a selection among several, Enter has no effect.
    assert!(opened(list.update(Message::Submitted)).is_none());
    list.update(Message::Moved { down: true });
    assert_eq!(
        opened(list.update(Message::Submitted)).as_deref(),
        Some("Camera")
    );
    list.update(Message::Moved { down: true });
    list.update(Message::Moved { down: true });
    list.update(Message::Moved { down: true });
    assert!(
        opened(list.update(Message::Submitted)).is_none(),
        "an ignored file is not opened"
    );
    list.update(Message::Moved { down: false });
    assert_eq!(
        opened(list.update(Message::Submitted)).as_deref(),
        Some("Notes")
    );
    // A single match is opened without a selection.
    filter(&mut list, "cam");
    assert_eq!(
        opened(list.update(Message::Submitted)).as_deref(),
        Some("Camera")
    );
}

#[test]
fn only_visible_rows_of_many_are_laid_out() {
    let many: Vec<Entry> = (0..1_000)
        .map(|number| segment(&format!("segment {number:04}"), vec![]))
        .collect();
    let mut list = list(many);
    let laid_out = |list: &SegmentList| {
        let mut ui = ui(list);
        (0..1_000)
            .filter(|number| ui.find(format!("segment {number:04}").as_str()).is_ok())
            .count()
    };
    let count = laid_out(&list);
    assert!((5..30).contains(&count), "{count}");
    assert!(shows(&list, "segment 0000"));
    list.update(Message::Scrolled(40_000.0));
    // A new filter scrolls to the top.
    filter(&mut list, "segment 09");
    assert_eq!(list.offset, 0.0);
    assert!(shows(&list, "segment 0900"));
    filter(&mut list, "0999");
    assert_eq!(laid_out(&list), 1);
}

#[test]
fn a_qt_row_describes_its_segment_without_the_content() {
    let list = mixed();
    for words in [
        "qt:Paint",
        "Qt · 42 bytes · paint (pid 4712) · 3 attached",
        "Qt · 42 bytes · paint (pid 4712) and 1 more",
        "Qt · 42 bytes · none attached",
        "Qt · 42 bytes · 1 attached",
        "Qt · 42 bytes · no user seen",
        "Camera",
    ] {
        assert!(shows(&list, words), "{words}");
    }
}

#[test]
fn the_filter_matches_qt_segments_by_key_program_and_kind() {
    let mut list = mixed();
    for (words, expected) in [("qt", 5), ("qt:", 3), ("PAINT", 2), ("camera", 1)] {
        filter(&mut list, words);
        assert_eq!(list.matching.len(), expected, "{words:?}");
    }
    // They are selected and opened like others.
    filter(&mut list, "qt:p");
    assert_eq!(
        opened(press(&mut list, "qt:Paint")).as_deref(),
        Some("qt:Paint")
    );
    assert_eq!(
        opened(list.update(Message::Submitted)).as_deref(),
        Some("qt:Paint")
    );
}

#[test]
fn a_long_key_is_elided_so_that_its_users_are_visible() {
    let path = "systemv:/tmp/qipc_sharedmemory_sketch359614dc2e9ec6b4d6d9e8847d0c47fef28f14df";
    let mut list = list(vec![of_qt(path, Some(1), &["paint"])]);
    press(&mut list, "Remove");
    assert!(shows(
        &list,
        "systemv:/tmp/qipc_s…47fef28f14df is in use by paint (pid 4712)."
    ));
}

#[test]
fn many_ignored_files_share_a_row_and_a_filter_finds_each() {
    let mut entries = vec![segment("Camera", vec![])];
    entries.extend((0..5_000).map(|number| ignored(&format!("shm-core.0.junk{number}"))));
    let mut list = list(entries);
    let mut ui = simulator(list.view(NOW));
    ui.find("Camera").expect("the segment has its row");
    ui.find("5000 names are not segments")
        .expect("they share a row");
    assert!(
        ui.find("shm-core.0.junk7").is_err(),
        "none of them has its own"
    );
    drop(ui);
    drop(list.update(Message::FilterEdited("junk4999".to_owned())));
    let mut ui = simulator(list.view(NOW));
    ui.find("shm-core.0.junk4999").expect("it is found");
    assert!(ui.find("Camera").is_err());
}

#[test]
fn hidden_characters_of_untrusted_names_are_drawn_escaped() {
    let evil = ignored("a\u{202e}b\u{200b}\n");
    let list = list(vec![evil, of_qt("qt:K\u{2066}", Some(1), &["p\u{1b}[2J"])]);
    let mut ui = simulator(list.view(NOW));
    ui.find(r"a\u{202e}b\u{200b}\n")
        .expect("the name is visible");
    ui.find(r"qt:K\u{2066}").expect("the key is visible");
    ui.find(r"Qt · 42 bytes · p\u{1b}[2J (pid 4712) · 1 attached")
        .expect("the program is visible");
}
