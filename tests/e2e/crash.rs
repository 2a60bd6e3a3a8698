//! Programs that crash at any moment: the next operation works, and nothing is left behind.

use e2e_tests::Fixture;
use shm_core::{Publisher, Subscriber, WaitResult, segment};

use crate::actor::{Actor, key, options};

#[test]
fn a_killed_holder_is_detected_after_its_slot_is_reused() {
    let fixture = Fixture::new();
    let (mut keeper, mut holder) = (Actor::new(&fixture), Actor::new(&fixture));
    keeper.run("create 64");
    holder.run("attach");
    holder.run("lock 1000");
    holder.kill();
    // Claims the dead process's slot before any process has detected the death.
    let mut next = Actor::new(&fixture);
    next.run("attach");
    assert_eq!(keeper.run("lock 5000"), "abandoned");
}

#[test]
fn two_processes_count_without_lost_updates() {
    let fixture = Fixture::new();
    let (mut first, mut second) = (Actor::new(&fixture), Actor::new(&fixture));
    first.run("create 8");
    second.run("attach");
    first.send("count 50000");
    second.run("count 50000");
    first.wait_done("count");
    assert_eq!(second.run("number"), "100000");
}

#[test]
fn a_publisher_killed_with_a_loan_leaves_the_last_sample_and_frees_the_region() {
    let fixture = Fixture::new();
    let ours = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let mut actor = Actor::new(&fixture);
    actor.run("open");
    actor.run("publish 7 100000");
    actor.run("loan 100000");
    actor.run("loan 100000");
    actor.kill();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(sample.payload()[..9], [7, 0, 0, 0, 0, 0, 0, 0, 7]);
    drop(sample);
    for number in 0..50u8 {
        ours.publish_text(&number.to_string()).unwrap();
    }
    let reserved = segment::info(&key(&fixture), &options(&fixture))
        .unwrap()
        .reserved_bytes;
    assert!(
        reserved < 1 << 20,
        "the dead process's regions are reused: {reserved}"
    );
}

#[test]
fn a_reader_killed_with_a_pin_frees_its_region() {
    let fixture = Fixture::new();
    let ours = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut actor = Actor::new(&fixture);
    let publish = |size: usize| {
        let mut loan = ours.loan(size).unwrap();
        loan.fill(1);
        loan.publish(&shm_core::Metadata::Text).unwrap();
    };
    publish(1 << 20);
    actor.run("subscribe");
    assert_eq!(actor.run("pin"), "1");
    publish(1 << 20);
    assert_eq!(ours.clear().unwrap(), 1, "pinned by the actor");
    actor.kill();
    assert_eq!(ours.clear().unwrap(), 0);
}

#[test]
fn a_sleeping_subscriber_detects_that_the_publisher_was_killed() {
    let fixture = Fixture::new();
    let mut publisher = Actor::new(&fixture);
    publisher.run("open");
    publisher.run("publish 1 10");
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    publisher.kill();
    assert_eq!(subscriber.wait(None).unwrap(), WaitResult::PublisherGone);
    // The subscriber keeps its sample; the name is stale, and the next list removes it.
    subscriber.reread();
    assert!(subscriber.latest().unwrap().is_some());
    fixture.assert_empty();
}

#[test]
fn publishers_killed_while_publishing_never_leave_a_torn_sample() {
    const ROUNDS: usize = 20;
    let fixture = Fixture::new();
    let keeper = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let mut checked = 0;
    for round in 0..ROUNDS {
        let mut actor = Actor::new(&fixture);
        actor.run("open");
        assert_eq!(actor.run("flood 60000"), "flooding");
        // After a different number of samples in each round.
        for _ in 0..round * 3 + 1 {
            assert_eq!(subscriber.wait(None).unwrap(), WaitResult::New);
            checked += u64::from(subscriber.latest().unwrap().is_some_and(|sample| {
                let payload = sample.payload();
                assert!(
                    payload[8..].iter().all(|&byte| byte == payload[0]),
                    "sequence {} is torn",
                    sample.sequence()
                );
                true
            }));
        }
        actor.kill();
    }
    assert!(checked > 0);
    keeper.publish_text("still works").unwrap();
    drop(keeper);
    fixture.assert_empty();
}
