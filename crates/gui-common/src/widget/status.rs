//! The status line at the bottom of a window: what happened, and what to do about it.

use std::fmt;

use iced::widget::{column, container, row, space, text};
use iced::{Border, Center, Color, Element, Fill, Theme};

use crate::text::language;
use crate::text::terminal;
use crate::text::visible;
use crate::widget::theme::{self, Colors};

/// The severity of a [`Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Information, or an operation in progress.
    Neutral,
    /// The operation succeeded.
    Success,
    /// The operation succeeded with a restriction.
    Warning,
    /// The operation failed.
    Error,
}

/// What happened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    level: Level,
    text: String,
    remedy: Option<String>,
}

impl Status {
    /// Creates a neutral status.
    pub fn neutral(text: impl Into<String>) -> Status {
        Status::new(Level::Neutral, text)
    }

    /// Creates a status of success.
    pub fn success(text: impl Into<String>) -> Status {
        Status::new(Level::Success, text)
    }

    /// Creates a warning.
    pub fn warning(text: impl Into<String>) -> Status {
        Status::new(Level::Warning, text)
    }

    /// Creates an error.
    pub fn error(text: impl Into<String>) -> Status {
        Status::new(Level::Error, text)
    }

    fn new(level: Level, text: impl Into<String>) -> Status {
        Status {
            level,
            text: text.into(),
            remedy: None,
        }
    }

    /// Adds a remedy: a separate sentence in smaller type.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Status {
        self.remedy = Some(remedy.into());
        self
    }

    /// Returns the severity.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns the sentence that states what happened.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the remedy.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// Draws the line with `beside` at its right.
    ///
    /// It always has room for a sentence and a remedy, so that the layout does not move when they
    /// change. It grows for longer texts up to a maximum height.
    pub fn view<'a, Message: 'a>(
        &'a self,
        beside: impl Into<Element<'a, Message>>,
    ) -> Element<'a, Message> {
        let level = self.level;
        let sentence = visible::line(&self.text)
            .size(theme::TEXT_SIZE)
            .wrapping(text::Wrapping::WordOrGlyph)
            .style(move |theme| text::Style {
                color: Some(level.text_color(theme)),
            });
        let remedy = self.remedy.as_deref().map(|remedy| {
            visible::line(remedy)
                .size(theme::SMALL_SIZE)
                .wrapping(text::Wrapping::WordOrGlyph)
                .style(theme::muted)
        });
        let words = column![sentence, remedy]
            .spacing(theme::space::TINY)
            .width(Fill);
        // The dot is centred on the first line.
        let mark = container(dot(move |theme| level.mark_color(theme)))
            .center_y(theme::line_height(theme::TEXT_SIZE));
        let line = row![mark, words].spacing(theme::space::SMALL);
        let usual_height = theme::line_height(theme::TEXT_SIZE)
            + theme::space::TINY
            + theme::line_height(theme::SMALL_SIZE);
        container(
            row![
                row![space().height(usual_height), line].align_y(Center),
                beside.into()
            ]
            .spacing(theme::space::SMALL)
            .align_y(Center),
        )
        .padding([theme::space::SMALL, theme::space::LARGE])
        .max_height(theme::extent::STATUS)
        .clip(true)
        .width(Fill)
        .style(theme::footer)
        .into()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [Some(&self.text), self.remedy.as_ref()];
        f.write_str(&language::sentences(parts.into_iter().flatten().cloned()))
    }
}

impl Level {
    fn text_color(self, theme: &Theme) -> Color {
        let colors = Colors::of(theme);
        match self {
            Level::Neutral | Level::Success => colors.text,
            Level::Warning => colors.warning,
            Level::Error => colors.error,
        }
    }

    fn mark_color(self, theme: &Theme) -> Color {
        let colors = Colors::of(theme);
        match self {
            Level::Neutral => colors.muted,
            Level::Success => colors.success,
            Level::Warning => colors.warning,
            Level::Error => colors.error,
        }
    }
}

/// Draws a round dot. It is drawn and not typed, because not every font has the character.
pub fn dot<'a, Message: 'a>(color: impl Fn(&Theme) -> Color + 'a) -> Element<'a, Message> {
    const DIAMETER: f32 = theme::extent::DOT;
    container(space().width(DIAMETER).height(DIAMETER))
        .style(move |theme| container::Style {
            border: Border {
                radius: (DIAMETER / 2.0).into(),
                ..Border::default()
            },
            ..container::background(color(theme))
        })
        .into()
}

/// The current [`Status`] of a window, printed for scripts if `verbose`.
#[derive(Clone, Debug)]
pub struct StatusLine {
    current: Status,
    verbose: bool,
}

impl StatusLine {
    /// Creates a status line that shows `first`. If `verbose`, it also prints each status to stderr
    /// as `status: …`.
    pub fn new(first: Status, verbose: bool) -> StatusLine {
        let line = StatusLine {
            current: first,
            verbose,
        };
        line.print();
        line
    }

    /// Replaces the status.
    pub fn set(&mut self, status: Status) {
        self.current = status;
        self.print();
    }

    /// Returns the current status.
    pub fn current(&self) -> &Status {
        &self.current
    }

    /// Prints a line for scripts to stderr if `verbose`.
    pub fn note(&self, words: impl fmt::Display) {
        if self.verbose {
            terminal::print_error(words);
        }
    }

    fn print(&self) {
        self.note(format_args!("status: {}", self.current));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedy_follows_the_sentence() {
        let status = Status::error("Unable to create shared memory segment.")
            .with_remedy("Free some space in /dev/shm.");
        assert_eq!(
            status.to_string(),
            "Unable to create shared memory segment. Free some space in /dev/shm."
        );
        assert_eq!(status.level(), Level::Error);
    }

    #[test]
    fn hidden_characters_of_a_status_are_escaped() {
        let status = Status::error("K\u{202e} is gone.\nAll is well.").with_remedy("rm x\u{200b}");
        let mut ui = iced_test::simulator::<(), Theme, iced::Renderer>(status.view(space()));
        ui.find(r"K\u{202e} is gone.\nAll is well.")
            .expect("the sentence is one line");
        ui.find(r"rm x\u{200b}").expect("the remedy is visible");
    }

    #[test]
    fn sentence_and_remedy_are_drawn() {
        let status = Status::warning("One thing.").with_remedy("Another thing.");
        let mut ui = iced_test::simulator::<(), Theme, iced::Renderer>(status.view(space()));
        ui.find("One thing.").expect("the sentence is drawn");
        ui.find("Another thing.").expect("the remedy is drawn");
    }
}
