//! The faults in which Qt loses data or blocks, with Qt on one side and ours on the other: ours
//! reports the error within its timeout, and makes nothing worse.

use std::time::{Duration, Instant};

use crate::peer::{Peer, QtFixture, Side};

/// The kinds of segment, each with a Qt that supports it.
const KINDS: [(Side, usize); 2] = [(Side::Cpp, 0), (Side::Python, 1)];

/// Runs a test for each kind of segment.
fn each_kind(test: impl Fn(&QtFixture, Side, &str)) {
    for (qt, kind) in KINDS {
        let Some(qt_fixture) = QtFixture::with(&[qt]) else {
            return;
        };
        let key = qt_fixture.keys()[kind].clone();
        test(&qt_fixture, qt, &key);
        qt_fixture.sweep();
        qt_fixture.assert_clean();
    }
}

fn is_posix(key: &str) -> bool {
    key.starts_with("qt-posix:")
}

fn set_short_timeout(peer: &mut Peer) {
    peer.ask(&["timeout", "300"]).done();
}

/// F1: the holder of the lock is killed.
#[test]
fn f1_the_lock_of_a_killed_qt_program_is_taken_over_or_reported() {
    each_kind(|qt_fixture, qt, key| {
        let mut theirs = qt_fixture.start_with(qt, key);
        let mut ours = qt_fixture.start_with(Side::Ours, key);
        theirs.ask(&["create", "8"]).done();
        ours.ask(&["attach", "rw"]).done();
        theirs.ask(&["lock"]).done();
        theirs.kill();
        set_short_timeout(&mut ours);
        let began = Instant::now();
        let answer = ours.ask(&["add", "1"]);
        if is_posix(key) {
            assert!(began.elapsed() < Duration::from_secs(10));
            let answer = answer.refused("LockError");
            assert!(answer.0.contains("timed out"), "{answer:?}");
            // The remedy that the programs name works.
            ours.ask(&["remove", "force"]).done();
            let mut next = qt_fixture.start_with(qt, key);
            next.ask(&["create", "8"]).done();
            next.ask(&["lock"]).done();
            next.ask(&["unlock"]).done();
        } else {
            answer.done();
        }
        ours.finish();
    });
}

/// F1, reversed: ours is killed with the lock. Qt continues if it can.
#[test]
fn f1_qt_continues_when_ours_is_killed_with_the_system_v_lock() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    let mut ours = qt_fixture.start_with(Side::Ours, &qt_fixture.key());
    theirs.ask(&["create", "8"]).done();
    ours.ask(&["attach", "rw"]).done();
    ours.ask(&["lock"]).done();
    theirs.send(&["lock"]);
    ours.kill();
    theirs.answer().done();
    theirs.ask(&["unlock"]).done();
    theirs.finish();
    qt_fixture.assert_clean();
}

/// F2: the only participant is killed; then a process creates.
#[test]
fn f2_leftovers_of_a_killed_qt_program_are_replaced() {
    each_kind(|qt_fixture, qt, key| {
        let mut theirs = qt_fixture.start_with(qt, key);
        theirs
            .ask(&["load", "qstring", &qt_fixture.file(b"old")])
            .done();
        theirs.kill();
        let mut ours = qt_fixture.start_with(Side::Ours, key);
        let created = ours.ask(&["create", "8"]);
        if is_posix(key) {
            // Qt does not count participants, so the segment is not removed; it is reported, and
            // overwritten.
            let answer = created.refused("AlreadyExists");
            assert!(answer.0.contains("exists already"), "{answer:?}");
        } else {
            created.done();
            ours.ask(&["detach"]).done();
        }
        ours.ask(&[
            "publish",
            "qstring",
            &qt_fixture.file(b"a new and longer text"),
        ])
        .done();
        let mut reader = qt_fixture.start_with(qt, key);
        reader.ask(&["attach", "ro"]).done();
        let path = qt_fixture.path();
        reader
            .ask(&["read", "qstring", path.to_str().unwrap()])
            .done();
        assert_eq!(std::fs::read(path).unwrap(), b"a new and longer text");
        reader.finish();
        ours.finish();
    });
}

