//! Deaths of processes that publish, read and remove samples.

use crate::{
    operation::{Found, Operation},
    participants::{BEFORE, Participants},
};

/// The sample before the operation.
const OLD: Found = Some(BEFORE);
/// The sample that the peer has published before the operation.
const OLD_SMALL: Found = Some((1, 64));
/// The sample that the operation publishes.
const NEW: Found = Some((2, 64));
const NEW_LARGE: Found = Some((2, 5000));

fn beside_others(name: &'static str, line: &'static str) -> Operation {
    Operation::new(name, line)
        .beside(Participants::SAMPLES)
        .expect_found(&[OLD])
}

#[test]
fn opening_as_the_first() {
    Operation::new("open a publisher", "open").kill_at_every_step();
}

#[test]
fn opening_persistently() {
    Operation::new("open a persistent publisher", "open persistent")
        .remains_or_removed()
        .expect_found(&[None])
        .kill_at_every_step();
}

#[test]
fn opening_over_stale_samples() {
    Operation::new("open over stale samples", "open")
        .after_a_death(&["open", "publish 1 64"])
        .kill_at_every_step();
}

#[test]
fn opening_persistent_samples() {
    Operation::new("open kept samples", "open")
        .after_a_death(&["open persistent", "publish 1 64"])
        .remains_or_removed()
        .expect_found(&[Some((1, 64))])
        .kill_at_every_step();
}

#[test]
fn joining() {
    beside_others("join publishers", "open").kill_at_every_step();
}

#[test]
fn subscribing() {
    beside_others("subscribe", "subscribe").kill_at_every_step();
}

#[test]
fn subscribing_to_stale_samples() {
    Operation::new("subscribe to stale samples", "subscribe")
        .after_a_death(&["open", "publish 1 64"])
        .kill_at_every_step();
}

#[test]
fn pinning_and_unpinning() {
    beside_others("pin", "pin")
        .after(&["subscribe"])
        .kill_at_every_step();
    beside_others("unpin", "unpin")
        .after(&["subscribe", "pin"])
        .kill_at_every_step();
}

#[test]
fn publishing_for_the_first_time() {
    beside_others("publish a small sample", "publish 2 64")
        .after(&["open"])
        .expect_found(&[OLD, NEW])
        .kill_at_every_step();
}

#[test]
fn publishing_again() {
    beside_others("publish the next small sample", "publish 2 64")
        .after(&["open", "publish 1 5000"])
        .expect_found(&[OLD, NEW])
        .kill_at_every_step();
}

#[test]
fn publishing_many_and_clearing() {
    let mut before = vec!["open"];
    before.extend(["publish 1 64"; 5]);
    beside_others("publish a large sample after small ones", "publish 2 5000")
        .after(&before)
        .expect_found(&[OLD_SMALL, NEW_LARGE])
        .kill_at_every_step();
    beside_others("clear after small samples", "clear")
        .after(&before)
        .expect_found(&[OLD_SMALL, None])
        .kill_at_every_step();
}

#[test]
fn publishing_in_a_full_ring() {
    // A record takes 192 bytes, after the 320 of the other participants: the 84th does not fit
    // before the end of the ring, so the ring is padded, and old records are evicted.
    let mut before = vec!["open"];
    before.extend(["publish 1 64"; 83]);
    beside_others("publish round the end of the ring", "publish 2 64")
        .after(&before)
        .expect_found(&[OLD_SMALL, NEW])
        .kill_at_every_step();
}

#[test]
fn publishing_into_fresh_memory() {
    beside_others("publish into memory that is not there yet", "copy 2 20000")
        .after(&["open"])
        .expect_found(&[OLD, Some((2, 20_000))])
        .kill_at_every_step();
}

#[test]
fn publishing_a_large_sample() {
    beside_others("publish a large sample", "send")
        .after(&["open", "lend 5000", "fill 2"])
        .expect_found(&[OLD, NEW_LARGE])
        .kill_at_every_step();
}

#[test]
fn freeing_memory() {
    // The sixteenth publication frees memory that earlier large samples needed.
    let mut before = vec!["open", "lend 6000000", "lend 6000000", "lend 6000000"];
    before.extend(["fill 1", "send"].repeat(3));
    before.extend(["publish 1 5000"; 12]);
    beside_others("publish and give memory back", "publish 2 64")
        .after(&before)
        .expect_found(&[OLD, NEW])
        .kill_at_every_step();
}

#[test]
fn lending_and_growing() {
    beside_others("lend a large region", "lend 6000000")
        .after(&["open"])
        .kill_at_every_step();
    beside_others("grow a loan", "grow 6000000")
        .after(&["open", "lend 64"])
        .kill_at_every_step();
    beside_others("forget a loan", "forget")
        .after(&["open", "lend 6000000"])
        .kill_at_every_step();
}

#[test]
fn clearing() {
    beside_others("clear", "clear")
        .after(&["open", "lend 6000000", "fill 1", "send", "publish 1 5000"])
        .expect_found(&[OLD, None])
        .kill_at_every_step();
}

#[test]
fn detaching() {
    beside_others("detach a publisher", "leave")
        .after(&["join samples"])
        .kill_at_every_step();
}

#[test]
fn detaching_as_the_last() {
    Operation::new("detach the last publisher", "leave")
        .after(&["join samples"])
        .kill_at_every_step();
}

#[test]
fn removing() {
    Operation::new("remove kept samples", "remove")
        .after_a_death(&["open persistent", "publish 1 64"])
        .remains_or_removed()
        .expect_found(&[Some((1, 64))])
        .kill_at_every_step();
}

#[test]
fn removing_by_force() {
    beside_others("remove --force samples", "remove --force")
        .remains_or_removed()
        .kill_at_every_step();
}

#[test]
fn listing_stale_samples() {
    Operation::new("list stale samples", "list")
        .after_a_death(&["open", "publish 1 64"])
        .kill_at_every_step();
}
