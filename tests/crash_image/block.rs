//! Deaths of who uses a block.

use crate::{company::Company, operation::Operation};

#[test]
fn creating_a_block() {
    Operation::new("create a block", "create 64").dies_everywhere();
}

#[test]
fn creating_a_block_without_unnamed_files() {
    Operation::new("create a block under a temporary name", "create 64")
        .without_unnamed_files()
        .dies_everywhere();
}

#[test]
fn creating_over_what_a_crash_left() {
    Operation::new("create over a stale block", "create 64")
        .after_a_death(&["create 64"])
        .dies_everywhere();
}

#[test]
fn attaching() {
    Operation::new("attach to a block", "attach")
        .beside(Company::BLOCK)
        .dies_everywhere();
}

#[test]
fn attaching_where_a_dead_holder_was() {
    Operation::new("attach in a dead holder's slot", "attach")
        .beside(Company::BLOCK)
        .after_a_death(&["attach", "lock 1000"])
        .dies_everywhere();
}

#[test]
fn locking() {
    Operation::new("lock", "lock 1000")
        .beside(Company::BLOCK)
        .after(&["attach"])
        .dies_everywhere();
}

#[test]
fn unlocking() {
    Operation::new("unlock", "unlock")
        .beside(Company::BLOCK)
        .after(&["attach", "lock 1000"])
        .dies_everywhere();
}

#[test]
fn announcing_a_change() {
    Operation::new("announce a change", "announce")
        .beside(Company::BLOCK)
        .after(&["attach", "lock 1000"])
        .dies_everywhere();
}

#[test]
fn announcing_a_change_without_a_guard() {
    Operation::new("unlock after an announcement", "detached unlock")
        .beside(Company::BLOCK)
        .after(&["attach", "detached lock", "detached announce"])
        .dies_everywhere();
}

#[test]
fn taking_over_a_dead_holders_lock() {
    Operation::new("take over a dead holder's lock", "lock 5000")
        .beside(Company::BLOCK)
        .after(&["attach"])
        .after_a_holders_death()
        .dies_everywhere();
}

#[test]
fn unlocking_after_a_repair() {
    Operation::new("unlock after a repair", "unlock")
        .beside(Company::BLOCK)
        .after_a_death(&["attach", "lock 1000"])
        .after(&["attach", "lock 5000"])
        .dies_everywhere();
}

#[test]
fn detaching() {
    Operation::new("detach from a block", "leave")
        .beside(Company::BLOCK)
        .after(&["visit block"])
        .dies_everywhere();
}

#[test]
fn detaching_as_the_last() {
    Operation::new("detach from a block as the last", "leave")
        .after(&["visit block"])
        .dies_everywhere();
}

#[test]
fn removing_by_force() {
    Operation::new("remove --force a block", "remove --force")
        .beside(Company::BLOCK)
        .stays_or_goes()
        .dies_everywhere();
}
