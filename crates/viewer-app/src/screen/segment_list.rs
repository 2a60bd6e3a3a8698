//! All segments on this computer: found by a filter, opened by a click, removed after a question.

use std::sync::Arc;
use std::time::SystemTime;

use gui_common::text::explain::Explain;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane;
use gui_common::widget::theme;
use iced::widget::scrollable::AbsoluteOffset;
use iced::widget::{button, column, container, operation, row, text, text_input};
use iced::{Center, Element, Fill, Task};
use shm_core::segment::Removal;
use shm_io::{Address, Entry};

use super::rows;
use crate::session::{Listing, MOST_LEFT_ALONE, RemovalFailure};

mod facts;

/// The widget id of the filter field.
pub(crate) const FILTER: &str = "filter";
const ROWS: &str = "segments";
/// Room for "Remove" in all languages.
const LAST_WIDTH: f32 = 72.0;

/// The list, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct SegmentList {
    /// What was seen last; nothing before the first look.
    listing: Option<Listing>,
    filter: String,
    /// Which of the listed match the filter, and are told of each.
    matching: Vec<usize>,
    /// How many are no segments, where they are too many to be told of each: one row is for them all.
    left_alone: usize,
    /// The name of the row that Enter opens.
    selected: Option<String>,
    removal: Option<PendingRemoval>,
    offset: f32,
}

/// A removal that a person was asked about.
#[derive(Clone, Debug)]
struct PendingRemoval {
    key: Address,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Shall it be removed?
    Asked,
    /// It is in use: shall it be removed by force?
    AskedForce { by: String },
    /// It is being removed.
    Going,
    /// It could not be.
    Failed(String),
}

/// What happens in the list.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The segments were looked at.
    Listed(Listing),
    /// The filter was edited.
    FilterEdited(String),
    /// The list was scrolled.
    Scrolled(f32),
    /// The selection moves down, or up.
    Moved { down: bool },
    /// Enter: opens what is selected.
    Submitted,
    /// A row was pressed.
    Opened(Address),
    /// A row's "Remove" was pressed.
    RemovePressed(Address),
    /// The question was answered by yes.
    RemovalConfirmed,
    /// The question was answered by no, or its answer was read.
    RemovalDropped,
    /// A segment was removed, or not.
    Removed(Address, Result<(), Arc<RemovalFailure>>),
}

/// What is to be done now.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Something about the widgets.
    Run(Task<Message>),
    /// Show this segment.
    Open(Address),
    /// Remove this segment, and say what came of it.
    Remove { key: Address, removal: Removal },
    /// Say that it was removed.
    Removed(Address),
}

impl SegmentList {
    /// Opens an empty list; the task gives the focus to the filter.
    pub(crate) fn open<M>() -> (SegmentList, Task<M>) {
        (SegmentList::default(), operation::focus(FILTER))
    }

