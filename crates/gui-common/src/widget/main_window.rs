//! What the main windows of both programs have in common: key field, focus, help, status line,
//! size, dropped files and the end of the program.
//!
//! A program's own state holds a [`MainWindow`], wraps its [`Message`] in one of its own, and acts
//! on the [`Action`] that [`MainWindow::update`] returns.

use iced::widget::{container, operation, row};
use iced::{Center, Color, Element, Size, Subscription, Task, window};
use qt_bridge::Form;
use shm_io::Address;

use crate::desktop::signals;
use crate::settings::{self, LoadedSettings, Settings, SettingsWriter, Switches};
use crate::text::visible;
use crate::tr;
use crate::widget::drop_target::{self, DropTarget, Dropped};
use crate::widget::focus;
use crate::widget::help;
use crate::widget::icon;
use crate::widget::key_field::{self, KeyField};
use crate::widget::shortcut::Shortcut;
use crate::widget::status::{self, Status, StatusLine};
use crate::widget::theme::{self, Colors};

/// Chooses the colour of the mark beside the key field.
pub type MarkColor = fn(&Colors) -> Color;

/// The state that every main window has. `S` holds the switches of the program.
#[derive(Debug)]
pub struct MainWindow<S> {
    /// The field for the key, and the form of its content.
    pub key: KeyField,
    /// The line at the bottom.
    pub status: StatusLine,
    drop_target: DropTarget,
    is_help_open: bool,
    settings: SettingsWriter<S>,
}

/// An event that every main window handles.
#[derive(Clone, Debug)]
pub enum Message {
    /// The user edited the key.
    KeyEdited(String),
    /// The user chose the form of what is under a Qt key.
    FormChosen(Option<Form>),
    /// The user pressed the shortcut for the next form.
    NextForm,
    /// The user dragged files over the window, or dropped them.
    Dragged(drop_target::Event),
    /// The key field takes the focus.
    FocusKey,
    /// The focus moves to another field.
    Focus(focus::Direction),
    /// The help opens or closes.
    ToggleHelp,
    /// The window has a new size.
    Resized(Size),
    /// The settings could not be saved.
    SettingsNotSaved(Status),
    /// A shortcut or a signal ends the program.
    Quit,
}

/// What is left for the program to do after [`MainWindow::update`].
#[derive(Debug)]
#[must_use = "the program has to run tasks and react to changes"]
pub enum Action {
    /// Run a task.
    Run(Task<Message>),
    /// React to a new text in the key field, and run a task.
    KeyEdited {
        /// The key before, if the text was one.
        before: Option<Address>,
        /// Reports settings that cannot be saved.
        task: Task<Message>,
    },
    /// React to a newly chosen form.
    FormChosen,
    /// Take a dropped file.
    Dropped(Dropped),
    /// Give the focus to what the help covered.
    HelpClosed,
}

impl Action {
    fn none() -> Action {
        Action::Run(Task::none())
    }
}

impl<S: Switches> MainWindow<S> {
    /// Creates the state from the loaded settings.
    ///
    /// `key` overrides the saved key; `form` counts only for a Qt key. The status line begins with
    /// the notice of the settings, or else with `welcome`; if `verbose` is set it prints to stderr
    /// as well.
    pub fn new(
        loaded: LoadedSettings<S>,
        key: Option<&Address>,
        form: Option<Form>,
        welcome: String,
        verbose: bool,
    ) -> MainWindow<S> {
        let key = key.or(loaded.settings.key.as_ref());
        let mut key = key.map_or_else(KeyField::default, |key| KeyField::new(key.as_str()));
        key.choose_form(form);
        let notice = loaded.notice.clone();
        MainWindow {
            key,
            status: StatusLine::new(notice.unwrap_or_else(|| Status::neutral(welcome)), verbose),
            drop_target: DropTarget::new(),
            is_help_open: false,
            settings: SettingsWriter::new(loaded),
        }
    }

    /// Returns the current settings.
    pub fn settings(&self) -> &Settings<S> {
        self.settings.settings()
    }

    /// Changes the settings and saves them in the background; the task reports failures.
    pub fn change_settings(&mut self, change: impl FnOnce(&mut Settings<S>)) -> Task<Message> {
        let saved = self.settings.change(change);
        saved.map(Message::SettingsNotSaved)
    }

    /// Returns `true` if the help is open.
    pub fn is_help_open(&self) -> bool {
        self.is_help_open
    }

    /// Closes the help; returns `true` if it was open.
    pub fn close_help(&mut self) -> bool {
        std::mem::take(&mut self.is_help_open)
    }

