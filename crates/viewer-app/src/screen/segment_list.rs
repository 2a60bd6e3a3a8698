//! The list of all segments, with a filter; a click opens a segment, a confirmed click removes it.

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
use crate::session::{Listing, MAX_IGNORED_LISTED, RemovalFailure};

mod row_text;

/// The widget id of the filter field.
pub(crate) const FILTER: &str = "filter";
const ROWS: &str = "segments";
/// The width of the button at the end of a row: fits "Remove" in all languages.
const END_BUTTON_WIDTH: f32 = 72.0;

/// The state of the list.
#[derive(Debug, Default)]
pub(crate) struct SegmentList {
    /// The last listing; `None` before the first.
    listing: Option<Listing>,
    filter: String,
    /// The indices of the entries that match the filter and have a row each.
    matching: Vec<usize>,
    /// The number of ignored files that share one row, or 0 if each has its own.
    collapsed: usize,
    /// The name of the selected entry, which Enter opens.
    selected: Option<String>,
    removal: Option<PendingRemoval>,
    offset: f32,
}

/// A removal from its confirmation to its end.
#[derive(Clone, Debug)]
struct PendingRemoval {
    key: Address,
    state: RemovalState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum RemovalState {
    /// The user confirms the removal.
    Confirm,
    /// The segment is in use: the user confirms a forced removal.
    ConfirmForce { by: String },
    /// The segment is being removed.
    Removing,
    /// The removal failed.
    Failed(String),
}

/// An event of the list.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The segments were listed.
    Listed(Listing),
    /// The filter was edited.
    FilterEdited(String),
    /// The list was scrolled.
    Scrolled(f32),
    /// The selection is to be moved.
    Moved { down: bool },
    /// Enter was pressed: the selected segment is to be opened.
    Submitted,
    /// A row was pressed.
    Opened(Address),
    /// A row's "Remove" was pressed.
    RemovePressed(Address),
    /// The removal was confirmed.
    RemovalConfirmed,
    /// The removal was cancelled, or its error was dismissed.
    RemovalDismissed,
    /// A removal succeeded or failed.
    Removed(Address, Result<(), Arc<RemovalFailure>>),
}

/// An action for the window.
#[derive(Debug)]
pub(crate) enum Action {
    /// No action.
    None,
    /// Run a task on the widgets.
    Run(Task<Message>),
    /// Show the content of this segment.
    Open(Address),
    /// Remove this segment, and report the result with [`Message::Removed`].
    Remove { key: Address, removal: Removal },
    /// Report that the segment was removed.
    Removed(Address),
}

impl SegmentList {
    /// Opens an empty list; the task focuses the filter.
    pub(crate) fn open<M>() -> (SegmentList, Task<M>) {
        (SegmentList::default(), operation::focus(FILTER))
    }

