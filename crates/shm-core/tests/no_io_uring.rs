//! Waiting where io_uring is not permitted, as in most containers. A test program of its own, because
//! what it gives up never comes back.

mod common;

use common::old_kernel::{forget, wait_in_every_way};

#[test]
fn everything_waits_without_io_uring() {
    forget(&[libc::SYS_io_uring_setup]);
    wait_in_every_way();
}
