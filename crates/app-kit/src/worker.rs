//! Blocking work on a thread of its own, so that the window never waits.

use std::fmt;
use std::sync::Arc;
use std::{io, thread};

use iced::Task;
use iced::futures::channel::oneshot;

/// Why a piece of work gave no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WorkerError {
    /// The system gave no thread to do it on.
    NoThread(Arc<io::Error>),
    /// It ended without a result.
    Died,
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerError::NoThread(error) => write!(
                f,
                "The system gave no thread to work on ({error}). Close some programs, then try again."
            ),
            WorkerError::Died => f.write_str(
                "The work ended without a result, which is a mistake in this program. Try again.",
            ),
        }
    }
}

impl std::error::Error for WorkerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WorkerError::NoThread(error) => Some(error.as_ref()),
            WorkerError::Died => None,
        }
    }
}

/// Runs `work` on a thread called `name`, and hands back what it returns.
///
/// iced's executor has as many threads as the computer has processors; work that waits would
/// soon hold them all. The task ends with exactly one value, whatever becomes of the work.
pub fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Task<Result<T, WorkerError>> {
    let (sender, receiver) = oneshot::channel();
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // An error means that the window is gone, and with it the wish to know.
        sender.send(work()).ok();
    });
    match spawned {
        Ok(_) => Task::future(async { receiver.await.map_err(|_| WorkerError::Died) }),
        Err(error) => Task::done(Err(WorkerError::NoThread(Arc::new(error)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use iced::futures::StreamExt;
    use iced::futures::executor::block_on;
    use iced_test::runtime::{Action, task};

    fn outcome<T: Send + 'static>(task: Task<T>) -> Option<T> {
        let mut actions = task::into_stream(task)?;
        match block_on(actions.next())? {
            Action::Output(value) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn work_happens_elsewhere_and_its_result_comes_back() {
        let here = thread::current().id();
        let elsewhere = outcome(run("test", move || thread::current().id() != here));
        assert!(matches!(elsewhere, Some(Ok(true))));
    }

    #[test]
    fn work_that_dies_is_an_error() {
        let died = outcome(run::<()>("test", || panic!("on purpose")));
        assert!(matches!(died, Some(Err(WorkerError::Died))));
    }
}
