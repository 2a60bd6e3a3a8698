//! The window SharedMemoryLoad: its state, what can happen to it, and what it looks like.

mod clipboard_and_drop;
mod file;
mod form;
mod loading;
mod lost;
mod message;
mod seen;
mod session_reply;
mod shortcut;
mod streaming;
#[cfg(test)]
mod tests;
mod text;
mod view;
mod watchers;

use std::path::PathBuf;
use std::sync::Arc;

use gui_common::desktop::clipboard::Clipboard;
use gui_common::picture::draw_latency::RenderTarget;
use gui_common::session::monitor::Monitor;
use gui_common::settings::{LoadedSettings, NoSwitches};
use gui_common::tr;
use gui_common::widget::content_pane;
use gui_common::widget::help;
use gui_common::widget::key_field;
use gui_common::widget::main_window::{self, MainWindow, window_settings};
use gui_common::widget::status::Status;
use gui_common::widget::theme;
use iced::widget::operation;
use iced::{Program, Subscription, Task, Theme, event};
use qt_bridge::Form;
use shm_core::Options;
use shm_io::Address;

pub(crate) use message::Message;

use file::FileDialog;
use loading::Loading;
use lost::Lost;
use seen::Seen;
use streaming::Stream;
use watchers::Watchers;

use crate::screen::stream_card::{self, StreamCard};
use crate::screen::text_dialog::{self, TextDialog};
use crate::session::SessionThread;

/// The title of the window.
pub(crate) const TITLE: &str = "SharedMemoryLoad";

/// The fields that Tab goes round.
const FIELDS: [&str; 3] = [key_field::ID, view::PATH_FIELD, content_pane::TEXT];

/// What the window begins with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The key that was asked for; without one, the one that is remembered.
    pub(crate) key: Option<Address>,
    /// The form that was asked for; of interest only with a Qt key.
    pub(crate) form: Option<Form>,
    /// Where segments are, if not where the environment says.
    pub(crate) directory: Option<PathBuf>,
    /// Whether status lines are printed to stderr as well.
    pub(crate) verbose: bool,
    /// What is remembered.
    pub(crate) remembered: LoadedSettings<NoSwitches>,
}

/// Everything the window knows.
#[derive(Debug)]
pub(crate) struct State {
    window: MainWindow<NoSwitches>,
    path: String,
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
    /// What was loaded by this window and taken away by another program.
    lost: Option<Lost>,
    /// Who watches it.
    watchers: Watchers,
    /// Looks at the key in the key field; nothing does while that is none.
    monitor: Option<Monitor>,
    /// Looks at the key under which something is loaded, where that is not in the key field.
    guard: Option<Monitor>,
    target: Arc<RenderTarget>,
    options: Options,
    /// The file on its way. It stands before the session, because what is dropped first is
    /// cancelled first, and the session ends only with what it does.
    loading: Option<Loading>,
    /// How many files were begun.
    files: u64,
    session: SessionThread,
    clipboard: Clipboard,
}

/// Builds the application, ready to run.
pub(crate) fn application(
    settings: Settings,
) -> iced::Application<impl Program<State = State, Message = Message, Theme = Theme>> {
    let window = window_settings(
        &settings.remembered,
        "loader-app",
        include_bytes!("../../../packaging/icons/64/loader-app.png"),
    );
    iced::application(move || State::boot(&settings), State::update, State::view)
        .title(TITLE)
        .subscription(State::subscription)
        .style(theme::window)
        .default_font(theme::FONT)
        .window(window)
}

impl State {
    /// Begins with nothing loaded, and learns from then on who watches.
    fn boot(settings: &Settings) -> (State, Task<Message>) {
        let mut state = State::new(settings);
        let watched = state.session.watched().map(Message::Watched);
        (state, watched)
    }

    /// Begins with nothing loaded.
    pub(crate) fn new(settings: &Settings) -> State {
        let options = match &settings.directory {
            Some(directory) => Options::new().directory(directory),
            None => Options::new(),
        };
        let mut state = State {
            window: MainWindow::new(
                settings.remembered.clone(),
                settings.key.as_ref(),
                settings.form,
                tr!("welcome"),
                settings.verbose,
            ),
            path: String::new(),
            dialog: None,
            stream_card: None,
            stream: None,
            streams: 0,
            file_dialog: FileDialog::Closed,
            seen: Seen::Unknown,
            attached: None,
            attached_as: None,
            lost: None,
            watchers: Watchers::nobody(settings.verbose),
            monitor: None,
            guard: None,
            target: Arc::default(),
            loading: None,
            files: 0,
            session: SessionThread::start(options.clone()),
            options,
            clipboard: Clipboard::new(),
        };
        state.session.stream_as(state.window.key.form());
        state.watch_key();
        state
    }

