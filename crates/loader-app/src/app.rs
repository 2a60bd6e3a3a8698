//! The window SharedMemoryLoad: its state, what can happen to it, and what it looks like.

mod shortcut;
#[cfg(test)]
mod tests;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use app_kit::content_pane::{self, ContentPane};
use app_kit::key_field::KeyField;
use app_kit::meter::Stage;
use app_kit::snapshot::Snapshot;
use app_kit::status::{Status, StatusLine};
use app_kit::watch::{Depth, Fresh, News, Observation, Watch};
use app_kit::worker::WorkerError;
use app_kit::{meter, signals, theme};
use iced::widget::operation;
use iced::{Program, Size, Subscription, Task, Theme, event, window};
use shm_core::{Access, Attached, Key, Options, PublishError};

use crate::screen::text_dialog::{self, TextDialog};
use crate::session::{LoadError, Loaded, Released, Reply, SessionThread};
use crate::{file_dialog, typed_path};

/// The title of the window.
pub const TITLE: &str = "SharedMemoryLoad";

const WELCOME: &str =
    "Load a text or an image: it stays in shared memory until this window closes.";

/// What the window begins with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key in the key field.
    pub key: Key,
    /// Where segments are, if not where the environment says.
    pub directory: Option<PathBuf>,
    /// Whether status lines are printed to stderr as well.
    pub verbose: bool,
}

/// Everything the window knows.
#[derive(Debug)]
pub struct State {
    key_field: KeyField,
    path: String,
    status: StatusLine,
    dialog: Option<TextDialog>,
    file_dialog: FileDialog,
    seen: Seen,
    /// The key under which something is loaded by this window.
    attached: Option<Key>,
    /// Looks at the key in the key field; nothing does while that is none.
    watch: Option<Watch>,
    stage: Arc<Stage>,
    options: Options,
    session: SessionThread,
}

/// What is known of the system's file dialog, which need not ever answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileDialog {
    Closed,
    Open,
    /// The button was pressed again, and it was said that a dialog is open.
    OpenAndSaidSo,
}

/// What was last seen under the key in the key field.
#[derive(Debug)]
enum Seen {
    /// It has not been looked yet.
    Unknown,
    Nothing,
    Content(Box<ContentPane>),
    Unreadable(String),
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Message {
    /// The key was edited.
    KeyEdited(String),
    /// The path was edited.
    PathEdited(String),
    /// The path is complete.
    PathSubmitted,
    /// The button "Load", or its shortcut.
    LoadPressed,
    /// The button "Load Image From File...", or its shortcut.
    LoadImagePressed,
    /// The button "Clear".
    ClearPressed,
    /// The button "Release", or its shortcut.
    ReleasePressed,
    /// Something happened in the input dialog.
    Dialog(text_dialog::Message),
    /// The file dialog ended, with or without a file.
    FileChosen(Option<PathBuf>),
    /// A file was dropped onto the window.
    FileDropped(PathBuf),
    /// A text was loaded, or not.
    TextLoaded(Reply<Loaded, LoadError>),
    /// A picture was loaded, or not.
    PictureLoaded(Reply<Loaded, LoadError>),
    /// What was loaded was blanked, or not.
    Cleared(Reply<Option<Key>, PublishError>),
    /// What was loaded was let go of.
    Released(Result<Option<Released>, WorkerError>),
    /// It was looked whether what is loaded was removed by somebody else.
    LossChecked(Result<Option<Key>, WorkerError>),
    /// Something was seen in shared memory.
    Seen(News),
    /// The window is on a screen with other pixels than the last one, or on its first.
    Rescaled(window::Id),
    /// So many pixels of the screen stand for each unit of length.
    Scaled(f32),
    /// Something happened in the content pane.
    Pane(content_pane::Message),
    /// The next field should have the focus.
    FocusNext,
    /// The previous field should have the focus.
    FocusPrevious,
    /// A signal asks the program to end.
    Terminated,
}

/// Builds the application, ready to run.
pub fn application(
    settings: Settings,
) -> iced::Application<impl Program<State = State, Message = Message, Theme = Theme>> {
    iced::application(move || State::new(&settings), State::update, State::view)
        .title(TITLE)
        .subscription(State::subscription)
        .style(theme::window)
        .default_font(theme::FONT)
        .window(window::Settings {
            size: Size::new(640.0, 560.0),
            min_size: Some(Size::new(480.0, 420.0)),
            platform_specific: window::settings::PlatformSpecific {
                application_id: "loader-app".to_owned(),
                ..window::settings::PlatformSpecific::default()
            },
            ..window::Settings::default()
        })
}

impl State {
    /// Begins with nothing loaded.
    pub fn new(settings: &Settings) -> State {
        let options = match &settings.directory {
            Some(directory) => Options::new().directory(directory),
            None => Options::new(),
        };
        let mut state = State {
            key_field: KeyField::new(settings.key.as_str()),
            path: String::new(),
            status: StatusLine::new(Status::neutral(WELCOME), settings.verbose),
            dialog: None,
            file_dialog: FileDialog::Closed,
            seen: Seen::Unknown,
            attached: None,
            watch: None,
            stage: Arc::default(),
            session: SessionThread::start(options.clone()),
            options,
        };
        state.watch_key();
        state
    }

