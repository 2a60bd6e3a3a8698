//! Deaths of processes that use a block.

use crate::{operation::Operation, participants::Participants};

#[test]
fn creating_a_block() {
    Operation::new("create a block", "create 64").kill_at_every_step();
}

#[test]
fn creating_a_block_without_unnamed_files() {
    Operation::new("create a block under a temporary name", "create 64")
        .without_unnamed_files()
        .kill_at_every_step();
}

#[test]
fn creating_over_a_stale_block() {
    Operation::new("create over a stale block", "create 64")
        .after_a_death(&["create 64"])
        .kill_at_every_step();
}

#[test]
fn attaching() {
    Operation::new("attach to a block", "attach")
        .beside(Participants::BLOCK)
        .kill_at_every_step();
}

#[test]
fn attaching_in_a_dead_holders_slot() {
    Operation::new("attach in a dead holder's slot", "attach")
        .beside(Participants::BLOCK)
        .after_a_death(&["attach", "lock 1000"])
        .kill_at_every_step();
}

#[test]
fn locking() {
    Operation::new("lock", "lock 1000")
        .beside(Participants::BLOCK)
        .after(&["attach"])
        .kill_at_every_step();
}

#[test]
fn unlocking() {
    Operation::new("unlock", "unlock")
        .beside(Participants::BLOCK)
        .after(&["attach", "lock 1000"])
        .kill_at_every_step();
}

#[test]
fn announcing_a_change() {
    Operation::new("announce a change", "announce")
        .beside(Participants::BLOCK)
        .after(&["attach", "lock 1000"])
        .kill_at_every_step();
}

#[test]
fn announcing_a_change_without_a_guard() {
    Operation::new("unlock after an announcement", "detached unlock")
        .beside(Participants::BLOCK)
        .after(&["attach", "detached lock", "detached announce"])
        .kill_at_every_step();
}

#[test]
fn taking_over_a_dead_holders_lock() {
    Operation::new("take over a dead holder's lock", "lock 5000")
        .beside(Participants::BLOCK)
        .after(&["attach"])
        .after_a_holders_death()
        .kill_at_every_step();
}

#[test]
fn unlocking_after_a_repair() {
    Operation::new("unlock after a repair", "unlock")
        .beside(Participants::BLOCK)
        .after_a_death(&["attach", "lock 1000"])
        .after(&["attach", "lock 5000"])
        .kill_at_every_step();
}

#[test]
fn detaching() {
    Operation::new("detach from a block", "leave")
        .beside(Participants::BLOCK)
        .after(&["join block"])
        .kill_at_every_step();
}

#[test]
fn detaching_as_the_last() {
    Operation::new("detach from a block as the last", "leave")
        .after(&["join block"])
        .kill_at_every_step();
}

#[test]
fn removing_by_force() {
    Operation::new("remove --force a block", "remove --force")
        .beside(Participants::BLOCK)
        .remains_or_removed()
        .kill_at_every_step();
}
