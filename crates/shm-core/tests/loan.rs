//! Loans that keep their publisher: they outlive its variable, and go from thread to thread.

mod common;

use std::sync::Arc;
use std::thread;

use common::{TestDirectory, bytes_metadata, key, pattern};
use shm_core::{ErrorCode, Loan, OwnedLoan, Publisher, Subscriber};

/// More than lies in the ring, so that a loan of it is a region.
const LARGE: usize = 1 << 16;

#[test]
fn both_kinds_of_loan_go_to_other_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Loan<'static>>();
    is_send_and_sync::<OwnedLoan>();
}

#[test]
fn an_owned_loan_outlives_its_publishers_variable_and_is_published_on_another_thread() {
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
fn an_owned_loan_that_is_dropped_gives_its_region_back() {
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
    assert_eq!(
        directory.names().len(),
        1,
        "one more loan keeps the segment"
    );
    drop(second);
    assert!(directory.names().is_empty());
}

#[test]
fn an_owned_loan_grows_out_of_the_ring_and_keeps_its_bytes() {
    let directory = TestDirectory::new();
    let publisher = Arc::new(Publisher::open(&key("grow"), &directory.options()).unwrap());
    let mut subscriber = Subscriber::attach(&key("grow"), &directory.options()).unwrap();
    let mut loan = publisher.loan_owned(4).unwrap();
    loan.copy_from_slice(b"abcd");
    let error = loan.resize(usize::MAX).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(*loan, *b"abcd", "the loan stays as it was");
    loan.resize(LARGE).unwrap();
    loan.publish(&bytes_metadata()).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(
        (sample.len(), &sample.payload()[..4]),
        (LARGE, &b"abcd"[..])
    );
}
