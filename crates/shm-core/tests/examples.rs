//! The examples do what they say.
#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod common;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::Place;

/// An example that was built with the tests.
fn example(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile = this.ancestors().nth(2).unwrap();
    profile.join("examples").join(name)
}

/// Runs an example with this input; what it printed.
fn run(name: &str, input: &str) -> String {
    let place = Place::new();
    let mut running = Command::new(example(name))
        .env("SHM_CORE_DIR", place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    running
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    assert_eq!(place.names(), Vec::<String>::new(), "{name} leaves nothing");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn epoll_waits_for_three_keys_and_the_input() {
    let shown = run("epoll", "one\ntwo\nthree\nfour\n");
    let mut lines: Vec<_> = shown.lines().collect();
    // In order under each key, not among them.
    lines.sort_unstable();
    let expected = [
        "epoll-left: four",
        "epoll-left: one",
        "epoll-middle: two",
        "epoll-right: three",
    ];
    assert_eq!(lines, expected);
}

#[test]
#[cfg(feature = "async")]
fn a_task_reads_what_another_publishes() {
    assert_eq!(run("tokio", ""), "number 1\nnumber 2\nnumber 3\n");
}

#[test]
fn clients_of_a_server_do_each_job_once() {
    let said = run("semaphore", "");
    let mut squares: Vec<u64> = said
        .lines()
        .filter_map(|line| line.split_once("squared is ")?.1.parse().ok())
        .collect();
    squares.sort_unstable();
    assert_eq!(squares, [1, 4, 9, 16, 25, 36], "{said}");
    assert!(said.ends_with("server: 0 units are left\n"), "{said}");
}
