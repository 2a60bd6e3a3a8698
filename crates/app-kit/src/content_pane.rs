//! The card that shows what is in shared memory, and the lines of facts below it.

use std::time::{Duration, Instant, SystemTime};

use iced::widget::scrollable::{Direction, Scrollbar};
use iced::widget::text::{LineHeight, Wrapping};
use iced::widget::text_editor::{Binding, KeyPress};
use iced::widget::{
    Column, center, column, container, image, responsive, row, scrollable, stack, text, text_editor,
};
use iced::{Center, ContentFit, Element, Fill, Font, Pixels};
use shm_core::{Access, Attached, segment};

use crate::alarm::alarm;
use crate::meter::Meter;
use crate::snapshot::{self, Bytes, Content, Origin, Snapshot, Text};
use crate::tally::Figures;
use crate::watch::Fresh;
use crate::{hex, shell, theme, units};

/// Small enough that a line of a dump fits into a window of the usual width.
const DUMP_SIZE: f32 = 12.0;

/// From line to line of a text; one height for all scripts.
const LINE_HEIGHT: f32 = 20.0;

/// A [`Snapshot`] as a window shows it: its text can be selected and copied, nothing can be changed.
#[derive(Debug)]
pub struct ContentPane {
    snapshot: Snapshot,
    /// Notes when a picture that came by itself is drawn.
    meter: Option<Meter>,
    editor: text_editor::Content,
    font: Font,
}

/// What a person does to the shown text.
#[derive(Clone, Debug)]
pub enum Message {
    /// Selects, scrolls, moves; edits are ignored.
    Text(text_editor::Action),
    /// An age that is shown is another one now.
    Aged,
}

impl ContentPane {
    /// Shows a snapshot.
    pub fn new(snapshot: Snapshot) -> ContentPane {
        let shown = match &snapshot.content {
            Content::Text(text) => text.shown.as_str(),
            Content::Picture(_) | Content::Bytes(_) | Content::Empty => "",
        };
        ContentPane {
            font: if has_columns(shown) {
                theme::MONOSPACE
            } else {
                theme::FONT
            },
            editor: text_editor::Content::with_text(shown),
            meter: None,
            snapshot,
        }
    }

    /// Shows what a watch has seen.
    pub fn fresh(fresh: Fresh) -> ContentPane {
        ContentPane {
            meter: Some(fresh.meter),
            ..ContentPane::new(fresh.snapshot)
        }
    }

    /// Shows what a watch has seen in place of what was shown.
    pub fn replace(&mut self, fresh: Fresh) {
        let is_picture = |snapshot: &Snapshot| matches!(snapshot.content, Content::Picture(_));
        if is_picture(&self.snapshot) && is_picture(&fresh.snapshot) {
            // Nothing is laid out anew, which many times a second would be worth some time.
            self.meter = Some(fresh.meter);
            self.snapshot = fresh.snapshot;
        } else {
            *self = ContentPane::fresh(fresh);
        }
    }

    /// Returns what is shown.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the text in the card; empty where it shows something else.
    pub fn shown_text(&self) -> String {
        self.editor.text()
    }

    /// Takes over who is attached now, as seen by [`segment::info`].
    pub fn observe(&mut self, info: &segment::Info) {
        self.snapshot.attached.clone_from(&info.attached);
        self.snapshot.persistent = info.persistent;
    }

    /// Takes over that the segment is gone; what is shown stays, since it is a copy.
    pub fn observe_gone(&mut self) {
        self.snapshot.attached.clear();
        self.snapshot.persistent = false;
    }

    /// Follows what a person does.
    pub fn update(&mut self, message: Message) {
        match message {
            Message::Text(action) if action.is_edit() => {}
            Message::Text(action) => self.editor.perform(action),
            // It is drawn anew, as after any message.
            Message::Aged => {}
        }
    }

