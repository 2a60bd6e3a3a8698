//! The window ShowSharedMem: one button that shows what is in shared memory now, and a switch that
//! lets it appear by itself.

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
use crate::session::{self, CopyError, Copying, ShowError};
use key_state::KeyState;
use live::Live;
use panel::Panel;

const TITLE: &str = "ShowSharedMem";

/// The fields that Tab goes round.
const FIELDS: [&str; 3] = [key_field::ID, segment_list::FILTER, content_pane::TEXT];

/// The switches of the window, all of them remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Switches {
    /// Whether each new sample is shown by itself.
    pub(crate) live: bool,
}

/// What the window begins with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The key that was asked for; without one, the one that is remembered.
    pub(crate) key: Option<Address>,
    /// The form that was asked for; of interest only with a Qt key.
    pub(crate) form: Option<Form>,
    /// Whether status lines are printed to stderr as well.
    pub(crate) is_verbose: bool,
    /// What is remembered.
    pub(crate) remembered: LoadedSettings<Switches>,
}

/// The window: what is asked for, what is shown, and what is said about it.
#[derive(Debug)]
pub(crate) struct State {
    window: MainWindow<Switches>,
    shown: Shown,
    /// Lets loaders know what is shown here.
    presence_guard: PresenceGuard,
    /// The key whose content was asked for last, whatever came of it.
    asked: Option<Address>,
    /// The number of the last request; an older answer is of no interest any more.
    request: u64,
    is_reading: bool,
    /// What is under the key in the field, as far as looked at.
    presence: Option<KeyState>,
    /// What looks at the key, and how much of it.
    live: Live,
    /// For the ages; moves on with everything that happens.
    now: SystemTime,
    /// When what is shown was shown first, where it comes from the history.
    shown_before: Option<SystemTime>,
    panel: Panel,
    history: History,
    save_dialog: Option<SaveDialog>,
    clipboard: Clipboard,
}

/// What stands in the middle of the window.
#[derive(Debug)]
enum Shown {
    /// What there is to see.
    Content(Box<ContentPane>),
    /// Why there is nothing to see, and what to do.
    Notice { title: String, body: String },
}

/// What happens to the window.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// An event that every main window handles.
    Window(main_window::Message),
    /// The main action: by its button or its keys.
    Show,
    /// A request was answered.
    Answered {
        request: u64,
        answer: Result<Box<Snapshot>, ShowError>,
    },
    /// Something was done to the shown text.
    Pane(content_pane::Message),
    /// A request takes so long that it is worth a word.
    StillReading { request: u64 },
    /// The key was looked at.
    Watched(Notification),
    /// The switch "Live" was thrown, by mouse or by its key.
    LiveToggled,
    /// What is shown shall be copied.
    Copy,
    /// What is to be copied was fetched, or not.
    CopyFetched(Result<Copying, CopyError>),
    /// It was copied, the part that is named, or not at all.
    Copied(Result<(), ClipboardError>, Option<String>),
    /// What is shown shall be saved.
    SaveAs,
    /// Something happened in the card "Save as...".
    SaveDialog(save_dialog::Message),
    /// The list of segments shall open, or close.
    ToggleSegments,
    /// Something happened in the list of segments.
    Segments(segment_list::Message),
    /// The history shall open, or close.
    ToggleHistory,
    /// Something happened in the history.
    History(history::Message),
    /// A key was pressed that does something wherever the focus is.
    Shortcut(fn() -> Message),
    /// What is open over the window shall close.
    Escape,
}

