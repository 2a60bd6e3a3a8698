//! Waiting with descriptors, with wait sets, and with interruptions.
#![allow(
    clippy::unwrap_used,
    reason = "test code, including helpers outside of test functions"
)]

mod common;

use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use common::{TestDirectory, key};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shm_core::{
    KeyWatch, Next, Notifier, Options, Publisher, Ready, Subscriber, WaitResult, WaitSet, segment,
};

const SOON: Duration = Duration::from_secs(10);
const NOW: Duration = Duration::ZERO;

/// Waits until a descriptor is readable, for at most `timeout`; returns whether it is.
fn is_readable(fd: impl AsFd, timeout: Duration) -> bool {
    let timeout = Timespec {
        tv_sec: timeout.as_secs().try_into().unwrap(),
        tv_nsec: timeout.subsec_nanos().into(),
    };
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    poll(&mut fds, Some(&timeout)).unwrap() == 1
}

fn texts(subscriber: &mut Subscriber) -> Vec<String> {
    let mut texts = Vec::new();
    while let Next::Sample(sample) = subscriber.next(NOW).unwrap() {
        texts.push(String::from_utf8(sample.payload().to_vec()).unwrap());
    }
    texts
}

fn attached(name: &str, options: &Options) -> (Publisher, Subscriber, Notifier) {
    let publisher = Publisher::open(&key(name), options).unwrap();
    let subscriber = Subscriber::attach(&key(name), options).unwrap();
    let notifier = subscriber.notifier().unwrap();
    (publisher, subscriber, notifier)
}

#[test]
fn a_notifier_is_readable_while_there_may_be_something_to_read() {
    let directory = TestDirectory::new();
    let (publisher, mut subscriber, notifier) = attached("descriptor", &directory.options());
    assert!(!is_readable(&notifier, NOW), "no sample was published");
    for round in 0..100 {
        publisher.publish_text(&format!("{round}")).unwrap();
        assert!(is_readable(&notifier, SOON), "round {round}");
        assert!(is_readable(&notifier, NOW), "until it is cleared");
        notifier.clear();
        assert_eq!(texts(&mut subscriber), [round.to_string()]);
        assert!(!is_readable(&notifier, NOW), "everything was read");
    }
    // A sample between clearing and reading may be reported again, and is never lost.
    publisher.publish_text("one").unwrap();
    assert!(is_readable(&notifier, SOON));
    notifier.clear();
    publisher.publish_text("two").unwrap();
    assert_eq!(texts(&mut subscriber), ["one", "two"]);
    assert!(is_readable(&notifier, SOON));
}

#[test]
fn a_notifier_is_readable_at_once_if_there_are_unread_samples() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("behind"), &directory.options()).unwrap();
    publisher.publish_text("early").unwrap();
    let mut subscriber = Subscriber::attach(&key("behind"), &directory.options()).unwrap();
    let notifier = subscriber.notifier().unwrap();
    assert!(is_readable(&notifier, NOW));
    notifier.clear();
    assert_eq!(texts(&mut subscriber), ["early"]);
    publisher.publish_text("late").unwrap();
    assert!(is_readable(&notifier, SOON));
}

#[test]
fn a_notifier_is_readable_when_the_last_publisher_detaches() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    let (publisher, mut subscriber, notifier) = attached("leaving", &options);
    drop(publisher);
    let end = Instant::now() + SOON;
    loop {
        assert!(
            is_readable(&notifier, end - Instant::now()),
            "it is reported"
        );
        notifier.clear();
        if matches!(subscriber.next(NOW).unwrap(), Next::PublisherGone) {
            break;
        }
    }
}

#[test]
fn a_notifier_is_readable_when_the_file_is_unlinked() {
    let directory = TestDirectory::new();
    let (_publisher, mut subscriber, notifier) = attached("losing", &directory.options());
    segment::remove(
        &key("losing"),
        &directory.options(),
        segment::Removal::Forced,
    )
    .unwrap();
    let end = Instant::now() + SOON;
    loop {
        assert!(
            is_readable(&notifier, end - Instant::now()),
            "it is reported"
        );
        notifier.clear();
        if matches!(subscriber.next(NOW).unwrap(), Next::Removed) {
            break;
        }
    }
}

