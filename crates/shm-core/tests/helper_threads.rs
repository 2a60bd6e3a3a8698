//! The threads and descriptors that waiting takes, and their release. A single test, because it
//! counts those of the process.
#![allow(
    clippy::unwrap_used,
    reason = "test code, including helpers outside of test functions"
)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{TestDirectory, key};
use rustix::process::{Resource, getrlimit, setrlimit};
use shm_core::{KeyWatch, Publisher, Ready, Subscriber, WaitSet, segment};

const SOON: Duration = Duration::from_secs(10);

/// The library's threads: the reactor's, and those that sleep on futexes where io_uring is not
/// permitted.
fn helpers() -> (usize, usize) {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    let names: Vec<_> = names.filter(|name| name.starts_with("shm-core")).collect();
    let futex = names
        .iter()
        .filter(|name| name.trim_end() == "shm-core futex");
    let futex = futex.count();
    (names.len() - futex, futex)
}

/// Asserts that one thread waits for everything; without io_uring, `others` more.
fn assert_helpers(others: usize) {
    wait_until("one thread waits", || {
        [(1, 0), (1, others)].contains(&helpers())
    });
}

/// Returns the number of descriptors, and how many of them are inotify instances.
fn descriptors() -> (usize, usize) {
    let all: Vec<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
        .collect();
    let inotify = all
        .iter()
        .filter(|target| target.to_string_lossy().contains("inotify"));
    (all.len(), inotify.count())
}

/// Polls until a condition holds, because the end of a thread is no event.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// Returns the processor time of this process in ticks of 10 ms.
fn processor_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_the_name) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<_> = behind_the_name.split(' ').collect();
    // Fields 14 and 15 of proc(5).
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Waits for a thousand keys, of which seven are ready.
fn a_wait_set_reports_seven_of_a_thousand_keys(directory: &TestDirectory) {
    const MANY: usize = 1_000;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let publishers: Vec<_> = (0..MANY)
        .map(|number| {
            let options = directory.options().ring_bytes(1 << 14);
            Publisher::open(&key(&format!("n{number}")), &options).unwrap()
        })
        .collect();
    let mut set = WaitSet::new();
    let mut subscribers: Vec<_> = publishers
        .iter()
        .map(|publisher| {
            let subscriber = Subscriber::attach(publisher.key(), &directory.options()).unwrap();
            (set.add(&subscriber), subscriber)
        })
        .collect();
    for at in [0, 1, 125, 126, 127, 500, 999] {
        publishers[at].publish_text("here").unwrap();
        let (token, subscriber) = &mut subscribers[at];
        assert_eq!(set.wait(SOON), Ready::Sources(&[*token]), "number {at}");
        assert!(subscriber.latest().unwrap().is_some());
    }
    // 126 on this thread; without io_uring 127 on each of 7 others.
    assert_helpers(7);
    let before = processor_ticks();
    assert_eq!(set.wait(Duration::from_secs(1)), Ready::Timeout);
    let used = processor_ticks() - before;
    assert!(used <= 10, "{used} hundredths of a second for nothing");
}

#[test]
fn helper_threads_and_descriptors_are_shared_and_released() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("all"), &directory.options()).unwrap();
    let subscribers: Vec<_> = (0..100)
        .map(|_| Subscriber::attach(&key("all"), &directory.options()).unwrap())
        .collect();
    let before = descriptors();
    assert_eq!((helpers(), before.1), ((0, 0), 0), "no helper yet");

    let notifiers: Vec<_> = subscribers
        .iter()
        .map(|one| one.notifier().unwrap())
        .collect();
    let watches: Vec<_> = (0..50)
        .map(|number| KeyWatch::new(&key(&format!("k{number}")), &directory.options()).unwrap())
        .collect();
    let changes = segment::Watch::new(&directory.options()).unwrap();
    let mut set = WaitSet::new();
    let tokens: Vec<_> = subscribers.iter().map(|one| set.add(one)).collect();
    // For a hundred notifiers and fifty keys.
    assert_helpers(1);
    assert_eq!(descriptors().1, 1, "inotify instances");
    publisher.publish_text("all of them").unwrap();
    assert!(matches!(set.wait(SOON), Ready::Sources(ready) if !ready.is_empty()));
    drop((notifiers, watches, changes));
    assert_eq!(tokens.len(), 100);
    drop(set);
    wait_until("the threads end", || helpers() == (0, 0));
    wait_until("their descriptors are closed", || descriptors() == before);

    // New ones start again.
    let notifier = subscribers[0].notifier().unwrap();
    assert_helpers(1);
    drop(notifier);
    wait_until("they end again", || helpers() == (0, 0));

    a_wait_set_reports_seven_of_a_thousand_keys(&directory);
    wait_until("the threads end", || helpers() == (0, 0));

    #[cfg(feature = "async")]
    {
        use futures_lite::{StreamExt, future};

        let streaming = Subscriber::attach(&key("all"), &directory.options()).unwrap();
        let mut stream = streaming.from_now().into_stream().unwrap();
        let pending = async_io::block_on(future::poll_once(stream.next()));
        assert!(pending.is_none(), "nothing is new");
        drop(stream);
        wait_until("the threads end", || helpers() == (0, 0));
    }
}