    /// Takes in what happened.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Listed(listing) => {
                self.listing = Some(listing);
                self.find();
            }
            Message::FilterEdited(filter) => {
                self.filter = filter;
                self.selected = None;
                self.find();
                return self.scroll_to(0.0);
            }
            Message::Scrolled(offset) => self.offset = offset,
            Message::Moved { down } => return self.move_selection(down),
            Message::Submitted => {
                let chosen = self.chosen().and_then(|index| self.key_at(index));
                return chosen.map_or(Action::None, Action::Open);
            }
            Message::Opened(key) => return Action::Open(key),
            Message::RemovePressed(key) => self.ask(key),
            Message::RemovalConfirmed => return self.confirm(),
            Message::RemovalDropped => self.removal = None,
            Message::Removed(key, outcome) => return self.take_removed(key, outcome),
        }
        Action::None
    }

    /// Leaves the question, where one is open. Returns whether there was one.
    pub(crate) fn drop_question(&mut self) -> bool {
        self.removal.take().is_some()
    }

    fn listed(&self) -> &[Entry] {
        match &self.listing {
            Some(Ok(listed)) => listed,
            Some(Err(_)) | None => &[],
        }
    }

    fn find(&mut self) {
        let words = self.filter.trim().to_lowercase();
        let listed = self.listed().iter().enumerate();
        self.matching = listed
            .filter(|(_, entry)| words.is_empty() || facts::is_match(entry, &words))
            .map(|(index, _)| index)
            .collect();
        self.left_alone = 0;
        if words.is_empty() {
            self.gather_left_alone();
        }
    }

    /// Makes one row of what is no segment, where there is much of it. A filter finds each.
    fn gather_left_alone(&mut self) {
        let (segments, others): (Vec<usize>, Vec<usize>) = self
            .matching
            .iter()
            .partition(|index| self.listed()[**index].address().is_some());
        if others.len() > MOST_LEFT_ALONE {
            self.left_alone = others.len();
            self.matching = segments;
        }
    }

    /// Returns the row that Enter opens: the selected one, or else the only one that is left.
    fn chosen(&self) -> Option<usize> {
        let selected = self.selected_row();
        selected.or((self.matching.len() == 1).then_some(0))
    }

    fn selected_row(&self) -> Option<usize> {
        let selected = self.selected.as_deref()?;
        self.matching
            .iter()
            .position(|index| self.listed()[*index].name() == selected)
    }

    fn key_at(&self, row: usize) -> Option<Address> {
        self.listed()[*self.matching.get(row)?].address()
    }

    fn move_selection(&mut self, down: bool) -> Action {
        let last = match self.matching.len() {
            0 => return Action::None,
            count => count - 1,
        };
        let row = match (self.selected_row(), down) {
            (None, true) => 0,
            (None, false) => last,
            (Some(row), true) => (row + 1).min(last),
            (Some(row), false) => row.saturating_sub(1),
        };
        self.selected = Some(self.listed()[self.matching[row]].name().to_owned());
        self.scroll_to(rows::offset_to_see(row))
    }

    fn scroll_to(&mut self, offset: f32) -> Action {
        self.offset = offset;
        let offset = AbsoluteOffset { x: 0.0, y: offset };
        Action::Run(operation::scroll_to(ROWS, offset))
    }

    fn ask(&mut self, key: Address) {
        let mut listed = self.listed().iter();
        let entry = listed.find(|entry| entry.address().as_ref() == Some(&key));
        let step = match entry.and_then(facts::in_use_by) {
            None => Step::Asked,
            Some(by) => Step::AskedForce { by },
        };
        self.removal = Some(PendingRemoval { key, step });
    }

    fn confirm(&mut self) -> Action {
        let Some(removal) = &mut self.removal else {
            return Action::None;
        };
        let kind = match removal.step {
            Step::Asked => Removal::IfUnused,
            Step::AskedForce { .. } => Removal::Forced,
            Step::Going | Step::Failed(_) => return Action::None,
        };
        removal.step = Step::Going;
        Action::Remove {
            key: removal.key.clone(),
            removal: kind,
        }
    }

    fn take_removed(&mut self, key: Address, outcome: Result<(), Arc<RemovalFailure>>) -> Action {
        let step = match outcome.as_ref().map_err(Arc::as_ref) {
            Err(RemovalFailure::Removal(error)) if !error.is_not_found() => {
                // Perhaps somebody came while we asked. Force is asked for after another press of
                // "Remove" only: here the question would stand under the pointer that has just said
                // yes.
                Step::Failed(error.explain())
            }
            Err(RemovalFailure::Worker(error)) => Step::Failed(error.to_string()),
            // Gone is gone, whoever did it.
            Ok(()) | Err(RemovalFailure::Removal(_)) => {
                if self
                    .removal
                    .as_ref()
                    .is_some_and(|removal| removal.key == key)
                {
                    self.removal = None;
                }
                return Action::Removed(key);
            }
        };
        self.removal = Some(PendingRemoval { key, step });
        Action::None
    }

    /// Draws the filter, and the rows that it leaves.
    pub(crate) fn view(&self, now: SystemTime) -> Element<'_, Message> {
        let filter = text_input(&tr!("filter-placeholder"), &visible::in_field(&self.filter))
            .id(FILTER)
            .on_input(|filter| Message::FilterEdited(visible::typed(filter)))
            .on_submit(Message::Submitted)
            .size(theme::TEXT_SIZE)
            .padding([theme::space::SMALL, theme::space::MEDIUM])
            .style(theme::field);
        column![filter, self.view_rows(now)]
            .spacing(theme::space::SMALL)
            .height(Fill)
            .into()
    }

    fn view_rows(&self, now: SystemTime) -> Element<'_, Message> {
        match &self.listing {
            None => content_pane::notice("", ""),
            Some(Err(problem)) => content_pane::notice(tr!("segments-unlisted"), problem.as_str()),
            Some(Ok(listed)) if listed.is_empty() => {
                content_pane::notice(tr!("segments-none"), tr!("segments-none-body"))
            }
            Some(Ok(_)) if self.matching.is_empty() && self.left_alone == 0 => {
                content_pane::notice(tr!("segments-filtered"), tr!("segments-filtered-body"))
            }
            Some(Ok(_)) => rows::view(
                ROWS,
                self.matching.len() + usize::from(self.left_alone > 0),
                self.offset,
                Message::Scrolled,
                move |row| match self.matching.get(row) {
                    Some(index) => self.view_row(&self.listed()[*index], now),
                    None => view_left_alone(self.left_alone),
                },
            ),
        }
    }

    fn view_row<'a>(&'a self, entry: &'a Entry, now: SystemTime) -> Element<'a, Message> {
        let words = two_lines(entry.name(), facts::line(entry, now));
        let Some(address) = entry.address() else {
            return container(words)
                .padding([theme::space::TINY, theme::space::MEDIUM])
                .into();
        };
        if let Some(removal) = &self.removal
            && removal.key == address
        {
            return view_removal(removal);
        }
        let is_selected = self.selected.as_deref() == Some(entry.name());
        let open = button(words)
            .on_press(Message::Opened(address.clone()))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .width(Fill)
            .height(Fill)
            .style(theme::row_button(is_selected));
        let remove = last(tr!("remove")).on_press(Message::RemovePressed(address));
        row![open, remove]
            .spacing(theme::space::TINY)
            .align_y(Center)
            .into()
    }
}