    /// Handles an event. `fields` are the ids of the fields that Tab visits at present, in order.
    pub fn update(&mut self, message: Message, fields: &'static [&'static str]) -> Action {
        match message {
            Message::KeyEdited(text) => self.edit_key(text),
            Message::FormChosen(form) => {
                self.key.choose_form(form);
                Action::FormChosen
            }
            Message::NextForm if self.key.is_for_qt() => {
                self.key.choose_form(self.key.next_form());
                Action::FormChosen
            }
            Message::NextForm => {
                self.status.set(Status::neutral(tr!("form-not-here")));
                Action::none()
            }
            Message::Dragged(event) => match self.drop_target.update(event) {
                Some(dropped) => Action::Dropped(dropped),
                None => Action::none(),
            },
            Message::FocusKey => Action::Run(operation::focus(key_field::ID)),
            Message::Focus(direction) => Action::Run(focus::go(fields, direction)),
            Message::ToggleHelp if self.close_help() => Action::HelpClosed,
            Message::ToggleHelp => {
                self.is_help_open = true;
                Action::Run(operation::focus(help::NO_FIELD))
            }
            Message::Resized(size) => {
                Action::Run(self.change_settings(|settings| settings.set_size(size)))
            }
            Message::SettingsNotSaved(status) => {
                self.status.set(status);
                Action::none()
            }
            Message::Quit => Action::Run(iced::exit()),
        }
    }

    fn edit_key(&mut self, text: String) -> Action {
        if text == self.key.text() {
            return Action::none();
        }
        let before = self.key.key().ok().cloned();
        self.key.set(text);
        let task = match self.key.key().ok().cloned() {
            Some(key) => self.change_settings(|settings| settings.key = Some(key)),
            None => Task::none(),
        };
        Action::KeyEdited { before, task }
    }

    /// Listens for dragged files, new sizes, and signals that end the program.
    pub fn subscription(&self) -> Subscription<Message> {
        Subscription::batch([
            self.drop_target.subscription().map(Message::Dragged),
            window::resize_events().map(|(_, size)| Message::Resized(size)),
            signals::subscription().map(|()| Message::Quit),
        ])
    }

    /// Draws the key field with `beside` at its right.
    pub fn view_key<'a, M: Clone + 'a>(
        &'a self,
        wrap: fn(Message) -> M,
        on_submit: M,
        beside: impl Into<Element<'a, M>>,
    ) -> Element<'a, M> {
        self.key.view(
            move |text| wrap(Message::KeyEdited(text)),
            on_submit,
            move |form| wrap(Message::FormChosen(form)),
            beside,
        )
    }

    /// Draws the mark beside the key field: a dot, and words if there is room for them.
    pub fn view_mark<'a, M: 'a>(&self, mark: Option<(MarkColor, String)>) -> Element<'a, M> {
        let is_cramped = self.key.is_cramped_at(self.settings().size.width);
        let width = match is_cramped {
            true => theme::extent::DOT,
            false => theme::extent::BESIDE_KEY,
        };
        let mark = mark.map(|(color, words)| {
            let words = visible::line(words)
                .size(theme::SMALL_SIZE)
                .style(theme::muted);
            row![status::dot(move |theme| color(Colors::of(theme)))]
                .extend((!is_cramped).then(|| words.into()))
                .spacing(theme::space::SMALL)
                .align_y(Center)
        });
        container(mark.unwrap_or_else(|| row![]))
            .width(width)
            .into()
    }

    /// Draws the status line with `actions` and the button for the help at its right.
    pub fn view_status<'a, M: Clone + 'a>(
        &'a self,
        wrap: fn(Message) -> M,
        actions: impl IntoIterator<Item = Element<'a, M>>,
    ) -> Element<'a, M> {
        let beside = row(actions)
            .push(help::open_button(wrap(Message::ToggleHelp)))
            .spacing(theme::space::SMALL)
            .align_y(Center);
        self.status.current().view(beside)
    }

    /// Draws the help if it is open.
    pub fn view_help<'a, M: Clone + 'static>(
        &self,
        wrap: fn(Message) -> M,
        tables: impl IntoIterator<Item = &'static [Shortcut<M>]>,
    ) -> Option<Element<'a, M>> {
        self.is_help_open
            .then(|| help::view(tables, wrap(Message::ToggleHelp)))
    }

    /// Draws `hint` over the window while files are dragged over it.
    pub fn view_drop_hint<'a, M: 'a>(&self, hint: String) -> Option<Element<'a, M>> {
        self.drop_target.view(hint)
    }
}

/// Returns how the desktop shows the window of the program `application_id`.
pub fn window_settings<S>(
    loaded: &LoadedSettings<S>,
    application_id: &str,
    icon: &'static [u8],
) -> window::Settings {
    window::Settings {
        size: loaded.settings.size,
        min_size: Some(settings::MIN_SIZE),
        icon: icon::of(icon),
        platform_specific: window::settings::PlatformSpecific {
            application_id: application_id.to_owned(),
            ..window::settings::PlatformSpecific::default()
        },
        ..window::Settings::default()
    }
}
