//! The card that starts a stream: a test pattern, an animated GIF, or a folder of pictures.

use std::path::PathBuf;
use std::time::Duration;

use gui_common::text::units;
use gui_common::tr;
use gui_common::widget::ignore_shortcuts::ignore_shortcuts;
use gui_common::widget::theme;
use iced::widget::{button, center, column, container, opaque, operation, row, text, text_input};
use iced::{Center, Element, Fill, Task};

use crate::session::FrameSource;
use gui_common::text::typed_path;
use gui_common::text::visible;

/// The widget id of the path field.
pub(crate) const PATH: &str = "stream-path";

/// The widget id of the field for the duration of each picture.
pub(crate) const SECONDS: &str = "stream-seconds";

/// The fields in Tab order.
pub(crate) const FIELDS: [&str; 2] = [PATH, SECONDS];

/// The bounds of the duration of a picture of a folder.
const DURATION_BOUNDS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(3_600)];

/// The state of the card.
#[derive(Debug)]
pub(crate) struct StreamCard {
    /// The key of the segment, for display.
    key: String,
    path: String,
    seconds: String,
    /// Why nothing was started.
    problem: Option<String>,
    /// Whether a stream is starting; a second press must not start another.
    is_starting: bool,
}

/// A user action on the card.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The user pressed Test Pattern.
    TestPatternPressed,
    /// The user pressed the button for an animated GIF.
    GifPressed,
    /// The user pressed the button for a folder.
    FolderPressed,
    /// The user edited the path.
    PathEdited(String),
    /// The user submitted the path.
    PathSubmitted,
    /// The user edited the duration of each picture.
    SecondsEdited(String),
    /// The user closed the card.
    Close,
}

/// What the window does after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing; the card stays open.
    None,
    /// Open the file dialog for a GIF.
    ChooseGif,
    /// Open the file dialog for a folder.
    ChooseFolder,
    /// Start a stream. The card stays open until it is closed, so that it can show a failure.
    Start(FrameSource),
    /// Close the card.
    Close,
}

impl StreamCard {
    /// Opens the card for streams under `key`; the task focuses its first field.
    pub(crate) fn open<M>(key: &str) -> (StreamCard, Task<M>) {
        let card = StreamCard {
            key: key.to_owned(),
            path: String::new(),
            seconds: "1".to_owned(),
            problem: None,
            is_starting: false,
        };
        (card, operation::focus(PATH))
    }

    /// Shows why no stream was started.
    pub(crate) fn reject(&mut self, problem: impl Into<String>) {
        self.problem = Some(problem.into());
        self.is_starting = false;
    }

    /// Returns `true` if a stream is starting.
    pub(crate) fn is_starting(&self) -> bool {
        self.is_starting
    }