    /// Draws the card; it fills what it is given.
    pub fn view(&self) -> Element<'_, Message> {
        match &self.snapshot.content {
            Content::Text(text) if text.shown.is_empty() => notice(
                "An empty text",
                format!("The text in {} has no characters.", self.snapshot.key),
            ),
            Content::Text(text) if text.is_whole => card(self.view_text()),
            Content::Text(text) => card(column![
                self.view_text(),
                footnote(cut_notice(&self.snapshot, text))
            ]),
            Content::Picture(picture) => {
                let drawn = center(
                    image(picture.handle.clone())
                        .content_fit(ContentFit::ScaleDown)
                        .border_radius(theme::RADIUS / 2.0),
                );
                let meter = self.meter.as_ref().map(Meter::view);
                card(container(stack![drawn].extend(meter)).padding(theme::space::MEDIUM))
            }
            Content::Bytes(bytes) => card(column![
                footnote(bytes_notice(bytes, self.snapshot.bytes)),
                view_dump(&bytes.head),
            ]),
            Content::Empty => notice(
                "Enter a text first",
                format!(
                    "Nothing is in {} now: it was cleared, or nothing was loaded yet.",
                    self.snapshot.key
                ),
            ),
        }
    }

    /// Draws the text, as many whole lines of it as there is room for: the renderer would draw the
    /// lower half of a last line over what is below.
    fn view_text(&self) -> Element<'_, Message> {
        responsive(move |size| {
            let padding = 2.0 * theme::space::MEDIUM;
            let lines = ((size.height - padding) / LINE_HEIGHT).floor().max(1.0);
            text_editor(&self.editor)
                .on_action(Message::Text)
                .key_binding(read_only)
                .font(self.font)
                .size(theme::TEXT_SIZE)
                .line_height(LineHeight::Absolute(Pixels(LINE_HEIGHT)))
                .wrapping(Wrapping::WordOrGlyph)
                .padding(theme::space::MEDIUM)
                .height(lines * LINE_HEIGHT + padding)
                .style(theme::reader)
                .into()
        })
        .into()
    }

    /// Draws the lines below the card: what it is, who loaded it, who else is attached.
    ///
    /// At the right of who loaded it stand the figures of a run of pictures, so that they take no
    /// room of their own.
    pub fn view_facts<'a>(
        &self,
        now: SystemTime,
        figures: Option<Figures>,
    ) -> Element<'a, Message> {
        let quiet = |line: String| text(line).size(theme::SMALL_SIZE).style(theme::muted);
        let loaded_by = loaded_by(&self.snapshot).map(|line| {
            let figures =
                figures.map(|figures| quiet(figures.to_string()).wrapping(Wrapping::None));
            row![quiet(line).width(Fill), figures].spacing(theme::space::MEDIUM)
        });
        let facts = text(facts(&self.snapshot, now)).size(theme::TEXT_SIZE);
        Column::new()
            .push(row![facts].extend(self.view_alarm(now)))
            .push(loaded_by)
            .push(also_attached(&self.snapshot).map(quiet))
            .spacing(theme::space::TINY)
            .width(Fill)
            .into()
    }

    /// An invisible element that has the facts drawn anew when an age in them changes.
    fn view_alarm<'a>(&self, now: SystemTime) -> Option<Element<'a, Message>> {
        let lasts = units::rough_age_lasts(age_of(self.snapshot.origin.as_ref()?, now));
        Some(alarm(Instant::now() + lasts, Message::Aged))
    }
}

