//! Streams of samples, on two executors.
#![allow(
    clippy::unwrap_used,
    reason = "test code, including helpers outside of test functions"
)]
#![cfg(feature = "async")]

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use common::{TestDirectory, key};
use futures_lite::{Stream, StreamExt, future};
use shm_core::{Options, Publisher, SampleStream, Subscriber};

const COUNT: usize = 1_000;

fn stream(name: &str, options: &Options) -> SampleStream {
    let subscriber = Subscriber::attach(&key(name), options).unwrap();
    subscriber.into_stream().unwrap()
}

/// Publishes numbers from another thread, slower than the stream reads them, and detaches.
fn publish_numbers(publisher: Publisher) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for number in 0..COUNT {
            publisher.publish_value(&(number as u64)).unwrap();
            if number % 10 == 0 {
                std::thread::yield_now();
            }
        }
    })
}

async fn numbers(mut stream: SampleStream) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(sample) = stream.next().await {
        numbers.push(sample.unwrap().read().unwrap());
    }
    numbers
}

/// Asserts that a stream returns all samples of another thread, then ends.
fn assert_all_samples_arrive(name: &str, run: impl FnOnce(SampleStream) -> Vec<u64>) {
    let directory = TestDirectory::new();
    let options = directory.options().ring_bytes(1 << 20).persistent(true);
    let publisher = Publisher::open(&key(name), &options).unwrap();
    let stream = stream(name, &options);
    let publishing = publish_numbers(publisher);
    let expected: Vec<u64> = (0..COUNT as u64).collect();
    assert_eq!(run(stream), expected);
    publishing.join().unwrap();
}

#[test]
fn every_sample_arrives_on_tokio() {
    assert_all_samples_arrive("tokio", |stream| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(numbers(stream))
    });
}

#[test]
fn every_sample_arrives_on_async_io() {
    assert_all_samples_arrive("async-io", |stream| async_io::block_on(numbers(stream)));
}

#[test]
fn tasks_share_a_thread_while_they_wait() {
    let directory = TestDirectory::new();
    let names = ["one", "two", "three"];
    let publishers = names.map(|name| Publisher::open(&key(name), &directory.options()).unwrap());
    let mut streams = names.map(|name| stream(name, &directory.options()));
    let publishing = std::thread::spawn(move || {
        for publisher in publishers.iter().rev() {
            publisher.publish_text(publisher.key().as_str()).unwrap();
        }
        publishers
    });
    async_io::block_on(async {
        let [one, two, three] = &mut streams;
        let (first, others) = future::zip(one.next(), future::zip(two.next(), three.next())).await;
        let samples = [first, others.0, others.1].map(|sample| sample.unwrap().unwrap());
        let texts = samples.each_ref().map(|sample| sample.payload());
        assert_eq!(texts, names.map(str::as_bytes));
    });
    drop(publishing.join().unwrap());
}

#[test]
fn an_abandoned_wait_loses_no_sample() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("again"), &directory.options()).unwrap();
    let mut stream = stream("again", &directory.options());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let waited = tokio::time::timeout(Duration::from_millis(10), stream.next()).await;
        assert!(waited.is_err(), "no sample was published");
        publisher.publish_text("now").unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().payload(), b"now");
    });
    let mut subscriber = stream.into_inner();
    assert!(subscriber.latest().unwrap().is_none());
}

#[test]
fn a_stream_ends_if_the_last_publisher_had_detached_before() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    drop(Publisher::open(&key("gone"), &options).unwrap());
    let mut stream = stream("gone", &options);
    assert!(async_io::block_on(stream.next()).is_none());
}

/// A waker that owns a value, and runs a closure when it is woken.
struct Task(
    #[allow(dead_code, reason = "what it owns ends with it")] Option<SampleStream>,
    fn(),
);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.1();
    }
}

fn poll(stream: &mut SampleStream, waker: &Waker) -> bool {
    let polled = Pin::new(stream).poll_next(&mut Context::from_waker(waker));
    polled.is_ready()
}

#[test]
fn a_waker_may_own_and_drop_a_stream() {
    let directory = TestDirectory::new();
    let _publisher = Publisher::open(&key("owned"), &directory.options()).unwrap();
    // Many times, because the helper thread may be the one that drops the waker.
    for _ in 0..100 {
        let [mut one, other] = [(); 2].map(|()| stream("owned", &directory.options()));
        let waker = Waker::from(Arc::new(Task(Some(other), || ())));
        assert!(!poll(&mut one, &waker));
        drop(waker);
        let (sender, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(one);
            sender.send(())
        });
        let end = ended.recv_timeout(Duration::from_secs(10));
        end.expect("dropping it ends");
    }
}

static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

#[test]
fn a_panicking_waker_does_not_stop_other_streams() {
    let directory = TestDirectory::new();
    let publishers =
        ["panics", "waits"].map(|name| Publisher::open(&key(name), &directory.options()).unwrap());
    let [mut panics, mut waits] =
        ["panics", "waits"].map(|name| stream(name, &directory.options()));
    let waker = Waker::from(Arc::new(Task(None, || {
        HAS_PANICKED.store(true, Ordering::SeqCst);
        panic!("as a test wants it");
    })));
    assert!(!poll(&mut panics, &waker));
    publishers[0].publish_text("for the waker").unwrap();
    while !HAS_PANICKED.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    assert!(async_io::block_on(future::poll_once(waits.next())).is_none());
    publishers[1].publish_text("for the other").unwrap();
    let sample = async_io::block_on(waits.next()).unwrap().unwrap();
    assert_eq!(sample.payload(), b"for the other");
}
