//! The window ShowSharedMem: one button that shows what is in shared memory now, and a switch that
//! lets it appear by itself.

mod live;
mod presence;

use std::time::SystemTime;

use app_kit::content_pane::{self, ContentPane};
use app_kit::key_field::{self, KeyField};
use app_kit::snapshot::Snapshot;
use app_kit::status::{Status, StatusLine};
use app_kit::watch::News;
use app_kit::{meter, signals, theme, units};
use iced::keyboard::{self, key::Named};
use iced::widget::{button, center_x, column, operation, row, text};
use iced::{Center, Element, Fill, Size, Subscription, Task, Theme, window};
use shm_core::Key;

use crate::session::{self, ShowError};
use live::Live;
use presence::Presence;

const TITLE: &str = "ShowSharedMem";

/// The window: what is asked for, what is shown, and what is said about it.
#[derive(Debug)]
pub(crate) struct State {
    key: KeyField,
    shown: Shown,
    status: StatusLine,
    /// The number of the last request; an older answer is of no interest any more.
    request: u64,
    is_reading: bool,
    /// What is under the key in the field, as far as looked at.
    presence: Option<Presence>,
    /// What looks at the key, and how much of it.
    live: Live,
    /// For the ages; moves on with everything that happens.
    now: SystemTime,
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
    /// The main action: by its button or its keys.
    Show,
    /// A request was answered.
    Answered {
        request: u64,
        answer: Result<Snapshot, ShowError>,
    },
    /// Something was done to the shown text.
    Pane(content_pane::Message),
    /// A request takes so long that it is worth a word.
    StillReading { request: u64 },
    /// The key was looked at.
    Watched(News),
    /// The switch "Live" was thrown, by mouse or by its key.
    LiveToggled,
    /// The window is on a screen with other pixels than the last one, or on its first.
    Rescaled(window::Id),
    /// So many pixels of the screen stand for each unit of length.
    Scaled(f32),
    /// The focus moves on.
    FocusNext,
    /// The focus moves back.
    FocusPrevious,
    /// The program shall end.
    Quit,
}

/// Builds the window, to run it or to test it.
pub(crate) fn application(
    key: Key,
    is_verbose: bool,
) -> iced::Application<impl iced::Program<State = State, Message = Message, Theme = Theme>> {
    iced::application(
        move || {
            (
                State::new(&key, is_verbose),
                operation::focus(key_field::ID),
            )
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
        size: Size::new(640.0, 560.0),
        min_size: Some(Size::new(480.0, 420.0)),
        platform_specific: window::settings::PlatformSpecific {
            application_id: "viewer-app".to_owned(),
            ..Default::default()
        },
        ..window::Settings::default()
    })
}

impl State {
    fn new(key: &Key, is_verbose: bool) -> State {
        State {
            key: KeyField::new(key.as_str()),
            shown: Shown::Notice {
                title: "Nothing shown yet".to_owned(),
                body: "Load a text or a picture in SharedMemoryLoad, then press the button above \
                       to see it here."
                    .to_owned(),
            },
            status: StatusLine::new(Status::neutral("Ready."), is_verbose),
            request: 0,
            is_reading: false,
            presence: None,
            live: Live::new(key),
            now: SystemTime::now(),
        }
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        self.now = SystemTime::now();
        match message {
            Message::KeyChanged(text) => self.change_key(text),
            Message::Show if self.is_other_key_wanted() => return self.follow(),
            Message::Show => return self.show(),
            Message::Answered { request, answer } => {
                if request == self.request {
                    self.is_reading = false;
                    self.answer(answer);
                }
            }
            Message::Pane(message) => {
                if let Shown::Content(pane) = &mut self.shown {
                    pane.update(message);
                }
            }
            Message::StillReading { request } => {
                if self.is_reading && request == self.request {
                    let status = Status::neutral(format!("Reading {} …", self.key.text()));
                    self.status.set(status);
                }
            }
            Message::Watched(news) => {
                if let Some((key, observation)) = self.live.read(news) {
                    self.observe(&key, observation);
                }
            }
            Message::LiveToggled if self.live.is_on() => self.stop_following(),
            Message::LiveToggled => return self.follow(),
            Message::Rescaled(window) => return window::scale_factor(window).map(Message::Scaled),
            Message::Scaled(scale) => self.live.set_scale(scale),
            Message::FocusNext => return operation::focus_next(),
            Message::FocusPrevious => return operation::focus_previous(),
            Message::Quit => return iced::exit(),
        }
        Task::none()
    }

    fn change_key(&mut self, text: String) {
        if text == self.key.text() {
            return;
        }
        self.key.set(text);
        if !self.live.is_on() {
            self.live.look_at(self.key.key().ok());
            self.presence = None;
        }
    }

    /// Returns the key in the field; where there is none, says why.
    fn key_to_use(&mut self) -> Option<Key> {
        match self.key.key() {
            Ok(key) => Some(key.clone()),
            Err(problem) => {
                let status = Status::error("This key cannot be used.").with_remedy(problem);
                self.status.set(status);
                None
            }
        }
    }

    fn focus_key(&self) -> Task<Message> {
        operation::focus(key_field::ID)
    }

