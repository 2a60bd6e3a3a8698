//! The main pane of the window: the content, the list of segments, or the history.

use std::time::SystemTime;

use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::text::units;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane::{self, ContentPane};
use gui_common::widget::main_window;
use gui_common::widget::status::Status;
use gui_common::widget::theme;
use iced::widget::{button, column, row, text};
use iced::{Center, Element, Fill, Subscription, Task, Theme};
use shm_io::Address;

use super::{Message, Shown, State};
use crate::screen::history;
use crate::screen::segment_list::{self, SegmentList};
use crate::session;

type Style = fn(&Theme, button::Status) -> button::Style;

/// The panel in the main pane.
#[derive(Debug)]
pub(super) enum Panel {
    /// The shown content.
    Content,
    /// The list of all segments.
    Segments(SegmentList),
    /// The history.
    History,
}

impl State {
    pub(super) fn toggle_segments(&mut self) -> Task<Message> {
        if matches!(self.panel, Panel::Segments(_)) {
            self.panel = Panel::Content;
            return Task::none();
        }
        let (list, focus) = SegmentList::open();
        self.panel = Panel::Segments(list);
        focus
    }

    pub(super) fn toggle_history(&mut self) {
        self.now = SystemTime::now();
        self.panel = match self.panel {
            Panel::History => Panel::Content,
            Panel::Content | Panel::Segments(_) => Panel::History,
        };
    }

    /// Closes the topmost of: the help, the dialog, a confirmation in the list, the panel.
    pub(super) fn escape(&mut self) {
        if self.window.close_help() {
            return;
        }
        if self.save_dialog.take().is_some() {
            return;
        }
        if let Panel::Segments(list) = &mut self.panel
            && list.dismiss_removal()
        {
            return;
        }
        self.panel = Panel::Content;
    }

    pub(super) fn update_segments(&mut self, message: segment_list::Message) -> Task<Message> {
        self.now = SystemTime::now();
        let Panel::Segments(list) = &mut self.panel else {
            // A removal may end after the list was closed.
            if let segment_list::Message::Removed(key, Ok(())) = message {
                self.report_removed(&key);
            }
            return Task::none();
        };
        match list.update(message) {
            segment_list::Action::None => Task::none(),
            segment_list::Action::Run(task) => task.map(Message::Segments),
            segment_list::Action::Open(key) => self.open_segment(&key),
            segment_list::Action::Remove { key, removal } => {
                session::remove_in_background(key.clone(), removal).map(move |outcome| {
                    Message::Segments(segment_list::Message::Removed(key.clone(), outcome))
                })
            }
            segment_list::Action::Removed(key) => {
                self.report_removed(&key);
                Task::none()
            }
        }
    }

    fn open_segment(&mut self, key: &Address) -> Task<Message> {
        self.panel = Panel::Content;
        let edit = self.update(Message::Window(main_window::Message::KeyEdited(
            key.to_string(),
        )));
        Task::batch([edit, self.update(Message::Show)])
    }

    fn report_removed(&mut self, key: &Address) {
        self.window
            .status
            .set(Status::success(tr!("removed", key = key)));
    }

    pub(super) fn update_history(&mut self, message: history::Message) {
        match self.history.update(message) {
            history::Action::None => {}
            history::Action::Show(snapshot, shown) => {
                self.panel = Panel::Content;
                self.show_again(*snapshot, shown);
            }
            history::Action::Cleared => {
                let status = Status::success(tr!("history-cleared"));
                self.window.status.set(match self.shown {
                    Shown::Content(_) => status.with_remedy(tr!("history-cleared-remedy")),
                    Shown::Notice { .. } => status,
                });
            }
        }
    }

    fn show_again(&mut self, snapshot: Snapshot, shown: SystemTime) {
        // Otherwise a pending answer would replace it.
        self.request += 1;
        self.is_reading = false;
        self.requested = None;
        // A content of the history is not the current one of its publisher.
        self.presence_guard.leave();
        let remedy = if self.live.is_on() {
            // Otherwise the next content would replace it.
            self.stop_following();
            tr!("shown-before-live")
        } else {
            tr!("shown-before-remedy")
        };
        let status = Status::neutral(tr!("shown-before", ago = ago(shown, self.now)));
        self.window.status.set(status.with_remedy(remedy));
        self.shown = Shown::Content(Box::new(ContentPane::new(snapshot)));
        self.shown_before = Some(shown);
    }

