//! The lock: mutual exclusion between Qt programs and ours.

use crate::peer::{Peer, QtFixture, Side};

/// Lets two programs increment one number concurrently, and asserts that no increment is lost.
fn count(key: &str, qt_fixture: &QtFixture, qt: Side, each: u32) {
    let mut ours = qt_fixture.start_with(Side::Ours, key);
    let mut theirs = qt_fixture.start_with(qt, key);
    ours.ask(&["create", "8"]).done();
    theirs.ask(&["attach", "rw"]).done();
    let count = each.to_string();
    let mut both = [&mut ours, &mut theirs];
    both.iter_mut()
        .for_each(|peer: &mut &mut Peer| peer.send(&["add", &count]));
    for peer in both {
        peer.answer().done();
    }
    let path = qt_fixture.path();
    ours.ask(&["read", "raw", path.to_str().unwrap()]).done();
    let counted = std::fs::read(path).unwrap();
    let mut number = [0; 8];
    number[..counted.len().min(8)].copy_from_slice(&counted[..counted.len().min(8)]);
    assert_eq!(
        u64::from_ne_bytes(number),
        u64::from(2 * each),
        "{key} with {qt:?}"
    );
    theirs.finish();
    ours.finish();
    qt_fixture.sweep();
    qt_fixture.assert_clean();
}

#[test]
fn a_million_locked_increments_with_qt_through_system_v() {
    if let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) {
        count(&qt_fixture.key(), &qt_fixture, Side::Cpp, 500_000);
    }
}

#[test]
fn a_million_locked_increments_with_qt_through_posix() {
    if let Some(qt_fixture) = QtFixture::with(&[Side::Python]) {
        count(&qt_fixture.keys()[1], &qt_fixture, Side::Python, 500_000);
    }
}

#[test]
fn locked_increments_under_native_keys() {
    if let Some(qt_fixture) = QtFixture::with(&[Side::Python]) {
        for key in &qt_fixture.keys()[2..] {
            count(key, &qt_fixture, Side::Python, 20_000);
        }
    }
}

#[test]
fn a_semaphore_is_shared_with_qt() {
    for (qt, kinds) in [(Side::Cpp, 1), (Side::Python, 2)] {
        let Some(qt_fixture) = QtFixture::with(&[qt]) else {
            return;
        };
        for key in &qt_fixture.keys()[..kinds] {
            let mut ours = qt_fixture.start(Side::Ours);
            let mut theirs = qt_fixture.start(qt);
            theirs.ask(&["semaphore", key, "2", "create"]).done();
            ours.ask(&["semaphore", key, "9", "open"]).done();
            ours.ask(&["acquire"]).done();
            theirs.ask(&["acquire"]).done();
            ours.ask(&["timeout", "50"]).done();
            ours.ask(&["acquire"]).refused("LockError");
            theirs.ask(&["release", "1"]).done();
            ours.ask(&["acquire"]).done();
            // And in the other direction: it waits for ours.
            theirs.send(&["acquire"]);
            ours.ask(&["release", "1"]).done();
            theirs.answer().done();
            ours.finish();
            theirs.finish();
            qt_fixture.sweep();
            qt_fixture.assert_clean();
        }
    }
}