/// F3: the writer is gone, a Qt reader stays attached, a new writer starts.
#[test]
fn f3_an_attached_reader_does_not_block_the_next_writer() {
    each_kind(|qt_fixture, qt, key| {
        let mut first = qt_fixture.start_with(qt, key);
        let mut reader = qt_fixture.start_with(qt, key);
        first
            .ask(&[
                "load",
                "qstring",
                &qt_fixture.file(b"a text of some length"),
            ])
            .done();
        reader.ask(&["attach", "ro"]).done();
        first.kill();
        let mut ours = qt_fixture.start_with(Side::Ours, key);
        // Content that fits is written over the old content.
        ours.ask(&["publish", "qstring", &qt_fixture.file(b"shorter")])
            .done();
        let path = qt_fixture.path();
        reader
            .ask(&["read", "qstring", path.to_str().unwrap()])
            .done();
        assert_eq!(std::fs::read(path).unwrap(), b"shorter");
        // Content that does not fit is refused at once, and the reader is named; POSIX segments
        // grow.
        let long = qt_fixture.file(b"a text that is far longer than the first one was");
        let answer = ours.ask(&["publish", "qstring", &long]);
        if is_posix(key) {
            answer.done();
        } else {
            let pid = format!("pid {}", reader.pid());
            assert!(!answer.is_ok() && answer.0.contains(&pid), "{answer:?}");
            reader.finish();
            ours.ask(&["publish", "qstring", &long]).done();
        }
        ours.finish();
    });
}

/// F4: a failed create() of Qt resets the lock that ours holds.
#[test]
fn f4_a_lock_that_qt_reset_is_reported_and_left_unchanged() {
    each_kind(|qt_fixture, qt, key| {
        let mut ours = qt_fixture.start_with(Side::Ours, key);
        let mut theirs = qt_fixture.start_with(qt, key);
        ours.ask(&["create", "8"]).done();
        ours.ask(&["lock"]).done();
        theirs.ask(&["create", "8"]).refused("AlreadyExists");
        let answer = ours.ask(&["unlock"]);
        if is_posix(key) {
            // Qt has created another lock; ours is the old one, and nothing reports this.
            assert!(
                answer.is_ok() || answer.error() == Some("LockError"),
                "{answer:?}"
            );
        } else {
            let answer = answer.refused("LockError");
            assert!(answer.0.contains("reset"), "{answer:?}");
        }
        // It still excludes others.
        let mut third = qt_fixture.start_with(Side::Ours, key);
        third.ask(&["attach", "rw"]).done();
        third.ask(&["lock"]).done();
        let mut fourth = qt_fixture.start_with(Side::Ours, key);
        set_short_timeout(&mut fourth);
        fourth.ask(&["attach", "rw"]).refused("LockError");
        third.finish();
        theirs.finish();
        ours.finish();
        fourth.ask(&["forget"]).done();
        fourth.finish();
    });
}

/// F4, reversed: a failed create of ours does not change a lock that Qt holds.
#[test]
fn f4_a_failed_create_of_ours_leaves_the_lock_of_qt_unchanged() {
    each_kind(|qt_fixture, qt, key| {
        let mut theirs = qt_fixture.start_with(qt, key);
        let mut ours = qt_fixture.start_with(Side::Ours, key);
        theirs.ask(&["create", "8"]).done();
        theirs.ask(&["lock"]).done();
        set_short_timeout(&mut ours);
        ours.ask(&["create", "8"]).refused("LockError");
        ours.ask(&["create", "0"]).refused("InvalidSize");
        // It is still held.
        ours.ask(&["attach", "rw"]).refused("LockError");
        theirs.ask(&["unlock"]).done();
        ours.ask(&["create", "8"]).refused("AlreadyExists");
        ours.ask(&["attach", "rw"]).done();
        ours.finish();
        theirs.finish();
    });
}