    /// Lists all segments while the list is open.
    pub(super) fn panel_subscription(&self) -> Subscription<Message> {
        match self.panel {
            Panel::Segments(_) => session::segments()
                .map(|listing| Message::Segments(segment_list::Message::Listed(listing))),
            Panel::Content | Panel::History => Subscription::none(),
        }
    }

    /// Draws the heading of the main pane: its title and buttons.
    pub(super) fn view_heading(&self) -> Element<'_, Message> {
        let snapshot = match &self.shown {
            Shown::Content(pane) if !pane.snapshot().is_empty() => Some(pane.snapshot()),
            Shown::Content(_) | Shown::Notice { .. } => None,
        };
        let (title, actions) = match &self.panel {
            Panel::Content => (
                self.content_title(),
                vec![
                    quiet(tr!("copy")).on_press_maybe(
                        snapshot
                            .filter(|shown| can_copy(shown))
                            .map(|_| Message::Copy),
                    ),
                    quiet(tr!("save-as")).on_press_maybe(snapshot.map(|_| Message::SaveAs)),
                ],
            ),
            Panel::Segments(_) => (tr!("segments-title"), vec![]),
            Panel::History => {
                let clear = Message::History(history::Message::Cleared);
                (
                    tr!("history-title"),
                    vec![
                        quiet(tr!("history-clear"))
                            .on_press_maybe((!self.history.is_empty()).then_some(clear)),
                    ],
                )
            }
        };
        let (segments_style, history_style): (Style, Style) = match self.panel {
            Panel::Content => (theme::quiet_button, theme::quiet_button),
            Panel::Segments(_) => (theme::chosen_button, theme::quiet_button),
            Panel::History => (theme::quiet_button, theme::chosen_button),
        };
        let segments = quiet(tr!("segments")).on_press(Message::ToggleSegments);
        let history = quiet(tr!("history")).on_press(Message::ToggleHistory);
        row![
            visible::line(title)
                .size(theme::TEXT_SIZE)
                .wrapping(text::Wrapping::None)
                .width(Fill)
        ]
        .extend(actions.into_iter().map(Element::from))
        .push(segments.style(segments_style))
        .push(history.style(history_style))
        .spacing(theme::space::TINY)
        .align_y(Center)
        .into()
    }

    fn content_title(&self) -> String {
        match (&self.shown, self.shown_before) {
            (_, Some(shown)) => tr!("shown-before-title", ago = ago(shown, self.now)),
            (Shown::Content(_), None) => tr!("shown"),
            (Shown::Notice { .. }, None) => String::new(),
        }
    }

    /// Draws the main pane.
    pub(super) fn view_panel(&self) -> Element<'_, Message> {
        match (&self.panel, &self.shown) {
            (Panel::Segments(list), _) => list.view(self.now).map(Message::Segments),
            (Panel::History, _) => self.history.view(self.now).map(Message::History),
            (Panel::Content, Shown::Content(pane)) => {
                let facts = pane.view_facts(self.now, self.live.figures(), &[]);
                column![pane.view().map(Message::Pane), facts.map(Message::Pane)]
                    .spacing(theme::space::MEDIUM)
                    .into()
            }
            (Panel::Content, Shown::Notice { title, body }) => content_pane::notice(title, body),
        }
    }
}

fn can_copy(snapshot: &Snapshot) -> bool {
    matches!(snapshot.content, Preview::Text(_) | Preview::Picture(_))
}

fn ago(then: SystemTime, now: SystemTime) -> String {
    units::ago(now.duration_since(then).unwrap_or_default())
}

fn quiet<'a>(label: String) -> button::Button<'a, Message> {
    button(
        visible::line(label)
            .size(theme::SMALL_SIZE)
            .wrapping(text::Wrapping::None),
    )
    .padding([theme::space::TINY, theme::space::SMALL])
    .style(theme::quiet_button)
}
