//! The removal of segments and its confirmation.

use super::*;

#[test]
fn a_removal_is_confirmed() {
    let mut list = sample();
    filter(&mut list, "notes");
    assert!(matches!(press(&mut list, "Remove"), Action::None));
    assert!(shows(&list, "Remove Notes?"));
    assert!(matches!(press(&mut list, "Keep"), Action::None));
    assert!(!shows(&list, "Remove Notes?"));

    press(&mut list, "Remove");
    assert!(matches!(
        press(&mut list, "Remove"),
        Action::Remove { key, removal: Removal::IfUnused } if key.as_str() == "Notes"
    ));
    assert!(shows(&list, "Removing Notes …"));
    // A second press has no effect.
    assert!(matches!(
        list.update(Message::RemovalConfirmed),
        Action::None
    ));
    let key = address("Notes");
    let done = list.update(Message::Removed(key, Ok(())));
    assert!(matches!(done, Action::Removed(key) if key.as_str() == "Notes"));
    assert!(!list.dismiss_removal());
}

#[test]
fn a_segment_in_use_is_removed_only_by_force() {
    let mut list = sample();
    filter(&mut list, "camera");
    press(&mut list, "Remove");
    assert!(shows(
        &list,
        "Camera is in use by loader-app (pid 4711) and 2 more."
    ));
    assert!(matches!(
        press(&mut list, "Remove by force"),
        Action::Remove {
            removal: Removal::Forced,
            ..
        }
    ));

    // A process attached after the question was shown.
    filter(&mut list, "notes");
    assert!(list.dismiss_removal());
    press(&mut list, "Remove");
    press(&mut list, "Remove");
    let key = Key::new("Notes").expect("it is a key");
    let refused = RemovalFailure::Removal(RemovalError::Own(RemoveError::new(
        &key,
        RemoveErrorKind::InUse {
            by: vec![peer("camera", Access::ReadWrite)],
        },
    )));
    list.update(Message::Removed(key.into(), Err(Arc::new(refused))));
    assert!(shows(&list, "Could not remove Notes."));
    assert!(!shows(&list, "Remove by force"));
}

#[test]
fn a_double_click_removes_nothing() {
    for key in ["Notes", "Camera", "qt:Paint"] {
        for end in [0.02, 0.5, 0.98] {
            let mut list = self::list(vec![
                segment("Camera", vec![peer("loader-app", Access::ReadWrite)]),
                segment("Notes", vec![]),
                of_qt("qt:Paint", Some(1), &["paint"]),
            ]);
            filter(&mut list, key);
            let label = ui(&list).find("Remove").expect("it is drawn");
            let label = label.visible_bounds().expect("it is seen");
            // The button is wider than its label.
            let wide = label.expand([0.0, theme::space::SMALL]);
            let point = Point::new(wide.x + end * wide.width, wide.center_y());
            click_at(&mut list, point);
            assert!(list.removal.is_some(), "{key} at {end}");
            assert!(matches!(click_at(&mut list, point), Action::None));
            assert!(list.removal.is_none(), "{key} at {end}");
        }
    }
}

#[test]
fn a_failed_removal_is_explained() {
    let mut list = sample();
    filter(&mut list, "notes");
    let key = address("Notes");
    let died = RemovalFailure::Worker(gui_common::session::worker::WorkerError::Died);
    list.update(Message::Removed(key, Err(Arc::new(died))));
    assert!(shows(&list, "Could not remove Notes."));
    press(&mut list, "Close");
    assert!(shows(&list, "Remove"));
}

#[test]
fn the_removal_of_a_qt_segment_is_confirmed() {
    let asked = |key: &str| {
        let mut list = mixed();
        filter(&mut list, key);
        press(&mut list, "Remove");
        list
    };
    for (key, by) in [
        ("qt:Paint", "paint (pid 4712)"),
        ("qt:Unseen", "another program"),
        ("qt-posix:Seen", "paint (pid 4712) and 1 more"),
    ] {
        let mut list = asked(key);
        assert!(shows(&list, &format!("{key} is in use by {by}.")), "{key}");
        assert!(matches!(
            press(&mut list, "Remove by force"),
            Action::Remove { key: removed, removal: Removal::Forced } if removed == address(key)
        ));
    }
    for key in ["qt:Abandoned", "qt-posix:Left"] {
        let mut list = asked(key);
        assert!(matches!(
            press(&mut list, "Remove"),
            Action::Remove {
                removal: Removal::IfUnused,
                ..
            }
        ));
    }
}

#[test]
fn the_result_of_removing_a_qt_segment_is_shown() {
    let key: QtKey = "qt:Abandoned".parse().expect("it is a key");
    let mut list = mixed();
    filter(&mut list, key.as_str());
    let mut removed = |error: SegmentError| {
        let outcome = Err(Arc::new(RemovalFailure::Removal(RemovalError::Qt(error))));
        let action = list.update(Message::Removed((&key).into(), outcome));
        let question = ui(&list).find("Remove by force");
        let failure = ui(&list).find("Could not remove qt:Abandoned.");
        (
            matches!(action, Action::Removed(_)),
            question.is_ok(),
            failure.is_ok(),
        )
    };
    let users = vec![User {
        pid: 4712,
        program: "paint".to_owned(),
    }];
    let in_use = SegmentError::new(&key, SegmentErrorKind::InUse { users });
    // Forced removal needs another press of "Remove".
    assert_eq!(removed(in_use), (false, false, true));
    let file = "/tmp/qipc".into();
    let theirs = SegmentError::new(&key, SegmentErrorKind::OtherUser { file, owner: 7 });
    assert_eq!(removed(theirs), (false, false, true));
    // Another process has removed it.
    let gone = SegmentError::new(&key, SegmentErrorKind::NotFound);
    assert_eq!(removed(gone), (true, false, false));
}
