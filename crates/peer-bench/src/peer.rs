//! The other process: this program again, with a role as its argument, controlled by lines of text.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::Outcome;
use crate::machine::Cores;

/// How long a process may take to exit.
const PATIENCE: Duration = Duration::from_secs(2);

/// A process with a role. Dropping this ends it.
pub(crate) struct Peer {
    child: Child,
    /// Closed to let the process exit.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts this program with a role, on the core of peers.
    pub(crate) fn start(role: &str, cores: Cores, arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let core = cores.peers.to_string();
        command.args(["role", role, &core]).args(arguments);
        Self::of(command)
    }

    /// Starts a program that reads orders and writes answers, line by line.
    pub(crate) fn of(mut command: Command) -> Outcome<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().ok_or("no answers to read")?;
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(answers),
        })
    }

    pub(crate) fn tell(&mut self, order: &str) -> Outcome {
        let orders = self.orders.as_mut().ok_or("the process is ending")?;
        Ok(writeln!(orders, "{order}")?)
    }

    /// Returns the next line that it prints.
    pub(crate) fn hear(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the other process has ended".into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Sends an order, and waits for the answer.
    pub(crate) fn ask(&mut self, order: &str) -> Outcome<String> {
        self.tell(order)?;
        self.hear()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The process exits at the end of its orders; it is killed if it hangs.
        drop(self.orders.take());
        if !self.has_ended_within(PATIENCE) {
            // It may just have exited.
            let _ended_already = self.child.kill();
        }
        let _reaped = self.child.wait();
    }
}

impl Peer {
    fn has_ended_within(&self, patience: Duration) -> bool {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let Some(Ok(handle)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
            return false;
        };
        let mut handles = [PollFd::new(&handle, PollFlags::IN)];
        let patience = Timespec::try_from(patience).ok();
        poll(&mut handles, patience.as_ref()).is_ok_and(|ended| ended > 0)
    }
}

/// Runs in the other process: prints that it is ready, then answers each order until the end.
pub(crate) fn obey(mut answer: impl FnMut(&str) -> Outcome<String>) -> Outcome {
    say("ready")?;
    for order in std::io::stdin().lock().lines() {
        let said = answer(&order?)?;
        say(&said)?;
    }
    Ok(())
}

fn say(line: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
