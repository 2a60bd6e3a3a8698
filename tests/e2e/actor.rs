//! A scripted peer, as a test leads it.

use std::time::{Duration, Instant};
use std::{fs, thread};

use e2e_tests::{Launch, Outcome, TIMEOUT, Program, Fixture};
use shm_core::{Key, Options};

/// A process of its own that does with the library what it is told, line by line.
pub(crate) struct Actor(Program);

impl Actor {
    /// Starts one that uses the fixture's key.
    pub(crate) fn new(fixture: &Fixture) -> Actor {
        Actor::start(Actor::launch(fixture))
    }

    /// Its command line, to be started some other way.
    pub(crate) fn launch(fixture: &Fixture) -> Launch {
        let actor = fixture.program(env!("CARGO_BIN_EXE_actor"));
        actor.args([fixture.key()]).input_kept_open()
    }

    pub(crate) fn start(launch: Launch) -> Actor {
        Actor(launch.start())
    }

    /// Has it do something, and returns its answer, the leading "ok" left out.
    pub(crate) fn run(&mut self, line: &str) -> String {
        self.send(line);
        self.wait_done(line)
    }

    /// Has it do something that may fail, and returns its whole answer.
    pub(crate) fn try_run(&mut self, line: &str) -> String {
        self.send(line);
        self.wait_answer()
    }

    /// Waits for its whole answer to what it has begun.
    pub(crate) fn wait_answer(&self) -> String {
        self.0.wait_for("")
    }

    /// Has it begin something, without waiting for the answer.
    pub(crate) fn send(&mut self, line: &str) {
        self.0.write_line(line);
    }

    /// Waits until what it has begun is done, and returns its answer.
    pub(crate) fn wait_done(&self, line: &str) -> String {
        let answer = self.0.wait_for("");
        let done = answer.strip_prefix("ok ").map(str::to_owned);
        done.unwrap_or_else(|| panic!("{line}: {answer}"))
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(self) {
        assert_eq!(self.0.kill().signal, Some(9));
    }

    /// Closes its input, so that it ends by itself, and tells how.
    pub(crate) fn finish(self) -> Outcome {
        self.0.finish()
    }

    /// Returns when it sleeps on a word of memory.
    pub(crate) fn wait_until_asleep(&self) {
        let call = format!("/proc/{}/syscall", self.0.pid());
        let futex = format!("{} ", libc::SYS_futex);
        let deadline = Instant::now() + TIMEOUT;
        while !fs::read_to_string(&call).unwrap().starts_with(&futex) {
            assert!(Instant::now() < deadline, "it does not fall asleep");
            thread::yield_now();
        }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0
    }
}

/// The fixture's key, for the library in the test's own process.
pub(crate) fn key(fixture: &Fixture) -> Key {
    Key::new(fixture.key()).unwrap()
}

/// The fixture's directory, for the library in the test's own process.
pub(crate) fn options(fixture: &Fixture) -> Options {
    Options::new().directory(fixture.segments())
}

/// Does something, and tells how long that took.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (act(), began.elapsed())
}
