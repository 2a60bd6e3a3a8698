//! The window SharedMemoryLoad: its state, what can happen to it, and what it looks like.

mod at_hand;
mod form;
mod loading;
mod shortcut;
mod streaming;
#[cfg(test)]
mod tests;
mod view;
mod watchers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use app_kit::clipboard::{Clipboard, ClipboardError, Pasted};
use app_kit::content_pane::{self, ContentPane};
use app_kit::drop_target::{self, DropTarget};
use app_kit::file_dialog::Answer;
use app_kit::key_field::{self, KeyField};
use app_kit::meter::Stage;
use app_kit::settings::{self, Keeper, NoSwitches, Remembered};
use app_kit::snapshot::Snapshot;
use app_kit::status::{Status, StatusLine};
use app_kit::watch::{self, Depth, Fresh, Observation, Watch};
use app_kit::worker::WorkerError;
use app_kit::{focus, help, icon, language, say, signals, theme, typed_path};
use iced::widget::operation;
use iced::{Program, Size, Subscription, Task, Theme, event, window};
use qt_bridge::{Address, Form};
use shm_core::{Access, Attached, Options};

use loading::Loading;
use view::PATH_FIELD;

use streaming::Stream;

use crate::file_dialog;
use crate::progress::Progress;
use crate::screen::stream_card::{self, StreamCard};
use crate::screen::text_dialog::{self, TextDialog};
use crate::session::audience::Watched;
use crate::session::{LoadError, Loaded, News, Released, Reply, SessionThread};

use watchers::Watchers;

/// The title of the window.
pub const TITLE: &str = "SharedMemoryLoad";

/// The fields that Tab goes round.
const FIELDS: [&str; 3] = [key_field::ID, view::PATH_FIELD, content_pane::TEXT];

/// What the window begins with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key that was asked for; without one, the one that is remembered.
    pub key: Option<Address>,
    /// The form that was asked for; of interest only with a Qt key.
    pub form: Option<Form>,
    /// Where segments are, if not where the environment says.
    pub directory: Option<PathBuf>,
    /// Whether status lines are printed to stderr as well.
    pub verbose: bool,
    /// What is remembered.
    pub remembered: Remembered<NoSwitches>,
}

/// Everything the window knows.
#[derive(Debug)]
pub struct State {
    key_field: KeyField,
    path: String,
    status: StatusLine,
    dialog: Option<TextDialog>,
    stream_card: Option<StreamCard>,
    stream: Option<Stream>,
    /// How many streams were begun.
    streams: u64,
    file_dialog: FileDialog,
    seen: Seen,
    /// The key under which something is loaded by this window.
    attached: Option<Address>,
    /// The form that was chosen for it, if it is there for Qt programs.
    attached_as: Option<Form>,
    /// Who watches it.
    watchers: Watchers,
    /// Looks at the key in the key field; nothing does while that is none.
    watch: Option<Watch>,
    stage: Arc<Stage>,
    options: Options,
    /// The file on its way. It stands before the session, because what is dropped first is
    /// cancelled first, and the session ends only with what it does.
    loading: Option<Loading>,
    /// How many files were begun.
    files: u64,
    session: SessionThread,
    drop_target: DropTarget,
    clipboard: Clipboard,
    is_help_open: bool,
    keeper: Keeper<NoSwitches>,
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
    /// The form of what is under a Qt key was chosen.
    FormChosen(Option<Form>),
    /// The shortcut for the form after the one that is chosen.
    NextForm,
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
    /// The button "Stream...", or "Stop" while a stream plays, or their shortcut.
    StreamPressed,
    /// Something happened on the card that starts a stream.
    StreamCard(stream_card::Message),
    /// The file dialog for a stream ended, with or without a choice.
    StreamSourceChosen(Answer),
    /// Something happened to the stream of that number.
    StreamNews(u64, News),
    /// Something happened in the input dialog.
    Dialog(text_dialog::Message),
    /// The file dialog ended, one way or another.
    FileDialogEnded(Answer),
    /// Files are dragged over the window, or dropped on it.
    Dragged(drop_target::Event),
    /// The file of that number was loaded, the first of some more, or not.
    FileLoaded {
        /// Tells it from one that was given up before.
        number: u64,
        /// How many more files there were.
        others: usize,
        /// What came of it.
        reply: Reply<Loaded, LoadError>,
    },
    /// What was pasted was loaded, or not.
    PastedLoaded(Reply<Loaded, LoadError>),
    /// The shortcut to load what is in the clipboard.
    PastePressed,
    /// The clipboard was asked.
    Pasted(Result<Pasted, ClipboardError>),
    /// A text was loaded, or not.
    TextLoaded(Reply<Loaded, LoadError>),
    /// The picture of that number was loaded, or not.
    PictureLoaded(u64, Reply<Loaded, LoadError>),
    /// It is time to look how far the picture is.
    Glance(Instant),
    /// The button "Cancel", or Escape: the dialog, or else the picture on its way, is not wanted.
    CancelPressed,
    /// What was loaded was blanked, or not.
    Cleared(Reply<Option<Address>, LoadError>),
    /// What was loaded was let go of.
    Released(Result<Option<Released>, WorkerError>),
    /// It was looked whether what is loaded was removed by somebody else.
    LossChecked(Result<Option<Address>, WorkerError>),
    /// Something was seen in shared memory.
    Seen(watch::News),
    /// Somebody came to watch what is loaded, has shown it, or has left.
    Watched(Watched),
    /// It was asked for the list of those who watch, or enough of it.
    WatchersToggled,
    /// Something happened in the content pane.
    Pane(content_pane::Message),
    /// A key was pressed that does something wherever the focus is.
    Shortcut(fn() -> Message),
    /// The key field should have the focus.
    FocusKey,
    /// The path field should have the focus.
    FocusPath,
    /// The focus goes on to another field.
    Focus(focus::Direction),
    /// The help opens, or closes.
    ToggleHelp,
    /// The window has another size.
    Resized(Size),
    /// The window could not remember something.
    NotRemembered(Status),
    /// A key or a signal asks the program to end.
    Quit,
}

