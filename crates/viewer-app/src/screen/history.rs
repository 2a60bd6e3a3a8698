//! The history of shown contents: texts with their first line, pictures with a thumbnail.
//!
//! Contents may be secret: the history is never written to disk, and one button clears it. Its
//! memory is bounded: old pictures are first reduced to their thumbnails, then the oldest entries
//! are dropped.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use gui_common::picture::drawable::Picture;
use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::text::units;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane;
use gui_common::widget::theme;
use iced::widget::image::Handle;
use iced::widget::{button, center, column, container, image, row, text};
use iced::{Center, ContentFit, Element, Fill};
use shm_io::Publication;

use super::rows;

/// The maximum number of entries.
pub(crate) const MAX_ENTRIES: usize = 100;

/// The maximum memory of all entries, bytes.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// The longer side of a thumbnail, pixels: twice its size on screen, for high-DPI displays.
const THUMBNAIL_SIDE: u32 = 96;

/// The side of the box around a thumbnail, logical pixels.
const THUMBNAIL_BOX: f32 = 40.0;

/// The minimum interval between two recorded pictures of a stream.
const PICTURE_INTERVAL: Duration = Duration::from_secs(1);

/// The maximum length of a title, characters.
const LINE_LENGTH: usize = 200;

const ROWS: &str = "history";

/// The shown contents, newest last.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: VecDeque<HistoryEntry>,
    offset: f32,
}

/// One shown content.
#[derive(Debug)]
struct HistoryEntry {
    shown_at: SystemTime,
    snapshot: Snapshot,
    thumbnail: Option<Handle>,
    /// The first line of a text, or a description.
    title: String,
}

/// An event of the history.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The list was scrolled.
    Scrolled(f32),
    /// The entry at this row was pressed; the newest is at row 0.
    Opened(usize),
    /// The history is to be cleared.
    Cleared,
}

/// An action for the window.
#[derive(Debug)]
pub(crate) enum Action {
    /// No action.
    None,
    /// Show this content again; it was first shown at that time.
    Show(Box<Snapshot>, SystemTime),
    /// Report that the history was cleared.
    Cleared,
}

impl History {
    /// Creates an empty history.
    pub(crate) fn new() -> History {
        History::default()
    }

    /// Records a shown content, unless it is the last recorded one.
    pub(crate) fn record(&mut self, snapshot: &Snapshot, now: SystemTime) {
        if snapshot.is_empty() || self.is_last_recorded(snapshot, now) {
            return;
        }
        self.entries
            .push_back(HistoryEntry::new(snapshot.clone(), now));
        self.trim();
    }

    /// Records samples published earlier, oldest first, except those already recorded.
    pub(crate) fn record_earlier(&mut self, snapshots: &[Snapshot]) {
        for snapshot in snapshots {
            let Some(origin) = &snapshot.origin else {
                continue;
            };
            let identity = |origin: &Publication| (origin.segment, origin.sequence);
            let origins = self.entries.iter();
            let mut origins = origins.filter_map(|entry| entry.snapshot.origin.as_ref());
            if !origins.any(|recorded| identity(recorded) == identity(origin)) {
                self.record(snapshot, origin.published);
            }
        }
    }

    /// Handles an event.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Scrolled(offset) => self.offset = offset,
            Message::Opened(row) => {
                if let Some(entry) = self.entry(row) {
                    return Action::Show(Box::new(entry.snapshot.clone()), entry.shown_at);
                }
            }
            Message::Cleared => {
                *self = History::new();
                return Action::Cleared;
            }
        }
        Action::None
    }

    /// Returns `true` if the history has no entries.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, row: usize) -> Option<&HistoryEntry> {
        self.entries.iter().rev().nth(row)
    }

    fn is_last_recorded(&self, snapshot: &Snapshot, now: SystemTime) -> bool {
        let Some(last) = self.entries.back() else {
            return false;
        };
        let is_alike = last.snapshot.key == snapshot.key
            && last.snapshot.kind() == snapshot.kind()
            && last.snapshot.form == snapshot.form;
        if !is_alike {
            return false;
        }
        let is_picture = matches!(snapshot.content, Preview::Picture(_));
        let is_soon = now
            .duration_since(last.shown_at)
            .is_ok_and(|age| age < PICTURE_INTERVAL);
        match (&last.snapshot.origin, &snapshot.origin) {
            (Some(last), Some(origin)) => {
                let is_same = last.segment == origin.segment && last.sequence == origin.sequence;
                is_same || (is_picture && is_soon)
            }
            // A block has no sequence: only its first bytes are compared.
            _ => match (&last.snapshot.content, &snapshot.content) {
                (Preview::Bytes(last), Preview::Bytes(bytes)) => last == bytes,
                _ => false,
            },
        }
    }

    fn trim(&mut self) {
        while self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
        }
        let mut bytes: usize = self.entries.iter().map(HistoryEntry::bytes).sum();
        // Oldest first: the newest is on screen, and is reduced last.
        for entry in &mut self.entries {
            if bytes <= MAX_BYTES {
                return;
            }
            bytes -= entry.bytes();
            entry.shrink();
            bytes += entry.bytes();
        }
        while bytes > MAX_BYTES
            && let Some(oldest) = self.entries.pop_front()
        {
            bytes -= oldest.bytes();
        }
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.entries.iter().map(HistoryEntry::bytes).sum()
    }

    /// Draws the entries, newest first.
    pub(crate) fn view(&self, now: SystemTime) -> Element<'_, Message> {
        if self.entries.is_empty() {
            return content_pane::notice(tr!("history-empty"), tr!("history-empty-body"));
        }
        let rows = rows::view(
            ROWS,
            self.entries.len(),
            self.offset,
            Message::Scrolled,
            move |row| match self.entry(row) {
                Some(entry) => entry.view(row, now),
                None => row![].into(),
            },
        );
        let note = visible::line(tr!("history-note"))
            .size(theme::SMALL_SIZE)
            .style(theme::muted);
        column![rows, note]
            .spacing(theme::space::SMALL)
            .height(Fill)
            .into()
    }
}

