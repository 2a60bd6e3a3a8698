//! Deaths of processes that use a semaphore.

use crate::{operation::Operation, participants::Participants};

#[test]
fn creating() {
    Operation::new("create a semaphore", "semaphore create 3").kill_at_every_step();
}

#[test]
fn opening() {
    Operation::new("open a semaphore", "semaphore open")
        .beside(Participants::SEMAPHORE)
        .kill_at_every_step();
}

#[test]
fn opening_in_a_dead_holders_slot() {
    Operation::new("open a semaphore in a dead holder's slot", "semaphore open")
        .beside(Participants::SEMAPHORE)
        .after_a_death(&["semaphore open", "semaphore acquire 2 1000"])
        .kill_at_every_step();
}

#[test]
fn acquiring() {
    Operation::new("acquire", "semaphore acquire 2 1000")
        .beside(Participants::SEMAPHORE)
        .after(&["semaphore open"])
        .kill_at_every_step();
}

#[test]
fn acquiring_again() {
    Operation::new("acquire as the last operator", "semaphore acquire 1 1000")
        .beside(Participants::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 1 1000"])
        .kill_at_every_step();
}

#[test]
fn acquiring_a_dead_holders_units() {
    Operation::new("acquire a dead holder's units", "semaphore acquire 2 5000")
        .beside(Participants::SEMAPHORE)
        .after(&["semaphore open"])
        .after_a_holders_death()
        .kill_at_every_step();
}

#[test]
fn releasing() {
    Operation::new("release", "semaphore release 2")
        .beside(Participants::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 2 1000"])
        .kill_at_every_step();
}

#[test]
fn detaching() {
    Operation::new("leave a semaphore with units", "semaphore leave")
        .beside(Participants::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 2 1000"])
        .kill_at_every_step();
}

#[test]
fn detaching_as_the_last() {
    Operation::new("leave a semaphore as the last", "semaphore leave")
        .after(&["semaphore create 3", "semaphore acquire 2 1000"])
        .kill_at_every_step();
}

#[test]
fn removing_by_force() {
    Operation::new("remove --force a semaphore", "remove --force")
        .beside(Participants::SEMAPHORE)
        .remains_or_removed()
        .kill_at_every_step();
}