    /// Watches the key in the key field, the keyboard, and signals.
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let watched = match &self.monitor {
            Some(watch) => watch.subscription().map(Message::Seen),
            None => Subscription::none(),
        };
        let guarded = match &self.guard {
            Some(guard) => guard.subscription().map(Message::Guarded),
            None => Subscription::none(),
        };
        let glances = match &self.loading {
            Some(_) => loading::glances().map(Message::Glance),
            None => Subscription::none(),
        };
        Subscription::batch([
            watched,
            guarded,
            glances,
            event::listen_with(shortcut::message_of),
            self.window.subscription().map(Message::Window),
        ])
    }

    /// Takes in what happened.
    pub(crate) fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Window(message) => return self.update_window(message),
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
            Message::LoadAgainPressed => return self.load_again(),
            Message::LoadedAgain(reply) => self.take_loaded_again(reply),
            Message::Guarded(news) => {
                let seen = self.guard.as_ref().and_then(|guard| guard.read(news));
                return seen.map_or_else(Task::none, |seen| self.look_for_loss(&seen));
            }
            Message::Seen(news) => {
                if let Some(observation) = self.monitor.as_ref().and_then(|watch| watch.read(news))
                {
                    return self.see(observation);
                }
            }
            Message::Watched(watched) => self.watchers.take(watched),
            Message::WatchersToggled => self.watchers.toggle(),
            Message::Pane(message) => {
                if let Seen::Content(pane) = &mut self.seen {
                    return pane.update(message).map(Message::Pane);
                }
            }
            Message::Shortcut(action) => return self.press(action()),
            Message::FocusPath => return operation::focus(view::PATH_FIELD),
        }
        Task::none()
    }

    fn update_window(&mut self, message: main_window::Message) -> Task<Message> {
        let fields: &[&str] = match &self.stream_card {
            Some(_) => &stream_card::FIELDS,
            None => &FIELDS,
        };
        match self.window.update(message, fields) {
            main_window::Action::Run(task) => task.map(Message::Window),
            main_window::Action::KeyEdited { before, task } => {
                self.take_key(before.as_ref());
                task.map(Message::Window)
            }
            main_window::Action::FormChosen => {
                self.take_form();
                Task::none()
            }
            main_window::Action::Dropped(dropped) => self.load_file(dropped),
            main_window::Action::HelpClosed => self.focus_below_help(),
        }
    }

    /// Does what a shortcut says. One that is tried out from the help closes it.
    fn press(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Window(main_window::Message::ToggleHelp) => self.update(message),
            Message::CancelPressed if self.window.close_help() => self.focus_below_help(),
            // What is written must not get lost by a key that is meant for the window below.
            message if self.dialog.is_some() && !is_for_dialog(&message) => Task::none(),
            message if self.stream_card.is_some() && !is_for_card(&message) => Task::none(),
            message => {
                self.window.close_help();
                self.update(message)
            }
        }
    }

    fn focus_below_help(&self) -> Task<Message> {
        operation::focus(if self.dialog.is_some() {
            text_dialog::EDITOR
        } else if self.stream_card.is_some() {
            stream_card::PATH
        } else {
            help::NO_FIELD
        })
    }

    /// Reacts to a new key in the key field.
    fn take_key(&mut self, before: Option<&Address>) {
        self.session.stream_as(self.window.key.form());
        self.seen = Seen::Unknown;
        self.watch_key();
        self.guard_what_is_loaded();
        if let Some(attached) = &self.attached
            && before == Some(attached)
            && !self.is_attached_here()
        {
            let status = Status::neutral(tr!("key-left", key = attached));
            self.window
                .status
                .set(status.with_remedy(tr!("key-left-remedy")));
        }
    }

    /// Returns whether what is loaded is loaded under the key in the key field.
    fn is_attached_here(&self) -> bool {
        self.attached.is_some() && self.window.key.key().ok() == self.attached.as_ref()
    }

    /// Returns the key to load under; where there is none, says why.
    fn key_to_load_under(&mut self) -> Option<Address> {
        match self.window.key.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error(problem);
                self.window.status.set(status);
                None
            }
        }
    }

    /// Returns the session, for a command to which a stream that plays gives way.
    fn session(&mut self) -> &mut SessionThread {
        self.stream = None;
        &mut self.session
    }

    /// Returns `true` if something is open over the window that is written in.
    fn is_covered(&self) -> bool {
        self.dialog.is_some() || self.stream_card.is_some()
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
            self.window.status.set(Status::neutral(tr!("cancelling")));
        }
    }
}

fn is_for_dialog(message: &Message) -> bool {
    // A text that does not go into the chosen form need not be given up for another form.
    matches!(
        message,
        Message::Dialog(_)
            | Message::CancelPressed
            | Message::Window(main_window::Message::NextForm)
    )
}

fn is_for_card(message: &Message) -> bool {
    matches!(
        message,
        Message::CancelPressed
            | Message::Window(main_window::Message::Focus(_) | main_window::Message::Quit)
    )
}
