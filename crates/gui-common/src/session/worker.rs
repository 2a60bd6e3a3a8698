//! Blocking work on separate threads, so that the window never blocks.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::{fmt, io, mem};

use iced::Task;
use iced::futures::channel::oneshot;

use crate::tr;

/// The error of work without a result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WorkerError {
    /// No thread could be started.
    NoThread(Arc<io::Error>),
    /// The work panicked.
    Died,
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerError::NoThread(error) => f.write_str(&tr!("worker-no-thread", reason = **error)),
            WorkerError::Died => f.write_str(&tr!("worker-died")),
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

/// Runs `work` on a new thread called `name` and returns its result.
///
/// iced's executor has one thread for each processor, which blocking work would exhaust. The task
/// yields exactly one value, even if the work panics.
pub fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Task<Result<T, WorkerError>> {
    let (sender, receiver) = oneshot::channel();
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Sending fails if the window is closed, which then needs no result.
        sender.send(work()).ok();
    });
    match spawned {
        Ok(_) => Task::future(async { receiver.await.map_err(|_| WorkerError::Died) }),
        Err(error) => Task::done(Err(WorkerError::NoThread(Arc::new(error)))),
    }
}

/// A thread that owns a value whose operations may block, and runs jobs on it in order.
///
/// Dropping it blocks until all jobs are done and the value is dropped.
#[derive(Debug)]
pub struct OwnerThread<T> {
    /// The queue of jobs, or the error of starting the thread.
    jobs: Result<mpsc::Sender<Job<T>>, Arc<io::Error>>,
    thread: Option<JoinHandle<()>>,
}

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

impl<T: 'static> OwnerThread<T> {
    /// Starts a thread called `name`, which creates the value with `make`. If the thread cannot be
    /// started, every call returns that error.
    pub fn start(name: &str, make: impl FnOnce() -> T + Send + 'static) -> OwnerThread<T> {
        let (sender, receiver) = mpsc::channel::<Job<T>>();
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut owned = make();
            for job in receiver {
                job(&mut owned);
            }
        });
        match spawned {
            Ok(thread) => OwnerThread {
                jobs: Ok(sender),
                thread: Some(thread),
            },
            Err(error) => OwnerThread {
                jobs: Err(Arc::new(error)),
                thread: None,
            },
        }
    }

    /// Queues a job on the thread. The task yields exactly one value.
    pub fn call<A: Send + 'static>(
        &self,
        job: impl FnOnce(&mut T) -> A + Send + 'static,
    ) -> Task<Result<A, WorkerError>> {
        let jobs = match &self.jobs {
            Ok(jobs) => jobs,
            Err(error) => return Task::done(Err(WorkerError::NoThread(Arc::clone(error)))),
        };
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |owned: &mut T| {
            // Sending fails if the window is closed, which then needs no result.
            sender.send(job(owned)).ok();
        });
        if jobs.send(job).is_err() {
            return Task::done(Err(WorkerError::Died));
        }
        Task::future(async { receiver.await.map_err(|_| WorkerError::Died) })
    }
}

impl<T> OwnerThread<T> {
    /// Detaches the thread: it ends by itself, and dropping does not wait for it.
    pub fn leave(mut self) {
        drop(self.thread.take());
    }
}

impl<T> Drop for OwnerThread<T> {
    fn drop(&mut self) {
        // The thread ends when the queue is closed.
        let (closed, _) = mpsc::channel();
        drop(mem::replace(&mut self.jobs, Ok(closed)));
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has dropped the value while unwinding.
            thread.join().ok();
        }
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
    fn work_runs_on_another_thread_and_returns_its_result() {
        let here = thread::current().id();
        let elsewhere = outcome(run("test", move || thread::current().id() != here));
        assert!(matches!(elsewhere, Some(Ok(true))));
    }

    #[test]
    fn work_that_panics_is_an_error() {
        let died = outcome(run::<()>("test", || panic!("on purpose")));
        assert!(matches!(died, Some(Err(WorkerError::Died))));
    }

    #[test]
    fn an_owner_thread_keeps_its_value_until_it_is_dropped() {
        let (alive, ended) = mpsc::channel::<()>();
        let owner = OwnerThread::start("test", move || (0, alive));
        for expected in 1..4 {
            let count = owner.call(|owned| {
                owned.0 += 1;
                owned.0
            });
            assert!(matches!(outcome(count), Some(Ok(count)) if count == expected));
        }
        drop(owner);
        assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }

    #[test]
    fn a_call_to_a_panicked_owner_thread_is_an_error() {
        let owner = OwnerThread::<()>::start("test", || ());
        let died = outcome(owner.call(|()| -> () { panic!("on purpose") }));
        assert!(matches!(died, Some(Err(WorkerError::Died))));
    }
}
