//! Who watches what is loaded: a quiet line, and a list for those who want to see each.

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

/// The line's height, whether anything stands in it or not: nothing jumps when somebody comes.
const LINE_HEIGHT: f32 = 24.0;
/// Room for five in the list; the others are scrolled to.
const LIST_HEIGHT: f32 = 84.0;

/// Who watches, and whether each of them is shown.
#[derive(Debug)]
pub(super) struct Watchers {
    watched: Viewers,
    is_open: bool,
    /// Whether changes are printed to stderr as well.
    is_verbose: bool,
}

impl Watchers {
    pub(super) fn nobody(is_verbose: bool) -> Watchers {
        Watchers {
            watched: Viewers::Known(Vec::new()),
            is_open: false,
            is_verbose,
        }
    }

    pub(super) fn take(&mut self, watched: Viewers) {
        if self.is_verbose {
            // Scripts read them.
            let told = || changes(&self.watched, &watched);
            for line in language::with_language(Language::English, told) {
                terminal::print_error(line);
            }
        }
        self.watched = watched;
    }

    pub(super) fn toggle(&mut self) {
        self.is_open = !self.is_open;
    }

    /// Returns who is told of here.
    pub(super) fn processes(&self) -> Vec<Process> {
        match &self.watched {
            Viewers::Known(watchers) => watchers.iter().map(|watcher| watcher.process).collect(),
            Viewers::Unknown(_) => Vec::new(),
        }
    }

    pub(super) fn view(&self) -> Element<'_, Message> {
        let watchers = match &self.watched {
            Viewers::Known(watchers) => watchers.as_slice(),
            Viewers::Unknown(_) => return line(tr!("watchers-unknown"), None),
        };
        match watchers {
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
            .on_press(Message::WatchersToggled)
    });
    row![container(words).width(Fill).clip(true)]
        .extend(action.map(Element::from))
        .spacing(theme::space::SMALL)
        .height(LINE_HEIGHT)
        .align_y(Center)
        .into()
}

/// Writes how far so many are: `Watched by 40 · 38 show sequence 12`.
fn summary(watchers: &[Viewer]) -> String {
    let sequences = watchers
        .iter()
        .filter_map(|watcher| Some(watcher.report?.sequence));
    let number = watchers.len();
    match sequences.clone().max() {
        None => tr!("watchers-none-shown", count = number),
        Some(latest) => {
            let there = sequences.filter(|shown| *shown == latest).count();
            if there == number {
                tr!("watchers-all", count = number, sequence = latest)
            } else {
                tr!(
                    "watchers-some",
                    count = number,
                    there = there,
                    sequence = latest
                )
            }
        }
    }
}

fn list(watchers: &[Viewer]) -> Element<'_, Message> {
    let cell = |words: String| {
        visible::line(words)
            .size(theme::SMALL_SIZE)
            .style(theme::muted)
    };
    let rows = watchers.iter().map(|watcher| {
        row![
            cell(name(watcher)).wrapping(Wrapping::None),
            space::horizontal(),
            cell(progress(watcher)),
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
