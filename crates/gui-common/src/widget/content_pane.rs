//! The card that shows the content of a segment, and the lines of facts below it.

use std::time::{Instant, SystemTime};

use iced::widget::scrollable::{Direction, Scrollbar};
use iced::widget::text::{LineHeight, Wrapping};
use iced::widget::text_editor::{Binding, KeyPress};
use iced::widget::{
    center, column, container, responsive, row, scrollable, stack, text, text_editor,
};
use iced::{Center, Element, Fill, Font, Pixels, Task, clipboard};
use shm_core::{Process, segment};

use crate::picture::draw_latency::DrawLatency;
use crate::picture::picture_view;
use crate::picture::stream_stats::Figures;
use crate::session::monitor::Update;
use crate::session::snapshot::{Preview, Snapshot};
use crate::text::hex;
use crate::text::units;
use crate::text::visible;
use crate::tr;
use crate::widget::redraw_at::redraw_at;
use crate::widget::theme;

mod facts;
mod shown_text;

use facts::{age_of, bytes_notice, cut_notice, hex_color, percent};
pub use facts::{also_attached, facts, loaded_by};
pub use shown_text::offset_of;

/// The most that the glyphs of a tall script extend above their line. The editor draws every line
/// that begins within this distance.
const OVERHANG: f32 = 2.0;

/// The widget id of the shown text, to give it the focus.
pub const TEXT: &str = "shown text";

/// A [`Snapshot`] as a window shows it: its text can be selected and copied, nothing can be changed.
#[derive(Debug)]
pub struct ContentPane {
    snapshot: Snapshot,
    /// Records when a picture of the live view is drawn.
    draw_latency: Option<DrawLatency>,
    editor: text_editor::Content,
    font: Font,
    /// The visible part of a picture.
    seen: picture_view::Seen,
}

/// An action of the user on the shown content.
#[derive(Clone, Debug)]
pub enum Message {
    /// Selects, scrolls, moves; edits are ignored.
    Text(text_editor::Action),
    /// Copies the selection from the original text, not from the escaped text on the screen.
    Copied(String),
    /// Zooms into a picture, moves it, or points at it.
    Picture(picture_view::Seen),
    /// A shown age has changed.
    Aged,
}

impl ContentPane {
    /// Shows a snapshot.
    pub fn new(snapshot: Snapshot) -> ContentPane {
        let shown = match &snapshot.content {
            Preview::Text(text) => text.shown.as_str(),
            Preview::Picture(_) | Preview::Bytes(_) | Preview::Empty => "",
        };
        ContentPane {
            font: if has_columns(shown) {
                theme::MONOSPACE
            } else {
                theme::FONT
            },
            editor: text_editor::Content::with_text(&shown_text::visible(shown)),
            seen: picture_view::Seen::default(),
            draw_latency: None,
            snapshot,
        }
    }

    /// Shows a content that a monitor has read.
    pub fn from_update(update: Update) -> ContentPane {
        ContentPane {
            draw_latency: Some(update.draw_latency),
            ..ContentPane::new(update.snapshot)
        }
    }

    /// Replaces the content with one that a monitor has read.
    pub fn replace(&mut self, update: Update) {
        let is_picture = |snapshot: &Snapshot| matches!(snapshot.content, Preview::Picture(_));
        if is_picture(&self.snapshot) && is_picture(&update.snapshot) {
            // The zoom and position of the last picture are kept.
            update.draw_latency.set_seen(self.seen);
            self.draw_latency = Some(update.draw_latency);
            self.snapshot = update.snapshot;
        } else {
            *self = ContentPane::from_update(update);
        }
    }

    /// Returns the shown snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the text in the card, or an empty text if it shows something else.
    pub fn shown_text(&self) -> String {
        self.editor.text()
    }

    /// Updates the attached participants from [`segment::info`].
    pub fn observe(&mut self, info: &segment::Info) {
        self.snapshot.attached.clone_from(&info.attached);
        self.snapshot.persistent = info.persistent;
        self.snapshot.permissions = Some(info.permissions());
    }

    /// Records that the segment is gone. The content stays, because it is a copy.
    pub fn observe_gone(&mut self) {
        self.snapshot.attached.clear();
        self.snapshot.persistent = false;
        self.snapshot.permissions = None;
    }

