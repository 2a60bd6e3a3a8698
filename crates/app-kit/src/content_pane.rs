//! The card that shows what is in shared memory, and the lines of facts below it.

use std::time::{Duration, Instant, SystemTime};

use iced::widget::scrollable::{Direction, Scrollbar};
use iced::widget::text::{LineHeight, Wrapping};
use iced::widget::text_editor::{Binding, KeyPress};
use iced::widget::{
    center, column, container, responsive, row, scrollable, stack, text, text_editor,
};
use iced::{Center, Element, Fill, Font, Pixels};
use shm_core::{Access, Attached, Process, segment};

use crate::alarm::alarm;
use crate::meter::Meter;
use crate::snapshot::{self, Bytes, Content, Origin, Snapshot, Text};
use crate::tally::Figures;
use crate::watch::Fresh;
use crate::{explain, hex, language, picture_view, say, shell, theme, units};

/// How far above its own line a tall script begins, at most. The editor draws every line that
/// begins within it.
const OVERHANG: f32 = 2.0;

/// The widget id of the shown text, to give it the focus.
pub const TEXT: &str = "shown text";

/// A [`Snapshot`] as a window shows it: its text can be selected and copied, nothing can be changed.
#[derive(Debug)]
pub struct ContentPane {
    snapshot: Snapshot,
    /// Notes when a picture that came by itself is drawn.
    meter: Option<Meter>,
    editor: text_editor::Content,
    font: Font,
    /// What of a picture is looked at.
    seen: picture_view::Seen,
}

