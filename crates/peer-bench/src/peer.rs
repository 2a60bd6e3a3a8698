//! The other process: this very program once more, in a role, told by lines what to do.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::Outcome;
use crate::machine::Cores;

/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A process that plays a role; it is ended with this value.
pub(crate) struct Peer {
    child: Child,
    /// Closed to end the process in peace.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts this program in a role, on the peers' core.
    pub(crate) fn start(role: &str, cores: Cores, arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let core = cores.peers.to_string();
        command.args(["role", role, &core]).args(arguments);
        Self::of(command)
    }

    /// Starts any program that reads orders and writes answers, line by line.
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
        let orders = self.orders.as_mut().ok_or("it was told to end")?;
        Ok(writeln!(orders, "{order}")?)
    }

    /// The next line that it says.
    pub(crate) fn hear(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the other process has ended".into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Tells it something, and waits for the answer.
    pub(crate) fn ask(&mut self, order: &str) -> Outcome<String> {
        self.tell(order)?;
        self.hear()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends when there are no more orders; one that hangs is ended.
        drop(self.orders.take());
        if !self.has_ended_within(PATIENCE) {
            // It may have ended by itself just now.
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

/// In the other process: says that it is ready, then answers each order until there are no more.
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
