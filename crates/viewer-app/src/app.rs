//! The window ShowSharedMem: a button that shows the content of a segment, and a switch that
//! follows it live.

mod clipboard_and_drop;
mod form;
mod key_state;
mod live;
mod panel;
mod shortcut;

use std::time::SystemTime;

use gui_common::desktop::clipboard::{Clipboard, ClipboardError};
use gui_common::session::monitor::Notification;
use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::settings::LoadedSettings;
use gui_common::text::units;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane::{self, ContentPane};
use gui_common::widget::help;
use gui_common::widget::key_field;
use gui_common::widget::main_window::{self, MainWindow, window_settings};
use gui_common::widget::status::Status;
use gui_common::widget::theme;
use iced::widget::{button, center, column, operation, row, stack};
use iced::{Center, Element, Fill, Subscription, Task, Theme, event};
use qt_bridge::Form;
use serde::{Deserialize, Serialize};
use shm_core::Options;
use shm_io::{Address, PresenceGuard};

use crate::screen::history::{self, History};
use crate::screen::save_dialog::{self, SaveDialog};
use crate::screen::segment_list;
use crate::session::{self, CopyContent, CopyError, ShowError};
use key_state::KeyState;
use live::Live;
use panel::Panel;

const TITLE: &str = "ShowSharedMem";

/// The fields in Tab order.
const FIELDS: [&str; 3] = [key_field::ID, segment_list::FILTER, content_pane::TEXT];

/// The switches of the window, which are saved in the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Switches {
    /// Whether each new sample is shown automatically.
    pub(crate) live: bool,
}

/// The arguments and saved settings that the window starts with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The key of the command line; without it the saved key is used.
    pub(crate) key: Option<Address>,
    /// The form of the command line; used only with a Qt key.
    pub(crate) form: Option<Form>,
    /// Whether status lines are printed to standard error too.
    pub(crate) is_verbose: bool,
    /// The saved settings.
    pub(crate) remembered: LoadedSettings<Switches>,
}

/// The state of the window.
#[derive(Debug)]
pub(crate) struct State {
    window: MainWindow<Switches>,
    shown: Shown,
    /// Reports to publishers what is shown here.
    presence_guard: PresenceGuard,
    /// The key of the last request, even if the request failed.
    requested: Option<Address>,
    /// The number of the last request; answers to older ones are ignored.
    request: u64,
    is_reading: bool,
    /// The last observed state of the key in the field.
    presence: Option<KeyState>,
    /// The monitor of the key.
    live: Live,
    /// The time of the last event, from which ages are computed.
    now: SystemTime,
    /// When the content was first shown, if it comes from the history.
    shown_before: Option<SystemTime>,
    panel: Panel,
    history: History,
    save_dialog: Option<SaveDialog>,
    clipboard: Clipboard,
}

/// The content of the main pane.
#[derive(Debug)]
enum Shown {
    /// A content.
    Content(Box<ContentPane>),
    /// Why there is no content, and what the user can do.
    Notice { title: String, body: String },
}

/// An event of the window.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// An event that every main window handles.
    Window(main_window::Message),
    /// The main action, by its button or its shortcut.
    Show,
    /// A request was answered.
    Answered {
        request: u64,
        answer: Result<Box<Snapshot>, ShowError>,
    },
    /// An event of the content pane.
    Pane(content_pane::Message),
    /// A request is still pending after the delay.
    StillReading { request: u64 },
    /// The monitor observed the key.
    Observed(Notification),
    /// The switch "Live" was toggled.
    LiveToggled,
    /// The shown content is to be copied.
    Copy,
    /// The content to copy was fetched, or fetching failed.
    CopyFetched(Result<CopyContent, CopyError>),
    /// The content was copied, or the named part of it, or copying failed.
    Copied(Result<(), ClipboardError>, Option<String>),
    /// The shown content is to be saved.
    SaveAs,
    /// An event of the dialog "Save as...".
    SaveDialog(save_dialog::Message),
    /// The list of segments is to be opened or closed.
    ToggleSegments,
    /// An event of the list of segments.
    Segments(segment_list::Message),
    /// The history is to be opened or closed.
    ToggleHistory,
    /// An event of the history.
    History(history::Message),
    /// A shortcut was pressed.
    Shortcut(fn() -> Message),
    /// The topmost dialog or panel is to be closed.
    Escape,
}

/// Creates the application, to run or to test it.
pub(crate) fn application(
    settings: Settings,
) -> iced::Application<impl iced::Program<State = State, Message = Message, Theme = Theme>> {
    let window = window_settings(
        &settings.remembered,
        "viewer-app",
        include_bytes!("../../../packaging/icons/64/viewer-app.png"),
    );
    iced::application(
        move || {
            let state = State::new(&settings);
            let focus = state.first_focus();
            (state, focus)
        },
        State::update,
        State::view,
    )
    .title(TITLE)
    .subscription(State::subscription)
    .theme(|_: &State| None::<Theme>)
    .style(theme::window)
    .default_font(theme::FONT)
    .window(window)
}