/// Draws the card with words instead of content: what is the matter, and what to do.
pub fn notice<'a, M: 'a>(title: &'a str, body: impl text::IntoFragment<'a>) -> Element<'a, M> {
    card(
        center(
            column![
                text(title).size(theme::TEXT_SIZE).align_x(Center),
                text(body)
                    .size(theme::TEXT_SIZE)
                    .style(theme::muted)
                    .align_x(Center),
            ]
            .spacing(theme::space::SMALL)
            .max_width(420)
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
    let dump = text(hex::dump(bytes))
        .font(theme::MONOSPACE)
        .size(DUMP_SIZE)
        .wrapping(Wrapping::None);
    let bar = || Scrollbar::new().width(6).scroller_width(6).margin(2);
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
    container(text(words).size(theme::SMALL_SIZE).style(theme::muted))
        .padding([theme::space::SMALL, theme::space::MEDIUM])
        .width(Fill)
        .into()
}

/// Lets through what reads a text and keeps from the editor what would change it, so that those
/// keys stay free for the window.
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

/// Tells whether a text looks like code or columns: it has tabs, or lines that begin with spaces.
fn has_columns(text: &str) -> bool {
    text.lines()
        .take(200)
        .any(|line| line.contains('\t') || line.starts_with("  "))
}

fn cut_notice(snapshot: &Snapshot, text: &Text) -> String {
    format!(
        "Shown are the first {} of {}. All of it goes to a file with\n\
         viewer-app show --key {} --output FILE",
        units::bytes(text.shown.len() as u64),
        units::bytes(snapshot.bytes),
        shell::quoted(snapshot.key.as_str()),
    )
}

fn bytes_notice(bytes: &Bytes, size: u64) -> String {
    let mut parts = Vec::new();
    parts.push(match &bytes.media_type {
        Some(media_type) => media_type.clone(),
        None => "a block of bytes under its lock".to_owned(),
    });
    parts.extend(bytes.source.clone());
    if size > snapshot::HEAD_LIMIT as u64 {
        parts.push(format!("the first {} bytes", snapshot::HEAD_LIMIT));
    }
    if bytes.is_half_written {
        parts.push("its last writer died while writing: some bytes may be old".to_owned());
    }
    parts.join(" · ")
}

/// Writes what is in shared memory in one line: `text · 42 bytes · generation 3 · 2 min old`.
pub fn facts(snapshot: &Snapshot, now: SystemTime) -> String {
    let mut parts = vec![snapshot.kind().to_owned()];
    if let Content::Picture(picture) = &snapshot.content {
        parts.push(format!("{} × {}", picture.width, picture.height));
    }
    if !snapshot.is_empty() {
        parts.push(units::bytes(snapshot.bytes));
    }
    if let Some(origin) = &snapshot.origin {
        parts.push(format!("generation {}", origin.generation));
        parts.push(units::rough_age(age_of(origin, now)));
    }
    if snapshot.persistent {
        parts.push("stays until removed".to_owned());
    }
    parts.join(" · ")
}

fn age_of(origin: &Origin, now: SystemTime) -> Duration {
    // A clock that was set back makes the content younger than now.
    now.duration_since(origin.published).unwrap_or_default()
}

/// Writes who loaded the content: `loaded by loader-app (pid 4711)`.
pub fn loaded_by(snapshot: &Snapshot) -> Option<String> {
    let origin = snapshot.origin.as_ref()?;
    let pid = origin.writer;
    if pid.is_current() {
        return Some(format!("loaded by this window (pid {pid})"));
    }
    let is_here = snapshot.attached.iter().any(|peer| peer.process.is(pid));
    Some(match (&origin.writer_program, is_here) {
        (Some(program), true) => format!("loaded by {program} (pid {pid})"),
        (Some(program), false) => format!("loaded by {program} (pid {pid}), which has left"),
        (None, _) => format!("loaded by a program that has left (pid {pid})"),
    })
}

/// Writes who is attached beside this process and the one that loaded the content.
pub fn also_attached(snapshot: &Snapshot) -> Option<String> {
    let is_writer = |peer: &Attached| {
        let origin = snapshot.origin.as_ref();
        origin.is_some_and(|origin| origin.writer.is(peer.process))
    };
    let mut others: Vec<&Attached> = snapshot
        .attached
        .iter()
        .filter(|peer| !peer.process.is_current() && !is_writer(peer))
        .collect();
    others.sort_by_key(|peer| peer.process.pid());
    others.dedup_by(|one, other| one.process.is(other.process));
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = others.into_iter().map(peer).collect();
    Some(format!("also attached: {}", names.join(", ")))
}

fn peer(peer: &Attached) -> String {
    let access = match peer.access {
        Access::ReadWrite => "",
        Access::ReadOnly => ", reading",
    };
    format!("{} (pid {}{access})", peer.program, peer.process)
}

#[cfg(test)]
mod tests {
    use shm_core::{Key, Process};

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn peer(pid: u32, program: &str, access: Access) -> Attached {
        Attached {
            process: Process::with_pid(pid),
            program: program.to_owned(),
            access,
            since: None,
        }
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            key: Key::new("two words").expect("it is a key"),
            content: Content::Text(Text {
                shown: "Hello".to_owned(),
                is_whole: false,
            }),
            bytes: 1_500_000,
            origin: Some(Origin {
                generation: 3,
                writer: Process::with_pid(4711),
                writer_program: Some("loader-app".to_owned()),
                published: NOW,
            }),
            persistent: true,
            attached: vec![
                peer(4713, "viewer-app", Access::ReadOnly),
                peer(4711, "loader-app", Access::ReadWrite),
                peer(4712, "camera", Access::ReadWrite),
                peer(4712, "camera", Access::ReadOnly),
                peer(std::process::id(), "myself", Access::ReadOnly),
            ],
        }
    }

    #[test]
    fn facts_are_one_line() {
        assert_eq!(
            facts(&snapshot(), NOW + Duration::from_secs(125)),
            "text · 1.5 MB · generation 3 · 2 min old · stays until removed"
        );
        // A clock that was set back.
        let earlier = NOW - Duration::from_secs(60);
        assert!(facts(&snapshot(), earlier).contains("just now"));
    }

    #[test]
    fn everybody_else_is_named_once() {
        assert_eq!(
            also_attached(&snapshot()).as_deref(),
            Some("also attached: camera (pid 4712), viewer-app (pid 4713, reading)")
        );
    }

    #[test]
    fn the_loader_is_named_even_after_it_left() {
        let mut snapshot = snapshot();
        let said = |snapshot: &Snapshot| loaded_by(snapshot).expect("somebody loaded it");
        assert_eq!(said(&snapshot), "loaded by loader-app (pid 4711)");
        snapshot.attached.clear();
        assert_eq!(
            said(&snapshot),
            "loaded by loader-app (pid 4711), which has left"
        );
        snapshot.origin = None;
        assert_eq!(loaded_by(&snapshot), None);
    }

    #[test]
    fn a_text_in_part_says_how_to_get_all_of_it() {
        let pane = ContentPane::new(snapshot());
        let mut ui = iced_test::simulator(pane.view());
        ui.find(
            "Shown are the first 5 bytes of 1.5 MB. All of it goes to a file with\n\
             viewer-app show --key 'two words' --output FILE",
        )
        .expect("the notice is there");
    }

    #[test]
    fn edits_are_ignored() {
        use iced::widget::text_editor::{Action, Edit};
        let mut pane = ContentPane::new(snapshot());
        pane.update(Message::Text(Action::SelectAll));
        pane.update(Message::Text(Action::Edit(Edit::Delete)));
        pane.update(Message::Text(Action::Edit(Edit::Insert('x'))));
        assert_eq!(pane.shown_text(), "Hello");
    }

    #[test]
    fn code_and_columns_are_recognised() {
        assert!(has_columns("if x:\n    y\n"));
        assert!(has_columns("a\tb"));
        assert!(!has_columns("Dear reader,\n\n this is prose.  Really."));
    }
}
