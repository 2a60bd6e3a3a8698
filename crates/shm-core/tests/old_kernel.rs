//! Waiting on a kernel without futex_waitv (before Linux 5.16) and without io_uring. A test program
//! of its own, because its seccomp filter cannot be removed.

mod common;

use common::old_kernel::{remove_system_calls, wait_in_every_way};

#[test]
fn everything_waits_without_futex_waitv_and_io_uring() {
    remove_system_calls(&[libc::SYS_futex_waitv, libc::SYS_io_uring_setup]);
    wait_in_every_way();
}
