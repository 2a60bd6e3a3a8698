//! A thread that owns a session: the window calls it and receives the replies as tasks.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use gui_common::desktop::clipboard::Pixels;
use gui_common::session::worker::{OwnerThread, WorkerError};
use iced::Task;
use iced::futures::channel::mpsc as stream_mpsc;
use qt_bridge::Form;
use shm_core::{ImageMetadata, Options};
use shm_io::{Address, Released, Viewers};

use super::stream_report::{StreamControl, StreamProgress, StreamSummary};
use super::{FrameSource, LoadError, Loadable, Loaded, Session};
use crate::progress::ReadProgress;

/// The result of a call, in a form that a message can carry.
pub(crate) type Reply<T, E> = Result<Result<T, Arc<E>>, WorkerError>;

/// A thread that owns a [`Session`]. Dropping it blocks until the session has released its segment.
#[derive(Debug)]
pub(crate) struct SessionThread {
    session: OwnerThread<Session>,
    viewers: Option<stream_mpsc::UnboundedReceiver<Viewers>>,
    stream: Option<StreamHandle>,
    /// The form in which content is written for Qt programs; `None` for the one that fits.
    form: Option<Form>,
}

/// A stream on the session's thread. Dropping it stops the stream.
#[derive(Debug)]
struct StreamHandle {
    /// Nothing is ever sent. Dropping the sender disconnects the receiver, which stops the stream.
    _alive: mpsc::Sender<Infallible>,
    /// The progress of reading the next frame.
    progress: Arc<ReadProgress>,
}

impl Drop for StreamHandle {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// An event of a stream.
#[derive(Clone, Debug)]
pub(crate) enum StreamEvent {
    /// The first frame is published.
    Begun(Loaded),
    /// The stream goes on.
    Progress(StreamProgress),
    /// Frames are skipped, for this reason.
    FramesSkipped(String),
    /// The stream ended; `None` if there was no frame before it was stopped.
    Ended(Reply<Option<Arc<StreamSummary>>, LoadError>),
}

impl SessionThread {
    /// Starts the thread, with nothing loaded. If it cannot start, every call returns that error.
    pub(crate) fn start(options: Options) -> SessionThread {
        // Unbounded, because the sink reports at most ten times a second.
        let (sender, viewers) = stream_mpsc::unbounded();
        // An error means that the window is gone.
        let report = Arc::new(move |viewers| drop(sender.unbounded_send(viewers)));
        SessionThread {
            session: OwnerThread::start("session", || Session::new(options).report_viewers(report)),
            viewers: Some(viewers),
            stream: None,
            form: None,
        }
    }

    /// Sets the form in which later calls write content for Qt programs; `None` for the one that
    /// fits.
    pub(crate) fn set_form(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// Returns a task that yields the viewers of the segment each time they change. Only the first
    /// call returns one that yields.
    pub(crate) fn viewers(&mut self) -> Task<Viewers> {
        self.viewers
            .take()
            .map_or_else(Task::none, |viewers| Task::run(viewers, |viewers| viewers))
    }

    /// Loads a text.
    pub(crate) fn load_text(
        &mut self,
        key: Address,
        text: String,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Loadable::Text(text))
    }

    /// Loads a picture file. Cancelling `progress` cancels the load.
    pub(crate) fn load_picture(
        &mut self,
        key: Address,
        path: PathBuf,
        progress: Arc<ReadProgress>,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Loadable::Picture(path, progress))
    }

    /// Loads a file of any kind. Cancelling `progress` cancels the load.
    pub(crate) fn load_file(
        &mut self,
        key: Address,
        path: PathBuf,
        progress: Arc<ReadProgress>,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.call(move |session| {
            let mut content = Loadable::of_file(&path, progress).map_err(Arc::new)?;
            session.load(&key, &mut content).map_err(Arc::new)
        })
    }