/// F5: a Qt reader holds the lock, and the writer detaches.
#[test]
fn f5_ours_detaches_while_qt_holds_the_lock() {
    each_kind(|qt_fixture, qt, key| {
        let mut ours = qt_fixture.start_with(Side::Ours, key);
        let mut theirs = qt_fixture.start_with(qt, key);
        ours.ask(&["create", "8"]).done();
        theirs.ask(&["attach", "ro"]).done();
        theirs.ask(&["lock"]).done();
        let began = Instant::now();
        ours.ask(&["detach"]).done();
        ours.finish();
        assert!(began.elapsed() < Duration::from_secs(10));
        theirs.ask(&["unlock"]).done();
        theirs.ask(&["detach"]).done();
        theirs.finish();
        // If ours could not remove its lock, no process does.
        if !is_posix(key) {
            let mut ours = qt_fixture.start_with(Side::Ours, key);
            let left = ours.ask(&["remove", ""]);
            assert!(left.is_ok() || left.error() == Some("NotFound"), "{left:?}");
            ours.finish();
        }
    });
}

/// F6: a cleaner removes the key files.
#[test]
fn f6_ours_recreates_a_segment_whose_key_file_was_removed() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let key = qt_fixture.key();
    let mut ours = qt_fixture.start_with(Side::Ours, &key);
    ours.ask(&["publish", "qstring", &qt_fixture.file(b"hidden")])
        .done();
    let placeholders: Vec<_> = std::fs::read_dir(qt_fixture.directory())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            // The inode stays in use, as on most systems.
            let aside = qt_fixture.path();
            std::fs::rename(entry.path(), &aside).unwrap();
            aside
        })
        .collect();
    assert_eq!(placeholders.len(), 2, "the segment's and the lock's");
    let mut theirs = qt_fixture.start_with(Side::Cpp, &key);
    theirs.ask(&["attach", "ro"]).refused("NotFound");
    ours.ask(&["publish", "qstring", &qt_fixture.file(b"found again")])
        .done();
    theirs.ask(&["attach", "ro"]).done();
    let path = qt_fixture.path();
    theirs
        .ask(&["read", "qstring", path.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(path).unwrap(), b"found again");
    theirs.finish();
    ours.finish();
    qt_fixture.assert_clean();
}

/// F7: a reader's attach failed before there was a segment; later both lock.
#[test]
fn f7_a_reader_whose_first_attach_failed_shares_the_lock_later() {
    each_kind(|qt_fixture, qt, key| {
        for (early, late) in [(Side::Ours, qt), (qt, Side::Ours)] {
            let mut reader = qt_fixture.start_with(early, key);
            reader.ask(&["attach", "rw"]).refused("NotFound");
            let mut writer = qt_fixture.start_with(late, key);
            writer.ask(&["create", "8"]).done();
            reader.ask(&["attach", "rw"]).done();
            writer.ask(&["lock"]).done();
            reader.send(&["lock"]);
            // While one holds it, a third is refused.
            let mut third = qt_fixture.start_with(Side::Ours, key);
            set_short_timeout(&mut third);
            third.ask(&["attach", "ro"]).refused("LockError");
            writer.ask(&["unlock"]).done();
            reader.answer().done();
            third.ask(&["attach", "ro"]).refused("LockError");
            reader.ask(&["unlock"]).done();
            third.finish();
            reader.finish();
            writer.finish();
            qt_fixture.sweep();
        }
    });
}

/// F8: another user squats the key.
#[test]
fn f8_the_user_that_squats_a_key_is_named_at_once() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Ours]) else {
        return;
    };
    let Some(other_user) = e2e_tests::OtherUser::new() else {
        return;
    };
    // In a folder like /tmp, where every user may create files.
    qt_fixture.open_to_all();
    let theirs = qt_fixture.start_through(Side::Ours, |launch| launch);
    let ours = qt_fixture.start_through(Side::Ours, |launch| other_user.launch_as(launch));
    let [mut theirs, mut ours] = [theirs, ours];
    theirs.ask(&["key", &qt_fixture.key()]).done();
    theirs.ask(&["create", "8"]).done();
    ours.ask(&["key", &qt_fixture.key()]).done();
    let began = Instant::now();
    let answer = ours.ask(&["create", "8"]);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(
        !answer.is_ok() && answer.0.contains("belongs to user"),
        "{answer:?}"
    );
    ours.finish();
    theirs.finish();
    qt_fixture.assert_clean();
}
