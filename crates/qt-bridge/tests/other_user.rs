//! Segments and semaphores of another user, under keys of this user or its own: root neither trusts
//! nor changes them.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use qt_bridge::{
    Form, Kind, LockErrorKind, Meaning, PublishError, Publisher, QtKey, ReadingError, Segment,
    SegmentError, SegmentErrorKind, Semaphore, Stream, list_of, read, remove,
};
use shm_core::Message;

use common::{
    NOBODY, TIMEOUT, Theirs, as_nobody, assert_nothing_left, keys, open_to_all, with_keys,
};

/// Longer than a refusal without waiting takes.
const AT_ONCE: Duration = Duration::from_secs(5);

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn publish(publisher: &mut Publisher, content: &str) -> Result<(), PublishError> {
    publisher.publish(&Stream::new(&text(content), Form::QString).unwrap())
}

fn published(key: &QtKey, content: &str) -> Publisher {
    let mut publisher = Publisher::new(key, TIMEOUT);
    publish(&mut publisher, content).unwrap();
    publisher
}

fn content(key: &QtKey) -> Result<Option<Message>, ReadingError> {
    read(key, None, TIMEOUT).map(|reading| reading.value.into_message())
}

/// Runs a test with each key while another user has published a text under it.
fn with_theirs(test: impl Fn(&QtKey, &mut Theirs<Publisher>)) {
    let (directory, keys) = keys();
    open_to_all(directory.path());
    for key in &keys {
        let Some(mut theirs) = Theirs::make(|| published(key, "theirs")) else {
            return;
        };
        test(key, &mut theirs);
        assert!(theirs.with(|publisher| publisher.is_found()), "{key}");
        assert_eq!(
            theirs.with(|_| content(key).unwrap()),
            Some(text("theirs")),
            "{key}"
        );
        drop(theirs);
        assert_nothing_left(directory.path(), key);
    }
}

/// Asserts that every operation on a key is refused, with an error that names the other user.
fn assert_all_refused(key: &QtKey) {
    let mut refused: Vec<SegmentError> = vec![
        Segment::create(key, 8, TIMEOUT).unwrap_err(),
        Segment::attach(key, TIMEOUT).unwrap_err(),
        Segment::attach_read_only(key, TIMEOUT).unwrap_err(),
        remove(key, false).unwrap_err(),
        remove(key, true).unwrap_err(),
    ];
    match content(key).unwrap_err() {
        ReadingError::Segment(error) => refused.push(error),
        ReadingError::Lock(error) => refused.push(error.into()),
        error => panic!("{key}: {error}"),
    }
    match publish(&mut Publisher::new(key, TIMEOUT), "ours").unwrap_err() {
        PublishError::Segment(error) => refused.push(error),
        error => panic!("{key}: {error}"),
    }
    for error in refused {
        assert_eq!(error.meaning(), Meaning::PermissionDenied, "{key}: {error}");
        assert!(error.to_string().contains(&NOBODY.to_string()), "{error}");
    }
}

#[test]
fn root_does_not_touch_segments_of_another_user() {
    with_theirs(|key, _| {
        assert_all_refused(key);
        let error = Semaphore::open(key, 1).unwrap_err();
        assert_eq!(error.meaning(), Meaning::PermissionDenied, "{key}: {error}");
        assert!(
            list_of(0)
                .iter()
                .all(|it| it.key.native_name() != key.native_name())
        );
    });
}

#[test]
fn a_segment_of_another_user_is_readable_with_its_owner_and_never_writable() {
    with_theirs(|key, _| {
        let key = &key.owned_by(NOBODY);
        assert_eq!(content(key).unwrap(), Some(text("theirs")));
        assert!(qt_bridge::size(key).unwrap() > 0);
        let listed = list_of(NOBODY);
        // Nothing identifies segments with other native names as Qt's.
        let is_listed = listed
            .iter()
            .any(|it| it.key.native_name() == key.native_name());
        assert_eq!(
            is_listed,
            key.as_str().starts_with("qt-posix:"),
            "{key}: {listed:?}"
        );
        let errors: [SegmentError; 5] = [
            Segment::create(key, 8, TIMEOUT).unwrap_err(),
            Segment::attach(key, TIMEOUT).unwrap_err(),
            remove(key, true).unwrap_err(),
            Semaphore::create(key, 1).unwrap_err().into(),
            match publish(&mut Publisher::new(key, TIMEOUT), "ours").unwrap_err() {
                PublishError::Segment(error) => error,
                error => panic!("{error}"),
            },
        ];
        for error in errors {
            let read_only = SegmentErrorKind::Lock(LockErrorKind::ReadOnly);
            assert_eq!(*error.kind(), read_only);
        }
    });
}

