//! Takes away system calls that older kernels lack and containers forbid.
#![allow(
    clippy::unwrap_used,
    reason = "test code, including helpers outside of test functions"
)]
#![expect(unsafe_code, reason = "a seccomp filter has no safe wrapper")]

use std::thread;
use std::time::Duration;

use super::{TestDirectory, key};
use rustix::event::{PollFd, PollFlags, poll};
use shm_core::{Next, Publisher, Ready, Subscriber, WaitResult, WaitSet};

const SOON: Duration = Duration::from_secs(10);

/// Lets these system calls fail with `ENOSYS`, on this thread and those that it starts.
pub(crate) fn remove_system_calls(calls: &[libc::c_long]) {
    let code = |bits: u32| u16::try_from(bits).unwrap();
    let instruction = |code: u16, jf: u8, k: u32| libc::sock_filter { code, jt: 0, jf, k };
    let compare = code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
    let end = code(libc::BPF_RET | libc::BPF_K);
    let refuse = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    // The number of the call is the first word of the filter's input.
    let load = code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS);
    let mut program = vec![instruction(load, 0, 0)];
    for &call in calls {
        program.push(instruction(compare, 1, u32::try_from(call).unwrap()));
        program.push(instruction(end, 0, refuse));
    }
    program.push(instruction(end, 0, libc::SECCOMP_RET_ALLOW));
    let filter = libc::sock_fprog {
        len: program.len().try_into().unwrap(),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: only integers are passed.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(done, 0);
    // SAFETY: the program and its descriptor outlive the call, which copies both.
    let done = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const filter,
        )
    };
    assert_eq!(done, 0);
}

/// Waits in every way for events of other threads.
pub(crate) fn wait_in_every_way() {
    let directory = TestDirectory::new();
    let names = ["one", "two", "three"];
    let publishers = names.map(|name| Publisher::open(&key(name), &directory.options()).unwrap());
    let mut subscribers =
        names.map(|name| Subscriber::attach(&key(name), &directory.options()).unwrap());
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
