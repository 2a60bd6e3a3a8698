//! Creating, keeping and removing segments, and files that are not segments.

mod common;

use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::time::Duration;

use common::{TestDirectory, key};
use segment::Content;
use shm_core::{AttachErrorKind, Block, Options, Publisher, RemoveErrorKind, Subscriber, segment};

#[test]
fn the_last_publisher_removes_the_segment_despite_subscribers() {
    let directory = TestDirectory::new();
    let first = Publisher::open(&key("k"), &directory.options()).unwrap();
    let second = Publisher::open(&key("k"), &directory.options()).unwrap();
    assert!(first.created() && !second.created());
    let mut subscriber = Subscriber::attach(&key("k"), &directory.options()).unwrap();
    first.publish_text("kept by the second").unwrap();
    assert!(!first.detach().removed, "the other publisher keeps it");
    assert!(subscriber.latest().unwrap().is_some());
    assert!(second.detach().removed, "the last participant removes it");
    assert!(directory.names().is_empty());
    assert!(matches!(
        Subscriber::attach(&key("k"), &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::NotFound
    ));
    // A subscriber keeps the memory.
    assert!(subscriber.from_oldest().latest().unwrap().is_some());
}

#[test]
fn a_persistent_segment_stays_until_it_is_removed_by_name() {
    let directory = TestDirectory::new();
    let keeping = directory.options().persistent(true);
    let publisher = Publisher::open(&key("kept"), &directory.options()).unwrap();
    publisher.publish_text("stays").unwrap();
    // A later participant makes it persistent.
    drop(Publisher::open(&key("kept"), &keeping).unwrap());
    drop(publisher);
    let info = segment::info(&key("kept"), &directory.options()).unwrap();
    assert!(info.persistent && info.attached.is_empty());
    assert_eq!(segment::list(&directory.options()).unwrap().len(), 1);
    segment::remove(
        &key("kept"),
        &directory.options(),
        segment::Removal::IfUnused,
    )
    .unwrap();
    assert!(directory.names().is_empty());
    assert!(matches!(
        segment::remove(&key("kept"), &directory.options(), segment::Removal::IfUnused),
        Err(error) if *error.kind() == RemoveErrorKind::NotFound
    ));
}

#[test]
fn removing_a_segment_in_use_fails_unless_forced() {
    let directory = TestDirectory::new();
    let _publisher = Publisher::open(&key("used"), &directory.options()).unwrap();
    let refused = segment::remove(
        &key("used"),
        &directory.options(),
        segment::Removal::IfUnused,
    )
    .unwrap_err();
    let RemoveErrorKind::InUse { by } = refused.kind() else {
        panic!("a process is attached: {refused}")
    };
    assert!(by[0].process.is_current());
    segment::remove(&key("used"), &directory.options(), segment::Removal::Forced).unwrap();
    assert!(directory.names().is_empty());
}

/// Creates a segment without participants: a file with a head, and no locks.
fn stale_file(directory: &TestDirectory, name: &str) {
    let publisher = Publisher::open(&key(name), &directory.options()).expect("there is room");
    let mut head = vec![0; 0x7000];
    let file = std::fs::File::open(directory.file(&key(name))).expect("it is there");
    file.read_exact_at(&mut head, 0).expect("it is long enough");
    drop(publisher);
    std::fs::write(directory.file(&key(name)), head).expect("there is room");
}

#[test]
fn every_operation_removes_a_stale_segment() {
    let directory = TestDirectory::new();
    stale_file(&directory, "by-list");
    assert!(segment::list(&directory.options()).unwrap().is_empty());
    assert!(directory.names().is_empty());

    stale_file(&directory, "by-attach");
    let attached = Subscriber::attach(&key("by-attach"), &directory.options());
    assert!(matches!(&attached, Err(error) if *error.kind() == AttachErrorKind::NotFound));
    assert!(directory.names().is_empty());

    stale_file(&directory, "by-create");
    let publisher = Publisher::open(&key("by-create"), &directory.options()).unwrap();
    assert!(publisher.created());
    drop(publisher);

    stale_file(&directory, "by-block");
    assert!(Block::create(&key("by-block"), 10, &directory.options()).is_ok());

    stale_file(&directory, "by-info");
    assert!(matches!(
        segment::info(&key("by-info"), &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::NotFound
    ));
    assert!(directory.names().is_empty());
}

#[test]
fn other_files_are_listed_with_a_reason_and_left_alone() {
    let directory = TestDirectory::new();
    let at = |name: &str| directory.file(&key(name));
    std::fs::write(
        at("text"),
        "not a segment, though it is long enough to have a head, one would think",
    )
    .unwrap();
    std::fs::write(at("empty"), "").unwrap();
    std::fs::create_dir(at("directory")).unwrap();
    symlink("/etc/hostname", at("link")).unwrap();
    let fifo = at("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let names = ["text", "empty", "directory", "link", "fifo"];
    let before = directory.names();
    for name in names {
        for error in [
            Publisher::open(&key(name), &directory.options())
                .map(drop)
                .unwrap_err(),
            Subscriber::attach(&key(name), &directory.options())
                .map(drop)
                .unwrap_err(),
            Block::create(&key(name), 1, &directory.options())
                .map(drop)
                .unwrap_err(),
        ] {
            assert!(
                matches!(error.kind(), AttachErrorKind::Foreign { .. }),
                "{name}: {error:?}"
            );
        }
        assert!(matches!(
            segment::remove(&key(name), &directory.options(), segment::Removal::Forced),
            Err(error) if matches!(error.kind(), RemoveErrorKind::Foreign { .. })
        ));
    }
    let listed = segment::list(&directory.options()).unwrap();
    assert_eq!(listed.len(), names.len());
    assert!(listed.iter().all(|one| one.segment.is_err()));
    assert_eq!(directory.names(), before);
}

#[test]
fn a_segment_of_another_version_is_listed_and_removed_only_if_stale() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("future"), &directory.options()).unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(directory.file(&key("future")))
        .unwrap();
    file.write_all_at(&3u32.to_le_bytes(), 8).unwrap();
    assert!(matches!(
        Subscriber::attach(&key("future"), &directory.options()),
        Err(error) if matches!(error.kind(), AttachErrorKind::Version { found: 3, .. })
    ));
    assert!(matches!(
        Block::create(&key("future"), 1, &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::AlreadyExists
    ));
    assert_eq!(segment::list(&directory.options()).unwrap().len(), 1);
    drop(publisher);
    assert!(directory.names().is_empty());
}

#[test]
fn invalid_headers_are_errors() {
    let directory = TestDirectory::new();
    let forged: [(&str, u64, &[u8]); 4] = [
        ("kind", 20, &9u32.to_le_bytes()),
        ("slots", 12, &u32::MAX.to_le_bytes()),
        ("fewer", 12, &3u32.to_le_bytes()),
        ("block", 48, &u64::MAX.to_le_bytes()),
    ];
    for (name, at, bytes) in forged {
        let block = Block::create(&key(name), 100, &directory.options()).unwrap();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(directory.file(&key(name)))
            .unwrap();
        file.write_all_at(bytes, at).unwrap();
        let error = Block::attach(&key(name), &directory.options())
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(error.kind(), AttachErrorKind::Foreign { .. }),
            "{name}: {error:?}"
        );
        drop(block);
    }
    let block = Block::create(&key("short"), 1 << 20, &directory.options()).unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(directory.file(&key("short")))
        .unwrap();
    file.set_len(0x1_0000 + 100).unwrap();
    let error = Block::attach(&key("short"), &directory.options())
        .map(drop)
        .unwrap_err();
    assert!(error.to_string().contains("cut short"), "{error}");
    drop(block);
}

#[test]
fn a_held_lifecycle_byte_costs_only_the_timeout() {
    let directory = TestDirectory::new();
    let _publisher = Publisher::open(&key("busy"), &directory.options()).unwrap();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(directory.file(&key("busy")))
        .unwrap();
    common::lock_byte_outside_the_library(&file, 1 << 60);
    let short_timeout = directory.options().timeout(Duration::from_millis(30));
    assert!(matches!(
        Publisher::open(&key("busy"), &short_timeout),
        Err(error) if matches!(error.kind(), AttachErrorKind::Busy { .. })
    ));
    assert!(matches!(
        Subscriber::attach(&key("busy"), &short_timeout),
        Err(error) if matches!(error.kind(), AttachErrorKind::Busy { .. })
    ));
    assert!(matches!(
        segment::remove(&key("busy"), &short_timeout, segment::Removal::Forced),
        Err(error) if matches!(error.kind(), RemoveErrorKind::Busy { .. })
    ));
    assert_eq!(
        segment::list(&short_timeout).unwrap().len(),
        1,
        "list does not wait"
    );
}

#[test]
fn modes_are_set_and_missing_directories_reported() {
    let directory = TestDirectory::new();
    let _private = Publisher::open(&key("private"), &directory.options()).unwrap();
    let _shared = Publisher::open(&key("shared"), &directory.options().mode(0o640)).unwrap();
    let mode = |name: &str| {
        std::fs::metadata(directory.file(&key(name)))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("private"), mode("shared")), (0o600, 0o640));

    let nowhere = Options::new().directory(directory.path().join("missing"));
    let error = Publisher::open(&key("x"), &nowhere).map(drop).unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    assert!(segment::list(&nowhere).is_err());
}

