//! Deaths of who uses a semaphore.

use crate::{company::Company, operation::Operation};

#[test]
fn creating() {
    Operation::new("create a semaphore", "semaphore create 3").dies_everywhere();
}

#[test]
fn opening() {
    Operation::new("open a semaphore", "semaphore open")
        .beside(Company::SEMAPHORE)
        .dies_everywhere();
}

#[test]
fn opening_where_a_dead_holder_was() {
    Operation::new("open a semaphore in a dead holder's slot", "semaphore open")
        .beside(Company::SEMAPHORE)
        .after_a_death(&["semaphore open", "semaphore acquire 2 1000"])
        .dies_everywhere();
}

#[test]
fn acquiring() {
    Operation::new("acquire", "semaphore acquire 2 1000")
        .beside(Company::SEMAPHORE)
        .after(&["semaphore open"])
        .dies_everywhere();
}

#[test]
fn acquiring_again() {
    Operation::new("acquire as the last operator", "semaphore acquire 1 1000")
        .beside(Company::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 1 1000"])
        .dies_everywhere();
}

#[test]
fn acquiring_what_a_dead_holder_had() {
    Operation::new("acquire a dead holder's units", "semaphore acquire 2 5000")
        .beside(Company::SEMAPHORE)
        .after(&["semaphore open"])
        .after_a_holders_death()
        .dies_everywhere();
}

#[test]
fn releasing() {
    Operation::new("release", "semaphore release 2")
        .beside(Company::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 2 1000"])
        .dies_everywhere();
}

#[test]
fn leaving() {
    Operation::new("leave a semaphore with units", "semaphore leave")
        .beside(Company::SEMAPHORE)
        .after(&["semaphore open", "semaphore acquire 2 1000"])
        .dies_everywhere();
}

#[test]
fn leaving_as_the_last() {
    Operation::new("leave a semaphore as the last", "semaphore leave")
        .after(&["semaphore create 3", "semaphore acquire 2 1000"])
        .dies_everywhere();
}

#[test]
fn removing_by_force() {
    Operation::new("remove --force a semaphore", "remove --force")
        .beside(Company::SEMAPHORE)
        .stays_or_goes()
        .dies_everywhere();
}
