//! A session on a thread of its own: commands in, replies out as tasks.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use gui_common::desktop::clipboard::Pixels;
use gui_common::session::worker::{Resident, WorkerError};
use iced::Task;
use iced::futures::channel::mpsc as stream_mpsc;
use qt_bridge::Form;
use shm_core::{ImageMetadata, Options};
use shm_io::{Address, Released, Viewers};

use super::{Control, FrameSource, LoadError, Loadable, Loaded, Report, Session, Streamed};
use crate::progress::Progress;

/// The result of a command, as a message can carry it.
pub(crate) type Reply<T, E> = Result<Result<T, Arc<E>>, WorkerError>;

/// A thread that owns a [`Session`]. Dropping it waits until the session has let go of what is
/// loaded.
#[derive(Debug)]
pub(crate) struct SessionThread {
    session: Resident<Session>,
    watched: Option<stream_mpsc::UnboundedReceiver<Viewers>>,
    playing: Option<Playing>,
    /// How what is loaded is streamed for Qt programs.
    form: Option<Form>,
}

/// A stream on the session's thread. It ends when this is dropped.
#[derive(Debug)]
struct Playing {
    /// Nothing is ever sent: whoever waits for something learns that this is gone.
    _alive: mpsc::Sender<Infallible>,
    /// What is read for the next frame.
    progress: Arc<Progress>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// What happens to a stream.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// The first frame is there.
    Begun(Loaded),
    /// It goes on.
    Progress(Report),
    /// Frames find no room; the sentence says why.
    LeftOut(String),
    /// It came to an end; `None` where there was no frame before it was stopped.
    Ended(Reply<Option<Arc<Streamed>>, LoadError>),
}

impl SessionThread {
    /// Starts the thread, with nothing loaded. Where there is none to be had, every command says so.
    pub(crate) fn start(options: Options) -> SessionThread {
        // Without a bound, because it is told of at most ten times a second, and the window keeps up.
        let (told, watched) = stream_mpsc::unbounded();
        // An error means that the window is gone.
        let tell = Arc::new(move |watched| drop(told.unbounded_send(watched)));
        SessionThread {
            session: Resident::start("session", || {
                Session::new(options).telling_who_watches(tell)
            }),
            watched: Some(watched),
            playing: None,
            form: None,
        }
    }

    /// Has all that is loaded after this streamed for Qt programs in this form, or in the one that fits.
    pub(crate) fn stream_as(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// Tells who watches what is loaded, each time that it changes; the first who asks.
    pub(crate) fn watched(&mut self) -> Task<Viewers> {
        self.watched
            .take()
            .map_or_else(Task::none, |watched| Task::run(watched, |watched| watched))
    }

    /// Loads a text.
    pub(crate) fn load_text(
        &mut self,
        key: Address,
        text: String,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Loadable::Text(text))
    }

    /// Loads a picture file, unless `progress` is cancelled before that is done.
    pub(crate) fn load_picture(
        &mut self,
        key: Address,
        path: PathBuf,
        progress: Arc<Progress>,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Loadable::Picture(path, progress))
    }

    /// Loads a file, whatever is in it, unless `progress` is cancelled before that is done.
    pub(crate) fn load_file(
        &mut self,
        key: Address,
        path: PathBuf,
        progress: Arc<Progress>,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.ask(move |session| {
            let mut content = Loadable::of_file(&path, progress).map_err(Arc::new)?;
            session.load(&key, &mut content).map_err(Arc::new)
        })
    }

    /// Loads a picture that is in memory already.
    pub(crate) fn load_pixels(
        &mut self,
        key: Address,
        picture: Pixels,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Loadable::Pixels(picture))
    }

    fn load(&mut self, key: Address, mut content: Loadable) -> Task<Reply<Loaded, LoadError>> {
        self.ask(move |session| session.load(&key, &mut content).map_err(Arc::new))
    }

    /// Does what [`shm_io::Sink::clear`] does.
    pub(crate) fn clear(&mut self) -> Task<Reply<Option<Address>, LoadError>> {
        self.ask(|session| session.sink.clear().map_err(|error| Arc::new(error.into())))
    }

    /// Does what [`shm_io::Sink::release`] does.
    pub(crate) fn release(&mut self) -> Task<Result<Option<Released>, WorkerError>> {
        self.ask(|session| session.sink.release())
    }

    /// Does what [`Session::restore`] does.
    pub(crate) fn restore(&mut self) -> Task<Reply<Option<Loaded>, LoadError>> {
        self.ask(|session| session.restore().map_err(Arc::new))
    }

    /// Does what [`shm_io::Sink::release_if_lost`] does.
    pub(crate) fn release_if_lost(&mut self) -> Task<Result<Option<Address>, WorkerError>> {
        self.ask(|session| session.sink.release_if_lost())
    }

    /// Streams frames, as [`Session::stream`] does, until [`stop`](Self::stop) or any other command.
    pub(crate) fn stream(&mut self, key: Address, source: FrameSource) -> Task<News> {
        let (sender, news) = stream_mpsc::unbounded();
        let (alive, stopped) = mpsc::channel();
        let progress = Arc::new(Progress::default());
        let playing = Playing {
            _alive: alive,
            progress: Arc::clone(&progress),
        };
        let mut window = Window {
            news: sender,
            stopped,
        };
        let played = self.ask(move |session| {
            let streamed = source
                .open(&progress)
                .map_err(LoadError::Frames)
                .and_then(|mut frames| session.stream(&key, frames.as_mut(), &mut window));
            streamed
                .map(|streamed| streamed.map(Arc::new))
                .map_err(Arc::new)
        });
        self.playing = Some(playing);
        // Who tells the news is gone before the end is told, so that the end comes last.
        Task::run(news, |news| news).chain(played.map(News::Ended))
    }

    /// Ends the stream that plays, if one does. Its last frame stays.
    pub(crate) fn stop(&mut self) {
        self.playing = None;
    }

    /// Has the session do something; a stream that plays gives way to it.
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Task<Result<T, WorkerError>> {
        self.stop();
        let form = self.form;
        self.session.ask(move |session| {
            session.sink.set_form(form);
            question(session)
        })
    }
}

impl Drop for SessionThread {
    fn drop(&mut self) {
        // Before the thread is waited for, which it would keep.
        self.stop();
    }
}

/// The window, as what controls a stream.
struct Window {
    news: stream_mpsc::UnboundedSender<News>,
    stopped: mpsc::Receiver<Infallible>,
}

impl Window {
    fn tell(&self, news: News) {
        // An error means that the window is gone; it takes the stream with it.
        self.news.unbounded_send(news).ok();
    }
}

impl Control for Window {
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
        self.tell(News::Begun(loaded.clone()));
    }

    fn report(&mut self, report: &Report) {
        self.tell(News::Progress(report.clone()));
    }

    fn left_out(&mut self, reason: &LoadError) {
        self.tell(News::LeftOut(reason.remedy()));
    }
}
