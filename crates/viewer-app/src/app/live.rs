//! Following a key: what is loaded appears by itself, and stays when its loader leaves.

use std::sync::Arc;

use gui_common::picture::draw_latency::RenderTarget;
use gui_common::picture::stream_stats::{Figures, StreamStats};
use gui_common::session::monitor::{Depth, Monitor, Notification, Observation, Update};
use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::text::language::{self, Language};
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane::ContentPane;
use gui_common::widget::status::Status;
use gui_common::widget::theme;
use iced::advanced::widget::{operate, operation::focusable};
use iced::widget::{mouse_area, row, toggler};
use iced::{Center, Element, Subscription, Task};
use qt_bridge::Form;
use shm_io::{Address, Source};

use super::{KeyState, Message, Panel, Shown, State};

/// What looks at a key for the window, and how much of it.
#[derive(Debug)]
pub(super) struct Live {
    /// Nothing is looked at where the field holds no key.
    monitor: Option<Monitor>,
    target: Arc<RenderTarget>,
    stats: StreamStats,
    /// What is shown is a copy of what is not there any more.
    is_last_copy: bool,
    /// What was said last of what was seen.
    said: Option<Status>,
}

impl Live {
    /// Begins with a look at who is there, and no more.
    pub(super) fn new(key: Option<&Address>) -> Live {
        let mut live = Live {
            monitor: None,
            target: Arc::default(),
            stats: StreamStats::default(),
            is_last_copy: false,
            said: None,
        };
        live.watch(key, None, Depth::Presence);
        live
    }

    /// Returns `true` if contents appear by themselves.
    pub(super) fn is_on(&self) -> bool {
        self.followed().is_some()
    }

    /// Returns the key whose contents appear by themselves.
    pub(super) fn followed(&self) -> Option<&Address> {
        let watch = self.monitor.as_ref()?;
        (watch.depth() == Depth::Content).then(|| watch.key())
    }

    pub(super) fn is_last_copy(&self) -> bool {
        self.is_last_copy
    }

    /// Returns what was counted of the pictures that follow each other.
    pub(super) fn figures(&self) -> Option<Figures> {
        self.is_on().then(|| self.stats.figures()).flatten()
    }

    pub(super) fn subscription(&self) -> Subscription<Message> {
        match &self.monitor {
            Some(watch) => watch.subscription().map(Message::Watched),
            None => Subscription::none(),
        }
    }

    /// Returns what a message tells, and of which key.
    pub(super) fn read(&self, news: Notification) -> Option<(Address, Observation)> {
        let watch = self.monitor.as_ref()?;
        Some((watch.key().clone(), watch.read(news)?))
    }

    /// Looks only at who is there under what stands in the field, while nothing is followed.
    pub(super) fn look_at(&mut self, key: Option<&Address>) {
        if !self.is_on() {
            self.watch(key, None, Depth::Presence);
        }
    }

    /// Lets what was said last be said again: something else stands there now, and is not true for long.
    pub(super) fn forget_said(&mut self) {
        self.said = None;
    }

    fn watch(&mut self, key: Option<&Address>, form: Option<Form>, depth: Depth) {
        self.stats = StreamStats::default();
        self.is_last_copy = false;
        self.said = None;
        self.monitor = key.map(|key| {
            let source = Source::new(key).form(form);
            Monitor::new(source, depth, Arc::clone(&self.target))
        });
    }

    /// Counts a content that is about to be shown. Tells whether there are new figures.
    fn count(&mut self, update: &Update) -> bool {
        if !matches!(update.snapshot.content, Preview::Picture(_)) {
            self.stats = StreamStats::default();
            return false;
        }
        self.stats.take(update)
    }

    #[cfg(test)]
    pub(super) fn form(&self) -> Option<Form> {
        self.monitor.as_ref().and_then(Monitor::form)
    }

    #[cfg(test)]
    pub(super) fn news(&self, observation: Observation) -> Message {
        let watch = self.monitor.as_ref().expect("a key is watched");
        Message::Watched(watch.news(observation))
    }
}

/// What the window does while it follows a key.
impl State {
    /// Throws the switch, and remembers where it stands.
    pub(super) fn toggle_live(&mut self) -> Task<Message> {
        let turned = if self.live.is_on() {
            self.stop_following();
            Task::none()
        } else {
            self.follow()
        };
        let is_on = self.live.is_on();
        let saved = self
            .window
            .change_settings(|settings| settings.switches.live = is_on);
        Task::batch([turned, saved.map(Message::Window)])
    }

    pub(super) fn stop_following(&mut self) {
        self.live
            .watch(self.window.key.key().ok(), None, Depth::Presence);
        self.presence = None;
        self.window.status.set(Status::neutral(tr!("live-off")));
    }

