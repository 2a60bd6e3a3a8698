//! A peer that truncates the file while it is read in place causes an error, not a signal.
//!
//! A test program of its own, because the guard is process-wide.

mod common;

use common::{TestDirectory, bytes_metadata, key};
use shm_core::{Publisher, ReadErrorKind, Subscriber};

#[test]
fn a_reader_survives_a_truncation_and_gets_an_error() {
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
    assert_eq!(
        sample.payload()[500_000],
        0,
        "truncated memory reads as zero"
    );
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