/// Draws the row for all that is no segment.
fn view_left_alone<'a>(count: usize) -> Element<'a, Message> {
    let words = two_lines(
        tr!("segments-left-alone", count = count),
        tr!("segments-left-alone-body"),
    );
    container(words)
        .padding([theme::space::TINY, theme::space::MEDIUM])
        .into()
}

fn view_removal(removal: &PendingRemoval) -> Element<'_, Message> {
    let key = brief(removal.key.as_str());
    let (title, body, yes) = match &removal.step {
        Step::Asked => (
            tr!("remove-question", key = key),
            tr!("remove-question-body"),
            Some(tr!("remove")),
        ),
        Step::AskedForce { by } => (
            tr!("remove-in-use", key = key, by = by),
            tr!("remove-in-use-body"),
            Some(tr!("remove-force")),
        ),
        Step::Going => (tr!("removing", key = key), String::new(), None),
        Step::Failed(problem) => (tr!("remove-failed", key = key), problem.clone(), None),
    };
    let no = match removal.step {
        Step::Failed(_) => tr!("close"),
        _ => tr!("remove-keep"),
    };
    let yes = yes.map(|label| {
        button(visible::line(label).size(theme::SMALL_SIZE))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .style(theme::danger_button)
            .on_press(Message::RemovalConfirmed)
    });
    let words =
        container(two_lines(title, body)).padding([theme::space::TINY, theme::space::MEDIUM]);
    row![words.width(Fill)]
        .extend(yes.map(Element::from))
        .push(last(no).on_press(Message::RemovalDropped))
        .spacing(theme::space::TINY)
        .align_y(Center)
        .height(Fill)
        .into()
}

/// Leaves the middle of a long key out, so that there is room for who uses it.
fn brief(key: &str) -> String {
    const MOST: usize = 32;
    const END: usize = 12;
    let characters: Vec<char> = key.chars().collect();
    if characters.len() <= MOST {
        return key.to_owned();
    }
    let (start, rest) = characters.split_at(MOST - END - 1);
    let end = &rest[rest.len() - END..];
    start.iter().chain(&['…']).chain(end).collect()
}

fn two_lines<'a>(
    first: impl text::IntoFragment<'a>,
    second: impl text::IntoFragment<'a>,
) -> Element<'a, Message> {
    let lines = column![
        visible::line(first)
            .size(theme::TEXT_SIZE)
            .wrapping(text::Wrapping::None),
        visible::line(second)
            .size(theme::SMALL_SIZE)
            .wrapping(text::Wrapping::None)
            .style(theme::muted),
    ];
    container(lines)
        .width(Fill)
        .center_y(Fill)
        .clip(true)
        .into()
}

/// The button at the end of a row, of one size, whatever it says: where "Remove" was pressed stands
/// the safe answer then, and two clicks in one place remove nothing.
fn last<'a>(label: String) -> button::Button<'a, Message> {
    button(
        visible::line(label)
            .size(theme::SMALL_SIZE)
            .width(Fill)
            .center(),
    )
    .width(LAST_WIDTH)
    .padding([theme::space::TINY, theme::space::SMALL])
    .style(theme::quiet_button)
}

#[cfg(test)]
mod tests;
