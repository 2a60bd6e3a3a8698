//! Interrupting a wait in a signal handler. A test program of its own, because handlers are
//! process-wide.
#![expect(unsafe_code, reason = "signal handlers have no safe wrapper")]

mod common;

use std::sync::OnceLock;
use std::thread;

use common::{TestDirectory, key};
use shm_core::{Interrupter, Next, Publisher, Ready, Subscriber, WaitSet};

static INTERRUPTER: OnceLock<Interrupter> = OnceLock::new();
static SET_INTERRUPTER: OnceLock<Interrupter> = OnceLock::new();

extern "C" fn handle(signal: libc::c_int) {
    let interrupter = match signal {
        libc::SIGUSR1 => INTERRUPTER.get(),
        _ => SET_INTERRUPTER.get(),
    };
    interrupter.expect("set before the handler").interrupt();
}

fn handle_signal(signal: libc::c_int) {
    let handler: extern "C" fn(libc::c_int) = handle;
    // SAFETY: the handler is async-signal-safe: it stores a word and makes one system call.
    let before = unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
}

fn send(signal: libc::c_int) {
    // SAFETY: sends a signal to this process, which handles it.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

#[test]
fn a_signal_handler_interrupts_a_wait() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("signalled"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("signalled"), &directory.options()).unwrap();
    let mut set = WaitSet::new();
    set.add(&subscriber);
    INTERRUPTER.set(subscriber.interrupter()).unwrap();
    SET_INTERRUPTER.set(set.interrupter()).unwrap();
    handle_signal(libc::SIGUSR1);
    handle_signal(libc::SIGUSR2);
    for _ in 0..20 {
        let sending = thread::spawn(|| send(libc::SIGUSR1));
        assert!(matches!(subscriber.next(None), Ok(Next::Interrupted)));
        sending.join().unwrap();
        let sending = thread::spawn(|| send(libc::SIGUSR2));
        assert_eq!(set.wait(None), Ready::Interrupted);
        sending.join().unwrap();
    }
    publisher.publish_text("still here").unwrap();
    assert!(subscriber.latest().unwrap().is_some());
}