#[test]
fn watches_have_descriptors() {
    let directory = TestDirectory::new();
    let options = directory.options();
    let keys = KeyWatch::new(&key("coming"), &options).unwrap();
    let all = segment::Watch::new(&options).unwrap();
    assert!(!is_readable(&keys, NOW) && !is_readable(&all, NOW));

    let publisher = Publisher::open(&key("coming"), &options).unwrap();
    assert!(is_readable(&keys, SOON) && is_readable(&all, SOON));
    assert!(keys.attach_within(NOW).is_ok());
    assert!(all.wait(NOW).unwrap());
    assert!(!is_readable(&keys, NOW), "attaching clears it");
    assert!(!is_readable(&all, NOW), "waiting clears it");

    drop(publisher);
    assert!(is_readable(&all, SOON), "the segment was removed");
}

#[test]
fn a_wait_set_reports_the_ready_sources() {
    let directory = TestDirectory::new();
    let names: Vec<String> = (0..20).map(|number| format!("key{number}")).collect();
    let mut set = WaitSet::new();
    let mut sources: Vec<_> = names
        .iter()
        .map(|name| {
            let publisher = Publisher::open(&key(name), &directory.options()).unwrap();
            let subscriber = Subscriber::attach(&key(name), &directory.options()).unwrap();
            (set.add(&subscriber), publisher, subscriber)
        })
        .collect();
    assert_eq!(set.wait(NOW), Ready::Timeout);

    let [three, seven] = [3, 7].map(|at: usize| sources[at].0);
    sources[3].1.publish_text("three").unwrap();
    sources[7].1.publish_text("seven").unwrap();
    assert_eq!(set.wait(SOON), Ready::Sources(&[three, seven]));
    assert_eq!(texts(&mut sources[3].2), ["three"]);
    assert_eq!(texts(&mut sources[7].2), ["seven"]);
    assert_eq!(set.wait(NOW), Ready::Timeout, "each is reported once");

    // From another thread, while it sleeps.
    let (token, publisher, mut subscriber) = sources.pop().unwrap();
    let publishing = thread::spawn(move || {
        publisher.publish_text("later").unwrap();
        publisher
    });
    assert_eq!(set.wait(None), Ready::Sources(&[token]));
    assert_eq!(texts(&mut subscriber), ["later"]);
    drop(publishing.join().unwrap());

    set.remove(token);
    set.remove(three);
    sources[3].1.publish_text("not waited for").unwrap();
    assert_eq!(set.wait(NOW), Ready::Timeout);
}

#[test]
fn a_wait_set_waits_for_keys_ends_and_interruptions() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    let mut set = WaitSet::new();
    let keys = KeyWatch::new(&key("to come"), &options).unwrap();
    let coming = set.add(&keys);
    assert_eq!(set.wait(NOW), Ready::Timeout);

    let publisher = Publisher::open(&key("to come"), &options).unwrap();
    assert_eq!(set.wait(SOON), Ready::Sources(&[coming]));
    let mut subscriber = keys.attach_within(NOW).unwrap();
    let followed = set.add(&subscriber);

    let interrupter = set.interrupter();
    let interrupting = thread::spawn(move || interrupter.interrupt());
    assert_eq!(set.wait(None), Ready::Interrupted);
    interrupting.join().unwrap();
    assert_eq!(set.wait(NOW), Ready::Timeout, "reported once");

    drop(publisher);
    let end = Instant::now() + SOON;
    loop {
        let ready = set.wait(end - Instant::now());
        assert_eq!(ready, Ready::Sources(&[followed]), "the end is reported");
        if matches!(subscriber.next(NOW).unwrap(), Next::PublisherGone) {
            break;
        }
    }
}

