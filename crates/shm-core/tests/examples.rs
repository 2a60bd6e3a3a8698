//! Runs each example as real processes and checks its output.
#![allow(
    clippy::unwrap_used,
    reason = "test code, including helpers outside of test functions"
)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::TestDirectory;

/// Returns the path of an example that was built with the tests.
fn example(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile = this.ancestors().nth(2).unwrap();
    profile.join("examples").join(name)
}

/// A directory of segments for the processes of one test.
struct Processes {
    directory: TestDirectory,
}

impl Processes {
    fn new() -> Self {
        Self {
            directory: TestDirectory::new(),
        }
    }

    /// Starts an example with its input and output connected to pipes.
    fn start(&self, name: &str, arguments: &[&str]) -> Child {
        Command::new(example(name))
            .args(arguments)
            .env("SHM_CORE_DIR", self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"))
    }

    /// Runs an example with this input until it ends; returns its output.
    fn run(&self, name: &str, arguments: &[&str], input: &str) -> String {
        let mut running = self.start(name, arguments);
        running
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        finish(running)
    }

    /// Asserts that no segment is left.
    fn assert_empty(&self) {
        assert_eq!(self.directory.names(), Vec::<String>::new());
    }
}

/// Closes an example's input and waits for its end; returns its output.
fn finish(running: Child) -> String {
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn epoll_waits_for_three_keys_and_the_input() {
    let processes = Processes::new();
    let shown = processes.run("epoll", &[], "one\ntwo\nthree\nfour\n");
    let mut lines: Vec<_> = shown.lines().collect();
    // Lines are ordered under each key, but not across keys.
    lines.sort_unstable();
    let expected = [
        "epoll-left: four",
        "epoll-left: one",
        "epoll-middle: two",
        "epoll-right: three",
    ];
    assert_eq!(lines, expected);
    processes.assert_empty();
}

#[test]
#[cfg(feature = "async")]
fn one_tokio_task_reads_what_another_publishes() {
    let processes = Processes::new();
    assert_eq!(
        processes.run("tokio", &[], ""),
        "number 1\nnumber 2\nnumber 3\n"
    );
    processes.assert_empty();
}

#[test]
fn semaphore_clients_do_each_job_once() {
    let processes = Processes::new();
    let output = processes.run("semaphore", &[], "");
    let mut squares: Vec<u64> = output
        .lines()
        .filter_map(|line| line.split_once("squared is ")?.1.parse().ok())
        .collect();
    squares.sort_unstable();
    assert_eq!(squares, [1, 4, 9, 16, 25, 36], "{output}");
    assert!(output.ends_with("server: 0 units are left\n"), "{output}");
    processes.assert_empty();
}

#[test]
fn subscribe_prints_the_lines_of_publish_until_it_ends() {
    let processes = Processes::new();
    let mut subscriber = processes.start("subscribe", &["greeting"]);
    let mut output = BufReader::new(subscriber.stdout.take().unwrap()).lines();

    let mut publisher = processes.start("publish", &["greeting"]);
    let mut input = publisher.stdin.take().unwrap();
    input.write_all("hello\n".as_bytes()).unwrap();
    assert_eq!(output.next().unwrap().unwrap(), "1: hello");
    input.write_all("世界\n".as_bytes()).unwrap();
    drop(input);

    let rest: Vec<_> = output.map(Result::unwrap).collect();
    assert_eq!(rest, ["2: 世界"]);
    assert_eq!(
        finish(publisher),
        "published sample 1\npublished sample 2\n"
    );
    finish(subscriber);
    processes.assert_empty();
}

#[test]
fn block_counts_every_increment_of_concurrent_processes() {
    let processes = Processes::new();
    let adding: Vec<_> = (0..4)
        .map(|_| processes.start("block", &["add", "hits", "1000"]))
        .collect();
    for process in adding {
        finish(process);
    }
    assert_eq!(processes.run("block", &["show", "hits"], ""), "4000\n");
    processes.run("block", &["remove", "hits"], "");
    processes.assert_empty();
}

#[test]
fn frames_are_shown_or_counted_as_skipped() {
    const FRAMES: u64 = 10;
    let processes = Processes::new();
    let subscriber = processes.start("frames", &["show", "camera"]);
    processes.run("frames", &["publish", "camera", "10", "20"], "");
    let output = finish(subscriber);
    let last = output.lines().last().unwrap();
    let (shown, skipped) = last.split_once(" frames shown, ").unwrap();
    let shown: u64 = shown.parse().unwrap();
    let skipped: u64 = skipped.strip_suffix(" skipped").unwrap().parse().unwrap();
    assert!(shown >= 1, "{output}");
    assert!(shown + skipped <= FRAMES, "{output}");
    assert!(output.contains("frame 9, shade 9: "), "{output}");
    processes.assert_empty();
}

#[test]
fn typed_reads_the_values_that_were_published() {
    let processes = Processes::new();
    let mut publisher = processes.start("typed", &["publish", "robot"]);
    let mut lines = BufReader::new(publisher.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "published");
    assert_eq!(
        processes.run("typed", &["read", "robot"], ""),
        "position: 1.5 -2 0.25\nranges: [0.5, 1.0, 2.0]\n"
    );
    finish(publisher);
    processes.assert_empty();
}