    /// Applies a user action.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::PathEdited(path) => self.path = path,
            Message::SecondsEdited(seconds) => self.seconds = seconds,
            Message::Close => return Action::Close,
            _ if self.is_starting => return Action::None,
            Message::TestPatternPressed => return self.start(FrameSource::TestPattern),
            Message::GifPressed => return self.choose(Action::ChooseGif),
            Message::FolderPressed if self.each().is_some() => {
                return self.choose(Action::ChooseFolder);
            }
            // The text beside the duration field shows what is wrong.
            Message::FolderPressed => {}
            Message::PathSubmitted => match typed_path::parse(&self.path) {
                Some(path) => return self.take_path(path),
                None => self.reject(tr!("stream-path-missing")),
            },
        }
        Action::None
    }

    /// Starts a stream from a path that was chosen in the file dialog or typed.
    pub(crate) fn take_path(&mut self, path: PathBuf) -> Action {
        match self.each() {
            Some(each) => self.start(FrameSource::Path { path, each }),
            None => Action::None,
        }
    }

    fn choose(&mut self, action: Action) -> Action {
        self.problem = None;
        action
    }

    fn start(&mut self, source: FrameSource) -> Action {
        self.problem = None;
        self.is_starting = true;
        Action::Start(source)
    }

    /// Returns the duration of each picture, if the field is valid.
    fn each(&self) -> Option<Duration> {
        let [shortest, longest] = DURATION_BOUNDS;
        let each = units::duration(&self.seconds).ok()?;
        (shortest..=longest).contains(&each).then_some(each)
    }

    /// Draws the card over the dimmed window.
    pub(crate) fn view(&self) -> Element<'_, Message> {
        let title = column![
            visible::line(tr!("stream-title")).size(theme::TEXT_SIZE),
            visible::line(tr!("stream-body", key = self.key))
                .size(theme::SMALL_SIZE)
                .wrapping(text::Wrapping::WordOrGlyph)
                .style(theme::muted),
        ]
        .spacing(theme::space::TINY);
        let choices = row![
            choice(tr!("stream-pattern"), Message::TestPatternPressed),
            choice(tr!("stream-gif"), Message::GifPressed),
            choice(tr!("stream-folder"), Message::FolderPressed),
        ]
        .spacing(theme::space::SMALL);
        let card = column![
            title,
            choices,
            self.view_path(),
            self.view_seconds(),
            self.view_footer(),
        ]
        .spacing(theme::space::MEDIUM);
        let card = container(card)
            .padding(theme::space::HUGE)
            .max_width(480)
            .style(theme::dialog);
        opaque(center(card).padding(theme::space::LARGE).style(theme::dim))
    }

    fn view_path(&self) -> Element<'_, Message> {
        let path = text_input(
            &tr!("stream-path-placeholder"),
            &visible::in_field(&self.path),
        )
        .id(PATH)
        .on_input(|path| Message::PathEdited(visible::typed(path)))
        .on_submit(Message::PathSubmitted)
        .size(theme::TEXT_SIZE)
        .padding(theme::space::MEDIUM)
        .style(theme::field);
        ignore_shortcuts(path)
    }

    fn view_seconds(&self) -> Element<'_, Message> {
        let is_good = self.each().is_some();
        let field = text_input("1", &self.seconds)
            .id(SECONDS)
            .on_input(Message::SecondsEdited)
            .on_submit(Message::PathSubmitted)
            .size(theme::SMALL_SIZE)
            .padding([theme::space::TINY, theme::space::SMALL])
            .width(64)
            .style(if is_good {
                theme::field
            } else {
                theme::wrong_field
            });
        let unit = if is_good {
            visible::line(tr!("stream-seconds")).style(theme::muted)
        } else {
            visible::line(tr!("stream-seconds-wrong")).style(theme::wrong)
        };
        row![
            visible::line(tr!("stream-each"))
                .size(theme::SMALL_SIZE)
                .style(theme::muted),
            ignore_shortcuts(field),
            unit.size(theme::SMALL_SIZE),
        ]
        .spacing(theme::space::SMALL)
        .align_y(Center)
        .into()
    }

    /// Draws the error or the hint, and the button that closes the card.
    fn view_footer(&self) -> Element<'_, Message> {
        let words = match self.problem.as_deref() {
            Some(problem) => visible::line(problem).style(theme::wrong),
            None => visible::line(tr!("stream-hint")).style(theme::muted),
        };
        let words = words
            .size(theme::SMALL_SIZE)
            .wrapping(text::Wrapping::WordOrGlyph)
            .width(Fill);
        let close = button(visible::line(tr!("close")).size(theme::TEXT_SIZE))
            .padding([theme::space::SMALL, theme::space::LARGE])
            .style(theme::secondary_button)
            .on_press(Message::Close);
        row![words, close]
            .spacing(theme::space::MEDIUM)
            .align_y(Center)
            .into()
    }
}

fn choice<'a>(label: String, message: Message) -> Element<'a, Message> {
    button(
        visible::line(label)
            .size(theme::TEXT_SIZE)
            .width(Fill)
            .center(),
    )
    .padding(theme::space::MEDIUM)
    .width(Fill)
    .style(theme::secondary_button)
    .on_press(message)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> StreamCard {
        let (card, focus) = StreamCard::open::<()>("K");
        drop(focus);
        card
    }

    #[test]
    fn a_path_starts_one_stream_with_its_duration() {
        let mut card = card();
        card.update(Message::PathEdited(" /tmp/a.gif\n".to_owned()));
        card.update(Message::SecondsEdited("2.5".to_owned()));
        let source = FrameSource::Path {
            path: PathBuf::from("/tmp/a.gif"),
            each: Duration::from_millis(2_500),
        };
        assert_eq!(
            card.update(Message::PathSubmitted),
            Action::Start(source.clone())
        );
        assert_eq!(card.update(Message::PathSubmitted), Action::None);
        assert_eq!(card.update(Message::TestPatternPressed), Action::None);
        card.reject("No room.");
        assert_eq!(card.update(Message::PathSubmitted), Action::Start(source));
        assert_eq!(card.update(Message::Close), Action::Close);
    }

    #[test]
    fn an_invalid_duration_starts_no_stream() {
        for seconds in ["", "x", "0", "0.01", "-1", "3601"] {
            let mut card = card();
            card.update(Message::PathEdited("/tmp".to_owned()));
            card.update(Message::SecondsEdited(seconds.to_owned()));
            assert_eq!(
                card.update(Message::PathSubmitted),
                Action::None,
                "{seconds}"
            );
            assert_eq!(card.update(Message::FolderPressed), Action::None);
            assert_eq!(card.update(Message::GifPressed), Action::ChooseGif);
            assert!(!card.is_starting());
        }
    }

    #[test]
    fn an_empty_path_is_reported() {
        let mut card = card();
        assert_eq!(card.update(Message::PathSubmitted), Action::None);
        assert!(card.problem.is_some());
        assert_eq!(card.update(Message::FolderPressed), Action::ChooseFolder);
        assert!(card.problem.is_none());
    }
}
