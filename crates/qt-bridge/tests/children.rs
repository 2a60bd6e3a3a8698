//! Segments that are shared with other processes. A test program of its own, because a child
//! inherits its parent's attachments until it executes its program, and tests run in parallel.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use qt_bridge::{Form, Kind, Publisher, QtKey, Segment, Stream, read};
use shm_core::Message;

use common::{TIMEOUT, assert_nothing_left, keys, with_keys};

#[test]
fn a_system_v_segment_of_a_crashed_process_is_replaced() {
    let (directory, keys) = keys();
    for key in [&keys[0], &keys[2]] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_aborts", "--nocapture"])
            .env("ABORTING_KEY", key.native_name())
            .env("ABORTING_LOCK", key.native_lock_name())
            .spawn()
            .unwrap();
        assert!(!child.wait().unwrap().success(), "it aborts");
        let again = Segment::create(key, 5, TIMEOUT).unwrap();
        assert_eq!(again.size(), 5);
        drop(again);
        assert_nothing_left(directory.path(), key);
    }
}

/// Not a test: the child process of the test above.
#[test]
fn child_that_aborts() {
    let Ok(name) = std::env::var("ABORTING_KEY") else {
        return;
    };
    let path = Path::new(&name);
    let key: QtKey = format!("systemv:{name}").parse().unwrap();
    assert_eq!(
        key.native_lock_name(),
        std::env::var("ABORTING_LOCK").unwrap(),
        "{}",
        path.display()
    );
    let segment = Segment::create(&key, 3, TIMEOUT).unwrap();
    std::mem::forget(segment);
    std::process::abort();
}

#[test]
fn a_longer_stream_is_refused_for_a_system_v_segment_in_use_and_extends_a_posix_one() {
    with_keys(|key| {
        let mut publisher = Publisher::new(key, TIMEOUT);
        let short = Message::Text("short".into());
        let long = Message::Text("longer than short".into());
        publisher
            .publish(&Stream::new(&short, Form::QString).unwrap())
            .unwrap();
        let theirs = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_stays_attached", "--nocapture"])
            .env("STAYING_KEY", key.as_str())
            .env("TMPDIR", Path::new(&key.native_name()).parent().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut theirs = theirs.unwrap();
        let mut output = std::io::BufReader::new(theirs.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("attached") {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0);
        }
        let published = publisher.publish(&Stream::new(&long, Form::QString).unwrap());
        match key.kind() {
            Kind::PosixRealtime => published.unwrap(),
            Kind::SystemV => {
                let error = published.unwrap_err().to_string();
                assert!(error.contains(&format!("pid {}", theirs.id())), "{error}");
                let reading = read(key, None, TIMEOUT).unwrap();
                assert_eq!(reading.value.into_message(), Some(short));
            }
        }
        drop(theirs.stdin.take());
        assert!(theirs.wait().unwrap().success());
        publisher
            .publish(&Stream::new(&long, Form::QString).unwrap())
            .unwrap();
    });
}

/// Not a test: the child process of the test above.
#[test]
fn child_that_stays_attached() {
    let Ok(key) = std::env::var("STAYING_KEY") else {
        return;
    };
    let segment = Segment::attach_read_only(&key.parse().unwrap(), TIMEOUT).unwrap();
    println!("attached");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(segment);
}