#[test]
fn an_unprivileged_user_reads_what_the_mode_allows() {
    let (_directory, keys) = keys();
    let key = &keys[3];
    let _ours = published(key, "for all");
    let file = format!("/dev/shm{}", key.native_name());
    // The kind of the error depends on the calling user.
    let read_as = |key: &QtKey| {
        content(key).map_err(|error| match error {
            ReadingError::Segment(error) => error.kind().clone(),
            error => panic!("{error}"),
        })
    };
    let read_by_nobody = || as_nobody(|| read_as(&key.owned_by(0)));
    let Some(refused) = read_by_nobody() else {
        return;
    };
    assert_eq!(refused, Err(SegmentErrorKind::Permission));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(read_by_nobody().unwrap().unwrap(), Some(text("for all")));
    // A key without that owner does not lead there.
    let error = as_nobody(|| read_as(key)).unwrap().unwrap_err();
    assert!(
        matches!(error, SegmentErrorKind::OtherUser { owner: 0, .. }),
        "{error}"
    );
}

#[test]
fn a_system_v_segment_of_another_user_under_a_key_file_of_ours_is_refused() {
    let (directory, keys) = keys();
    open_to_all(directory.path());
    for key in [&keys[0], &keys[2]] {
        let Some(mut theirs) = Theirs::make(|| published(key, "theirs")) else {
            return;
        };
        theirs.give(&key.native_name());
        theirs.give(&key.native_lock_name());
        assert_all_refused(key);
        drop(theirs);
        for entry in fs::read_dir(directory.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
    // The same with a lock of this user.
    let key = &keys[0];
    let mut theirs = Theirs::make(|| published(key, "theirs")).unwrap();
    theirs.give(&key.native_name());
    // The moved file keeps its System V key, so that the lock of this user gets another one.
    let aside = directory.path().join("aside");
    fs::rename(key.native_lock_name(), &aside).unwrap();
    assert_all_refused(key);
    fs::rename(&aside, key.native_lock_name()).unwrap();
}

#[test]
fn a_semaphore_of_another_user_under_a_key_file_of_ours_is_refused() {
    let (directory, keys) = keys();
    open_to_all(directory.path());
    for key in &keys {
        let Some(mut theirs) = Theirs::make(|| Semaphore::open(key, 5).unwrap()) else {
            return;
        };
        if key.kind() == Kind::SystemV {
            theirs.give(&key.native_lock_name());
        }
        let began = Instant::now();
        let error = Semaphore::open(key, 1).unwrap_err();
        assert!(
            matches!(error.kind(), LockErrorKind::OtherUser { owner: NOBODY, .. }),
            "{key}: {error}"
        );
        let error = Segment::create(key, 8, TIMEOUT).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                SegmentErrorKind::Lock(LockErrorKind::OtherUser { owner: NOBODY, .. })
            ),
            "{key}: {error}"
        );
        assert!(remove(key, true).is_err(), "{key}");
        assert!(began.elapsed() < AT_ONCE);
        assert_eq!(
            theirs.with(|semaphore| semaphore.value().unwrap()),
            5,
            "{key}"
        );
    }
}

/// The creator of a System V object can always change it, also after giving it away.
#[test]
fn a_segment_that_another_user_created_and_gave_away_is_refused() {
    let (directory, keys) = keys();
    open_to_all(directory.path());
    let key = &keys[0];
    let Some(mut theirs) = Theirs::make(|| published(key, "theirs")) else {
        return;
    };
    theirs.give(&key.native_name());
    theirs.give(&key.native_lock_name());
    let stat = fs::metadata(key.native_name()).unwrap();
    let number = (0x51 << 24) | ((stat.dev() & 0xff) << 16) | (stat.ino() & 0xffff);
    let id = shm_id_of(number);
    set_owner(id, 0);
    assert_all_refused(key);
    set_owner(id, NOBODY);
}

fn shm_id_of(number: u64) -> i32 {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let row = table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        (fields.next()? == number.to_string()).then(|| fields.next().unwrap().parse().unwrap())
    });
    row.unwrap()
}

