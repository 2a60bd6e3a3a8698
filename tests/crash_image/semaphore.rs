//! Deaths of who uses a semaphore.

use crate::{participants::Participants, operation::Operation};

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
fn opening_where_a_dead_holder_was() {
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
fn acquiring_what_a_dead_holder_had() {
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
fn leaving() {
    Operation::new("leave a semaphore with units", "semaphore leave")
        .beside(Participants::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 2 1000"])
        .kill_at_every_step();
}

#[test]
fn leaving_as_the_last() {
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