#[test]
fn a_list_describes_blocks_and_samples() {
    let directory = TestDirectory::new();
    let _block = Block::create(&key("b"), 4097, &directory.options()).unwrap();
    let samples = Publisher::open(&key("a"), &directory.options()).unwrap();
    samples.publish_text("hello").unwrap();
    let listed = segment::list(&directory.options()).unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    let Content::Samples {
        latest: Some(latest),
        ..
    } = &listed[0].segment.as_ref().unwrap().content
    else {
        panic!("samples")
    };
    assert_eq!(
        (latest.bytes, latest.sequence, latest.metadata.kind()),
        (5, 1.into(), "text")
    );
    let Content::Block { size } = listed[1].segment.as_ref().unwrap().content else {
        panic!("a block")
    };
    assert_eq!(size, 4097);
}

#[test]
fn attaching_to_another_kind_fails() {
    let directory = TestDirectory::new();
    let _block = Block::create(&key("block"), 10, &directory.options()).unwrap();
    assert!(matches!(
        Publisher::open(&key("block"), &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::WrongKind
    ));
    assert!(matches!(
        Subscriber::attach(&key("block"), &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::WrongKind
    ));
    let _samples = Publisher::open(&key("samples"), &directory.options()).unwrap();
    assert!(matches!(
        Block::attach(&key("samples"), &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::WrongKind
    ));
}

#[test]
fn attaching_without_a_free_slot_fails() {
    let directory = TestDirectory::new();
    let mut publishers: Vec<_> = (0..128)
        .map(|_| Publisher::open(&key("full"), &directory.options()).unwrap())
        .collect();
    assert!(matches!(
        Publisher::open(&key("full"), &directory.options()),
        Err(error) if matches!(error.kind(), AttachErrorKind::SlotsFull { slots: 128, .. })
    ));
    publishers.pop();
    assert!(Publisher::open(&key("full"), &directory.options()).is_ok());
}

#[test]
fn a_watch_wakes_only_for_created_and_removed_segments() {
    const LONG: Duration = Duration::from_secs(30);
    let directory = TestDirectory::new();
    let watch = segment::Watch::new(&directory.options()).unwrap();
    assert!(!watch.wait(Duration::ZERO).unwrap());

    let publisher = Publisher::open(&key("k"), &directory.options()).unwrap();
    assert!(watch.wait(LONG).unwrap(), "a segment was created");
    publisher.publish_text("changes no name").unwrap();
    std::fs::write(directory.path().join("unrelated-file"), b"").unwrap();
    assert!(!watch.wait(Duration::from_millis(50)).unwrap());
    assert!(publisher.detach().removed);
    assert!(watch.wait(LONG).unwrap(), "a segment was removed");

    let gone = directory.options().directory("/nonexistent");
    assert!(segment::Watch::new(&gone).is_err());
}
