//! A peer that cuts the file short while it is read in place: an error, not a death.
//!
//! A test of its own, because the guard is for the whole process.

mod common;

use common::{TestDirectory, bytes_metadata, key};
use shm_core::{Publisher, ReadErrorKind, Subscriber};

#[test]
fn a_reader_survives_and_is_told() {
    shm_core::guard_against_truncation().unwrap();
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("cut"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("cut"), &directory.options()).unwrap();
    publisher
        .publish(&bytes_metadata(), &vec![7; 1 << 20])
        .unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(sample.payload()[0], 7);
    sample.verify().unwrap();

    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(directory.file(&key("cut")))
        .unwrap();
    file.set_len(0x7000).unwrap();
    assert_eq!(sample.payload()[500_000], 0, "what is gone reads as zero");
    assert!(matches!(sample.verify(), Err(error) if *error.kind() == ReadErrorKind::Truncated));
    assert!(matches!(
        sample.copy_to(&mut [0; 10]),
        Err(error) if *error.kind() == ReadErrorKind::Truncated
    ));
    assert!(matches!(
        sample.to_message(),
        Err(error) if *error.kind() == ReadErrorKind::Truncated
    ));
    subscriber = subscriber.from_oldest();
    assert!(matches!(
        subscriber.latest(),
        Err(error) if *error.kind() == ReadErrorKind::Truncated
    ));

    file.set_len(0).unwrap();
    assert!(matches!(
        subscriber.latest(),
        Err(error) if *error.kind() == ReadErrorKind::Truncated
    ));
    assert!(publisher.publish(&bytes_metadata(), &[1; 10]).is_err());
}
