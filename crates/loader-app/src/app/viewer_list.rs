//! The viewers of the segment: a summary line, and a list that the user can open.

use iced::widget::scrollable::{Direction, Scrollbar};
use iced::widget::text::Wrapping;
use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};
use shm_core::Process;
use shm_core::presence::Viewer;
use shm_io::Viewers;

use gui_common::text::language::{self, Language};
use gui_common::text::terminal;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::theme;

use super::Message;
use crate::session::presence::{changes, name, progress};

/// The height of the line, also if it is empty, so that the layout does not change with viewers.
const LINE_HEIGHT: f32 = 24.0;
/// The height of five rows of the list, which scrolls.
const LIST_HEIGHT: f32 = 84.0;

/// The viewers of the segment, and whether the list is open.
#[derive(Debug)]
pub(super) struct ViewerList {
    viewers: Viewers,
    is_open: bool,
    /// Whether changes are also printed to stderr.
    is_verbose: bool,
}

impl ViewerList {
    pub(super) fn new(is_verbose: bool) -> ViewerList {
        ViewerList {
            viewers: Viewers::Known(Vec::new()),
            is_open: false,
            is_verbose,
        }
    }

    pub(super) fn update(&mut self, viewers: Viewers) {
        if self.is_verbose {
            // English, because scripts read the lines.
            let lines = || changes(&self.viewers, &viewers);
            for line in language::with_language(Language::English, lines) {
                terminal::print_error(line);
            }
        }
        self.viewers = viewers;
    }

    pub(super) fn toggle(&mut self) {
        self.is_open = !self.is_open;
    }

    /// Returns the processes of the viewers.
    pub(super) fn processes(&self) -> Vec<Process> {
        match &self.viewers {
            Viewers::Known(viewers) => viewers.iter().map(|viewer| viewer.process).collect(),
            Viewers::Unknown(_) => Vec::new(),
        }
    }

    pub(super) fn view(&self) -> Element<'_, Message> {
        let viewers = match &self.viewers {
            Viewers::Known(viewers) => viewers.as_slice(),
            Viewers::Unknown(_) => return line(tr!("watchers-unknown"), None),
        };
        match viewers {
            [] => line(String::new(), None),
            [one] => line(
                tr!("watchers-one", name = name(one), progress = progress(one)),
                None,
            ),
            many if self.is_open => {
                column![line(summary(many), Some(tr!("watchers-hide"))), list(many)].into()
            }
            many => line(summary(many), Some(tr!("watchers-show"))),
        }
    }
}

fn line<'a>(words: String, action: Option<String>) -> Element<'a, Message> {
    let words = visible::line(words)
        .size(theme::SMALL_SIZE)
        .style(theme::muted)
        .wrapping(Wrapping::None);
    let action = action.map(|label| {
        button(visible::line(label).size(theme::SMALL_SIZE))
            .padding([0.0, theme::space::SMALL])
            .style(theme::quiet_button)
            .on_press(Message::ViewerListToggled)
    });
    row![container(words).width(Fill).clip(true)]
        .extend(action.map(Element::from))
        .spacing(theme::space::SMALL)
        .height(LINE_HEIGHT)
        .align_y(Center)
        .into()
}

/// Summarises several viewers: `Watched by 40 · 38 show sequence 12`.
fn summary(viewers: &[Viewer]) -> String {
    let sequences = viewers
        .iter()
        .filter_map(|viewer| Some(viewer.report?.sequence));
    let number = viewers.len();
    match sequences.clone().max() {
        None => tr!("watchers-none-shown", count = number),
        Some(latest) => {
            let current = sequences.filter(|shown| *shown == latest).count();
            if current == number {
                tr!("watchers-all", count = number, sequence = latest)
            } else {
                tr!(
                    "watchers-some",
                    count = number,
                    there = current,
                    sequence = latest
                )
            }
        }
    }
}

fn list(viewers: &[Viewer]) -> Element<'_, Message> {
    let cell = |words: String| {
        visible::line(words)
            .size(theme::SMALL_SIZE)
            .style(theme::muted)
    };
    let rows = viewers.iter().map(|viewer| {
        row![
            cell(name(viewer)).wrapping(Wrapping::None),
            space::horizontal(),
            cell(progress(viewer)),
        ]
        .spacing(theme::space::SMALL)
        .into()
    });
    let bar = Scrollbar::new().width(6).scroller_width(6).margin(2);
    let rows = container(Column::with_children(rows)).padding([0.0, theme::space::MEDIUM]);
    scrollable(rows)
        .direction(Direction::Vertical(bar))
        .width(Fill)
        .height(LIST_HEIGHT)
        .style(theme::scroll)
        .into()
}

#[cfg(test)]
mod tests;
