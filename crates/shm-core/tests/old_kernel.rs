//! Waiting where one thread can sleep on one word alone: before Linux 5.16, and in containers that know no
//! better. A test program of its own, because what it gives up never comes back.
#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]
#![expect(unsafe_code, reason = "nothing safe takes a system call away")]

mod common;

use std::thread;
use std::time::Duration;

use common::{Place, key};
use rustix::event::{PollFd, PollFlags, poll};
use shm_core::{Next, Publisher, Ready, Subscriber, WaitResult, WaitSet};

const SOON: Duration = Duration::from_secs(10);

/// Answers `futex_waitv` as an old kernel does, on this thread and those that it starts.
fn forget_futex_waitv() {
    let code = |bits: u32| u16::try_from(bits).unwrap();
    let instruction = |code: u16, jt: u8, jf: u8, k: u32| libc::sock_filter { code, jt, jf, k };
    let number = u32::try_from(libc::SYS_futex_waitv).unwrap();
    let refuse = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let mut program = [
        // The number of the call is the first word of what the filter is asked about.
        instruction(code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), 0, 0, 0),
        instruction(
            code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K),
            0,
            1,
            number,
        ),
        instruction(code(libc::BPF_RET | libc::BPF_K), 0, 0, refuse),
        instruction(
            code(libc::BPF_RET | libc::BPF_K),
            0,
            0,
            libc::SECCOMP_RET_ALLOW,
        ),
    ];
    let filter = libc::sock_fprog {
        len: 4,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: takes numbers alone.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(done, 0);
    // SAFETY: the program and what names it outlive the call, which copies both.
    let done = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const filter,
        )
    };
    assert_eq!(done, 0);
}

#[test]
fn everything_waits_without_futex_waitv() {
    forget_futex_waitv();
    let place = Place::new();
    let names = ["one", "two", "three"];
    let publishers = names.map(|name| Publisher::open(&key(name), &place.options()).unwrap());
    let mut subscribers =
        names.map(|name| Subscriber::attach(&key(name), &place.options()).unwrap());
    let notifiers = subscribers.each_ref().map(|one| one.notifier().unwrap());
    let mut set = WaitSet::new();
    let tokens = subscribers.each_ref().map(|one| set.add(one));
    assert_eq!(set.wait(Duration::ZERO), Ready::Timeout);

    for (at, publisher) in publishers.iter().enumerate() {
        publisher.publish_text("here").unwrap();
        poll(&mut [PollFd::new(&notifiers[at], PollFlags::IN)], None).unwrap();
        notifiers[at].clear();
        assert_eq!(set.wait(SOON), Ready::Sources(&[tokens[at]]));
        assert!(matches!(
            subscribers[at].next(Duration::ZERO),
            Ok(Next::Sample(_))
        ));
    }

    let of_set = set.interrupter();
    let interrupting = thread::spawn(move || of_set.interrupt());
    assert_eq!(set.wait(None), Ready::Interrupted);
    interrupting.join().unwrap();
    let of_one = subscribers[0].interrupter();
    let interrupting = thread::spawn(move || of_one.interrupt());
    assert_eq!(subscribers[0].wait(None).unwrap(), WaitResult::Interrupted);
    interrupting.join().unwrap();

    // A sleeper is woken by a publication as well.
    let [first, ..] = publishers;
    let publishing = thread::spawn(move || {
        first.publish_text("again").unwrap();
        first
    });
    assert_eq!(set.wait(None), Ready::Sources(&[tokens[0]]));
    drop(publishing.join().unwrap());
}
