//! All segments on this computer: found by a filter, opened by a click, removed after a question.

use std::sync::Arc;
use std::time::SystemTime;

use app_kit::explain::{Explain, explain_reason, name_of};
use app_kit::snapshot::name_of_kind;
use app_kit::{content_pane, say, theme, units};
use iced::widget::scrollable::AbsoluteOffset;
use iced::widget::{button, column, container, operation, row, text, text_input};
use iced::{Center, Element, Fill, Task};
use shm_core::segment::{Content, Info, Listed};
use shm_core::{Access, Attached, Key, RemoveError};

use super::rows;
use crate::session::{Listing, RemovalError};

/// The widget id of the filter field.
pub(crate) const FILTER: &str = "filter";
const ROWS: &str = "segments";

/// The list, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct SegmentList {
    /// What was seen last; nothing before the first look.
    listing: Option<Listing>,
    filter: String,
    /// Which of the listed match the filter.
    matching: Vec<usize>,
    /// The name of the row that Enter opens.
    selected: Option<String>,
    removal: Option<Removal>,
    offset: f32,
}

/// A removal that a person was asked about.
#[derive(Clone, Debug)]
struct Removal {
    key: Key,
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
    Opened(Key),
    /// A row's "Remove" was pressed.
    RemovePressed(Key),
    /// The question was answered by yes.
    RemovalConfirmed,
    /// The question was answered by no, or its answer was read.
    RemovalDropped,
    /// A segment was removed, or not.
    Removed(Key, Result<(), Arc<RemovalError>>),
}

/// What is to be done now.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Something about the widgets.
    Run(Task<Message>),
    /// Show this segment.
    Open(Key),
    /// Remove this segment, and say what came of it.
    Remove { key: Key, force: bool },
    /// Say that it was removed.
    Removed(Key),
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

    fn listed(&self) -> &[Listed] {
        match &self.listing {
            Some(Ok(listed)) => listed,
            Some(Err(_)) | None => &[],
        }
    }

    fn find(&mut self) {
        let words = self.filter.trim().to_lowercase();
        let listed = self.listed().iter().enumerate();
        self.matching = listed
            .filter(|(_, listed)| words.is_empty() || is_match(listed, &words))
            .map(|(index, _)| index)
            .collect();
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
            .position(|index| self.listed()[*index].name == selected)
    }

    fn key_at(&self, row: usize) -> Option<Key> {
        let listed = &self.listed()[*self.matching.get(row)?];
        listed.segment.as_ref().ok().map(|info| info.key.clone())
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
        self.selected = Some(self.listed()[self.matching[row]].name.clone());
        self.scroll_to(rows::offset_to_see(row))
    }

    fn scroll_to(&mut self, offset: f32) -> Action {
        self.offset = offset;
        let offset = AbsoluteOffset { x: 0.0, y: offset };
        Action::Run(operation::scroll_to(ROWS, offset))
    }

    fn ask(&mut self, key: Key) {
        let infos = self
            .listed()
            .iter()
            .filter_map(|one| one.segment.as_ref().ok());
        let attached = infos
            .filter(|info| info.key == key)
            .map(|info| info.attached.as_slice())
            .next()
            .unwrap_or_default();
        let step = match attached {
            [] => Step::Asked,
            by => Step::AskedForce { by: names(by) },
        };
        self.removal = Some(Removal { key, step });
    }

    fn confirm(&mut self) -> Action {
        let Some(removal) = &mut self.removal else {
            return Action::None;
        };
        let force = match removal.step {
            Step::Asked => false,
            Step::AskedForce { .. } => true,
            Step::Going | Step::Failed(_) => return Action::None,
        };
        removal.step = Step::Going;
        Action::Remove {
            key: removal.key.clone(),
            force,
        }
    }

    fn take_removed(&mut self, key: Key, outcome: Result<(), Arc<RemovalError>>) -> Action {
        let step = match outcome.as_ref().map_err(Arc::as_ref) {
            // Gone is gone, whoever did it.
            Ok(()) | Err(RemovalError::Segment(RemoveError::NotFound { .. })) => {
                if self
                    .removal
                    .as_ref()
                    .is_some_and(|removal| removal.key == key)
                {
                    self.removal = None;
                }
                return Action::Removed(key);
            }
            // Somebody came while we asked.
            Err(RemovalError::Segment(RemoveError::InUse { by, .. })) => {
                Step::AskedForce { by: names(by) }
            }
            Err(RemovalError::Segment(error)) => Step::Failed(error.explain()),
            Err(RemovalError::Worker(error)) => Step::Failed(error.to_string()),
        };
        self.removal = Some(Removal { key, step });
        Action::None
    }

    /// Draws the filter, and the rows that it leaves.
    pub(crate) fn view(&self, now: SystemTime) -> Element<'_, Message> {
        let filter = text_input(&say!("filter-placeholder"), &self.filter)
            .id(FILTER)
            .on_input(Message::FilterEdited)
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
            Some(Err(problem)) => content_pane::notice(say!("segments-unlisted"), problem.as_str()),
            Some(Ok(listed)) if listed.is_empty() => {
                content_pane::notice(say!("segments-none"), say!("segments-none-body"))
            }
            Some(Ok(_)) if self.matching.is_empty() => {
                content_pane::notice(say!("segments-filtered"), say!("segments-filtered-body"))
            }
            Some(Ok(_)) => rows::view(
                ROWS,
                self.matching.len(),
                self.offset,
                Message::Scrolled,
                move |row| self.view_row(&self.listed()[self.matching[row]], now),
            ),
        }
    }

    fn view_row<'a>(&'a self, listed: &'a Listed, now: SystemTime) -> Element<'a, Message> {
        let is_selected = self.selected.as_deref() == Some(listed.name.as_str());
        match (&listed.segment, &self.removal) {
            (Ok(info), Some(removal)) if removal.key == info.key => view_removal(removal),
            (Ok(info), _) => {
                let open = button(two_lines(&listed.name, facts(info, now)))
                    .on_press_with(|| Message::Opened(info.key.clone()))
                    .padding([theme::space::TINY, theme::space::MEDIUM])
                    .width(Fill)
                    .height(Fill)
                    .style(theme::row_button(is_selected));
                let remove = quiet(say!("remove"))
                    .on_press_with(|| Message::RemovePressed(info.key.clone()));
                row![open, remove]
                    .spacing(theme::space::TINY)
                    .align_y(Center)
                    .into()
            }
            (Err(reason), _) => container(two_lines(&listed.name, left_alone(listed, reason)))
                .padding([theme::space::TINY, theme::space::MEDIUM])
                .into(),
        }
    }
}