impl State {
    fn new(settings: &Settings) -> State {
        let window = MainWindow::new(
            settings.remembered.clone(),
            settings.key.as_ref(),
            settings.form,
            tr!("ready"),
            settings.is_verbose,
        );
        let mut state = State {
            live: Live::new(window.key.key().ok()),
            window,
            shown: Shown::Notice {
                title: tr!("nothing-shown"),
                body: tr!("nothing-shown-body"),
            },
            presence_guard: PresenceGuard::new(Options::new()),
            requested: None,
            request: 0,
            is_reading: false,
            presence: None,
            now: SystemTime::now(),
            shown_before: None,
            panel: Panel::Content,
            history: History::new(),
            save_dialog: None,
            clipboard: Clipboard::new(),
        };
        if settings.remembered.settings.switches.live {
            state.begin_live();
        }
        state
    }

    /// Focuses the key field, except in live mode: a blinking cursor would redraw the window twice
    /// a second.
    fn first_focus(&self) -> Task<Message> {
        if self.live.is_on() {
            return Task::none();
        }
        self.focus_key()
    }

    fn focus_key(&self) -> Task<Message> {
        operation::focus(key_field::ID)
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        self.now = SystemTime::now();
        match message {
            Message::Window(message) => return self.update_window(message),
            Message::Show if self.is_other_key_wanted() => return self.follow(),
            Message::Show => return self.show(),
            Message::Answered { request, answer } => {
                if request == self.request {
                    self.is_reading = false;
                    self.answer(answer);
                    // Otherwise the mark beside the key would lag by up to a second.
                    self.live.monitor_presence(self.window.key.key().ok());
                }
            }
            Message::Pane(message) => {
                if let Shown::Content(pane) = &mut self.shown {
                    return pane.update(message).map(Message::Pane);
                }
            }
            Message::StillReading { request } => {
                if self.is_reading && request == self.request {
                    let status = Status::neutral(tr!("reading", key = self.window.key.text()));
                    self.window.status.set(status);
                }
            }
            Message::Observed(notification) => {
                if let Some((key, observation)) = self.live.read(notification) {
                    self.observe(&key, observation);
                }
            }
            Message::LiveToggled => return self.toggle_live(),
            Message::Copy => return self.copy(),
            Message::CopyFetched(fetched) => return self.handle_copy_fetched(fetched),
            Message::Copied(outcome, part) => self.handle_copied(outcome, part),
            Message::SaveAs => return self.open_save_dialog(),
            Message::SaveDialog(message) => return self.update_save_dialog(message),
            Message::ToggleSegments => return self.toggle_segments(),
            Message::Segments(message) => return self.update_segments(message),
            Message::ToggleHistory => self.toggle_history(),
            Message::History(message) => self.update_history(message),
            Message::Shortcut(action) => return self.press(action()),
            Message::Escape => self.escape(),
        }
        Task::none()
    }

    fn update_window(&mut self, message: main_window::Message) -> Task<Message> {
        let fields: &[&str] = match &self.save_dialog {
            Some(_) => &[save_dialog::PATH],
            None => &FIELDS,
        };
        match self.window.update(message, fields) {
            main_window::Action::Run(task) => task.map(Message::Window),
            main_window::Action::KeyEdited { task, .. } => {
                self.handle_key_edited();
                task.map(Message::Window)
            }
            main_window::Action::FormChosen => self.handle_form_chosen(),
            main_window::Action::Dropped(dropped) => {
                self.refuse_drop(&dropped);
                Task::none()
            }
            main_window::Action::HelpClosed => operation::focus(help::NO_FIELD),
        }
    }

