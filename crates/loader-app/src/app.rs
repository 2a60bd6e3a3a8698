//! The window SharedMemoryLoad: its state, its messages and its view.

mod clipboard_and_drop;
mod content;
mod file;
mod form;
mod loading;
mod lost;
mod message;
mod session_reply;
mod shortcut;
mod streaming;
#[cfg(test)]
mod tests;
mod text;
mod view;
mod viewer_list;

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

use content::ContentState;
use file::FileDialog;
use loading::Loading;
use lost::Lost;
use streaming::Stream;
use viewer_list::ViewerList;

use crate::screen::stream_card::{self, StreamCard};
use crate::screen::text_dialog::{self, TextDialog};
use crate::session::SessionThread;

/// The title of the window.
pub(crate) const TITLE: &str = "SharedMemoryLoad";

/// The fields in Tab order.
const FIELDS: [&str; 3] = [key_field::ID, view::PATH_FIELD, content_pane::TEXT];

/// The initial settings of the window.
#[derive(Clone, Debug)]
pub(crate) struct LaunchSettings {
    /// The key from the command line; `None` for the last one used.
    pub(crate) key: Option<Address>,
    /// The form from the command line, for a Qt key.
    pub(crate) form: Option<Form>,
    /// The directory of the segments; `None` for the one that the environment determines.
    pub(crate) directory: Option<PathBuf>,
    /// Whether status lines are also printed to stderr.
    pub(crate) verbose: bool,
    /// The saved settings.
    pub(crate) saved: LoadedSettings<NoSwitches>,
}

/// The state of the window.
#[derive(Debug)]
pub(crate) struct State {
    window: MainWindow<NoSwitches>,
    path: String,
    dialog: Option<TextDialog>,
    stream_card: Option<StreamCard>,
    stream: Option<Stream>,
    /// The number of streams started.
    stream_count: u64,
    file_dialog: FileDialog,
    content: ContentState,
    /// The key under which this window has loaded content.
    attached: Option<Address>,
    /// The form that the user chose for that content, if its key is a Qt key.
    attached_form: Option<Form>,
    /// What this window had loaded before another program removed it.
    lost: Option<Lost>,
    /// The viewers of the segment.
    viewers: ViewerList,
    /// Monitors the key in the key field; `None` while that is invalid.
    monitor: Option<Monitor>,
    /// Monitors the key of the loaded content, if the key field has another.
    guard: Option<Monitor>,
    target: Arc<RenderTarget>,
    options: Options,
    /// The file that is being loaded. It is declared before the session, because fields are dropped
    /// in order: the session's thread ends only after the load is cancelled.
    loading: Option<Loading>,
    /// The number of loads of files started.
    load_count: u64,
    session: SessionThread,
    clipboard: Clipboard,
}

/// Builds the application, ready to run.
pub(crate) fn application(
    settings: LaunchSettings,
) -> iced::Application<impl Program<State = State, Message = Message, Theme = Theme>> {
    let window = window_settings(
        &settings.saved,
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
    /// Creates the state, and a task that reports the viewers of the segment.
    fn boot(settings: &LaunchSettings) -> (State, Task<Message>) {
        let mut state = State::new(settings);
        let viewers = state.session.viewers().map(Message::ViewersChanged);
        (state, viewers)
    }

    /// Creates the state, with nothing loaded.
    pub(crate) fn new(settings: &LaunchSettings) -> State {
        let options = match &settings.directory {
            Some(directory) => Options::new().directory(directory),
            None => Options::new(),
        };
        let mut state = State {
            window: MainWindow::new(
                settings.saved.clone(),
                settings.key.as_ref(),
                settings.form,
                tr!("welcome"),
                settings.verbose,
            ),
            path: String::new(),
            dialog: None,
            stream_card: None,
            stream: None,
            stream_count: 0,
            file_dialog: FileDialog::Closed,
            content: ContentState::Unknown,
            attached: None,
            attached_form: None,
            lost: None,
            viewers: ViewerList::new(settings.verbose),
            monitor: None,
            guard: None,
            target: Arc::default(),
            loading: None,
            load_count: 0,
            session: SessionThread::start(options.clone()),
            options,
            clipboard: Clipboard::new(),
        };
        state.session.set_form(state.window.key.form());
        state.start_monitor();
        state
    }

    /// Subscribes to the monitored keys, the keyboard, and signals.
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let monitored = match &self.monitor {
            Some(monitor) => monitor.subscription().map(Message::Observed),
            None => Subscription::none(),
        };
        let guarded = match &self.guard {
            Some(guard) => guard.subscription().map(Message::GuardObserved),
            None => Subscription::none(),
        };
        let ticks = match &self.loading {
            Some(_) => loading::ticks().map(Message::Tick),
            None => Subscription::none(),
        };
        Subscription::batch([
            monitored,
            guarded,
            ticks,
            event::listen_with(shortcut::message_of),
            self.window.subscription().map(Message::Window),
        ])
    }

    /// Handles a message.
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
            Message::StreamEvent(number, event) => self.take_stream_event(number, event),
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
            Message::Tick(now) => {
                if let Some(loading) = &mut self.loading {
                    loading.update(now);
                }
            }
            Message::CancelPressed => self.cancel(),
            Message::Cleared(reply) => self.take_cleared(reply),
            Message::Released(reply) => self.take_released(reply),
            Message::LossChecked(reply) => self.take_loss(reply),
            Message::LoadAgainPressed => return self.load_again(),
            Message::LoadedAgain(reply) => self.take_loaded_again(reply),
            Message::GuardObserved(notification) => {
                let observation = self
                    .guard
                    .as_ref()
                    .and_then(|guard| guard.read(notification));
                return observation
                    .map_or_else(Task::none, |observation| self.check_loss(&observation));
            }
            Message::Observed(notification) => {
                let monitor = self.monitor.as_ref();
                if let Some(observation) = monitor.and_then(|monitor| monitor.read(notification)) {
                    return self.observe(observation);
                }
            }
            Message::ViewersChanged(viewers) => self.viewers.update(viewers),
            Message::ViewerListToggled => self.viewers.toggle(),
            Message::Pane(message) => {
                if let ContentState::Content(pane) = &mut self.content {
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

    /// Handles a shortcut. A shortcut that is pressed while the help is open closes the help.
    fn press(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Window(main_window::Message::ToggleHelp) => self.update(message),
            Message::CancelPressed if self.window.close_help() => self.focus_below_help(),
            // Shortcuts of the window must not discard the text of the dialog.
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

    /// Handles a new key in the key field.
    fn take_key(&mut self, before: Option<&Address>) {
        self.session.set_form(self.window.key.form());
        self.content = ContentState::Unknown;
        self.start_monitor();
        self.update_guard();
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

    /// Returns `true` if this window has loaded content under the key in the key field.
    fn is_attached_here(&self) -> bool {
        self.attached.is_some() && self.window.key.key().ok() == self.attached.as_ref()
    }

    /// Returns the key to load under. If it is invalid, shows why and returns `None`.
    fn load_key(&mut self) -> Option<Address> {
        match self.window.key.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error(problem);
                self.window.status.set(status);
                None
            }
        }
    }

    /// Returns the session for a call that ends the running stream.
    fn session(&mut self) -> &mut SessionThread {
        self.stream = None;
        &mut self.session
    }

    /// Returns `true` if a dialog or card with text fields is open over the window.
    fn has_dialog(&self) -> bool {
        self.dialog.is_some() || self.stream_card.is_some()
    }

    /// Closes the dialog or the card, or else cancels the load.
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
    // The user can change the form without losing a text that the chosen form cannot hold.
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
