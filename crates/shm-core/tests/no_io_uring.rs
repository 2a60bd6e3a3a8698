//! Waiting without io_uring, which most containers do not permit. A test program of its own,
//! because its seccomp filter cannot be removed.

mod common;

use common::old_kernel::{remove_system_calls, wait_in_every_way};

#[test]
fn everything_waits_without_io_uring() {
    remove_system_calls(&[libc::SYS_io_uring_setup]);
    wait_in_every_way();
}
