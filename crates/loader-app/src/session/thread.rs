//! A session on a thread of its own: commands in, replies out as tasks.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::{io, mem};

use app_kit::worker::WorkerError;
use iced::Task;
use iced::futures::channel::{mpsc as stream_mpsc, oneshot};
use shm_core::{Key, Options, PublishError};

use super::audience::Watched;
use super::{Content, LoadError, Loaded, Released, Session};
use crate::progress::Progress;

type Command = Box<dyn FnOnce(&mut Session) + Send>;

/// The result of a command, as a message can carry it.
pub type Reply<T, E> = Result<Result<T, Arc<E>>, WorkerError>;

/// Owns the thread that owns the [`Session`]. Dropping it ends the thread, and waits until the
/// session has let go of what is loaded.
#[derive(Debug)]
pub struct SessionThread {
    /// Where commands go, or why there is no thread to take them.
    commands: Result<mpsc::Sender<Command>, Arc<io::Error>>,
    thread: Option<JoinHandle<()>>,
    watched: Option<stream_mpsc::UnboundedReceiver<Watched>>,
}

impl SessionThread {
    /// Starts the thread, with nothing loaded. Where there is none to be had, every command says so.
    pub fn start(options: Options) -> SessionThread {
        let (sender, receiver) = mpsc::channel::<Command>();
        // Without a bound, because it is told of at most ten times a second, and the window keeps up.
        let (told, watched) = stream_mpsc::unbounded();
        // An error means that the window is gone.
        let tell = Arc::new(move |watched| drop(told.unbounded_send(watched)));
        let spawned = thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || {
                let mut session = Session::new(options).telling_who_watches(tell);
                for command in receiver {
                    command(&mut session);
                }
            });
        match spawned {
            Ok(thread) => SessionThread {
                commands: Ok(sender),
                thread: Some(thread),
                watched: Some(watched),
            },
            Err(error) => SessionThread {
                commands: Err(Arc::new(error)),
                thread: None,
                watched: None,
            },
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

    fn load(&self, key: Key, mut content: Content) -> Task<Reply<Loaded, LoadError>> {
        self.ask(move |session| session.load(&key, &mut content).map_err(Arc::new))
    }

    /// Does what [`Session::clear`] does.
    pub fn clear(&self) -> Task<Reply<Option<Key>, PublishError>> {
        self.ask(|session| session.clear().map_err(Arc::new))
    }

    /// Does what [`Session::release`] does.
    pub fn release(&self) -> Task<Result<Option<Released>, WorkerError>> {
        self.ask(Session::release)
    }

    /// Does what [`Session::release_if_lost`] does.
    pub fn release_if_lost(&self) -> Task<Result<Option<Key>, WorkerError>> {
        self.ask(Session::release_if_lost)
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Task<Result<T, WorkerError>> {
        let commands = match &self.commands {
            Ok(commands) => commands,
            Err(error) => return Task::done(Err(WorkerError::NoThread(Arc::clone(error)))),
        };
        let (sender, receiver) = oneshot::channel();
        let command = Box::new(move |session: &mut Session| {
            // An error means that the window is gone, and with it the wish to know.
            sender.send(question(session)).ok();
        });
        if commands.send(command).is_err() {
            return Task::done(Err(WorkerError::Died));
        }
        Task::future(async { receiver.await.map_err(|_| WorkerError::Died) })
    }
}

impl Drop for SessionThread {
    fn drop(&mut self) {
        // The thread ends when nobody can send to it any more.
        let (nobody, _) = mpsc::channel();
        drop(mem::replace(&mut self.commands, Ok(nobody)));
        if let Some(thread) = self.thread.take() {
            // A thread that died has detached while it unwound.
            thread.join().ok();
        }
    }
}