#[test]
fn a_wait_is_interrupted_from_another_thread() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("interrupted"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("interrupted"), &directory.options()).unwrap();
    let interrupter = subscriber.interrupter();
    assert_eq!(subscriber.wait(NOW).unwrap(), WaitResult::Timeout);

    for _ in 0..50 {
        let other = interrupter.clone();
        let interrupting = thread::spawn(move || other.interrupt());
        assert_eq!(subscriber.wait(None).unwrap(), WaitResult::Interrupted);
        interrupting.join().unwrap();
    }
    // Twice before the wait: they count as one.
    interrupter.interrupt();
    interrupter.interrupt();
    assert!(matches!(subscriber.next(None), Ok(Next::Interrupted)));
    assert!(matches!(subscriber.next(NOW), Ok(Next::Timeout)));
    // Even if there is always a sample to read.
    publisher.publish_text("news").unwrap();
    interrupter.interrupt();
    assert!(matches!(subscriber.next(None), Ok(Next::Interrupted)));
    assert_eq!(texts(&mut subscriber), ["news"]);
    interrupter.interrupt();
    assert_eq!(subscriber.iter().count(), 0);
    drop(subscriber);
    interrupter.interrupt();
}

#[test]
fn an_end_before_the_wait_is_reported() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    let publisher = Publisher::open(&key("gone before"), &options).unwrap();
    let mut subscriber = Subscriber::attach(publisher.key(), &options).unwrap();
    drop(publisher);

    let mut set = WaitSet::new();
    let token = set.add(&subscriber);
    let notifier = subscriber.notifier().unwrap();
    assert_eq!(set.wait(SOON), Ready::Sources(&[token]));
    notifier.clear();
    let next = subscriber.next(Duration::ZERO).unwrap();
    assert!(matches!(next, Next::PublisherGone), "{next:?}");
    let mut later = WaitSet::new();
    later.add(&subscriber);
    let nothing = later.wait(Duration::from_millis(20));
    assert_eq!(nothing, Ready::Timeout, "already reported");
}

#[test]
fn the_end_of_an_unnoticed_publisher_is_reported_once() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    let first = Publisher::open(&key("twice"), &options).unwrap();
    let mut subscriber = Subscriber::attach(first.key(), &options).unwrap();
    drop(first);
    let gone = subscriber.next(SOON).unwrap();
    assert!(matches!(gone, Next::PublisherGone), "{gone:?}");

    let second = Publisher::open(subscriber.key(), &options).unwrap();
    second.publish_text("here").unwrap();
    let sample = subscriber.next(Duration::ZERO).unwrap();
    assert!(matches!(sample, Next::Sample(_)), "{sample:?}");
    drop(second);
    let gone = subscriber.next(SOON).unwrap();
    assert!(matches!(gone, Next::PublisherGone), "{gone:?}");
    let reported = subscriber.next(Duration::from_millis(20)).unwrap();
    assert!(
        matches!(reported, Next::Timeout),
        "reported once: {reported:?}"
    );
}

#[test]
fn events_before_a_watch_was_added_are_reported_by_the_set() {
    let directory = TestDirectory::new();
    let watch = KeyWatch::new(&key("early"), &directory.options()).unwrap();
    let changes = segment::Watch::new(&directory.options()).unwrap();
    let _publisher = Publisher::open(&key("early"), &directory.options()).unwrap();
    assert!(is_readable(&watch, SOON) && is_readable(&changes, SOON));
    let mut set = WaitSet::new();
    let tokens = [set.add(&watch), set.add(&changes)];
    let mut reported = Vec::new();
    while reported.len() < 2 {
        let Ready::Sources(ready) = set.wait(SOON) else {
            panic!("only {reported:?} of {tokens:?}");
        };
        reported.extend_from_slice(ready);
    }
    reported.sort_by_key(|token| tokens.iter().position(|one| one == token));
    assert_eq!(reported, tokens);
}