    /// Follows the key in the field from now on, and leaves the field alone: a cursor that blinks
    /// would wake the window twice a second.
    pub(super) fn follow(&mut self) -> Task<Message> {
        if self.begin_live() {
            operate(focusable::unfocus())
        } else {
            self.focus_key()
        }
    }

    /// Follows the key in the field from now on; tells whether there is one.
    pub(super) fn begin_live(&mut self) -> bool {
        let Some(key) = self.key_to_use() else {
            return false;
        };
        self.live
            .watch(Some(&key), self.window.key.form(), Depth::Content);
        self.asked = Some(key.clone());
        self.presence = None;
        self.panel = Panel::Content;
        let status = Status::neutral(tr!("live-on", key = key));
        self.window.status.set(match key.own() {
            Some(_) => status,
            // A Qt program wakes nobody who waits for it.
            None => status.with_remedy(tr!("live-qt")),
        });
        true
    }

    /// Returns `true` if the field holds a key, and not the one that is followed.
    pub(super) fn is_other_key_wanted(&self) -> bool {
        let followed = self.live.followed();
        followed.is_some() && self.window.key.key().ok() != followed
    }

    /// Takes over what was seen of a key.
    pub(super) fn observe(&mut self, key: &Address, observation: Observation) {
        match observation {
            Observation::Past(snapshots) => self.history.look_back(&snapshots),
            Observation::Content(update) => self.show_update(*update),
            Observation::Presence(info) => self.see(key, KeyState::Here(info)),
            Observation::Qt(bytes) => self.see(key, KeyState::Qt(bytes)),
            Observation::Nothing => {
                self.see(key, KeyState::Gone);
                if self.live.is_on() {
                    self.tell_gone(key);
                }
            }
            Observation::Unreadable(error) => {
                self.see(key, KeyState::Barred);
                if self.live.is_on() {
                    self.fail(&error.into());
                }
            }
        }
    }

    /// Shows what has appeared by itself.
    fn show_update(&mut self, update: Update) {
        if update.snapshot.is_empty() && self.live.is_last_copy {
            // A loader has come, and has not loaded anything yet.
            return;
        }
        self.live.is_last_copy = false;
        let figures_changed = self.live.count(&update);
        self.take_shown(&update.snapshot);
        self.say(super::said_of(&update.snapshot));
        match &mut self.shown {
            Shown::Content(pane) => pane.replace(update),
            shown @ Shown::Notice { .. } => {
                *shown = Shown::Content(Box::new(ContentPane::from_update(update)));
            }
        }
        if figures_changed && let Some(figures) = self.live.figures() {
            // Scripts read them.
            language::with_language(Language::English, || {
                self.window.status.note(format_args!("live: {figures}"));
            });
        }
    }

    /// Says that nothing is there any more, or not yet.
    pub(super) fn tell_gone(&mut self, key: &Address) {
        if self.shown_of(key).is_some_and(|shown| !shown.is_empty()) {
            self.live.is_last_copy = true;
            // Without a remedy, which would need another line: it goes on by itself.
            self.say(Status::warning(tr!("live-left")));
            return;
        }
        self.say(Status::neutral(tr!("live-waiting", key = key)));
        self.shown = Shown::Notice {
            title: tr!("live-waiting-title"),
            body: tr!("live-waiting-body", key = key),
        };
    }

    /// Returns what is shown, if it is from this key.
    fn shown_of(&self, key: &Address) -> Option<&Snapshot> {
        match &self.shown {
            Shown::Content(pane) if pane.snapshot().key == *key => Some(pane.snapshot()),
            _ => None,
        }
    }

    /// Says what it did not say before: it may be the same many times a second, and by then
    /// something else may stand there that a person is to read.
    fn say(&mut self, status: Status) {
        if self.live.said.as_ref() != Some(&status) {
            self.live.said = Some(status.clone());
            self.window.status.set(status);
        }
    }

    /// Draws the switch, with a label that throws it too.
    pub(super) fn view_switch(&self) -> Element<'_, Message> {
        let label = visible::line(tr!("live")).size(theme::TEXT_SIZE);
        let switch = toggler(self.live.is_on())
            .size(SWITCH_HEIGHT)
            .on_toggle(|_| Message::LiveToggled)
            .style(theme::switch);
        row![mouse_area(label).on_press(Message::LiveToggled), switch]
            .spacing(theme::space::SMALL)
            .align_y(Center)
            .into()
    }
}

/// The height of the switch: that of a line of text.
const SWITCH_HEIGHT: f32 = 18.0;
