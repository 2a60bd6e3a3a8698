//! A started program.

use std::{
    fmt,
    fs::File,
    io::Write,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::{Child, ChildStdin},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, kill_process, pidfd_open},
};
use serde_json::Value;

use crate::{TIMEOUT, output::Output};

pub use rustix::process::Signal;

/// A running program: its output is collected, and it is killed on drop.
#[derive(Debug)]
pub struct Program {
    /// The command line, for messages.
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Output,
    stderr: Output,
}

/// The result of a program that has ended.
pub struct Outcome {
    /// The command line.
    pub command: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
}

impl Program {
    /// Takes a child whose outputs are pipes, or terminals whose other side is `seen`.
    pub(crate) fn new(
        name: String,
        mut child: Child,
        seen: Option<File>,
        seen_complaints: Option<File>,
    ) -> Program {
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        let output = |pipe: Option<OwnedFd>, terminal: Option<File>| {
            let output = terminal.or_else(|| pipe.map(File::from));
            Output::collect(output.expect("it is a pipe or a terminal"))
        };
        Program {
            name,
            stdin: child.stdin.take(),
            stdout: output(stdout, seen),
            stderr: output(stderr, seen_complaints),
            child,
        }
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it prints a line that contains `words`, and returns the line.
    ///
    /// Each call continues after the line that the last one returned.
    pub fn wait_for(&self, words: &str) -> String {
        self.stdout.wait_for_line(words).unwrap_or_else(|printed| {
            self.fail(&format!("did not print {words:?}, but {printed:?}"))
        })
    }

    /// Waits until it prints a line that contains `words` to standard error, and returns the line.
    pub fn wait_for_stderr(&self, words: &str) -> String {
        self.stderr.wait_for_line(words).unwrap_or_else(|printed| {
            self.fail(&format!("did not complain {words:?}, but {printed:?}"))
        })
    }

    /// Waits until a window's status line, printed by `--verbose`, contains `words`, and returns
    /// the line.
    pub fn wait_for_status(&self, words: &str) -> String {
        loop {
            let line = self.wait_for_stderr(words);
            if line.starts_with("status: ") {
                return line;
            }
        }
    }

    /// Writes a line to its standard input, which must have been kept open.
    pub fn write_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("its input was kept open");
        writeln!(stdin, "{line}").expect("it reads its input");
    }

    /// Writes bytes to its standard input, which must have been kept open.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("its input was kept open");
        stdin.write_all(bytes).expect("it reads its input");
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.rustix_pid(), signal).expect("it is running");
    }

    /// Waits until it ends.
    #[must_use = "how it ended is what the test is about"]
    pub fn finish(mut self) -> Outcome {
        drop(self.stdin.take());
        self.wait_for_end();
        let status = self.child.wait().expect("it is our child");
        Outcome {
            command: self.name.clone(),
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.wait_for_all(),
            stderr: String::from_utf8_lossy(&self.stderr.wait_for_all()).into_owned(),
        }
    }

    /// Sends SIGTERM, as a service manager does, and waits until it ends.
    #[must_use = "how it ended is what the test is about"]
    pub fn terminate(self) -> Outcome {
        self.signal(Signal::TERM);
        self.finish()
    }

    /// Kills it with SIGKILL, without a chance to clean up.
    pub fn kill(self) -> Outcome {
        self.signal(Signal::KILL);
        // Before its input ends: processes in its own namespace may outlive it by a moment.
        self.wait_for_end();
        self.finish()
    }

    /// Sends SIGTERM and gives it a moment to clean up, for programs that only serve a test.
    pub(crate) fn dismiss(&self) {
        if kill_process(self.rustix_pid(), Signal::TERM).is_ok() {
            // Any result is fine: the drop that follows kills it.
            self.ends_within(Duration::from_secs(5)).ok();
        }
    }

    /// Waits until it has ended, and keeps its input open.
    pub fn wait_for_end(&self) {
        match self.ends_within(TIMEOUT) {
            Ok(true) => {}
            Ok(false) => self.fail("did not end"),
            Err(error) => self.fail(&format!("cannot be waited for: {error}")),
        }
    }

    fn ends_within(&self, time: Duration) -> rustix::io::Result<bool> {
        let process = pidfd_open(self.rustix_pid(), PidfdFlags::empty())?;
        let time = Timespec::try_from(time).expect("a minute fits");
        let mut ended = [PollFd::new(&process, PollFlags::IN)];
        Ok(poll(&mut ended, Some(&time))? > 0)
    }

    fn rustix_pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "`{}` {what}\nits output: {}\nits complaints: {}",
            self.name,
            self.stdout.so_far(),
            self.stderr.so_far()
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended already, which is the goal.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Formats it for a reader: the output as text, shortened if it is long.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_SHOWN: usize = 1000;
        let beginning = &self.stdout[..self.stdout.len().min(MAX_SHOWN)];
        f.debug_struct("Outcome")
            .field("command", &self.command)
            .field("code", &self.code)
            .field("signal", &self.signal)
            .field("bytes printed", &self.stdout.len())
            .field("stdout", &String::from_utf8_lossy(beginning))
            .field("stderr", &self.stderr)
            .finish()
    }
}

impl Outcome {
    /// Asserts that it succeeded.
    pub fn done(self) -> Outcome {
        assert!(self.code == Some(0), "{self:?}");
        self
    }

    /// Asserts that it failed with a message that contains `words`, and not with a panic.
    pub fn refused(self, words: &str) -> Outcome {
        self.ended_with(1, words)
    }

    /// Asserts that it rejected its command line with a message that contains `words`.
    pub fn misused(self, words: &str) -> Outcome {
        self.ended_with(2, words)
    }

    fn ended_with(self, code: i32, words: &str) -> Outcome {
        assert!(self.code == Some(code), "not exit code {code}: {self:?}");
        assert!(self.stderr.contains(words), "not {words:?}: {self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        self
    }

    /// Returns its standard output, as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| panic!("not UTF-8: {self:?}"))
    }

    /// Returns its standard output, as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}
