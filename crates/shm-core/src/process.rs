//! The identity of a process: its id, and a token that distinguishes it from processes with the
//! same id.

use std::fmt;

use crate::sys;

/// A process that is attached to a segment, or has published a sample.
///
/// Each pid namespace has process ids of its own: in containers, many programs have the id 1. So
/// every process also has a random *token*, chosen anew after a fork. Both are for display; no
/// protocol depends on them.
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
    /// 0 if it is not known.
    token: u32,
}

impl Process {
    /// Returns the calling process.
    #[must_use]
    pub fn current() -> Self {
        Self {
            pid: sys::process_id(),
            token: sys::process_token(),
        }
    }

    /// Creates a process of which only the id is known.
    #[must_use]
    pub fn with_pid(pid: u32) -> Self {
        Self::stored(pid, 0)
    }

    /// Creates a process from the fields of a slot or a record.
    pub(crate) fn stored(pid: u32, token: u32) -> Self {
        Self { pid, token }
    }

    /// Returns the process id in the pid namespace of the process itself.
    #[must_use]
    pub fn pid(self) -> u32 {
        self.pid
    }

    pub(crate) fn token(self) -> u32 {
        self.token
    }

    /// Returns `true` if both may be the same process: the ids are equal, and so are the tokens if
    /// both are known.
    ///
    /// `==` compares the fields instead, so that an unknown token differs from a known one.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        let tokens_agree = self.token == other.token || self.token == 0 || other.token == 0;
        self.pid == other.pid && tokens_agree
    }

    /// Returns `true` if this may be the calling process.
    #[must_use]
    pub fn is_current(self) -> bool {
        self.is(Self::current())
    }
}

/// Displays the id.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pid.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_with_one_id_differ_by_their_token() {
        let one = Process::stored(1, 7);
        assert!(one.is(one));
        assert!(!one.is(Process::stored(1, 8)));
        assert!(!one.is(Process::stored(2, 7)));
        assert!(one.is(Process::with_pid(1)), "the token is unknown");
    }

    #[test]
    fn the_token_of_the_current_process_does_not_change() {
        let this = Process::current();
        assert_ne!(this.token(), 0);
        assert_eq!(this.token(), Process::current().token());
    }
}
