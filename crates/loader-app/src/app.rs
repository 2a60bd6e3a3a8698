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
use gui_common::desktop::signals;
use gui_common::picture::draw_latency::Stage;
use gui_common::session::watch::Watch;
use gui_common::settings::{self, Keeper, NoSwitches, Remembered};
use gui_common::tr;
use gui_common::widget::content_pane;
use gui_common::widget::drop_target::DropTarget;
use gui_common::widget::focus;
use gui_common::widget::help;
use gui_common::widget::icon;
use gui_common::widget::key_field::{self, KeyField};
use gui_common::widget::status::{Status, StatusLine};
use gui_common::widget::theme;
use iced::widget::operation;
use iced::{Program, Subscription, Task, Theme, event, window};
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
    pub(crate) remembered: Remembered<NoSwitches>,
}

/// Everything the window knows.
#[derive(Debug)]
pub(crate) struct State {
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
    /// What was loaded by this window and taken away by another program.
    lost: Option<Lost>,
    /// Who watches it.
    watchers: Watchers,
    /// Looks at the key in the key field; nothing does while that is none.
    watch: Option<Watch>,
    /// Looks at the key under which something is loaded, where that is not in the key field.
    guard: Option<Watch>,
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

/// Builds the application, ready to run.
pub(crate) fn application(
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
    pub(crate) fn new(settings: &Settings) -> State {
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
                first.unwrap_or_else(|| Status::neutral(tr!("welcome"))),
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
            lost: None,
            watchers: Watchers::nobody(settings.verbose),
            watch: None,
            guard: None,
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
    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let watched = match &self.watch {
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
            self.drop_target.subscription().map(Message::Dragged),
            window::resize_events().map(|(_, size)| Message::Resized(size)),
            signals::subscription().map(|()| Message::Quit),
        ])
    }

    /// Takes in what happened.
    pub(crate) fn update(&mut self, message: Message) -> Task<Message> {
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
            Message::LoadAgainPressed => return self.load_again(),
            Message::LoadedAgain(reply) => self.take_loaded_again(reply),
            Message::Guarded(news) => {
                let seen = self.guard.as_ref().and_then(|guard| guard.read(news));
                return seen.map_or_else(Task::none, |seen| self.look_for_loss(&seen));
            }
            Message::Seen(news) => {
                if let Some(observation) = self.watch.as_ref().and_then(|watch| watch.read(news)) {
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

    fn edit_key(&mut self, text: String) -> Task<Message> {
        if text == self.key_field.text() {
            return Task::none();
        }
        let was_here = self.is_attached_here();
        self.key_field.set(text);
        self.session.stream_as(self.key_field.form());
        self.seen = Seen::Unknown;
        self.watch_key();
        self.guard_what_is_loaded();
        if let Some(attached) = &self.attached
            && was_here
            && !self.is_attached_here()
        {
            let status = Status::neutral(tr!("key-left", key = attached));
            self.status.set(status.with_remedy(tr!("key-left-remedy")));
        }
        let Ok(key) = self.key_field.key() else {
            return Task::none();
        };
        let kept = self
            .keeper
            .change(|settings| settings.key = Some(key.clone()));
        kept.map(Message::NotRemembered)
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
            self.status.set(Status::neutral(tr!("cancelling")));
        }
    }
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