/// Builds the window, to run it or to test it.
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
            asked: None,
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

    /// A cursor that blinks would wake a window twice a second that is there to be looked at.
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
                    // What stands beside the key would be a second behind.
                    self.live.look_at(self.window.key.key().ok());
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
            Message::Watched(news) => {
                if let Some((key, observation)) = self.live.read(news) {
                    self.observe(&key, observation);
                }
            }
            Message::LiveToggled => return self.toggle_live(),
            Message::Copy => return self.copy(),
            Message::CopyFetched(fetched) => return self.take_copy_fetched(fetched),
            Message::Copied(outcome, part) => self.take_copied(outcome, part),
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
                self.take_key();
                task.map(Message::Window)
            }
            main_window::Action::FormChosen => self.take_form(),
            main_window::Action::Dropped(dropped) => {
                self.refuse_drop(&dropped);
                Task::none()
            }
            main_window::Action::HelpClosed => operation::focus(help::NO_FIELD),
        }
    }

    /// Does what a shortcut says. One that is tried out from the help closes it; under the card
    /// "Save as..." only those work that leave it.
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

    /// Reacts to a new key in the key field.
    fn take_key(&mut self) {
        if !self.live.is_on() {
            self.live.look_at(self.window.key.key().ok());
            self.presence = None;
        }
    }

    /// Returns the key in the field; where there is none, says why.
    fn key_to_use(&mut self) -> Option<Address> {
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
        let Some(key) = self.key_to_use() else {
            return self.focus_key();
        };
        self.asked = Some(key.clone());
        self.request += 1;
        self.is_reading = true;
        self.panel = Panel::Content;
        let request = self.request;
        Task::batch([
            session::show(key, self.window.key.form())
                .map(move |answer| Message::Answered { request, answer }),
            session::patience().map(move |()| Message::StillReading { request }),
        ])
    }

    fn answer(&mut self, answer: Result<Box<Snapshot>, ShowError>) {
        match answer {
            Ok(snapshot) => {
                self.take_shown(&snapshot);
                self.window.status.set(said_of(&snapshot));
                self.shown = Shown::Content(Box::new(ContentPane::new(*snapshot)));
            }
            Err(error) => match self.live.followed().cloned() {
                Some(key) if error.is_not_found() => self.tell_gone(&key),
                _ => self.fail(&error),
            },
        }
    }

    /// Notes what is about to be shown.
    fn take_shown(&mut self, snapshot: &Snapshot) {
        self.shown_before = None;
        self.history.record(snapshot, self.now);
        self.attend(snapshot);
    }

    fn fail(&mut self, error: &ShowError) {
        let (status, shown) = self.explain(error);
        self.shown_before = None;
        self.presence_guard.leave();
        self.live.forget_said();
        self.window.status.set(status);
        self.shown = shown;
    }

    /// Lets the loaders of the content know that it is shown here from now on.
    fn attend(&mut self, snapshot: &Snapshot) {
        let Some(origin) = &snapshot.origin else {
            self.presence_guard.leave();
            return;
        };
        // A clock that was set back makes the content younger than now.
        let took = self.now.duration_since(origin.published);
        self.presence_guard.shown(origin, took.unwrap_or_default());
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
                barred(tr!("show-not-attached"), error.to_string())
            }
            ShowError::Snapshot(error) => barred(tr!("show-impossible"), error.to_string()),
            ShowError::Worker(error) => barred(tr!("show-no-worker"), error.to_string()),
        }
    }

    fn see(&mut self, key: &Address, presence: KeyState) {
        if let Shown::Content(pane) = &mut self.shown
            && pane.snapshot().key == *key
        {
            match &presence {
                KeyState::Here(info) => pane.observe(info),
                KeyState::Gone => pane.observe_gone(),
                KeyState::Qt(_) | KeyState::Barred => {}
            }
        }
        self.announce(key, &presence);
        self.presence = Some(presence);
    }

    /// Says, when something appears while nothing is shown, that it can be shown now.
    fn announce(&mut self, key: &Address, presence: &KeyState) {
        let is_new =
            presence.has_content() && !self.presence.as_ref().is_some_and(KeyState::has_content);
        let is_asked_for = self.is_reading || self.live.is_on();
        if is_new && !is_asked_for && matches!(self.shown, Shown::Notice { .. }) {
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
        let beside = row![self.view_presence(), self.view_switch()]
            .spacing(theme::space::SMALL)
            .align_y(Center);
        let key = self.window.view_key(Message::Window, Message::Show, beside);
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

fn barred(title: String, body: String) -> (Status, Shown) {
    let status = Status::error(title.clone()).with_remedy(body.clone());
    (status, Shown::Notice { title, body })
}

fn said_of(snapshot: &Snapshot) -> Status {
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