    /// Watches the key in the key field, the keyboard, and signals.
    pub fn subscription(&self) -> Subscription<Message> {
        Subscription::batch([
            (self.watch.as_ref()).map_or_else(Subscription::none, |watch| {
                watch.subscription().map(Message::Seen)
            }),
            meter::rescaled().map(Message::Rescaled),
            event::listen_with(shortcut::message_of),
            signals::subscription().map(|()| Message::Terminated),
        ])
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::KeyEdited(text) => self.edit_key(text),
            Message::PathEdited(path) => self.path = path,
            Message::PathSubmitted => return self.load_typed_path(),
            Message::LoadPressed => return self.open_text_dialog(),
            Message::LoadImagePressed => return self.open_file_dialog(),
            Message::ClearPressed => return self.session.clear().map(Message::Cleared),
            Message::ReleasePressed => return self.session.release().map(Message::Released),
            Message::Dialog(message) => return self.update_dialog(message),
            Message::FileChosen(path) => return self.take_chosen_file(path),
            Message::FileDropped(path) => return self.load_picture(path),
            Message::TextLoaded(reply) => self.take_text_loaded(reply),
            Message::PictureLoaded(reply) => self.take_picture_loaded(reply),
            Message::Cleared(reply) => self.take_cleared(reply),
            Message::Released(reply) => self.take_released(reply),
            Message::LossChecked(reply) => self.take_loss(reply),
            Message::Seen(news) => {
                if let Some(observation) = self.watch.as_ref().and_then(|watch| watch.read(news)) {
                    return self.see(observation);
                }
            }
            Message::Rescaled(window) => return window::scale_factor(window).map(Message::Scaled),
            Message::Scaled(scale) => self.stage.set_scale(scale),
            Message::Pane(message) => {
                if let Seen::Content(pane) = &mut self.seen {
                    pane.update(message);
                }
            }
            Message::FocusNext if self.dialog.is_none() => return operation::focus_next(),
            Message::FocusPrevious if self.dialog.is_none() => return operation::focus_previous(),
            Message::FocusNext | Message::FocusPrevious => {}
            // The session lets go of what is loaded when the state is dropped.
            Message::Terminated => return iced::exit(),
        }
        Task::none()
    }

    /// Returns what stands in the status line.
    pub fn status(&self) -> &Status {
        self.status.current()
    }

    fn edit_key(&mut self, text: String) {
        if text == self.key_field.text() {
            return;
        }
        let was_here = self.is_attached_here();
        self.key_field.set(text);
        self.seen = Seen::Unknown;
        self.watch_key();
        if let Some(attached) = &self.attached
            && was_here
            && !self.is_attached_here()
        {
            let sentence = format!("What is loaded into {attached} stays there for now.");
            self.status.set(Status::neutral(sentence).with_remedy(
                "It is released when something is loaded under another key, or by Release.",
            ));
        }
    }

