//! Segments and locks, as programs use them. Two handles represent two programs.

mod common;

use std::time::{Duration, Instant};

use qt_bridge::{
    Departure, Form, Kind, LockErrorKind, Meaning, PollResult, Poller, Publisher, QtKey, Segment,
    SegmentErrorKind, Semaphore, Stream, read, remove,
};
use shm_core::Message;

use common::{TIMEOUT, assert_nothing_left, keys, with_keys};

const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_written_segment_is_read_and_the_last_handle_removes_it() {
    with_keys(|key| {
        let mut ours = Segment::create(key, 10, TIMEOUT).unwrap();
        assert_eq!(ours.size(), 10);
        ours.lock(TIMEOUT).unwrap().copy_from(3, b"abc").unwrap();
        let mut theirs = Segment::attach_read_only(key, TIMEOUT).unwrap();
        let mut read = [9; 10];
        let guard = theirs.lock(TIMEOUT).unwrap();
        guard.copy_to(0, &mut read).unwrap();
        assert_eq!(read, *b"\0\0\0abc\0\0\0\0");
        assert!(guard.copy_to(8, &mut [0; 3]).is_err(), "beyond the end");
        assert!(
            guard.copy_to(usize::MAX, &mut [0; 3]).is_err(),
            "offset overflow"
        );
        guard.unlock().unwrap();
        let first = theirs.detach();
        let last = ours.detach();
        if key.kind() == Kind::SystemV {
            assert_eq!(first, Departure::InUse);
        }
        assert_eq!(last, Departure::Removed);
    });
}

#[test]
fn errors_have_the_meaning_of_qt() {
    with_keys(|key| {
        let not_there = Segment::attach(key, TIMEOUT).unwrap_err();
        assert_eq!(not_there.meaning(), Meaning::NotFound);
        let none = Segment::create(key, 0, TIMEOUT).unwrap_err();
        assert_eq!(none.meaning(), Meaning::InvalidSize);
        let huge = Segment::create(key, usize::MAX, TIMEOUT).unwrap_err();
        assert_eq!(huge.meaning(), Meaning::InvalidSize);
        let ours = Segment::create(key, 1, TIMEOUT).unwrap();
        let twice = Segment::create(key, 1, TIMEOUT).unwrap_err();
        assert_eq!(twice.meaning(), Meaning::AlreadyExists);
        assert!(twice.to_string().contains("already"), "{twice}");
        drop(ours);
    });
}

#[test]
fn waiting_for_a_held_lock_ends_after_the_timeout() {
    with_keys(|key| {
        let mut ours = Segment::create(key, 8, TIMEOUT).unwrap();
        let mut theirs = Segment::attach(key, TIMEOUT).unwrap();
        let guard = ours.lock(TIMEOUT).unwrap();
        let began = Instant::now();
        let error = theirs.lock(SOON).unwrap_err();
        assert!(began.elapsed() >= SOON);
        let LockErrorKind::Timeout { holder, .. } = error.kind() else {
            panic!("{error}");
        };
        if key.kind() == Kind::SystemV {
            assert_eq!(
                holder.as_ref().map(|holder| holder.pid),
                Some(std::process::id())
            );
        }
        assert_eq!(error.meaning(), Meaning::LockError);
        let refused = Segment::attach(key, SOON).unwrap_err();
        assert!(matches!(refused.kind(), SegmentErrorKind::Lock(_)));
        guard.unlock().unwrap();
        theirs.lock(Duration::ZERO).unwrap().unlock().unwrap();
        drop(theirs);
        drop(ours);
    });
}

#[test]
fn a_lock_that_is_reset_while_held_is_reported() {
    with_keys(|key| {
        let mut ours = Segment::create(key, 8, TIMEOUT).unwrap();
        let guard = ours.lock(TIMEOUT).unwrap();
        // Qt's create() does this to a lock that another process holds.
        let reset = Semaphore::create(key, 1).unwrap();
        assert_eq!(*guard.unlock().unwrap_err().kind(), LockErrorKind::Lost);
        let mut reset = reset;
        assert_eq!(reset.value().unwrap(), 1, "releasing it does not make it 2");
        reset.leave();
        drop(ours);
    });
}

