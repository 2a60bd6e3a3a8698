//! A scripted peer, controlled by a test.

use std::time::{Duration, Instant};
use std::{fs, thread};

use e2e_tests::{Fixture, Launch, Outcome, Program, TIMEOUT};
use shm_core::{Key, Options};

/// A process that runs library calls on command, one line each.
pub(crate) struct Actor(Program);

impl Actor {
    /// Starts an actor that uses the fixture's key.
    pub(crate) fn new(fixture: &Fixture) -> Actor {
        Actor::start(Actor::launch(fixture))
    }

    /// Returns its command line, to start it in another way.
    pub(crate) fn launch(fixture: &Fixture) -> Launch {
        let actor = fixture.program(env!("CARGO_BIN_EXE_actor"));
        actor.args([fixture.key()]).input_kept_open()
    }

    pub(crate) fn start(launch: Launch) -> Actor {
        Actor(launch.start())
    }

    /// Runs a command and returns its answer, without the leading "ok".
    pub(crate) fn run(&mut self, line: &str) -> String {
        self.send(line);
        self.wait_done(line)
    }

    /// Runs a command that may fail, and returns its whole answer.
    pub(crate) fn try_run(&mut self, line: &str) -> String {
        self.send(line);
        self.wait_answer()
    }

    /// Waits for the whole answer to the last command.
    pub(crate) fn wait_answer(&self) -> String {
        self.0.wait_for("")
    }

    /// Sends a command without waiting for the answer.
    pub(crate) fn send(&mut self, line: &str) {
        self.0.write_line(line);
    }

    /// Waits until the last command succeeds, and returns its answer.
    pub(crate) fn wait_done(&self, line: &str) -> String {
        let answer = self.0.wait_for("");
        let done = answer.strip_prefix("ok ").map(str::to_owned);
        done.unwrap_or_else(|| panic!("{line}: {answer}"))
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(self) {
        assert_eq!(self.0.kill().signal, Some(9));
    }

    /// Closes its input, so that it exits, and returns the result.
    pub(crate) fn finish(self) -> Outcome {
        self.0.finish()
    }

    /// Waits until it sleeps on a futex.
    pub(crate) fn wait_until_asleep(&self) {
        let call = format!("/proc/{}/syscall", self.0.pid());
        let futex = format!("{} ", libc::SYS_futex);
        let deadline = Instant::now() + TIMEOUT;
        while !fs::read_to_string(&call).unwrap().starts_with(&futex) {
            assert!(Instant::now() < deadline, "it does not sleep");
            thread::yield_now();
        }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0
    }
}

/// Returns the fixture's key, for the library in the test's own process.
pub(crate) fn key(fixture: &Fixture) -> Key {
    Key::new(fixture.key()).unwrap()
}

/// Returns options with the fixture's directory, for the library in the test's own process.
pub(crate) fn options(fixture: &Fixture) -> Options {
    Options::new().directory(fixture.segments())
}

/// Runs a closure, and measures how long it takes.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (act(), began.elapsed())
}