    fn watch_key(&mut self) {
        self.watch = self.key_field.key().ok().map(|key| {
            let stage = Arc::clone(&self.stage);
            Watch::new(key.clone(), self.options.clone(), Depth::Content, stage)
        });
    }

    /// Returns whether what is loaded is loaded under the key in the key field.
    fn is_attached_here(&self) -> bool {
        self.attached.is_some() && self.key_field.key().ok() == self.attached.as_ref()
    }

    /// Returns the key to load under; where there is none, says why.
    fn key_to_load_under(&mut self) -> Option<Key> {
        match self.key_field.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error(problem);
                self.status.set(status);
                None
            }
        }
    }

    fn open_text_dialog(&mut self) -> Task<Message> {
        if self.dialog.is_some() {
            return Task::none();
        }
        let Some(key) = self.key_to_load_under() else {
            return Task::none();
        };
        let (dialog, focus) = TextDialog::open(key.as_str());
        self.dialog = Some(dialog);
        focus
    }

    fn update_dialog(&mut self, message: text_dialog::Message) -> Task<Message> {
        let Some(dialog) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message) {
            text_dialog::Action::None => Task::none(),
            text_dialog::Action::Close => {
                self.dialog = None;
                Task::none()
            }
            text_dialog::Action::Load(text) => match self.key_to_load_under() {
                Some(key) => self.session.load_text(key, text).map(Message::TextLoaded),
                None => {
                    let problem = self.status.current().to_string();
                    if let Some(dialog) = &mut self.dialog {
                        dialog.reject(problem);
                    }
                    Task::none()
                }
            },
        }
    }

    fn open_file_dialog(&mut self) -> Task<Message> {
        if self.dialog.is_some() || self.key_to_load_under().is_none() {
            return Task::none();
        }
        if self.file_dialog == FileDialog::Open {
            self.file_dialog = FileDialog::OpenAndSaidSo;
            self.status.set(
                Status::neutral("A file dialog is open already.").with_remedy(
                    "If you see none, type the path in the field beside the button, or press it again.",
                ),
            );
            return Task::none();
        }
        self.file_dialog = FileDialog::Open;
        file_dialog::pick().map(Message::FileChosen)
    }

    fn take_chosen_file(&mut self, path: Option<PathBuf>) -> Task<Message> {
        self.file_dialog = FileDialog::Closed;
        if let Some(path) = path {
            return self.load_picture(path);
        }
        self.status.set(
            Status::neutral("No file was chosen.").with_remedy(
                "If no dialog appeared, type the path in the field beside the button.",
            ),
        );
        Task::none()
    }

    fn load_typed_path(&mut self) -> Task<Message> {
        match typed_path::parse(&self.path) {
            Some(path) => self.load_picture(path),
            None => {
                let status = Status::error("There is no path in the field.")
                    .with_remedy("Type or paste the path of an image, then press Enter.");
                self.status.set(status);
                Task::none()
            }
        }
    }

    fn load_picture(&mut self, path: PathBuf) -> Task<Message> {
        let Some(key) = self.key_to_load_under() else {
            return Task::none();
        };
        let sentence = format!("Loading {} into {key} …", path.display());
        self.status.set(Status::neutral(sentence));
        self.session
            .load_picture(key, path)
            .map(Message::PictureLoaded)
    }

    fn take_text_loaded(&mut self, reply: Reply<Loaded, LoadError>) {
        match reply {
            Ok(Ok(loaded)) => {
                self.dialog = None;
                self.take_loaded(loaded);
            }
            // The text stays in the dialog: it may be the only copy.
            Ok(Err(error)) => self.reject_text(failure(&error), error.to_string()),
            Err(error) => self.reject_text(Status::error(error.to_string()), error.to_string()),
        }
    }

    fn reject_text(&mut self, status: Status, problem: String) {
        self.status.set(status);
        if let Some(dialog) = &mut self.dialog {
            dialog.reject(problem);
        }
    }

    fn take_picture_loaded(&mut self, reply: Reply<Loaded, LoadError>) {
        match reply {
            Ok(Ok(loaded)) => self.take_loaded(loaded),
            Ok(Err(error)) => self.status.set(failure(&error)),
            Err(error) => self.status.set(Status::error(error.to_string())),
        }
    }

    fn take_loaded(&mut self, loaded: Loaded) {
        let sentence = loaded.to_string();
        let released = loaded.released.as_ref().map(Released::to_string);
        let status = match (loaded.warning(), released) {
            (Some(warning), Some(released)) => {
                Status::warning(sentence).with_remedy(format!("{warning} {released}"))
            }
            (Some(warning), None) => Status::warning(sentence).with_remedy(warning),
            (None, Some(released)) => Status::success(sentence).with_remedy(released),
            (None, None) => Status::success(sentence),
        };
        self.status.set(status);
        self.attached = Some(loaded.key);
    }

    fn take_cleared(&mut self, reply: Reply<Option<Key>, PublishError>) {
        self.status.set(match reply {
            Ok(Ok(Some(key))) => Status::success(format!(
                "Cleared {key}: nothing of it is left to read. This window stays attached."
            )),
            Ok(Ok(None)) => Status::neutral("There is nothing to clear."),
            Ok(Err(error)) => {
                Status::error("It could not be cleared.").with_remedy(error.to_string())
            }
            Err(error) => Status::error(error.to_string()),
        });
    }

    fn take_released(&mut self, reply: Result<Option<Released>, WorkerError>) {
        self.status.set(match reply {
            Ok(released) => {
                self.attached = None;
                match released {
                    Some(released) => Status::success(released.to_string()),
                    None => Status::neutral("There is nothing to release."),
                }
            }
            Err(error) => Status::error(error.to_string()),
        });
    }

    fn take_loss(&mut self, reply: Result<Option<Key>, WorkerError>) {
        // Where nothing was lost there is nothing to say.
        let Ok(Some(key)) = reply else {
            return;
        };
        self.attached = None;
        let sentence = format!("What was loaded into {key} was removed by another program.");
        self.status
            .set(Status::error(sentence).with_remedy("Load it again."));
    }

    fn see(&mut self, observation: Observation) -> Task<Message> {
        let is_gone = match observation {
            Observation::Nothing => {
                self.seen = Seen::Nothing;
                true
            }
            Observation::Unreadable(error) => {
                self.seen = Seen::Unreadable(error.to_string());
                false
            }
            Observation::Content(fresh) => {
                self.tell_who_replaced_us(&fresh.snapshot);
                self.show(*fresh);
                false
            }
            Observation::Presence(info) => {
                if let Seen::Content(pane) = &mut self.seen {
                    pane.observe(&info);
                }
                !info.attached.iter().any(is_own_publisher)
            }
        };
        if is_gone && self.is_attached_here() {
            // What was seen may be older than what was loaded: the session knows.
            return self.session.release_if_lost().map(Message::LossChecked);
        }
        Task::none()
    }

    fn show(&mut self, fresh: Fresh) {
        match &mut self.seen {
            Seen::Content(pane) => pane.replace(fresh),
            seen => *seen = Seen::Content(Box::new(ContentPane::fresh(fresh))),
        }
    }

    /// Says so when somebody else's content took the place of ours.
    fn tell_who_replaced_us(&mut self, snapshot: &Snapshot) {
        let was_ours = matches!(&self.seen, Seen::Content(pane) if is_own(pane.snapshot()));
        let Some(origin) = &snapshot.origin else {
            return;
        };
        if !was_ours || is_own(snapshot) || !self.is_attached_here() {
            return;
        }
        let program = origin
            .writer_program
            .as_deref()
            .unwrap_or("Another program");
        let sentence = format!(
            "{program} (pid {}) has replaced what this window had loaded into {}.",
            origin.writer, snapshot.key
        );
        self.status.set(Status::warning(sentence));
    }
}

fn is_own(snapshot: &Snapshot) -> bool {
    snapshot
        .origin
        .as_ref()
        .is_some_and(|origin| origin.writer.is_current())
}

fn is_own_publisher(peer: &Attached) -> bool {
    peer.process.is_current() && peer.access == Access::ReadWrite
}

fn failure(error: &LoadError) -> Status {
    Status::error(error.headline()).with_remedy(error.remedy())
}
