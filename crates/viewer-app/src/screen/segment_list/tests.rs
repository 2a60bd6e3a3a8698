use std::path::PathBuf;
use std::time::Duration;

use iced_test::{Simulator, simulator};
use shm_core::segment::Latest;
use shm_core::{Metadata, Process};

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn peer(program: &str, access: Access) -> Attached {
    Attached {
        process: Process::with_pid(4711),
        program: program.to_owned(),
        access,
        since: None,
    }
}

fn segment(name: &str, attached: Vec<Attached>) -> Listed {
    Listed {
        name: name.to_owned(),
        path: PathBuf::from("/dev/shm/shm-core.0").join(name),
        segment: Ok(Info {
            key: Key::new(name).expect("it is a key"),
            id: 1,
            content: Content::Samples {
                latest: Some(Latest {
                    metadata: Metadata::Text,
                    bytes: 42,
                    generation: 3,
                    writer: Process::with_pid(4711),
                    published: NOW,
                }),
            },
            persistent: attached.is_empty(),
            created: NOW,
            mode: 0o600,
            reserved_bytes: 4096,
            attached,
        }),
    }
}

fn foreign(name: &str) -> Listed {
    Listed {
        name: name.to_owned(),
        path: PathBuf::from("/dev/shm").join(name),
        segment: Err(format!("/dev/shm/{name}: it is too short to be a segment")),
    }
}

fn list(listed: Vec<Listed>) -> SegmentList {
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
        foreign("zebra"),
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
fn everything_is_told_of_a_segment() {
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
    assert!(shows(&list, "left alone: it is too short to be a segment"));
}

#[test]
fn empty_states_say_what_to_do() {
    assert!(shows(&list(vec![]), "There is no shared memory now"));
    let mut unreadable = SegmentList::default();
    unreadable.update(Message::Listed(Err("No such directory.".to_owned())));
    assert!(shows(&unreadable, "No such directory."));
    let mut filtered = sample();
    filter(&mut filtered, "nowhere");
    assert!(shows(&filtered, "No segment matches"));
}

#[test]
fn the_filter_looks_at_keys_kinds_and_programs() {
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
    // It holds when the segments are looked at again.
    filter(&mut list, "new");
    list.update(Message::Listed(Ok(Arc::new(vec![
        segment("new", vec![]),
        segment("old", vec![]),
    ]))));
    assert!(shows(&list, "new") && !shows(&list, "old"));
}

#[test]
fn a_click_or_enter_opens() {
    let mut list = sample();
    assert_eq!(opened(press(&mut list, "Notes")).as_deref(), Some("Notes"));
    // Of many, Enter opens what is selected.
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
        "what is no segment is not opened"
    );
    list.update(Message::Moved { down: false });
    assert_eq!(
        opened(list.update(Message::Submitted)).as_deref(),
        Some("Notes")
    );
    // Of one that the filter left, that one.
    filter(&mut list, "cam");
    assert_eq!(
        opened(list.update(Message::Submitted)).as_deref(),
        Some("Camera")
    );
}

#[test]
fn nothing_is_removed_without_an_answer() {
    let mut list = sample();
    filter(&mut list, "notes");
    assert!(matches!(press(&mut list, "Remove"), Action::None));
    assert!(shows(&list, "Remove Notes?"));
    assert!(matches!(press(&mut list, "Keep"), Action::None));
    assert!(!shows(&list, "Remove Notes?"));

    press(&mut list, "Remove");
    assert!(matches!(
        press(&mut list, "Remove"),
        Action::Remove { key, force: false } if key.as_str() == "Notes"
    ));
    assert!(shows(&list, "Removing Notes …"));
    // A second press does not remove it twice.
    assert!(matches!(
        list.update(Message::RemovalConfirmed),
        Action::None
    ));
    let key = Key::new("Notes").expect("it is a key");
    let done = list.update(Message::Removed(key, Ok(())));
    assert!(matches!(done, Action::Removed(key) if key.as_str() == "Notes"));
    assert!(!list.drop_question());
}

#[test]
fn what_is_in_use_is_removed_by_force_only() {
    let mut list = sample();
    filter(&mut list, "camera");
    press(&mut list, "Remove");
    assert!(shows(
        &list,
        "Camera is in use by loader-app (pid 4711) and 2 more."
    ));
    assert!(matches!(
        press(&mut list, "Remove by force"),
        Action::Remove { force: true, .. }
    ));

    // Somebody came after the question was asked.
    filter(&mut list, "notes");
    assert!(list.drop_question());
    press(&mut list, "Remove");
    press(&mut list, "Remove");
    let key = Key::new("Notes").expect("it is a key");
    let refused = RemovalError::Segment(RemoveError::InUse {
        key: key.clone(),
        by: vec![peer("camera", Access::ReadWrite)],
    });
    list.update(Message::Removed(key, Err(Arc::new(refused))));
    assert!(shows(&list, "Notes is in use by camera (pid 4711)."));
    assert!(matches!(
        press(&mut list, "Remove by force"),
        Action::Remove { force: true, .. }
    ));
}

#[test]
fn what_could_not_be_removed_says_why() {
    let mut list = sample();
    filter(&mut list, "notes");
    let key = Key::new("Notes").expect("it is a key");
    let died = RemovalError::Worker(app_kit::worker::WorkerError::Died);
    list.update(Message::Removed(key, Err(Arc::new(died))));
    assert!(shows(&list, "Notes was not removed."));
    press(&mut list, "Close");
    assert!(shows(&list, "Remove"));
}

#[test]
fn of_a_thousand_segments_those_in_sight_are_laid_out() {
    let many: Vec<Listed> = (0..1_000)
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
    filter(&mut list, "0999");
    assert_eq!(laid_out(&list), 1);
}
