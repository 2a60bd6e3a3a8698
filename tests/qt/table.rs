//! One table of cases, run with Qt and with ours: the differences are those that
//! docs/PORTING-FROM-QT.md lists.

use crate::peer::{QtFixture, Side};

/// A sequence of commands, and the answer to the last one.
struct Case {
    name: &'static str,
    steps: &'static [&'static [&'static str]],
    qt: &'static str,
    ours: &'static str,
}

const TABLE: &[Case] = &[
    Case {
        name: "create twice",
        steps: &[&["create", "8"], &["create", "8"]],
        qt: "error AlreadyExists",
        ours: "error AlreadyExists",
    },
    Case {
        name: "attach without create",
        steps: &[&["attach", "rw"]],
        qt: "error NotFound",
        ours: "error NotFound",
    },
    Case {
        name: "size 0",
        steps: &[&["create", "0"]],
        qt: "error InvalidSize",
        ours: "error InvalidSize",
    },
    Case {
        name: "the size that was asked for",
        steps: &[&["create", "5"], &["size"]],
        qt: "ok 5",
        ours: "ok 5",
    },
    Case {
        name: "size without a segment",
        steps: &[&["size"]],
        qt: "ok 0",
        ours: "ok 0",
    },
    Case {
        name: "lock and unlock",
        steps: &[&["create", "8"], &["lock"], &["unlock"]],
        qt: "ok",
        ours: "ok",
    },
    // A second lock does not compile: the guard borrows the handle mutably.
    Case {
        name: "lock twice",
        steps: &[&["create", "8"], &["lock"], &["lock"]],
        qt: "ok",
        ours: "error Misuse",
    },
    // An unlock without a lock does not compile: it consumes the guard.
    Case {
        name: "unlock without lock",
        steps: &[&["create", "8"], &["unlock"]],
        qt: "error NoError",
        ours: "error Misuse",
    },
    // A second detach does not compile: it consumes the handle.
    Case {
        name: "detach twice",
        steps: &[&["create", "8"], &["detach"], &["detach"]],
        qt: "error NoError",
        ours: "error Misuse",
    },
    // Qt locks without a segment; ours has a lock only with one.
    Case {
        name: "lock without a segment",
        steps: &[&["lock"]],
        qt: "error LockError",
        ours: "error Misuse",
    },
];

/// Returns the start of an answer, without the sentence.
fn result_of(answer: &str) -> &str {
    let gist = answer.split(':').next().unwrap_or(answer);
    if gist.starts_with("ok ") && gist.ends_with(|last: char| !last.is_ascii_digit()) {
        return "ok";
    }
    gist.trim_end()
}

#[test]
fn qt_and_ours_agree_on_every_case() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp, Side::Python]) else {
        return;
    };
    let mut wrong = Vec::new();
    for side in [Side::Cpp, Side::Python, Side::Ours] {
        for case in TABLE {
            let mut peer = qt_fixture.start_with(side, &qt_fixture.key());
            let answers = case.steps.iter().map(|step| peer.ask(step));
            let last = answers.last().unwrap().0;
            let expected = if side == Side::Ours {
                case.ours
            } else {
                case.qt
            };
            if result_of(&last) != expected {
                wrong.push(format!("{}, {side:?}: {last}, not {expected}", case.name));
            }
            peer.finish();
            qt_fixture.assert_clean();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_empty_key_is_refused() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp, Side::Python]) else {
        return;
    };
    let mut ours = qt_fixture.start(Side::Ours);
    ours.ask(&["key", "qt:"]).refused("KeyError");
    for qt in [Side::Cpp, Side::Python] {
        let mut theirs = qt_fixture.start_with(qt, "qt:");
        theirs.ask(&["create", "8"]).refused("KeyError");
    }
}

#[test]
fn a_read_only_attachment_cannot_write() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    theirs.ask(&["create", "8"]).done();
    let mut ours = qt_fixture.start_with(Side::Ours, &qt_fixture.key());
    ours.ask(&["attach", "ro"]).done();
    assert_eq!(ours.ask(&["size"]).0, "ok 8");
    // Writing does not compile with it; with Qt the program would crash.
    ours.ask(&["add", "1"]).refused("Misuse");
    ours.finish();
    theirs.finish();
    qt_fixture.assert_clean();
}