    /// Handles an action of the user.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Text(action) if action.is_edit() => {}
            Message::Text(action) => self.editor.perform(action),
            Message::Copied(text) => return clipboard::write(text),
            Message::Picture(seen) => {
                self.seen = seen;
                if let Some(draw_latency) = &self.draw_latency {
                    draw_latency.set_seen(seen);
                }
            }
            // The message itself causes the redraw.
            Message::Aged => {}
        }
        Task::none()
    }

    /// Draws the card; it fills the available space.
    pub fn view(&self) -> Element<'_, Message> {
        match &self.snapshot.content {
            Preview::Text(text) if text.shown.is_empty() => notice(
                tr!("pane-empty-text"),
                tr!("pane-empty-text-body", key = self.snapshot.key),
            ),
            Preview::Text(text) if text.is_whole => card(self.view_text()),
            Preview::Text(text) => card(column![
                self.view_text(),
                footnote(cut_notice(&self.snapshot, text))
            ]),
            Preview::Picture(picture) => {
                let view = picture_view::picture_view(picture, self.seen, Message::Picture);
                let draw_latency = self.draw_latency.as_ref().map(DrawLatency::view);
                // Inset, so that its corners do not overlap the card's round corners.
                card(container(stack![view].extend(draw_latency)).padding(theme::space::TINY))
            }
            Preview::Bytes(bytes) => card(column![
                footnote(bytes_notice(bytes, self.snapshot.bytes)),
                view_dump(&bytes.head),
            ]),
            Preview::Empty => notice(
                tr!("pane-nothing"),
                tr!("pane-nothing-body", key = self.snapshot.key),
            ),
        }
    }

    /// Draws as many whole lines of the text as fit: the renderer would draw a partial last line
    /// over the widget below.
    fn view_text(&self) -> Element<'_, Message> {
        responsive(move |size| {
            let padding = 2.0 * theme::space::MEDIUM;
            let lines = ((size.height - padding) / theme::TEXT_LINE)
                .floor()
                .max(1.0);
            text_editor(&self.editor)
                .id(TEXT)
                .on_action(Message::Text)
                .key_binding(move |press| self.binding(press))
                .font(self.font)
                .size(theme::TEXT_SIZE)
                .line_height(LineHeight::Absolute(Pixels(theme::TEXT_LINE)))
                .wrapping(Wrapping::WordOrGlyph)
                .padding(theme::space::MEDIUM)
                .height(lines * theme::TEXT_LINE - OVERHANG + padding)
                .style(theme::reader)
                .into()
        })
        .into()
    }

    /// Copies from the original text if the shown text is escaped.
    fn binding(&self, press: KeyPress) -> Option<Binding<Message>> {
        match (read_only(press)?, &self.snapshot.content) {
            (Binding::Copy, Preview::Text(text)) if shown_text::has_hidden(&text.shown) => {
                let selected = shown_text::selected(&text.shown, &self.editor)?;
                Some(Binding::Custom(Message::Copied(selected.to_owned())))
            }
            (binding, _) => Some(binding),
        }
    }

    /// Describes the pixel under the pointer and the zoom: `12, 34 · #3A5FE0FF · 200 %`.
    fn looked_at(&self) -> Option<String> {
        let Preview::Picture(picture) = &self.snapshot.content else {
            return None;
        };
        let mut parts = Vec::new();
        if let Some((x, y)) = self.seen.pixel {
            parts.push(format!("{x}, {y}"));
            parts.extend(picture.pixel(x, y).map(hex_color));
        }
        parts.extend(self.seen.zoom.map(percent));
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    /// Draws the two lines below the card: the facts of the content, its publisher and the other
    /// participants, and the pixel under the pointer. There are always two lines, cut if they do
    /// not fit, so that the card keeps its height while participants attach and detach.
    ///
    /// Processes in `shown_elsewhere` are shown elsewhere in the window and are left out. The figures of a
    /// live stream stand at the right.
    pub fn view_facts<'a>(
        &self,
        now: SystemTime,
        figures: Option<Figures>,
        shown_elsewhere: &[Process],
    ) -> Element<'a, Message> {
        let quiet = |words| {
            visible::line(words)
                .size(theme::SMALL_SIZE)
                .wrapping(Wrapping::None)
                .style(theme::muted)
        };
        let people = [
            loaded_by(&self.snapshot, now),
            also_attached(&self.snapshot, shown_elsewhere),
        ];
        let people = row(people
            .into_iter()
            .flatten()
            .map(|words| quiet(words).into()))
        .spacing(theme::space::MEDIUM);
        let facts = visible::line(facts(&self.snapshot, now))
            .size(theme::TEXT_SIZE)
            .wrapping(Wrapping::WordOrGlyph);
        column![
            row![facts].extend(self.view_alarm(now)),
            row![
                container(people).width(Fill).clip(true),
                figures.map(|figures| quiet(figures.to_string())),
                self.looked_at().map(quiet),
            ]
            .spacing(theme::space::MEDIUM)
            .height(theme::line_height(theme::SMALL_SIZE)),
        ]
        .spacing(theme::space::TINY)
        .width(Fill)
        .into()
    }

    /// An invisible element that redraws the facts when an age in them changes.
    fn view_alarm<'a>(&self, now: SystemTime) -> Option<Element<'a, Message>> {
        let lasts = units::rough_age_lasts(age_of(self.snapshot.origin.as_ref()?, now));
        Some(redraw_at(Instant::now() + lasts, Message::Aged))
    }
}