    /// Executes a shortcut. It closes the help; while the dialog "Save as..." is open, only
    /// shortcuts that do not need the window below are executed.
    fn press(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Escape
            | Message::Window(
                main_window::Message::ToggleHelp
                | main_window::Message::Quit
                | main_window::Message::Focus(_),
            ) => {}
            _ if self.save_dialog.is_some() && !self.window.is_help_open() => return Task::none(),
            _ => {
                self.window.close_help();
            }
        }
        self.update(message)
    }

    /// Handles an edited key.
    fn handle_key_edited(&mut self) {
        if !self.live.is_on() {
            self.live.monitor_presence(self.window.key.key().ok());
            self.presence = None;
        }
    }

    /// Returns the key in the field, or shows an error if it is invalid.
    fn valid_key(&mut self) -> Option<Address> {
        match self.window.key.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error(tr!("key-unusable")).with_remedy(problem);
                self.window.status.set(status);
                None
            }
        }
    }

    fn show(&mut self) -> Task<Message> {
        let Some(key) = self.valid_key() else {
            return self.focus_key();
        };
        self.requested = Some(key.clone());
        self.request += 1;
        self.is_reading = true;
        self.panel = Panel::Content;
        let request = self.request;
        Task::batch([
            session::show(key, self.window.key.form())
                .map(move |answer| Message::Answered { request, answer }),
            session::pending_delay().map(move |()| Message::StillReading { request }),
        ])
    }

    fn answer(&mut self, answer: Result<Box<Snapshot>, ShowError>) {
        match answer {
            Ok(snapshot) => {
                self.record_shown(&snapshot);
                self.window.status.set(status_of(&snapshot));
                self.shown = Shown::Content(Box::new(ContentPane::new(*snapshot)));
            }
            Err(error) => match self.live.followed().cloned() {
                Some(key) if error.is_not_found() => self.show_gone(&key),
                _ => self.fail(&error),
            },
        }
    }

    /// Records a content that is about to be shown, in the history and for its publishers.
    fn record_shown(&mut self, snapshot: &Snapshot) {
        self.shown_before = None;
        self.history.record(snapshot, self.now);
        self.report_shown(snapshot);
    }

    fn fail(&mut self, error: &ShowError) {
        let (status, shown) = self.explain(error);
        self.shown_before = None;
        self.presence_guard.leave();
        self.live.forget_status();
        self.window.status.set(status);
        self.shown = shown;
    }

    /// Reports to the publishers that a content is shown here.
    fn report_shown(&mut self, snapshot: &Snapshot) {
        let Some(origin) = &snapshot.origin else {
            self.presence_guard.leave();
            return;
        };
        // An error means that the wall clock was set back.
        let latency = self.now.duration_since(origin.published);
        self.presence_guard
            .shown(origin, latency.unwrap_or_default());
    }

    fn explain(&self, error: &ShowError) -> (Status, Shown) {
        match error {
            ShowError::Snapshot(error) if error.is_not_found() => (
                Status::warning(tr!("show-not-found")),
                Shown::Notice {
                    title: tr!("show-not-found-title"),
                    body: tr!("show-not-found-body", key = self.window.key.text()),
                },
            ),
            ShowError::Snapshot(error) if error.is_attach() => {
                failure(tr!("show-not-attached"), error.to_string())
            }
            ShowError::Snapshot(error) => failure(tr!("show-impossible"), error.to_string()),
            ShowError::Worker(error) => failure(tr!("show-no-worker"), error.to_string()),
        }
    }

    /// Handles an observed state of the key.
    fn observe_state(&mut self, key: &Address, presence: KeyState) {
        if let Shown::Content(pane) = &mut self.shown
            && pane.snapshot().key == *key
        {
            match &presence {
                KeyState::Own(info) => pane.observe(info),
                KeyState::Gone => pane.observe_gone(),
                KeyState::Qt(_) | KeyState::Unreadable => {}
            }
        }
        self.announce(key, &presence);
        self.presence = Some(presence);
    }

    /// Announces a content that appears while none is shown.
    fn announce(&mut self, key: &Address, presence: &KeyState) {
        let is_new =
            presence.has_content() && !self.presence.as_ref().is_some_and(KeyState::has_content);
        let is_requested = self.is_reading || self.live.is_on();
        if is_new && !is_requested && matches!(self.shown, Shown::Notice { .. }) {
            let status = Status::neutral(tr!("appeared", key = key));
            self.window.status.set(status);
        }
    }

    fn subscription(&self) -> Subscription<Message> {
        Subscription::batch([
            self.live.subscription(),
            self.panel_subscription(),
            self.window.subscription().map(Message::Window),
            event::listen_with(shortcut::message_of),
        ])
    }

    fn view(&self) -> Element<'_, Message> {
        let controls = row![self.view_presence(), self.view_switch()]
            .spacing(theme::space::SMALL)
            .align_y(Center);
        let key = self
            .window
            .view_key(Message::Window, Message::Show, controls);
        let show = button(center(visible::line(tr!("show")).size(theme::TEXT_SIZE)))
            .on_press(Message::Show)
            .height(theme::extent::MAIN_ACTION)
            .width(Fill)
            .style(theme::primary_button);
        let window = column![
            column![
                column![key, show].spacing(theme::space::TINY),
                column![self.view_heading(), self.view_panel()].spacing(theme::space::SMALL),
            ]
            .spacing(theme::space::MEDIUM)
            .padding(theme::space::LARGE)
            .height(Fill),
            self.window.view_status(Message::Window, []),
        ];
        let help = self
            .window
            .view_help(Message::Window, [shortcut::TABLE, shortcut::LIST]);
        let dialog = self.save_dialog.as_ref();
        let dialog = dialog.map(|dialog| dialog.view().map(Message::SaveDialog));
        let hint = tr!("drop-refused");
        stack![window]
            .extend(dialog)
            .extend(help)
            .extend(self.window.view_drop_hint(hint))
            .into()
    }
}

fn failure(title: String, body: String) -> (Status, Shown) {
    let status = Status::error(title.clone()).with_remedy(body.clone());
    (status, Shown::Notice { title, body })
}

fn status_of(snapshot: &Snapshot) -> Status {
    let (key, bytes) = (&snapshot.key, units::bytes(snapshot.bytes));
    match snapshot.content {
        Preview::Empty => Status::warning(tr!("showing-nothing", key = key)),
        Preview::Text(_) => Status::success(tr!("showing-text", key = key, bytes = bytes)),
        Preview::Picture(_) => Status::success(tr!("showing-image", key = key, bytes = bytes)),
        Preview::Bytes(_) => Status::success(tr!("showing-bytes", key = key, bytes = bytes)),
    }
}

#[cfg(test)]
mod tests;