    fn show(&mut self) -> Task<Message> {
        let Some(key) = self.key_to_use() else {
            return self.focus_key();
        };
        self.request += 1;
        self.is_reading = true;
        let request = self.request;
        Task::batch([
            session::show(key).map(move |answer| Message::Answered { request, answer }),
            session::patience().map(move |()| Message::StillReading { request }),
        ])
    }

    fn answer(&mut self, answer: Result<Snapshot, ShowError>) {
        match answer {
            Ok(snapshot) => {
                self.status.set(said_of(&snapshot));
                self.shown = Shown::Content(Box::new(ContentPane::new(snapshot)));
            }
            Err(error) => match self.live.followed().cloned() {
                Some(key) if error.is_not_found() => self.tell_gone(&key),
                _ => self.fail(&error),
            },
        }
    }

    fn fail(&mut self, error: &ShowError) {
        let (status, shown) = self.explain(error);
        self.status.set(status);
        self.shown = shown;
    }

    fn explain(&self, error: &ShowError) -> (Status, Shown) {
        match error {
            ShowError::Snapshot(error) if error.is_not_found() => (
                Status::warning("Unable to attach to shared memory segment. Load an image first."),
                Shown::Notice {
                    title: "Enter a text first".to_owned(),
                    body: format!(
                        "There is nothing in {} yet. Start SharedMemoryLoad with the same key, \
                         press Load, enter a text, and show it here.",
                        self.key.text()
                    ),
                },
            ),
            ShowError::Snapshot(error) if error.is_attach() => {
                let title = "Unable to attach to shared memory segment.";
                barred(title, error.to_string())
            }
            ShowError::Snapshot(error) => {
                barred("This content cannot be shown.", error.to_string())
            }
            ShowError::Worker(error) => barred("The window could not look.", error.to_string()),
        }
    }

    fn see(&mut self, key: &Key, presence: Presence) {
        if let Shown::Content(pane) = &mut self.shown
            && pane.snapshot().key == *key
        {
            match &presence {
                Presence::Here(info) => pane.observe(info),
                Presence::Gone => pane.observe_gone(),
                Presence::Barred => {}
            }
        }
        self.announce(key, &presence);
        self.presence = Some(presence);
    }

    /// Says, when something appears while nothing is shown, that it can be shown now.
    fn announce(&mut self, key: &Key, presence: &Presence) {
        let is_new =
            presence.has_content() && !self.presence.as_ref().is_some_and(Presence::has_content);
        let is_asked_for = self.is_reading || self.live.is_on();
        if is_new && !is_asked_for && matches!(self.shown, Shown::Notice { .. }) {
            self.status.set(Status::neutral(format!(
                "There is something in {key} now. Press Show from shared memory."
            )));
        }
    }

    fn subscription(&self) -> Subscription<Message> {
        Subscription::batch([
            self.live.subscription(),
            meter::rescaled().map(Message::Rescaled),
            keyboard::listen().filter_map(shortcut),
            signals::subscription().map(|()| Message::Quit),
        ])
    }

    fn view(&self) -> Element<'_, Message> {
        let beside = row![self.view_presence(), self.view_switch()]
            .spacing(theme::space::SMALL)
            .align_y(Center);
        let key = self.key.view(Message::KeyChanged, Message::Show, beside);
        let show = button(center_x(
            text("Show from shared memory").size(theme::TEXT_SIZE),
        ))
        .on_press(Message::Show)
        .padding(theme::space::LARGE)
        .width(Fill)
        .style(theme::primary_button);
        let body = match &self.shown {
            Shown::Content(pane) => column![
                pane.view().map(Message::Pane),
                pane.view_facts(self.now, self.live.figures())
                    .map(Message::Pane)
            ],
            Shown::Notice { title, body } => column![content_pane::notice(title, body)],
        };
        column![
            column![key, show, body.spacing(theme::space::MEDIUM).height(Fill)]
                .spacing(theme::space::MEDIUM)
                .padding(theme::space::LARGE)
                .height(Fill),
            self.status.current().view(),
        ]
        .into()
    }
}

fn barred(title: &str, body: String) -> (Status, Shown) {
    let status = Status::error(title).with_remedy(body.clone());
    let shown = Shown::Notice {
        title: title.to_owned(),
        body,
    };
    (status, shown)
}

fn said_of(snapshot: &Snapshot) -> Status {
    if snapshot.is_empty() {
        return Status::warning(format!("There is nothing in {} to show.", snapshot.key));
    }
    Status::success(format!(
        "Showing {} from {}, {}.",
        match snapshot.kind() {
            "text" => "the text",
            "image" => "the picture",
            _ => "the bytes",
        },
        snapshot.key,
        units::bytes(snapshot.bytes),
    ))
}

/// The keys that work wherever the focus is.
fn shortcut(event: keyboard::Event) -> Option<Message> {
    let keyboard::Event::KeyPressed { key, modifiers, .. } = event else {
        return None;
    };
    match key.as_ref() {
        keyboard::Key::Named(Named::F5) => Some(Message::Show),
        keyboard::Key::Named(Named::Enter) if modifiers.command() => Some(Message::Show),
        keyboard::Key::Named(Named::Tab) if modifiers.shift() => Some(Message::FocusPrevious),
        keyboard::Key::Named(Named::Tab) => Some(Message::FocusNext),
        keyboard::Key::Character("l") if modifiers.command() => Some(Message::LiveToggled),
        keyboard::Key::Character("q" | "w") if modifiers.command() => Some(Message::Quit),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