/// What a person does to the shown text.
#[derive(Clone, Debug)]
pub enum Message {
    /// Selects, scrolls, moves; edits are ignored.
    Text(text_editor::Action),
    /// Zooms into a picture, moves it, or points at it.
    Picture(picture_view::Seen),
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
            seen: picture_view::Seen::default(),
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
            // It is looked at as the last one was.
            fresh.meter.set_seen(self.seen);
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
            Message::Picture(seen) => {
                self.seen = seen;
                if let Some(meter) = &self.meter {
                    meter.set_seen(seen);
                }
            }
            // It is drawn anew, as after any message.
            Message::Aged => {}
        }
    }

    /// Draws the card; it fills what it is given.
    pub fn view(&self) -> Element<'_, Message> {
        match &self.snapshot.content {
            Content::Text(text) if text.shown.is_empty() => notice(
                say!("pane-empty-text"),
                say!("pane-empty-text-body", key = self.snapshot.key),
            ),
            Content::Text(text) if text.is_whole => card(self.view_text()),
            Content::Text(text) => card(column![
                self.view_text(),
                footnote(cut_notice(&self.snapshot, text))
            ]),
            Content::Picture(picture) => {
                let view = picture_view::picture_view(picture, self.seen, Message::Picture);
                let meter = self.meter.as_ref().map(Meter::view);
                // So far in that its corners do not stand out of the card's round ones.
                card(container(stack![view].extend(meter)).padding(theme::space::TINY))
            }
            Content::Bytes(bytes) => card(column![
                footnote(bytes_notice(bytes, self.snapshot.bytes)),
                view_dump(&bytes.head),
            ]),
            Content::Empty => notice(
                say!("pane-nothing"),
                say!("pane-nothing-body", key = self.snapshot.key),
            ),
        }
    }

    /// Draws the text, as many whole lines of it as there is room for: the renderer would draw the
    /// lower half of a last line over what is below.
    fn view_text(&self) -> Element<'_, Message> {
        responsive(move |size| {
            let padding = 2.0 * theme::space::MEDIUM;
            let lines = ((size.height - padding) / theme::TEXT_LINE)
                .floor()
                .max(1.0);
            text_editor(&self.editor)
                .id(TEXT)
                .on_action(Message::Text)
                .key_binding(read_only)
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

    /// Says what of a picture is looked at: `12, 34 · #3A5FE0FF · 200 %`.
    fn looked_at(&self) -> Option<String> {
        let Content::Picture(picture) = &self.snapshot.content else {
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

    /// Draws the two lines below the card: what it is, who loaded it and who else is attached, and
    /// what of a picture is looked at. There are always two, cut where there is no room, so that
    /// the card keeps its height while people come and go.
    ///
    /// Those who are `told` of elsewhere in the window are left out. At the right of the people
    /// stand the figures of a run of pictures.
    pub fn view_facts<'a>(
        &self,
        now: SystemTime,
        figures: Option<Figures>,
        told: &[Process],
    ) -> Element<'a, Message> {
        let quiet = |words| {
            text(words)
                .size(theme::SMALL_SIZE)
                .wrapping(Wrapping::None)
                .style(theme::muted)
        };
        let people = [
            loaded_by(&self.snapshot),
            also_attached(&self.snapshot, told),
        ];
        let people = row(people
            .into_iter()
            .flatten()
            .map(|words| quiet(words).into()))
        .spacing(theme::space::MEDIUM);
        let facts = text(facts(&self.snapshot, now))
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

    /// An invisible element that has the facts drawn anew when an age in them changes.
    fn view_alarm<'a>(&self, now: SystemTime) -> Option<Element<'a, Message>> {
        let lasts = units::rough_age_lasts(age_of(self.snapshot.origin.as_ref()?, now));
        Some(alarm(Instant::now() + lasts, Message::Aged))
    }
}

/// Draws the card with words instead of content: what is the matter, and what to do.
pub fn notice<'a, M: 'a>(
    title: impl text::IntoFragment<'a>,
    body: impl text::IntoFragment<'a>,
) -> Element<'a, M> {
    card(
        center(
            column![
                text(title)
                    .size(theme::TEXT_SIZE)
                    .wrapping(Wrapping::WordOrGlyph)
                    .align_x(Center),
                text(body)
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
    let dump = text(hex::dump(bytes))
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
    let words = text(words)
        .size(theme::SMALL_SIZE)
        .wrapping(Wrapping::WordOrGlyph)
        .style(theme::muted);
    container(words)
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
    let key = shell::quoted(snapshot.key.as_str());
    say!(
        "pane-cut",
        part = units::bytes(text.shown.len() as u64),
        whole = units::bytes(snapshot.bytes),
        key = match snapshot.form {
            Some(form) => format!("{key} --as {form}"),
            None => key,
        },
    )
}

fn bytes_notice(bytes: &Bytes, size: u64) -> String {
    let mut parts = Vec::new();
    parts.push(match &bytes.media_type {
        Some(media_type) => media_type.clone(),
        None => say!("pane-block"),
    });
    parts.extend(bytes.source.clone());
    if size > snapshot::HEAD_LIMIT as u64 {
        parts.push(say!("pane-head", count = snapshot::HEAD_LIMIT));
    }
    if bytes.is_half_written {
        parts.push(say!("pane-half-written"));
    }
    parts.join(" · ")
}

/// Writes what is in shared memory in one line: `text · 42 bytes · generation 3 · 2 min old`.
pub fn facts(snapshot: &Snapshot, now: SystemTime) -> String {
    let mut parts = vec![snapshot.kind_and_form()];
    if let Content::Picture(picture) = &snapshot.content {
        parts.push(format!("{} × {}", picture.width, picture.height));
    }
    if !snapshot.is_empty() {
        parts.push(units::bytes(snapshot.bytes));
    }
    if let Some(origin) = &snapshot.origin {
        parts.push(say!("fact-generation", number = origin.generation));
        parts.push(units::rough_age(age_of(origin, now)));
    }
    if snapshot.persistent {
        parts.push(say!("fact-persistent"));
    }
    parts.join(" · ")
}

/// Writes a colour as style sheets do: red, green, blue, opacity.
fn hex_color([red, green, blue, alpha]: [u8; 4]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}{alpha:02X}")
}

/// Writes a zoom: `200 %`, and `1.5 %` only where it is so small.
fn percent(zoom: f64) -> String {
    format!("{} %", (zoom * 1000.0).round() / 10.0)
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
        return Some(say!("loaded-by-here", pid = pid));
    }
    let is_here = snapshot.attached.iter().any(|peer| peer.process.is(pid));
    Some(match (&origin.writer_program, is_here) {
        (Some(program), true) => say!("loaded-by", program = program, pid = pid),
        (Some(program), false) => say!("loaded-by-left", program = program, pid = pid),
        (None, _) => say!("loaded-by-unknown", pid = pid),
    })
}

/// Writes who is attached beside this process, the one that loaded the content, and those who are
/// `told` of elsewhere.
pub fn also_attached(snapshot: &Snapshot, told: &[Process]) -> Option<String> {
    let is_writer = |peer: &Attached| {
        let origin = snapshot.origin.as_ref();
        origin.is_some_and(|origin| origin.writer.is(peer.process))
    };
    let mut others: Vec<&Attached> = snapshot
        .attached
        .iter()
        .filter(|peer| !peer.process.is_current() && !is_writer(peer))
        .filter(|peer| !told.iter().any(|one| one.is(peer.process)))
        .collect();
    others.sort_by_key(|peer| peer.process.pid());
    others.dedup_by(|one, other| one.process.is(other.process));
    if others.is_empty() {
        return None;
    }
    let names = language::names(others.into_iter().map(peer));
    Some(say!("also-attached", names = names))
}

fn peer(peer: &Attached) -> String {
    match peer.access {
        Access::ReadWrite => explain::name_of(peer),
        Access::ReadOnly => say!("peer-reading", program = peer.program, pid = peer.process),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use iced::{Size, Theme};
    use iced_test::Simulator;
    use shm_core::{ImageMetadata, Key, PixelFormat};

    use crate::picture::Picture;

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
            key: Key::new("two words").expect("it is a key").into(),
            content: Content::Text(Text {
                shown: "Hello".to_owned(),
                is_whole: false,
            }),
            form: None,
            bytes: 1_500_000,
            origin: Some(Origin {
                segment: 7,
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
            also_attached(&snapshot(), &[]).as_deref(),
            Some("also attached: camera (pid 4712), viewer-app (pid 4713, reading)")
        );
        let told = [Process::with_pid(4713)];
        assert_eq!(
            also_attached(&snapshot(), &told).as_deref(),
            Some("also attached: camera (pid 4712)")
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

    /// A pane that shows a red picture with a transparent stripe.
    fn picture_pane() -> ContentPane {
        let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 64, 48).expect("it is small");
        let row = [[200, 30, 60, 255].repeat(40), [0, 0, 0, 0].repeat(24)].concat();
        let picture = Picture::from_payload(&metadata, &row.repeat(48), None).expect("it fits");
        ContentPane::new(Snapshot {
            content: Content::Picture(picture),
            bytes: 64 * 48 * 4,
            attached: Vec::new(),
            persistent: false,
            ..snapshot()
        })
    }

    /// The card and the lines below it, as a window draws them.
    fn view(pane: &ContentPane) -> Element<'_, Message> {
        let facts = pane.view_facts(NOW + Duration::from_secs(90), None, &[]);
        container(self::column![pane.view(), facts].spacing(theme::space::MEDIUM))
            .padding(theme::space::LARGE)
            .into()
    }

    /// Compares with the pictures in the folder of snapshots.
    fn assert_looks_like(pane: &ContentPane, name: &str) {
        for (mode, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
            let size = Size::new(480.0, 300.0);
            let mut ui = Simulator::with_size(iced::Settings::default(), size, view(pane));
            let snapshot = ui.snapshot(&theme).expect("it is drawn");
            let path = Path::new("snapshots").join(format!("pane-{name}-{mode}"));
            let is_alike = snapshot.matches_image(path).expect("it can be compared");
            assert!(is_alike, "{name} in {mode} looks different");
        }
    }

    #[test]
    fn what_is_pointed_at_is_told_without_a_change_of_the_layout() {
        let mut pane = picture_pane();
        let place_of_facts = |pane: &ContentPane| {
            let mut ui = iced_test::simulator(view(pane));
            let loaded_by = "loaded by loader-app (pid 4711), which has left";
            ui.find(loaded_by).expect("it is told").bounds()
        };
        let before = place_of_facts(&pane);
        assert_looks_like(&pane, "picture");
        for (pixel, zoom, said) in [
            (Some((3, 4)), None, "3, 4 · #C81E3CFF"),
            (None, Some(0.015), "1.5 %"),
            (Some((63, 47)), Some(12.0), "63, 47 · #00000000 · 1200 %"),
        ] {
            pane.update(Message::Picture(picture_view::Seen {
                pane: iced::Size::new(400, 200),
                zoom,
                pixel,
            }));
            let mut ui = iced_test::simulator(view(&pane));
            ui.find(said).expect("it is told");
            drop(ui);
            assert_eq!(place_of_facts(&pane), before);
        }
        assert_looks_like(&pane, "pixel");
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