    /// Loads a picture that is already decoded.
    pub(crate) fn load_pixels(
        &mut self,
        key: Address,
        picture: Pixels,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Loadable::Pixels(picture))
    }

    fn load(&mut self, key: Address, mut content: Loadable) -> Task<Reply<Loaded, LoadError>> {
        self.call(move |session| session.load(&key, &mut content).map_err(Arc::new))
    }

    /// Calls [`shm_io::Sink::clear`].
    pub(crate) fn clear(&mut self) -> Task<Reply<Option<Address>, LoadError>> {
        self.call(|session| session.sink.clear().map_err(|error| Arc::new(error.into())))
    }

    /// Calls [`shm_io::Sink::release`].
    pub(crate) fn release(&mut self) -> Task<Result<Option<Released>, WorkerError>> {
        self.call(|session| session.sink.release())
    }

    /// Calls [`Session::restore`].
    pub(crate) fn restore(&mut self) -> Task<Reply<Option<Loaded>, LoadError>> {
        self.call(|session| session.restore().map_err(Arc::new))
    }

    /// Calls [`shm_io::Sink::release_if_lost`].
    pub(crate) fn release_if_lost(&mut self) -> Task<Result<Option<Address>, WorkerError>> {
        self.call(|session| session.sink.release_if_lost())
    }

    /// Calls [`Session::stream`]. The stream runs until [`stop`](Self::stop) or any other call.
    pub(crate) fn stream(&mut self, key: Address, source: FrameSource) -> Task<StreamEvent> {
        let (sender, events) = stream_mpsc::unbounded();
        let (alive, stopped) = mpsc::channel();
        let progress = Arc::new(ReadProgress::default());
        let stream = StreamHandle {
            _alive: alive,
            progress: Arc::clone(&progress),
        };
        let mut control = WindowControl {
            events: sender,
            stopped,
        };
        let played = self.call(move |session| {
            let streamed = source
                .open(&progress)
                .map_err(LoadError::Frames)
                .and_then(|mut frames| session.stream(&key, frames.as_mut(), &mut control));
            streamed
                .map(|streamed| streamed.map(Arc::new))
                .map_err(Arc::new)
        });
        self.stream = Some(stream);
        // The events end when the control is dropped, before the reply arrives: the end comes last.
        Task::run(events, |events| events).chain(played.map(StreamEvent::Ended))
    }

    /// Stops the running stream, if there is one. Its last frame stays loaded.
    pub(crate) fn stop(&mut self) {
        self.stream = None;
    }

    /// Runs a job on the session's thread, after stopping the running stream.
    fn call<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Task<Result<T, WorkerError>> {
        self.stop();
        let form = self.form;
        self.session.call(move |session| {
            session.sink.set_form(form);
            job(session)
        })
    }
}

impl Drop for SessionThread {
    fn drop(&mut self) {
        // The thread ends only after its stream.
        self.stop();
    }
}

/// Controls a stream from the window.
struct WindowControl {
    events: stream_mpsc::UnboundedSender<StreamEvent>,
    stopped: mpsc::Receiver<Infallible>,
}

impl WindowControl {
    fn send(&self, event: StreamEvent) {
        // An error means that the window is gone, which also stops the stream.
        self.events.unbounded_send(event).ok();
    }
}

impl StreamControl for WindowControl {
    fn wait(&mut self, due: Option<Instant>) -> ControlFlow<()> {
        let left = due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now())
        });
        match self.stopped.recv_timeout(left) {
            Err(RecvTimeoutError::Timeout) => ControlFlow::Continue(()),
            Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(()),
        }
    }

    fn begun(&mut self, loaded: &Loaded, _frame: &ImageMetadata) {
        self.send(StreamEvent::Begun(loaded.clone()));
    }

    fn report(&mut self, progress: &StreamProgress) {
        self.send(StreamEvent::Progress(progress.clone()));
    }

    fn frames_skipped(&mut self, reason: &LoadError) {
        self.send(StreamEvent::FramesSkipped(reason.remedy()));
    }
}
