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
use gui_common::desktop::signals;
use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::session::watch::News;
use gui_common::settings::{self, Keeper, Remembered};
use gui_common::text::units;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane::{self, ContentPane};
use gui_common::widget::drop_target::{self, DropTarget};
use gui_common::widget::focus;
use gui_common::widget::help;
use gui_common::widget::icon;
use gui_common::widget::key_field::{self, KeyField};
use gui_common::widget::status::{Status, StatusLine};
use gui_common::widget::theme;
use iced::widget::{button, center, column, operation, row, stack};
use iced::{Center, Element, Fill, Size, Subscription, Task, Theme, event, window};
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
    pub(crate) remembered: Remembered<Switches>,
}

/// The window: what is asked for, what is shown, and what is said about it.
#[derive(Debug)]
pub(crate) struct State {
    key: KeyField,
    shown: Shown,
    /// Lets loaders know what is shown here.
    presence_guard: PresenceGuard,
    status: StatusLine,
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
    drop_target: DropTarget,
    clipboard: Clipboard,
    is_help_open: bool,
    keeper: Keeper<Switches>,
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
    /// The text in the key field changed.
    KeyChanged(String),
    /// The form of what is under a Qt key was chosen.
    FormChosen(Option<Form>),
    /// The shortcut for the form after the one that is chosen.
    NextForm,
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
    Watched(News),
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
    /// Files are dragged over the window, or dropped on it.
    Dragged(drop_target::Event),
    /// A key was pressed that does something wherever the focus is.
    Shortcut(fn() -> Message),
    /// The key field shall have the focus.
    FocusKey,
    /// The focus goes on to another field.
    Focus(focus::Direction),
    /// The help opens, or closes.
    ToggleHelp,
    /// What is open over the window shall close.
    Escape,
    /// The window has another size.
    Resized(Size),
    /// The window could not remember something.
    NotRemembered(Status),
    /// The program shall end.
    Quit,
}

/// Builds the window, to run it or to test it.
pub(crate) fn application(
    settings: Settings,
) -> iced::Application<impl iced::Program<State = State, Message = Message, Theme = Theme>> {
    let size = settings.remembered.settings.size;
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
    .window(window::Settings {
        size,
        min_size: Some(settings::MIN_SIZE),
        icon: icon::of(include_bytes!("../../../packaging/icons/64/viewer-app.png")),
        platform_specific: window::settings::PlatformSpecific {
            application_id: "viewer-app".to_owned(),
            ..Default::default()
        },
        ..window::Settings::default()
    })
}

