//! A stream of samples for the tasks of any executor.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use crate::error::ReadError;
use crate::reactor::{FutexWatch, PathWatch};
use crate::readiness::{LIVENESS, Readiness};
use crate::sample::{Next, Sample, Subscriber};

/// The stream of every sample in order until the last publisher has detached or died; created by
/// [`Subscriber::into_stream`](crate::Subscriber::into_stream).
///
/// Skips clearings. Continues after a damaged sample, and ends after other errors. Works with any
/// executor: the helper threads of [`Notifier`](crate::Notifier) wake the task.
#[derive(Debug)]
pub struct SampleStream {
    subscriber: Subscriber,
    readiness: Arc<Readiness>,
    word: FutexWatch,
    _file: PathWatch,
    has_ended: bool,
}

impl SampleStream {
    pub(crate) fn new(subscriber: Subscriber) -> io::Result<Self> {
        let readiness = Arc::new(Readiness::new(Arc::default()));
        let reader = subscriber.reader();
        let file = subscriber.watch_for_an_end(&readiness)?;
        let word = FutexWatch::new(reader.clone(), None, &readiness)?;
        Ok(Self {
            subscriber,
            readiness,
            word,
            _file: file,
            has_ended: false,
        })
    }

    /// Returns the subscriber.
    #[must_use]
    pub fn into_inner(self) -> Subscriber {
        self.subscriber
    }
}

impl Stream for SampleStream {
    type Item = Result<Sample, ReadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        // Before reading, so that later samples wake the task.
        stream.readiness.set_waker(context.waker());
        if stream.readiness.take() & LIVENESS != 0 {
            stream.subscriber.reader().ask_for_a_look();
        }
        while !stream.has_ended {
            match stream.subscriber.next(Duration::ZERO) {
                Ok(Next::Sample(sample)) => return Poll::Ready(Some(Ok(sample))),
                Ok(Next::Cleared { .. }) => {}
                Ok(Next::PublisherGone | Next::Removed | Next::Interrupted) => {
                    stream.has_ended = true;
                }
                Ok(Next::Timeout) => {
                    let Some(seen) = stream.subscriber.seen() else {
                        continue;
                    };
                    stream.word.arm(seen);
                    return Poll::Pending;
                }
                Err(error) => {
                    stream.has_ended = !error.is_passing();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}