#[test]
fn a_semaphore_counts() {
    with_keys(|key| {
        let mut seats = Semaphore::open(key, 2).unwrap();
        let mut others = Semaphore::open(key, 7).unwrap();
        assert_eq!(others.value().unwrap(), 2, "the creator sets the value");
        seats.acquire(TIMEOUT).unwrap();
        assert!(others.try_acquire().unwrap());
        assert!(!others.try_acquire().unwrap());
        let refused = others.acquire(SOON).unwrap_err();
        assert!(matches!(refused.kind(), LockErrorKind::Timeout { .. }));
        seats.release(3).unwrap();
        assert_eq!(others.value().unwrap(), 3);
        assert_eq!(
            Semaphore::create(key, 9)
                .map(|mut it| it.value().unwrap())
                .unwrap(),
            9
        );
        drop(others);
        drop(seats);
    });
}

#[test]
fn publishing_replaces_the_previous_content() {
    with_keys(|key| {
        let mut publisher = Publisher::new(key, TIMEOUT);
        let mut publish = |text: &str| {
            let message = Message::Text(text.into());
            let stream = Stream::new(&message, Form::QString).unwrap();
            publisher.publish(&stream).unwrap();
            let reading = read(key, None, TIMEOUT).unwrap();
            assert_eq!(reading.value.into_message(), Some(message));
        };
        publish("first");
        publish("two");
        publish("a longer one than those before");
        assert!(publisher.is_found());
        assert_eq!(publisher.release(), Some(Departure::Removed));
        assert!(read(key, None, TIMEOUT).unwrap_err().is_not_found());
    });
}

#[test]
fn a_poller_returns_new_content_once() {
    with_keys(|key| {
        let mut poller = Poller::new(key, None, TIMEOUT);
        assert!(matches!(poller.poll().unwrap(), PollResult::NotFound));
        let mut publisher = Publisher::new(key, TIMEOUT);
        for text in ["one", "two"] {
            let message = Message::Text(text.into());
            publisher
                .publish(&Stream::new(&message, Form::QString).unwrap())
                .unwrap();
            let PollResult::New(reading) = poller.poll().unwrap() else {
                panic!("the content is new");
            };
            assert_eq!(reading.value.into_message(), Some(message));
            assert!(matches!(poller.poll().unwrap(), PollResult::Unchanged));
        }
        publisher.release();
        assert!(matches!(poller.poll().unwrap(), PollResult::NotFound));
        assert!(poller.interval() >= Poller::MIN_INTERVAL);
    });
}

#[test]
fn bytes_after_a_stream_do_not_count_as_a_change() {
    with_keys(|key| {
        let text = Message::Text("same".into());
        let stream = Stream::new(&text, Form::QString).unwrap();
        let mut ours = Segment::create(key, 5000, TIMEOUT).unwrap();
        let mut poller = Poller::new(key, None, TIMEOUT);
        // A new segment is empty.
        let PollResult::New(blank) = poller.poll().unwrap() else {
            panic!("there is a segment");
        };
        assert_eq!(blank.value.into_message(), None);
        for counter in 1..=3u8 {
            let mut guard = ours.lock(TIMEOUT).unwrap();
            stream.write_to(&mut guard.writer()).unwrap();
            guard.copy_from(4999, &[counter]).unwrap();
            guard.unlock().unwrap();
            match (poller.poll().unwrap(), counter) {
                (PollResult::New(reading), 1) => {
                    assert_eq!(reading.value.into_message(), Some(text.clone()))
                }
                (PollResult::Unchanged, 2..) => {}
                (result, _) => panic!("{counter}: {result:?}"),
            }
        }
        let again = read(key, None, TIMEOUT).unwrap().digest;
        assert_eq!(
            again,
            read(key, Some(Form::QString), TIMEOUT).unwrap().digest
        );
    });
}

#[test]
fn a_reader_does_not_create_a_posix_lock() {
    let (directory, keys) = keys();
    for key in [&keys[1], &keys[3]] {
        let text = Message::Text("left behind".into());
        let mut publisher = Publisher::new(key, TIMEOUT);
        publisher
            .publish(&Stream::new(&text, Form::QString).unwrap())
            .unwrap();
        // A Qt program that created the lock removes it on exit, and leaves the segment.
        let lock = format!("/dev/shm/sem.{}", &key.native_lock_name()[1..]);
        std::fs::remove_file(&lock).unwrap();
        let reading = read(key, None, TIMEOUT).unwrap();
        assert_eq!(reading.value.into_message(), Some(text));
        assert!(!std::path::Path::new(&lock).exists());
        drop(publisher);
        assert_nothing_left(directory.path(), key);
    }
}