    /// Handles an event.
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
            Message::RemovePressed(key) => self.ask_to_remove(key),
            Message::RemovalConfirmed => return self.confirm(),
            Message::RemovalDismissed => self.removal = None,
            Message::Removed(key, outcome) => return self.take_removed(key, outcome),
        }
        Action::None
    }

    /// Dismisses an open removal. Returns `true` if there was one.
    pub(crate) fn dismiss_removal(&mut self) -> bool {
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
            .filter(|(_, entry)| words.is_empty() || row_text::is_match(entry, &words))
            .map(|(index, _)| index)
            .collect();
        self.collapsed = 0;
        if words.is_empty() {
            self.collapse_ignored();
        }
    }

    /// Collapses many ignored files into one row. A filter still finds each.
    fn collapse_ignored(&mut self) {
        let (segments, ignored): (Vec<usize>, Vec<usize>) = self
            .matching
            .iter()
            .partition(|index| self.listed()[**index].address().is_some());
        if ignored.len() > MAX_IGNORED_LISTED {
            self.collapsed = ignored.len();
            self.matching = segments;
        }
    }

    /// Returns the row that Enter opens: the selected one, or else the only matching one.
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
        self.scroll_to(rows::offset_of(row))
    }

    fn scroll_to(&mut self, offset: f32) -> Action {
        self.offset = offset;
        let offset = AbsoluteOffset { x: 0.0, y: offset };
        Action::Run(operation::scroll_to(ROWS, offset))
    }

    fn ask_to_remove(&mut self, key: Address) {
        let mut listed = self.listed().iter();
        let entry = listed.find(|entry| entry.address().as_ref() == Some(&key));
        let state = match entry.and_then(row_text::in_use_by) {
            None => RemovalState::Confirm,
            Some(by) => RemovalState::ConfirmForce { by },
        };
        self.removal = Some(PendingRemoval { key, state });
    }

    fn confirm(&mut self) -> Action {
        let Some(removal) = &mut self.removal else {
            return Action::None;
        };
        let kind = match removal.state {
            RemovalState::Confirm => Removal::IfUnused,
            RemovalState::ConfirmForce { .. } => Removal::Forced,
            RemovalState::Removing | RemovalState::Failed(_) => return Action::None,
        };
        removal.state = RemovalState::Removing;
        Action::Remove {
            key: removal.key.clone(),
            removal: kind,
        }
    }

    fn take_removed(&mut self, key: Address, outcome: Result<(), Arc<RemovalFailure>>) -> Action {
        let state = match outcome.as_ref().map_err(Arc::as_ref) {
            Err(RemovalFailure::Removal(error)) if !error.is_not_found() => {
                // A process may have attached meanwhile. Forced removal needs another press of
                // "Remove": its confirmation would appear under the pointer that has just clicked.
                RemovalState::Failed(error.explain())
            }
            Err(RemovalFailure::Worker(error)) => RemovalState::Failed(error.to_string()),
            // A segment that another process has removed is removed too.
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
        self.removal = Some(PendingRemoval { key, state });
        Action::None
    }

    /// Draws the filter and the matching rows.
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
            Some(Ok(_)) if self.matching.is_empty() && self.collapsed == 0 => {
                content_pane::notice(tr!("segments-filtered"), tr!("segments-filtered-body"))
            }
            Some(Ok(_)) => rows::view(
                ROWS,
                self.matching.len() + usize::from(self.collapsed > 0),
                self.offset,
                Message::Scrolled,
                move |row| match self.matching.get(row) {
                    Some(index) => self.view_row(&self.listed()[*index], now),
                    None => view_collapsed(self.collapsed),
                },
            ),
        }
    }

    fn view_row<'a>(&'a self, entry: &'a Entry, now: SystemTime) -> Element<'a, Message> {
        let words = two_lines(entry.name(), row_text::line(entry, now));
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
        let remove = end_button(tr!("remove")).on_press(Message::RemovePressed(address));
        row![open, remove]
            .spacing(theme::space::TINY)
            .align_y(Center)
            .into()
    }
}

/// Draws the shared row of collapsed ignored files.
fn view_collapsed<'a>(count: usize) -> Element<'a, Message> {
    let words = two_lines(
        tr!("segments-left-alone", count = count),
        tr!("segments-left-alone-body"),
    );
    container(words)
        .padding([theme::space::TINY, theme::space::MEDIUM])
        .into()
}

fn view_removal(removal: &PendingRemoval) -> Element<'_, Message> {
    let key = elided(removal.key.as_str());
    let (title, body, confirm) = match &removal.state {
        RemovalState::Confirm => (
            tr!("remove-question", key = key),
            tr!("remove-question-body"),
            Some(tr!("remove")),
        ),
        RemovalState::ConfirmForce { by } => (
            tr!("remove-in-use", key = key, by = by),
            tr!("remove-in-use-body"),
            Some(tr!("remove-force")),
        ),
        RemovalState::Removing => (tr!("removing", key = key), String::new(), None),
        RemovalState::Failed(problem) => (tr!("remove-failed", key = key), problem.clone(), None),
    };
    let dismiss = match removal.state {
        RemovalState::Failed(_) => tr!("close"),
        _ => tr!("remove-keep"),
    };
    let confirm = confirm.map(|label| {
        button(visible::line(label).size(theme::SMALL_SIZE))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .style(theme::danger_button)
            .on_press(Message::RemovalConfirmed)
    });
    let words =
        container(two_lines(title, body)).padding([theme::space::TINY, theme::space::MEDIUM]);
    row![words.width(Fill)]
        .extend(confirm.map(Element::from))
        .push(end_button(dismiss).on_press(Message::RemovalDismissed))
        .spacing(theme::space::TINY)
        .align_y(Center)
        .height(Fill)
        .into()
}

/// Elides the middle of a long key, so that the names of its users fit.
fn elided(key: &str) -> String {
    const MAX: usize = 32;
    const END: usize = 12;
    let characters: Vec<char> = key.chars().collect();
    if characters.len() <= MAX {
        return key.to_owned();
    }
    let (start, rest) = characters.split_at(MAX - END - 1);
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

/// Creates the button at the end of a row. All have one size: "Remove" is replaced by the safe
/// answer in the same place, so that a double click removes nothing.
fn end_button<'a>(label: String) -> button::Button<'a, Message> {
    button(
        visible::line(label)
            .size(theme::SMALL_SIZE)
            .width(Fill)
            .center(),
    )
    .width(END_BUTTON_WIDTH)
    .padding([theme::space::TINY, theme::space::SMALL])
    .style(theme::quiet_button)
}

#[cfg(test)]
mod tests;
