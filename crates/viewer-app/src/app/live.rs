//! Live mode: new contents of a key are shown automatically, and the last stays when its publisher
//! detaches.

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

/// The monitor of the key, and what the window derives from it.
#[derive(Debug)]
pub(super) struct Live {
    /// `None` if the field holds no valid key.
    monitor: Option<Monitor>,
    target: Arc<RenderTarget>,
    stats: StreamStats,
    /// Whether the segment of the shown content is gone.
    is_last_copy: bool,
    /// The last status set by an observation.
    last_status: Option<Status>,
}

impl Live {
    /// Starts to monitor the presence of a segment, without its content.
    pub(super) fn new(key: Option<&Address>) -> Live {
        let mut live = Live {
            monitor: None,
            target: Arc::default(),
            stats: StreamStats::default(),
            is_last_copy: false,
            last_status: None,
        };
        live.start(key, None, Depth::Presence);
        live
    }

    /// Returns `true` in live mode.
    pub(super) fn is_on(&self) -> bool {
        self.followed().is_some()
    }

    /// Returns the followed key, in live mode.
    pub(super) fn followed(&self) -> Option<&Address> {
        let monitor = self.monitor.as_ref()?;
        (monitor.depth() == Depth::Content).then(|| monitor.key())
    }

    pub(super) fn is_last_copy(&self) -> bool {
        self.is_last_copy
    }

    /// Returns the statistics of a stream of pictures.
    pub(super) fn figures(&self) -> Option<Figures> {
        self.is_on().then(|| self.stats.figures()).flatten()
    }

    pub(super) fn subscription(&self) -> Subscription<Message> {
        match &self.monitor {
            Some(monitor) => monitor.subscription().map(Message::Observed),
            None => Subscription::none(),
        }
    }

    /// Returns the observation of a notification, and its key; `None` if it is outdated.
    pub(super) fn read(&self, notification: Notification) -> Option<(Address, Observation)> {
        let monitor = self.monitor.as_ref()?;
        Some((monitor.key().clone(), monitor.read(notification)?))
    }

    /// Monitors the presence of a segment of the key in the field, unless a key is followed.
    pub(super) fn monitor_presence(&mut self, key: Option<&Address>) {
        if !self.is_on() {
            self.start(key, None, Depth::Presence);
        }
    }

    /// Allows the last status to be set again, because another status has replaced it.
    pub(super) fn forget_status(&mut self) {
        self.last_status = None;
    }

    /// Starts a new monitor.
    fn start(&mut self, key: Option<&Address>, form: Option<Form>, depth: Depth) {
        self.stats = StreamStats::default();
        self.is_last_copy = false;
        self.last_status = None;
        self.monitor = key.map(|key| {
            let source = Source::new(key).form(form);
            Monitor::new(source, depth, Arc::clone(&self.target))
        });
    }

    /// Counts a content that is about to be shown. Returns `true` if the statistics have changed.
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
    pub(super) fn notification(&self, observation: Observation) -> Message {
        let monitor = self.monitor.as_ref().expect("a key is monitored");
        Message::Observed(monitor.news(observation))
    }
}

impl State {
    /// Toggles live mode and saves the setting.
    pub(super) fn toggle_live(&mut self) -> Task<Message> {
        let toggled = if self.live.is_on() {
            self.stop_following();
            Task::none()
        } else {
            self.follow()
        };
        let is_on = self.live.is_on();
        let saved = self
            .window
            .change_settings(|settings| settings.switches.live = is_on);
        Task::batch([toggled, saved.map(Message::Window)])
    }

    pub(super) fn stop_following(&mut self) {
        self.live
            .start(self.window.key.key().ok(), None, Depth::Presence);
        self.presence = None;
        self.window.status.set(Status::neutral(tr!("live-off")));
    }

