//! Waiting where one thread can sleep on one word alone: before Linux 5.16. A test program of its own,
//! because what it gives up never comes back.

mod common;

use common::old_kernel::{forget, wait_in_every_way};

#[test]
fn everything_waits_without_futex_waitv_and_io_uring() {
    forget(&[libc::SYS_futex_waitv, libc::SYS_io_uring_setup]);
    wait_in_every_way();
}
