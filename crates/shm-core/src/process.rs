//! A process as others know it: its id, and a number that tells it from namesakes.

use std::fmt;

use crate::sys;

/// A process that is attached to a segment, or published something.
///
/// Process ids are counted by each pid namespace for itself: in containers
/// many programs have the id 1. So every process also has a random *token*,
/// chosen anew after a fork. Both are for telling people who is there;
/// nothing else depends on them.
///
/// # Examples
///
/// ```
/// use shm_core::Process;
///
/// let this = Process::current();
/// assert_eq!(this.pid(), std::process::id());
/// assert!(this.is_current());
/// assert!(!this.is(Process::with_pid(this.pid() + 1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    pid: u32,
    /// 0 where it is not known.
    token: u32,
}

impl Process {
    /// The process that asks.
    #[must_use]
    pub fn current() -> Self {
        Self {
            pid: sys::process_id(),
            token: sys::process_token(),
        }
    }

    /// A process of which nothing but its id is known.
    #[must_use]
    pub fn with_pid(pid: u32) -> Self {
        Self::stored(pid, 0)
    }

    /// A process as a slot or an entry tells of it.
    pub(crate) fn stored(pid: u32, token: u32) -> Self {
        Self { pid, token }
    }

    /// Its id, as its own pid namespace counts.
    #[must_use]
    pub fn pid(self) -> u32 {
        self.pid
    }

    pub(crate) fn token(self) -> u32 {
        self.token
    }

    /// Returns `true` if both are the same process, as far as both say who they are.
    ///
    /// Looser than `==`, which compares what is known: a process whose token
    /// is not known may be any that has its id.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        let tokens_agree = self.token == other.token || self.token == 0 || other.token == 0;
        self.pid == other.pid && tokens_agree
    }

    /// Returns `true` if this is the process that asks.
    #[must_use]
    pub fn is_current(self) -> bool {
        self.is(Self::current())
    }
}

/// Writes the id.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pid.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_namesakes_apart() {
        let one = Process::stored(1, 7);
        assert!(one.is(one));
        assert!(!one.is(Process::stored(1, 8)));
        assert!(!one.is(Process::stored(2, 7)));
        assert!(one.is(Process::with_pid(1)), "nothing says otherwise");
    }

    #[test]
    fn the_current_process_has_a_token_that_stays() {
        let this = Process::current();
        assert_ne!(this.token(), 0);
        assert_eq!(this.token(), Process::current().token());
    }
}
