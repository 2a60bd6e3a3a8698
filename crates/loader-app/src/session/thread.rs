//! A session on a thread of its own: commands in, replies out as tasks.

use std::path::PathBuf;
use std::sync::Arc;

use app_kit::clipboard::Pixels;
use app_kit::worker::{Resident, WorkerError};
use iced::Task;
use iced::futures::channel::mpsc as stream_mpsc;
use shm_core::{Key, Options, PublishError};

use super::audience::Watched;
use super::{Content, LoadError, Loaded, Released, Session};
use crate::progress::Progress;

/// The result of a command, as a message can carry it.
pub type Reply<T, E> = Result<Result<T, Arc<E>>, WorkerError>;

/// A thread that owns a [`Session`]. Dropping it waits until the session has let go of what is
/// loaded.
#[derive(Debug)]
pub struct SessionThread {
    session: Resident<Session>,
    watched: Option<stream_mpsc::UnboundedReceiver<Watched>>,
}

impl SessionThread {
    /// Starts the thread, with nothing loaded. Where there is none to be had, every command says so.
    pub fn start(options: Options) -> SessionThread {
        // Without a bound, because it is told of at most ten times a second, and the window keeps up.
        let (told, watched) = stream_mpsc::unbounded();
        // An error means that the window is gone.
        let tell = Arc::new(move |watched| drop(told.unbounded_send(watched)));
        SessionThread {
            session: Resident::start("session", || {
                Session::new(options).telling_who_watches(tell)
            }),
            watched: Some(watched),
        }
    }

    /// Tells who watches what is loaded, each time that it changes; the first who asks.
    pub fn watched(&mut self) -> Task<Watched> {
        self.watched
            .take()
            .map_or_else(Task::none, |watched| Task::run(watched, |watched| watched))
    }

    /// Loads a text.
    pub fn load_text(&self, key: Key, text: String) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Content::Text(text))
    }

    /// Loads a picture file, unless `progress` is cancelled before that is done.
    pub fn load_picture(
        &self,
        key: Key,
        path: PathBuf,
        progress: Arc<Progress>,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Content::Picture(path, progress))
    }

    /// Loads a file, whatever is in it, unless `progress` is cancelled before that is done.
    pub fn load_file(
        &self,
        key: Key,
        path: PathBuf,
        progress: Arc<Progress>,
    ) -> Task<Reply<Loaded, LoadError>> {
        self.session.ask(move |session| {
            let mut content = Content::of_file(&path, progress).map_err(Arc::new)?;
            session.load(&key, &mut content).map_err(Arc::new)
        })
    }

    /// Loads a picture that is in memory already.
    pub fn load_pixels(&self, key: Key, picture: Pixels) -> Task<Reply<Loaded, LoadError>> {
        self.load(key, Content::Pixels(picture))
    }

    fn load(&self, key: Key, mut content: Content) -> Task<Reply<Loaded, LoadError>> {
        self.session
            .ask(move |session| session.load(&key, &mut content).map_err(Arc::new))
    }

    /// Does what [`Session::clear`] does.
    pub fn clear(&self) -> Task<Reply<Option<Key>, PublishError>> {
        self.session
            .ask(|session| session.clear().map_err(Arc::new))
    }

    /// Does what [`Session::release`] does.
    pub fn release(&self) -> Task<Result<Option<Released>, WorkerError>> {
        self.session.ask(Session::release)
    }

    /// Does what [`Session::release_if_lost`] does.
    pub fn release_if_lost(&self) -> Task<Result<Option<Key>, WorkerError>> {
        self.session.ask(Session::release_if_lost)
    }
}