/// Draws the card with a notice instead of content: the state, and what to do.
pub fn notice<'a, M: 'a>(
    title: impl text::IntoFragment<'a>,
    body: impl text::IntoFragment<'a>,
) -> Element<'a, M> {
    card(
        center(
            column![
                visible::line(title)
                    .size(theme::TEXT_SIZE)
                    .wrapping(Wrapping::WordOrGlyph)
                    .align_x(Center),
                visible::line(body)
                    .size(theme::TEXT_SIZE)
                    .wrapping(Wrapping::WordOrGlyph)
                    .style(theme::muted)
                    .align_x(Center),
            ]
            .spacing(theme::space::SMALL)
            .max_width(theme::extent::WORDS)
            .align_x(Center),
        )
        .padding(theme::space::HUGE),
    )
}

fn card<'a, M: 'a>(content: impl Into<Element<'a, M>>) -> Element<'a, M> {
    container(content)
        .width(Fill)
        .height(Fill)
        .clip(true)
        .style(theme::card)
        .into()
}

fn view_dump<'a, M: 'a>(bytes: &[u8]) -> Element<'a, M> {
    let dump = visible::lines(hex::dump(bytes))
        .font(theme::MONOSPACE)
        .size(theme::DUMP_SIZE)
        .wrapping(Wrapping::None);
    let bar = || {
        Scrollbar::new()
            .width(theme::extent::SCROLLBAR)
            .scroller_width(theme::extent::SCROLLBAR)
            .margin(theme::space::TINY / 2.0)
    };
    scrollable(container(dump).padding([0.0, theme::space::MEDIUM]))
        .direction(Direction::Both {
            vertical: bar(),
            horizontal: bar(),
        })
        .width(Fill)
        .height(Fill)
        .style(theme::scroll)
        .into()
}

fn footnote<'a, M: 'a>(words: String) -> Element<'a, M> {
    let words = visible::lines(words)
        .size(theme::SMALL_SIZE)
        .wrapping(Wrapping::WordOrGlyph)
        .style(theme::muted);
    container(words)
        .padding([theme::space::SMALL, theme::space::MEDIUM])
        .width(Fill)
        .into()
}

/// Passes the key presses that read the text to the editor and blocks those that edit it, so that
/// the window can use them.
fn read_only(press: KeyPress) -> Option<Binding<Message>> {
    match Binding::from_key_press(press)? {
        Binding::Cut => Some(Binding::Copy),
        binding @ (Binding::Copy
        | Binding::SelectAll
        | Binding::SelectWord
        | Binding::SelectLine
        | Binding::Move(_)
        | Binding::Select(_)
        | Binding::Unfocus) => Some(binding),
        _ => None,
    }
}

/// Returns `true` if a text looks like code or columns: it has tabs, or lines that begin with spaces.
fn has_columns(text: &str) -> bool {
    text.lines()
        .take(200)
        .any(|line| line.contains('\t') || line.starts_with("  "))
}

#[cfg(test)]
mod tests;