/// Builds the application, ready to run.
pub fn application(
    settings: Settings,
) -> iced::Application<impl Program<State = State, Message = Message, Theme = Theme>> {
    let size = settings.remembered.settings.size;
    iced::application(move || State::boot(&settings), State::update, State::view)
        .title(TITLE)
        .subscription(State::subscription)
        .style(theme::window)
        .default_font(theme::FONT)
        .window(window::Settings {
            size,
            min_size: Some(settings::MIN_SIZE),
            icon: icon::of(include_bytes!("../../../packaging/icons/64/loader-app.png")),
            platform_specific: window::settings::PlatformSpecific {
                application_id: "loader-app".to_owned(),
                ..window::settings::PlatformSpecific::default()
            },
            ..window::Settings::default()
        })
}

impl State {
    /// Begins with nothing loaded, and learns from then on who watches.
    fn boot(settings: &Settings) -> (State, Task<Message>) {
        let mut state = State::new(settings);
        let watched = state.session.watched().map(Message::Watched);
        (state, watched)
    }

    /// Begins with nothing loaded.
    pub fn new(settings: &Settings) -> State {
        let options = match &settings.directory {
            Some(directory) => Options::new().directory(directory),
            None => Options::new(),
        };
        let remembered = settings.remembered.clone();
        let key = settings.key.as_ref().or(remembered.settings.key.as_ref());
        let first = remembered.notice.clone();
        let mut state = State {
            key_field: key.map_or_else(KeyField::default, |key| KeyField::new(key.as_str())),
            path: String::new(),
            status: StatusLine::new(
                first.unwrap_or_else(|| Status::neutral(say!("welcome"))),
                settings.verbose,
            ),
            dialog: None,
            stream_card: None,
            stream: None,
            streams: 0,
            file_dialog: FileDialog::Closed,
            seen: Seen::Unknown,
            attached: None,
            attached_as: None,
            watchers: Watchers::nobody(settings.verbose),
            watch: None,
            stage: Arc::default(),
            loading: None,
            files: 0,
            session: SessionThread::start(options.clone()),
            options,
            drop_target: DropTarget::new(),
            clipboard: Clipboard::new(),
            is_help_open: false,
            keeper: Keeper::new(remembered),
        };
        state.key_field.choose_form(settings.form);
        state.session.stream_as(state.key_field.form());
        state.watch_key();
        state
    }