    /// Follows the key in the field, and unfocuses the field: a blinking cursor would redraw the
    /// window twice a second.
    pub(super) fn follow(&mut self) -> Task<Message> {
        if self.begin_live() {
            operate(focusable::unfocus())
        } else {
            self.focus_key()
        }
    }

    /// Follows the key in the field. Returns `false` if the key is invalid.
    pub(super) fn begin_live(&mut self) -> bool {
        let Some(key) = self.valid_key() else {
            return false;
        };
        self.live
            .start(Some(&key), self.window.key.form(), Depth::Content);
        self.requested = Some(key.clone());
        self.presence = None;
        self.panel = Panel::Content;
        let status = Status::neutral(tr!("live-on", key = key));
        self.window.status.set(match key.own() {
            Some(_) => status,
            // Qt has no change notification: the key is polled.
            None => status.with_remedy(tr!("live-qt")),
        });
        true
    }

    /// Returns `true` if the field does not hold the followed key.
    pub(super) fn is_other_key_wanted(&self) -> bool {
        let followed = self.live.followed();
        followed.is_some() && self.window.key.key().ok() != followed
    }

    /// Handles an observation of a key.
    pub(super) fn observe(&mut self, key: &Address, observation: Observation) {
        match observation {
            Observation::Past(snapshots) => self.history.record_earlier(&snapshots),
            Observation::Content(update) => self.show_update(*update),
            Observation::Presence(info) => self.observe_state(key, KeyState::Own(info)),
            Observation::Qt(bytes) => self.observe_state(key, KeyState::Qt(bytes)),
            Observation::Nothing => {
                self.observe_state(key, KeyState::Gone);
                if self.live.is_on() {
                    self.show_gone(key);
                }
            }
            Observation::Unreadable(error) => {
                self.observe_state(key, KeyState::Unreadable);
                if self.live.is_on() {
                    self.fail(&error.into());
                }
            }
        }
    }

    /// Shows a new content in live mode.
    fn show_update(&mut self, update: Update) {
        if update.snapshot.is_empty() && self.live.is_last_copy {
            // A new publisher has attached, and has not published yet.
            return;
        }
        self.live.is_last_copy = false;
        let figures_changed = self.live.count(&update);
        self.record_shown(&update.snapshot);
        self.set_status(super::status_of(&update.snapshot));
        match &mut self.shown {
            Shown::Content(pane) => pane.replace(update),
            shown @ Shown::Notice { .. } => {
                *shown = Shown::Content(Box::new(ContentPane::from_update(update)));
            }
        }
        if figures_changed && let Some(figures) = self.live.figures() {
            // Read by scripts, so in English.
            language::with_language(Language::English, || {
                self.window.status.note(format_args!("live: {figures}"));
            });
        }
    }

    /// Shows that there is no segment any more, or not yet.
    pub(super) fn show_gone(&mut self, key: &Address) {
        if self.shown_of(key).is_some_and(|shown| !shown.is_empty()) {
            self.live.is_last_copy = true;
            // Without a remedy: live mode continues without the user.
            self.set_status(Status::warning(tr!("live-left")));
            return;
        }
        self.set_status(Status::neutral(tr!("live-waiting", key = key)));
        self.shown = Shown::Notice {
            title: tr!("live-waiting-title"),
            body: tr!("live-waiting-body", key = key),
        };
    }

    /// Returns the shown content, if it is of this key.
    fn shown_of(&self, key: &Address) -> Option<&Snapshot> {
        match &self.shown {
            Shown::Content(pane) if pane.snapshot().key == *key => Some(pane.snapshot()),
            _ => None,
        }
    }

    /// Sets a status, unless an observation has set the same before: another status may have
    /// replaced it, and must stay readable although observations repeat many times a second.
    fn set_status(&mut self, status: Status) {
        if self.live.last_status.as_ref() != Some(&status) {
            self.live.last_status = Some(status.clone());
            self.window.status.set(status);
        }
    }

    /// Draws the switch, with a label that toggles it too.
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
