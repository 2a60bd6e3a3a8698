//! Samples for tasks, on two executors.
#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]
#![cfg(feature = "async")]

mod common;

use std::time::Duration;

use common::{Place, key};
use futures_lite::{StreamExt, future};
use shm_core::{Options, Publisher, SampleStream, Subscriber};

const COUNT: usize = 1_000;

fn stream(name: &str, options: &Options) -> SampleStream {
    let subscriber = Subscriber::attach(&key(name), options).unwrap();
    subscriber.into_stream().unwrap()
}

/// Publishes numbers from another thread, a little slower than a reader can read, and leaves.
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

/// Reads what another thread publishes, until that has left.
fn everything_arrives(name: &str, run: impl FnOnce(SampleStream) -> Vec<u64>) {
    let place = Place::new();
    let options = place.options().ring_bytes(1 << 20).persistent(true);
    let publisher = Publisher::open(&key(name), &options).unwrap();
    let stream = stream(name, &options);
    let publishing = publish_numbers(publisher);
    let expected: Vec<u64> = (0..COUNT as u64).collect();
    assert_eq!(run(stream), expected);
    publishing.join().unwrap();
}

#[test]
fn every_sample_arrives_on_tokio() {
    everything_arrives("tokio", |stream| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(numbers(stream))
    });
}

#[test]
fn every_sample_arrives_on_async_io() {
    everything_arrives("async-io", |stream| async_io::block_on(numbers(stream)));
}

#[test]
fn tasks_share_a_thread_while_they_wait() {
    let place = Place::new();
    let names = ["one", "two", "three"];
    let publishers = names.map(|name| Publisher::open(&key(name), &place.options()).unwrap());
    let mut streams = names.map(|name| stream(name, &place.options()));
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
fn a_stream_that_is_given_up_can_be_taken_up_again() {
    let place = Place::new();
    let publisher = Publisher::open(&key("again"), &place.options()).unwrap();
    let mut stream = stream("again", &place.options());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let waited = tokio::time::timeout(Duration::from_millis(10), stream.next()).await;
        assert!(waited.is_err(), "nothing was published");
        publisher.publish_text("now").unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().payload(), b"now");
    });
    let mut subscriber = stream.into_inner();
    assert!(subscriber.latest().unwrap().is_none());
}