    /// Watches the key in the key field, the keyboard, and signals.
    pub fn subscription(&self) -> Subscription<Message> {
        let watched = match &self.watch {
            Some(watch) => watch.subscription().map(Message::Seen),
            None => Subscription::none(),
        };
        let glances = match &self.loading {
            Some(_) => loading::glances().map(Message::Glance),
            None => Subscription::none(),
        };
        Subscription::batch([
            watched,
            glances,
            event::listen_with(shortcut::message_of),
            self.drop_target.subscription().map(Message::Dragged),
            window::resize_events().map(|(_, size)| Message::Resized(size)),
            signals::subscription().map(|()| Message::Quit),
        ])
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::KeyEdited(text) => return self.edit_key(text),
            Message::FormChosen(form) => self.choose_form(form),
            Message::NextForm => self.choose_next_form(),
            Message::PathEdited(path) => self.path = path,
            Message::PathSubmitted => return self.load_typed_path(),
            Message::LoadPressed => return self.open_text_dialog(),
            Message::LoadImagePressed => return self.open_file_dialog(),
            Message::ClearPressed => return self.session().clear().map(Message::Cleared),
            Message::ReleasePressed => return self.session().release().map(Message::Released),
            Message::StreamPressed => return self.toggle_stream(),
            Message::StreamCard(message) => return self.update_stream_card(message),
            Message::StreamSourceChosen(answer) => return self.take_stream_source(answer),
            Message::StreamNews(number, news) => self.take_stream_news(number, news),
            Message::Dialog(message) => return self.update_dialog(message),
            Message::FileDialogEnded(answer) => return self.take_answer(answer),
            Message::Dragged(event) => return self.follow_drag(event),
            Message::FileLoaded {
                number,
                others,
                reply,
            } => self.take_file_loaded(number, others, reply),
            Message::PastedLoaded(reply) => self.take_reply(reply, None),
            Message::PastePressed => return self.paste(),
            Message::Pasted(pasted) => return self.take_pasted(pasted),
            Message::TextLoaded(reply) => self.take_text_loaded(reply),
            Message::PictureLoaded(number, reply) => self.take_file_loaded(number, 0, reply),
            Message::Glance(now) => {
                if let Some(loading) = &mut self.loading {
                    loading.look(now);
                }
            }
            Message::CancelPressed => self.cancel(),
            Message::Cleared(reply) => self.take_cleared(reply),
            Message::Released(reply) => self.take_released(reply),
            Message::LossChecked(reply) => self.take_loss(reply),
            Message::Seen(news) => {
                if let Some(observation) = self.watch.as_ref().and_then(|watch| watch.read(news)) {
                    return self.see(observation);
                }
            }
            Message::Watched(watched) => self.watchers.take(watched),
            Message::WatchersToggled => self.watchers.toggle(),
            Message::Pane(message) => {
                if let Seen::Content(pane) = &mut self.seen {
                    pane.update(message);
                }
            }
            Message::Shortcut(action) => return self.press(action()),
            Message::FocusKey => return operation::focus(key_field::ID),
            Message::FocusPath => return operation::focus(view::PATH_FIELD),
            Message::Focus(direction) if self.stream_card.is_some() => {
                return focus::go(&stream_card::FIELDS, direction);
            }
            Message::Focus(direction) => return focus::go(&FIELDS, direction),
            Message::ToggleHelp => return self.toggle_help(),
            Message::Resized(size) => {
                let kept = self.keeper.change(|settings| settings.set_size(size));
                return kept.map(Message::NotRemembered);
            }
            Message::NotRemembered(status) => self.status.set(status),
            // The session lets go of what is loaded when the state is dropped.
            Message::Quit => return iced::exit(),
        }
        Task::none()
    }

    /// Does what a shortcut says. One that is tried out from the help closes it.
    fn press(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::ToggleHelp => self.toggle_help(),
            Message::CancelPressed if self.is_help_open => self.toggle_help(),
            // What is written must not get lost by a key that is meant for the window below.
            message if self.dialog.is_some() && !is_for_dialog(&message) => Task::none(),
            message if self.stream_card.is_some() && !is_for_card(&message) => Task::none(),
            message => {
                self.is_help_open = false;
                self.update(message)
            }
        }
    }

    fn toggle_help(&mut self) -> Task<Message> {
        self.is_help_open = !self.is_help_open;
        operation::focus(if self.is_help_open {
            help::NO_FIELD
        } else if self.dialog.is_some() {
            text_dialog::EDITOR
        } else if self.stream_card.is_some() {
            stream_card::PATH
        } else {
            help::NO_FIELD
        })
    }

    /// Returns what stands in the status line.
    pub fn status(&self) -> &Status {
        self.status.current()
    }

    fn edit_key(&mut self, text: String) -> Task<Message> {
        if text == self.key_field.text() {
            return Task::none();
        }
        let was_here = self.is_attached_here();
        self.key_field.set(text);
        self.session.stream_as(self.key_field.form());
        self.seen = Seen::Unknown;
        self.watch_key();
        if let Some(attached) = &self.attached
            && was_here
            && !self.is_attached_here()
        {
            let status = Status::neutral(say!("key-left", key = attached));
            self.status.set(status.with_remedy(say!("key-left-remedy")));
        }
        let Ok(key) = self.key_field.key() else {
            return Task::none();
        };
        let kept = self
            .keeper
            .change(|settings| settings.key = Some(key.clone()));
        kept.map(Message::NotRemembered)
    }

    fn watch_key(&mut self) {
        self.watch = self.key_field.key().ok().map(|key| {
            let stage = Arc::clone(&self.stage);
            let (form, options) = (self.form_to_watch(), self.options.clone());
            Watch::new(key.clone(), form, options, Depth::Content, stage)
        });
    }

    /// Returns whether what is loaded is loaded under the key in the key field.
    fn is_attached_here(&self) -> bool {
        self.attached.is_some() && self.key_field.key().ok() == self.attached.as_ref()
    }

    /// Returns the key to load under; where there is none, says why.
    fn key_to_load_under(&mut self) -> Option<Address> {
        match self.key_field.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error(problem);
                self.status.set(status);
                None
            }
        }
    }

    /// Returns the session, for a command to which a stream that plays gives way.
    fn session(&mut self) -> &mut SessionThread {
        self.stream = None;
        &mut self.session
    }

    /// Tells whether something is open over the window that is written in.
    fn is_covered(&self) -> bool {
        self.dialog.is_some() || self.stream_card.is_some()
    }

    fn open_text_dialog(&mut self) -> Task<Message> {
        if self.is_covered() {
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
                Some(key) => self.session().load_text(key, text).map(Message::TextLoaded),
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
        if self.is_covered() || self.key_to_load_under().is_none() || !self.enter_file_dialog() {
            return Task::none();
        }
        file_dialog::pick().map(Message::FileDialogEnded)
    }

    /// Notes that a file dialog opens. Where one is open says so, and is content the next time.
    fn enter_file_dialog(&mut self) -> bool {
        if self.file_dialog == FileDialog::Open {
            self.file_dialog = FileDialog::OpenAndSaidSo;
            let status = Status::neutral(say!("file-dialog-open"));
            self.status
                .set(status.with_remedy(say!("file-dialog-open-remedy")));
            return false;
        }
        self.file_dialog = FileDialog::Open;
        true
    }

    /// Notes that the file dialog is closed; returns its choice, or what is to be said of it.
    fn leave_file_dialog(&mut self, answer: Answer) -> Result<PathBuf, Status> {
        self.file_dialog = FileDialog::Closed;
        match answer {
            Answer::Chosen(path) => Ok(path),
            Answer::Cancelled => Err(Status::neutral(say!("file-dialog-cancelled"))),
            Answer::NotShown => Err(Status::error(say!("file-dialog-not-shown"))
                .with_remedy(say!("file-dialog-not-shown-remedy"))),
            Answer::Died => Err(Status::error(say!("file-dialog-died"))
                .with_remedy(say!("file-dialog-died-remedy"))),
        }
    }

    fn take_answer(&mut self, answer: Answer) -> Task<Message> {
        let was_cancelled = answer == Answer::Cancelled;
        match self.leave_file_dialog(answer) {
            Ok(path) => self.load_picture(path),
            Err(status) => {
                self.status.set(status);
                if was_cancelled {
                    return Task::none();
                }
                operation::focus(PATH_FIELD)
            }
        }
    }

    fn load_typed_path(&mut self) -> Task<Message> {
        match typed_path::parse(&self.path) {
            Some(path) => self.load_picture(path),
            None => {
                let status = Status::error(say!("path-missing"));
                self.status
                    .set(status.with_remedy(say!("path-missing-remedy")));
                Task::none()
            }
        }
    }

    fn load_picture(&mut self, path: PathBuf) -> Task<Message> {
        let Some((key, number, progress)) = self.begin_loading(&path) else {
            return Task::none();
        };
        self.session()
            .load_picture(key, path, progress)
            .map(move |reply| Message::PictureLoaded(number, reply))
    }

    /// Prepares to load a file, which takes its time; `None` where there is no key to load under.
    fn begin_loading(&mut self, path: &Path) -> Option<(Address, u64, Arc<Progress>)> {
        let key = self.key_to_load_under()?;
        let sentence = say!("loading", file = drop_target::file_name(path), key = key);
        self.status.set(Status::neutral(sentence));
        self.files += 1;
        let (loading, progress) = Loading::start(self.files);
        // One that is still on its way is not wanted any more.
        self.loading = Some(loading);
        Some((key, self.files, progress))
    }

    /// Leaves the dialog, or else gives up the picture on its way.
    fn cancel(&mut self) {
        if self.dialog.take().is_some() {
            return;
        }
        if self.stream_card.is_some() {
            self.close_stream_card();
            return;
        }
        if let Some(loading) = &self.loading {
            loading.cancel();
            self.status.set(Status::neutral(say!("cancelling")));
        }
    }

    fn take_text_loaded(&mut self, reply: Reply<Loaded, LoadError>) {
        match reply {
            Ok(Ok(loaded)) => {
                self.dialog = None;
                self.take_loaded(loaded, None);
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

    fn take_file_loaded(&mut self, number: u64, others: usize, reply: Reply<Loaded, LoadError>) {
        let is_last = self
            .loading
            .as_ref()
            .is_some_and(|loading| loading.number == number);
        if is_last {
            self.loading = None;
        }
        match reply {
            Ok(Err(error)) if error.is_cancelled() => {
                // Otherwise it made room for another one, which says itself how it goes.
                if is_last {
                    let status = Status::neutral(error.headline()).with_remedy(error.remedy());
                    self.status.set(status);
                }
            }
            reply => self.take_reply(reply, at_hand::only_the_first(others)),
        }
    }

    fn take_reply(&mut self, reply: Reply<Loaded, LoadError>, note: Option<String>) {
        match reply {
            Ok(Ok(loaded)) => self.take_loaded(loaded, note),
            Ok(Err(error)) => self.status.set(failure(&error)),
            Err(error) => self.status.set(Status::error(error.to_string())),
        }
    }

    /// Says what was loaded; `note` is what else there is to say.
    fn take_loaded(&mut self, loaded: Loaded, note: Option<String>) {
        self.say_loaded(loaded.to_string(), &loaded, note);
        self.attach(loaded);
    }

    /// Says what was loaded, what it took the place of, and `note`.
    fn say_loaded(&mut self, sentence: String, loaded: &Loaded, note: Option<String>) {
        let warning = loaded.warning();
        let status = if warning.is_some() || note.is_some() {
            Status::warning(sentence)
        } else {
            Status::success(sentence)
        };
        let released = loaded.released.as_ref().map(Released::to_string);
        let remedies: Vec<String> = [warning, released, note].into_iter().flatten().collect();
        self.status.set(match remedies.is_empty() {
            true => status,
            false => status.with_remedy(language::sentences(remedies)),
        });
    }

    fn take_cleared(&mut self, reply: Reply<Option<Address>, LoadError>) {
        self.status.set(match reply {
            Ok(Ok(Some(key))) => Status::success(say!("cleared", key = key)),
            Ok(Ok(None)) => Status::neutral(say!("clear-nothing")),
            Ok(Err(error)) => Status::error(say!("clear-failed")).with_remedy(error.remedy()),
            Err(error) => Status::error(error.to_string()),
        });
    }

    fn take_released(&mut self, reply: Result<Option<Released>, WorkerError>) {
        if reply.is_ok() {
            self.detach();
        }
        self.status.set(match reply {
            Ok(Some(released)) => Status::success(released.to_string()),
            Ok(None) => Status::neutral(say!("release-nothing")),
            Err(error) => Status::error(error.to_string()),
        });
    }

    fn take_loss(&mut self, reply: Result<Option<Address>, WorkerError>) {
        // Where nothing was lost there is nothing to say.
        let Ok(Some(key)) = reply else {
            return;
        };
        self.detach();
        let status = Status::error(say!("lost", key = key));
        self.status.set(status.with_remedy(say!("load-it-again")));
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
            Observation::Qt(_) => false,
            Observation::Presence(info) => {
                if let Seen::Content(pane) = &mut self.seen {
                    pane.observe(&info);
                }
                !info.attached.iter().any(is_own_publisher)
            }
        };
        // A stream finds that out by itself.
        if is_gone && self.is_attached_here() && self.stream.is_none() {
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
        let (pid, key) = (origin.writer, &snapshot.key);
        let sentence = match &origin.writer_program {
            Some(program) => say!("replaced", program = program, pid = pid, key = key),
            None => say!("replaced-by-unknown", pid = pid, key = key),
        };
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

fn is_for_dialog(message: &Message) -> bool {
    // A text that does not go into the chosen form need not be given up for another form.
    matches!(
        message,
        Message::Dialog(_) | Message::CancelPressed | Message::NextForm
    )
}

fn is_for_card(message: &Message) -> bool {
    matches!(
        message,
        Message::Focus(_) | Message::CancelPressed | Message::Quit
    )
}

fn failure(error: &LoadError) -> Status {
    Status::error(error.headline()).with_remedy(error.remedy())
}
