//! Owned loans, which keep their publisher and can be sent to other threads.

mod common;

use std::sync::Arc;
use std::thread;

use common::{TestDirectory, bytes_metadata, key, pattern};
use shm_core::{ErrorCode, Loan, OwnedLoan, Publisher, Subscriber};

/// Longer than an inline payload, so that a loan of it is a region.
const LARGE: usize = 1 << 16;

#[test]
fn loans_are_send_and_sync() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Loan<'static>>();
    is_send_and_sync::<OwnedLoan>();
}

#[test]
fn an_owned_loan_is_published_on_another_thread_after_its_publisher_was_dropped() {
    for length in [100, LARGE] {
        let directory = TestDirectory::new();
        let (loan, mut subscriber) = {
            let publisher = Arc::new(Publisher::open(&key("out"), &directory.options()).unwrap());
            let subscriber = Subscriber::attach(&key("out"), &directory.options()).unwrap();
            (publisher.loan_owned(length).unwrap(), subscriber)
        };
        assert_eq!(directory.names().len(), 1, "the loan keeps the segment");
        let publishing = thread::spawn(move || {
            let mut loan = loan;
            loan.copy_from_slice(&pattern(1, length));
            loan.publish(&bytes_metadata()).unwrap()
        });
        assert_eq!(publishing.join().unwrap(), 1);
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.payload(), pattern(1, length));
        assert!(
            directory.names().is_empty(),
            "the last loan removes the segment"
        );
    }
}

#[test]
fn dropping_an_owned_loan_releases_its_region() {
    let directory = TestDirectory::new();
    let publisher = Arc::new(Publisher::open(&key("back"), &directory.options()).unwrap());
    let mut loans = Vec::new();
    let full = loop {
        match publisher.loan_owned(LARGE) {
            Ok(loan) => loans.push(loan),
            Err(error) => break error,
        }
    };
    assert_eq!(full.code(), ErrorCode::Full);
    let dropped = loans.pop().unwrap();
    thread::spawn(move || drop(dropped)).join().unwrap();
    loans.push(publisher.loan_owned(LARGE).unwrap());
    assert!(publisher.loan_owned(LARGE).is_err());
}

#[test]
fn the_publisher_detaches_with_the_last_owned_loan() {
    let directory = TestDirectory::new();
    let publisher = Arc::new(Publisher::open(&key("last"), &directory.options()).unwrap());
    let first = publisher.loan_owned(LARGE).unwrap();
    let second = publisher.loan_owned(100).unwrap();
    drop(publisher);
    first.publish(&bytes_metadata()).unwrap();
    assert_eq!(directory.names().len(), 1, "another loan keeps the segment");
    drop(second);
    assert!(directory.names().is_empty());
}

#[test]
fn growing_an_owned_loan_into_a_region_keeps_its_bytes() {
    let directory = TestDirectory::new();
    let publisher = Arc::new(Publisher::open(&key("grow"), &directory.options()).unwrap());
    let mut subscriber = Subscriber::attach(&key("grow"), &directory.options()).unwrap();
    let mut loan = publisher.loan_owned(4).unwrap();
    loan.copy_from_slice(b"abcd");
    let error = loan.resize(usize::MAX).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(*loan, *b"abcd", "the loan is unchanged");
    loan.resize(LARGE).unwrap();
    loan.publish(&bytes_metadata()).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(
        (sample.len(), &sample.payload()[..4]),
        (LARGE, &b"abcd"[..])
    );
}