impl HistoryEntry {
    fn new(mut snapshot: Snapshot, shown_at: SystemTime) -> HistoryEntry {
        if let Preview::Picture(picture) = &mut snapshot.content {
            // The full-size pixels may exceed the limit of the whole history.
            picture.original = None;
        }
        let (title, thumbnail) = match &snapshot.content {
            Preview::Text(text) => (first_line(&text.shown), None),
            Preview::Picture(picture) => (
                picture.file_name.clone().unwrap_or_else(|| {
                    tr!(
                        "history-picture",
                        width = picture.width,
                        height = picture.height
                    )
                }),
                thumbnail(picture),
            ),
            Preview::Bytes(bytes) => {
                let array = bytes.array.as_ref().map(ToString::to_string);
                let name = bytes.file_name.clone().or(array);
                let name = name.or_else(|| bytes.media_type.clone());
                (name.unwrap_or_else(|| tr!("history-block")), None)
            }
            Preview::Empty => (String::new(), None),
        };
        HistoryEntry {
            shown_at,
            snapshot,
            thumbnail,
            title,
        }
    }

    /// Returns the approximate memory of the entry, bytes.
    fn bytes(&self) -> usize {
        let content = match &self.snapshot.content {
            Preview::Text(text) => text.shown.len(),
            Preview::Picture(picture) => pixel_bytes(&picture.handle),
            Preview::Bytes(bytes) => bytes.head.len(),
            Preview::Empty => 0,
        };
        let thumbnail = self.thumbnail.as_ref().map_or(0, pixel_bytes);
        size_of::<HistoryEntry>() + self.title.len() + content + thumbnail
    }

    /// Replaces the pixels of a picture by its thumbnail.
    fn shrink(&mut self) {
        if let Preview::Picture(picture) = &mut self.snapshot.content
            && let Some(thumbnail) = self.thumbnail.take()
        {
            picture.handle = thumbnail;
        }
    }

    fn view(&self, row: usize, now: SystemTime) -> Element<'_, Message> {
        let age = now.duration_since(self.shown_at).unwrap_or_default();
        let mut parts = vec![units::ago(age), self.snapshot.key.to_string()];
        if let Some(sequence) = self.snapshot.sequence() {
            parts.push(tr!("fact-sequence", number = sequence));
        }
        parts.push(self.snapshot.kind_and_form());
        parts.push(units::bytes(self.snapshot.bytes));
        let words = column![
            visible::line(&self.title)
                .size(theme::TEXT_SIZE)
                .wrapping(text::Wrapping::None),
            visible::line(parts.join(" · "))
                .size(theme::SMALL_SIZE)
                .wrapping(text::Wrapping::None)
                .style(theme::muted),
        ]
        .width(Fill)
        .clip(true);
        let line = row![self.view_thumbnail(), words]
            .spacing(theme::space::MEDIUM)
            .align_y(Center);
        button(container(line).center_y(Fill))
            .on_press(Message::Opened(row))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .width(Fill)
            .height(Fill)
            .style(theme::row_button(false))
            .into()
    }

    fn view_thumbnail(&self) -> Option<Element<'_, Message>> {
        let Preview::Picture(picture) = &self.snapshot.content else {
            return None;
        };
        let small = self.thumbnail.as_ref().unwrap_or(&picture.handle);
        let small = image(small.clone())
            .content_fit(ContentFit::ScaleDown)
            .border_radius(theme::RADIUS / 2.0);
        let boxed = container(center(small))
            .width(THUMBNAIL_BOX)
            .height(THUMBNAIL_BOX)
            .padding(theme::space::TINY / 2.0)
            .style(theme::thumbnail);
        Some(boxed.into())
    }
}

/// Returns the first line that is not blank.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        None if text.is_empty() => tr!("pane-empty-text"),
        None => tr!("history-blanks"),
        Some(line) => line.chars().take(LINE_LENGTH).collect(),
    }
}

fn pixel_bytes(handle: &Handle) -> usize {
    match handle {
        Handle::Rgba { pixels, .. } => pixels.len(),
        _ => 0,
    }
}

/// Returns a scaled copy, or `None` if the picture is small already.
fn thumbnail(picture: &Picture) -> Option<Handle> {
    let whole = picture.overview_pixels()?;
    let longest = whole.width().max(whole.height());
    if longest <= THUMBNAIL_SIDE {
        return None;
    }
    let side = |length: u32| {
        let side = u64::from(length) * u64::from(THUMBNAIL_SIDE) / u64::from(longest);
        u32::try_from(side).unwrap_or(THUMBNAIL_SIDE).max(1)
    };
    let (width, height) = (side(whole.width()), side(whole.height()));
    Some(Handle::from_rgba(
        width,
        height,
        whole.to_scaled_rgba(width, height),
    ))
}

#[cfg(test)]
mod tests;