fn is_match(listed: &Listed, words: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(words);
    has(&listed.name)
        || match &listed.segment {
            Ok(info) => {
                has(&name_of_kind(kind(info)))
                    || info.attached.iter().any(|peer| has(&peer.program))
            }
            Err(reason) => has(&explain_reason(reason)),
        }
}

fn kind(info: &Info) -> &'static str {
    match &info.content {
        Content::Block { .. } => "block",
        Content::Samples { latest: None } => "empty",
        Content::Samples {
            latest: Some(latest),
        } => latest.metadata.kind(),
    }
}

/// Writes what there is to know of a segment in one line:
/// `text · 42 bytes · loader-app (pid 4711) · 2 watching · 3 min old`.
fn facts(info: &Info, now: SystemTime) -> String {
    let mut parts = vec![name_of_kind(kind(info))];
    let since = match &info.content {
        Content::Block { size } => {
            parts.push(units::bytes(*size));
            info.created
        }
        Content::Samples { latest: None } => info.created,
        Content::Samples {
            latest: Some(latest),
        } => {
            parts.push(units::bytes(latest.bytes));
            latest.published
        }
    };
    let (writers, readers): (Vec<&Attached>, Vec<&Attached>) = info
        .attached
        .iter()
        .partition(|peer| peer.access == Access::ReadWrite);
    parts.push(match writers.as_slice() {
        [] if kind(info) == "block" => say!("segment-unattached"),
        [] => say!("segment-left"),
        [first, others @ ..] => first_and_more(first, others.len()),
    });
    if !readers.is_empty() {
        parts.push(say!("segment-watching", count = readers.len()));
    }
    // A clock that was set back makes it younger than now.
    let age = now.duration_since(since).unwrap_or_default();
    parts.push(units::old(age));
    if info.persistent {
        parts.push(say!("segment-persistent"));
    }
    parts.join(" · ")
}

/// Says why something is not a segment, without its path: the name is there already.
fn left_alone(listed: &Listed, reason: &str) -> String {
    let path = format!("{}: ", listed.path.display());
    let reason = reason.strip_prefix(&path).unwrap_or(reason);
    let reason = explain_reason(reason);
    say!(
        "segment-left-alone",
        reason = reason.trim_end_matches(['.', '。'])
    )
}

fn names(peers: &[Attached]) -> String {
    match peers {
        [] => say!("segment-somebody"),
        [first, others @ ..] => first_and_more(first, others.len()),
    }
}

fn first_and_more(first: &Attached, others: usize) -> String {
    match (name_of(first), others) {
        (name, 0) => name,
        (name, others) => say!("peer-and-more", name = name, count = others),
    }
}

fn view_removal(removal: &Removal) -> Element<'_, Message> {
    let key = &removal.key;
    let (title, body, yes) = match &removal.step {
        Step::Asked => (
            say!("remove-question", key = key),
            say!("remove-question-body"),
            Some(say!("remove")),
        ),
        Step::AskedForce { by } => (
            say!("remove-in-use", key = key, by = by),
            say!("remove-in-use-body"),
            Some(say!("remove-force")),
        ),
        Step::Going => (say!("removing", key = key), String::new(), None),
        Step::Failed(problem) => (say!("remove-failed", key = key), problem.clone(), None),
    };
    let no = match removal.step {
        Step::Failed(_) => say!("close"),
        _ => say!("remove-keep"),
    };
    let yes = yes.map(|label| {
        button(text(label).size(theme::SMALL_SIZE))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .style(theme::danger_button)
            .on_press(Message::RemovalConfirmed)
    });
    let words =
        container(two_lines(title, body)).padding([theme::space::TINY, theme::space::MEDIUM]);
    row![
        words.width(Fill),
        quiet(no).on_press(Message::RemovalDropped),
        yes
    ]
    .spacing(theme::space::TINY)
    .align_y(Center)
    .height(Fill)
    .into()
}

fn two_lines<'a>(
    first: impl text::IntoFragment<'a>,
    second: impl text::IntoFragment<'a>,
) -> Element<'a, Message> {
    let lines = column![
        text(first)
            .size(theme::TEXT_SIZE)
            .wrapping(text::Wrapping::None),
        text(second)
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

fn quiet<'a>(label: String) -> button::Button<'a, Message> {
    button(text(label).size(theme::SMALL_SIZE))
        .padding([theme::space::TINY, theme::space::MEDIUM])
        .style(theme::quiet_button)
}

#[cfg(test)]
mod tests;