impl State {
    fn new(settings: &Settings) -> State {
        let remembered = settings.remembered.clone();
        let key = settings.key.as_ref();
        let first = remembered.notice.clone();
        let mut key = key
            .or(remembered.settings.key.as_ref())
            .map_or_else(KeyField::default, |key| KeyField::new(key.as_str()));
        key.choose_form(settings.form);
        let mut state = State {
            live: Live::new(key.key().ok()),
            key,
            shown: Shown::Notice {
                title: tr!("nothing-shown"),
                body: tr!("nothing-shown-body"),
            },
            presence_guard: PresenceGuard::new(Options::new()),
            status: StatusLine::new(
                first.unwrap_or_else(|| Status::neutral(tr!("ready"))),
                settings.is_verbose,
            ),
            asked: None,
            request: 0,
            is_reading: false,
            presence: None,
            now: SystemTime::now(),
            shown_before: None,
            panel: Panel::Content,
            history: History::new(),
            save_dialog: None,
            drop_target: DropTarget::new(),
            clipboard: Clipboard::new(),
            is_help_open: false,
            keeper: Keeper::new(remembered),
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
            Message::KeyChanged(text) => return self.change_key(text),
            Message::FormChosen(form) => return self.choose_form(form),
            Message::NextForm => return self.choose_next_form(),
            Message::Show if self.is_other_key_wanted() => return self.follow(),
            Message::Show => return self.show(),
            Message::Answered { request, answer } => {
                if request == self.request {
                    self.is_reading = false;
                    self.answer(answer);
                    // What stands beside the key would be a second behind.
                    self.live.look_at(self.key.key().ok());
                }
            }
            Message::Pane(message) => {
                if let Shown::Content(pane) = &mut self.shown {
                    return pane.update(message).map(Message::Pane);
                }
            }
            Message::StillReading { request } => {
                if self.is_reading && request == self.request {
                    let status = Status::neutral(tr!("reading", key = self.key.text()));
                    self.status.set(status);
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
            Message::Dragged(event) => self.follow_drag(event),
            Message::Shortcut(action) => return self.press(action()),
            Message::FocusKey => return self.focus_key(),
            Message::Focus(direction) if self.save_dialog.is_some() => {
                return focus::go(&[save_dialog::PATH], direction);
            }
            Message::Focus(direction) => return focus::go(&FIELDS, direction),
            Message::ToggleHelp => {
                self.is_help_open = !self.is_help_open;
                return operation::focus(help::NO_FIELD);
            }
            Message::Escape => self.escape(),
            Message::Resized(size) => {
                let kept = self.keeper.change(|settings| settings.set_size(size));
                return kept.map(Message::NotRemembered);
            }
            Message::NotRemembered(status) => self.status.set(status),
            Message::Quit => return iced::exit(),
        }
        Task::none()
    }

    /// Does what a shortcut says. One that is tried out from the help closes it; under the card
    /// "Save as..." only those work that leave it.
    fn press(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::ToggleHelp | Message::Escape | Message::Quit | Message::Focus(_) => {}
            _ if self.save_dialog.is_some() && !self.is_help_open => return Task::none(),
            _ => self.is_help_open = false,
        }
        self.update(message)
    }

    fn change_key(&mut self, text: String) -> Task<Message> {
        if text == self.key.text() {
            return Task::none();
        }
        self.key.set(text);
        if !self.live.is_on() {
            self.live.look_at(self.key.key().ok());
            self.presence = None;
        }
        let Ok(key) = self.key.key() else {
            return Task::none();
        };
        let kept = self
            .keeper
            .change(|settings| settings.key = Some(key.clone()));
        kept.map(Message::NotRemembered)
    }

    /// Returns the key in the field; where there is none, says why.
    fn key_to_use(&mut self) -> Option<Address> {
        match self.key.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error(tr!("key-unusable")).with_remedy(problem);
                self.status.set(status);
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
            session::show(key, self.key.form())
                .map(move |answer| Message::Answered { request, answer }),
            session::patience().map(move |()| Message::StillReading { request }),
        ])
    }

    fn answer(&mut self, answer: Result<Box<Snapshot>, ShowError>) {
        match answer {
            Ok(snapshot) => {
                self.take_shown(&snapshot);
                self.status.set(said_of(&snapshot));
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
        self.status.set(status);
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
                    body: tr!("show-not-found-body", key = self.key.text()),
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
            self.status.set(status);
        }
    }

    fn subscription(&self) -> Subscription<Message> {
        Subscription::batch([
            self.live.subscription(),
            self.panel_subscription(),
            self.drop_target.subscription().map(Message::Dragged),
            event::listen_with(shortcut::message_of),
            window::resize_events().map(|(_, size)| Message::Resized(size)),
            signals::subscription().map(|()| Message::Quit),
        ])
    }

    fn view(&self) -> Element<'_, Message> {
        let beside = row![self.view_presence(), self.view_switch()]
            .spacing(theme::space::SMALL)
            .align_y(Center);
        let key = self.key.view(
            Message::KeyChanged,
            Message::Show,
            Message::FormChosen,
            beside,
        );
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
            self.status
                .current()
                .view(help::open_button(Message::ToggleHelp)),
        ];
        let help = self
            .is_help_open
            .then(|| help::view([shortcut::TABLE, shortcut::LIST], Message::ToggleHelp));
        let dialog = self.save_dialog.as_ref();
        let dialog = dialog.map(|dialog| dialog.view().map(Message::SaveDialog));
        let hint = tr!("drop-refused");
        stack![window]
            .extend(dialog)
            .extend(help)
            .extend(self.drop_target.view(hint))
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