#[expect(unsafe_code, reason = "IPC_SET has no safe wrapper")]
fn set_owner(id: i32, owner: u32) {
    let mut stat = std::mem::MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: the pointer is valid for the one structure that the call writes.
    let result = unsafe { libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr()) };
    assert_eq!(result, 0);
    // SAFETY: the call has succeeded; and zeros were valid before.
    let mut stat = unsafe { stat.assume_init() };
    stat.shm_perm.uid = owner;
    // SAFETY: the pointer is valid for the one structure that the call reads.
    let set = unsafe { libc::shmctl(id, libc::IPC_SET, &raw mut stat) };
    assert_eq!(set, 0);
}

#[test]
fn only_regular_files_with_one_link_are_accepted_as_key_files_and_segments() {
    let (directory, keys) = keys();
    let elsewhere = directory.path().join("elsewhere");
    let foreign_files: [&dyn Fn(&Path); 4] = [
        &|path| symlink(&elsewhere, path).unwrap(),
        &|path| fs::hard_link(&elsewhere, path).unwrap(),
        &|path| fs::create_dir(path).unwrap(),
        &|path| {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        },
    ];
    for key in &keys {
        let path = match key.kind() {
            Kind::SystemV => key.native_name(),
            Kind::PosixRealtime => format!("/dev/shm{}", key.native_name()),
        };
        let path = Path::new(&path);
        for (index, put) in foreign_files.iter().enumerate() {
            // A hard link needs the same file system.
            let is_posix = key.kind() == Kind::PosixRealtime;
            if index == 1 && is_posix {
                fs::write(path.with_extension("linked"), "precious").unwrap();
                fs::hard_link(path.with_extension("linked"), path).unwrap();
            } else {
                fs::write(&elsewhere, "").unwrap();
                put(path);
            }
            let began = Instant::now();
            for error in [
                Segment::create(key, 8, TIMEOUT).unwrap_err(),
                Segment::attach(key, TIMEOUT).unwrap_err(),
                remove(key, true).unwrap_err(),
            ] {
                assert_eq!(error.meaning(), Meaning::KeyError, "{key} {index}: {error}");
            }
            assert!(content(key).is_err());
            assert!(began.elapsed() < AT_ONCE);
            assert!(
                fs::symlink_metadata(path).is_ok(),
                "{key} {index}: it is left unchanged"
            );
            if index == 2 {
                fs::remove_dir(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
            if index == 1 && is_posix {
                let linked = path.with_extension("linked");
                assert_eq!(fs::read(&linked).unwrap(), b"precious");
                fs::remove_file(linked).unwrap();
            }
        }
        fs::remove_file(&elsewhere).unwrap();
        // The failures leave no locks behind, except of POSIX, as with Qt.
        if key.kind() == Kind::PosixRealtime {
            remove(key, true).unwrap();
        }
        assert_nothing_left(directory.path(), key);
    }
}

#[test]
fn a_directory_in_which_other_users_can_replace_files_is_refused() {
    let (directory, keys) = keys();
    let key = &keys[0];
    let folder = directory.path();
    let refused = |what: &str| {
        let error = Segment::create(key, 8, TIMEOUT).unwrap_err();
        assert_eq!(
            error.meaning(),
            Meaning::PermissionDenied,
            "{what}: {error}"
        );
        assert!(
            matches!(
                error.kind(),
                SegmentErrorKind::Lock(LockErrorKind::Folder { .. })
            ),
            "{what}: {error}"
        );
        assert!(content(key).is_err(), "{what}");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "{what}");
    };
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    refused("writable for all");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o1777)).unwrap();
    drop(Segment::create(key, 8, TIMEOUT).unwrap());
    if rustix::process::geteuid().is_root() {
        chown(folder, Some(NOBODY), None).unwrap();
        refused("another user's");
        chown(folder, Some(0), None).unwrap();
    }
}

#[test]
fn files_that_qt_did_not_create_are_not_removed_as_key_files() {
    let (directory, keys) = keys();
    let key = &keys[2];
    let file = key.native_name();
    for (content, mode) in [("", 0o644), ("", 0o700), ("mine", 0o600)] {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        drop(Segment::create(key, 8, TIMEOUT).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        fs::remove_file(&file).unwrap();
    }
    assert_nothing_left(directory.path(), key);
    // Key files of this crate are removed, for every kind of key.
    with_keys(|key| drop(Segment::create(key, 8, TIMEOUT).unwrap()));
}
