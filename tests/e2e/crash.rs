//! Programs that die without a word, at any moment: the next one works, and nothing is left.

use e2e_tests::Scene;
use shm_core::{Publisher, Subscriber, WaitResult, segment};

use crate::actor::{Actor, key, options};

#[test]
fn a_killed_holder_whose_slot_is_taken_again_is_not_mistaken_for_alive() {
    let scene = Scene::new();
    let (mut keeper, mut holder) = (Actor::new(&scene), Actor::new(&scene));
    keeper.does("create 64");
    holder.does("attach");
    holder.does("lock 1000");
    holder.dies();
    // Comes into the dead one's slot before anybody has noticed.
    let mut next = Actor::new(&scene);
    next.does("attach");
    assert_eq!(keeper.does("lock 5000"), "abandoned");
}

#[test]
fn two_processes_count_exactly() {
    let scene = Scene::new();
    let (mut first, mut second) = (Actor::new(&scene), Actor::new(&scene));
    first.does("create 8");
    second.does("attach");
    first.begins("count 50000");
    second.does("count 50000");
    first.has_done("count");
    assert_eq!(second.does("number"), "100000");
}

#[test]
fn a_publisher_killed_with_a_loan_leaves_the_last_sample_and_a_free_region() {
    let scene = Scene::new();
    let ours = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    let mut subscriber = Subscriber::attach(&key(&scene), &options(&scene)).unwrap();
    let mut actor = Actor::new(&scene);
    actor.does("open");
    actor.does("publish 7 100000");
    actor.does("loan 100000");
    actor.does("loan 100000");
    actor.dies();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(sample.payload()[..9], [7, 0, 0, 0, 0, 0, 0, 0, 7]);
    drop(sample);
    for number in 0..50u8 {
        ours.publish_text(&number.to_string()).unwrap();
    }
    let reserved = segment::info(&key(&scene), &options(&scene))
        .unwrap()
        .reserved_bytes;
    assert!(
        reserved < 1 << 20,
        "the dead one's regions serve again: {reserved}"
    );
}

#[test]
fn a_reader_killed_with_a_pin_frees_its_region() {
    let scene = Scene::new();
    let ours = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    let mut actor = Actor::new(&scene);
    let publish = |size: usize| {
        let mut loan = ours.loan(size).unwrap();
        loan.fill(1);
        loan.publish(&shm_core::Metadata::Text).unwrap();
    };
    publish(1 << 20);
    actor.does("subscribe");
    assert_eq!(actor.does("pin"), "1");
    publish(1 << 20);
    assert_eq!(ours.clear().unwrap(), 1, "pinned by the actor");
    actor.dies();
    assert_eq!(ours.clear().unwrap(), 0);
}

#[test]
fn a_sleeping_subscriber_notices_that_the_publisher_was_killed() {
    let scene = Scene::new();
    let mut publisher = Actor::new(&scene);
    publisher.does("open");
    publisher.does("publish 1 10");
    let mut subscriber = Subscriber::attach(&key(&scene), &options(&scene)).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    publisher.dies();
    assert_eq!(subscriber.wait(None).unwrap(), WaitResult::PublisherGone);
    // What it has it keeps; the name is stale, and the next list removes it.
    subscriber.reread();
    assert!(subscriber.latest().unwrap().is_some());
    scene.assert_empty();
}

#[test]
fn publishers_killed_in_full_flight_never_leave_a_torn_sample() {
    const VICTIMS: usize = 20;
    let scene = Scene::new();
    let keeper = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    let mut subscriber = Subscriber::attach(&key(&scene), &options(&scene)).unwrap();
    let mut checked = 0;
    for victim in 0..VICTIMS {
        let mut actor = Actor::new(&scene);
        actor.does("open");
        assert_eq!(actor.does("flood 60000"), "flooding");
        // So many samples into its life, a different number each time.
        for _ in 0..victim * 3 + 1 {
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
        actor.dies();
    }
    assert!(checked > 0);
    keeper.publish_text("still works").unwrap();
    drop(keeper);
    scene.assert_empty();
}