#[test]
fn a_removed_key_file_is_detected_and_created_again() {
    let (directory, keys) = keys();
    let key = &keys[0];
    let mut publisher = Publisher::new(key, TIMEOUT);
    let message = Message::Text("again".into());
    let stream = Stream::new(&message, Form::QString).unwrap();
    publisher.publish(&stream).unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    // Takes its inode, which the next key file might get otherwise.
    std::fs::write(directory.path().join("other"), "").unwrap();
    std::fs::write(directory.path().join("another"), "").unwrap();
    assert!(!publisher.is_found());
    publisher.publish(&stream).unwrap();
    assert!(publisher.is_found());
    assert_eq!(
        read(key, None, TIMEOUT).unwrap().value.into_message(),
        Some(message)
    );
    drop(publisher);
    std::fs::remove_file(directory.path().join("other")).unwrap();
    std::fs::remove_file(directory.path().join("another")).unwrap();
    assert_nothing_left(directory.path(), key);
}

#[test]
fn remove_refuses_a_segment_in_use_unless_forced() {
    with_keys(|key| {
        let none = remove(key, true).unwrap_err();
        assert_eq!(*none.kind(), SegmentErrorKind::NotFound);
        let mut ours = Segment::create(key, 8, TIMEOUT).unwrap();
        let guard = ours.lock(TIMEOUT).unwrap();
        match (remove(key, false).unwrap_err().kind(), key.kind()) {
            // The kernel counts all attached processes, also this one, which the search of /proc
            // leaves out.
            (SegmentErrorKind::InUse { .. }, Kind::SystemV) => {}
            (SegmentErrorKind::Lock(_), Kind::PosixRealtime) => {}
            (outcome, _) => panic!("{key}: {outcome:?}"),
        }
        remove(key, true).unwrap();
        drop(guard);
        assert!(!ours.is_current());
        drop(ours);
    });
}

#[test]
fn foreign_files_are_refused_and_left_unchanged() {
    let (_directory, keys) = keys();
    let key = &keys[3];
    let folder = format!("/dev/shm{}", key.native_name());
    std::fs::create_dir(&folder).unwrap();
    let error = Segment::attach(key, TIMEOUT).unwrap_err();
    assert!(
        matches!(error.kind(), SegmentErrorKind::Foreign { .. }),
        "{error}"
    );
    std::fs::remove_dir(&folder).unwrap();
    let file = format!("/dev/shm/sem.{}", &key.native_name()[1..]);
    std::fs::write(&file, "short").unwrap();
    let error = Segment::create(key, 1, TIMEOUT).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            SegmentErrorKind::Lock(LockErrorKind::Foreign { .. })
        ),
        "{error}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"short");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn segments_of_this_user_are_listed_by_key() {
    let (_directory, keys) = keys();
    let key = &keys[1];
    {
        let segment = Segment::create(key, 12, TIMEOUT).unwrap();
        let listed = qt_bridge::list();
        let found = listed
            .iter()
            .find(|it| it.key.native_name() == key.native_name());
        let found = found.unwrap_or_else(|| panic!("{listed:?}"));
        assert_eq!(found.size, 12);
        // The name has no digits and dots of the key, so the native key is listed; it leads to the
        // same lock.
        assert!(found.key.as_str().starts_with("posix:/"), "{}", found.key);
        assert_eq!(found.key.native_lock_name(), key.native_lock_name());
        drop(segment);
    }
    let letters: String = "abcdefgh"
        .chars()
        .cycle()
        .take(std::process::id() as usize % 97 + 20)
        .collect();
    let key = QtKey::legacy(&letters, Kind::PosixRealtime).unwrap();
    let segment = Segment::create(&key, 12, TIMEOUT).unwrap();
    assert!(qt_bridge::list().iter().any(|it| it.key == key));
    drop(segment);
}
