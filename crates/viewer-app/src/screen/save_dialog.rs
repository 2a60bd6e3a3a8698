//! "Save as...": a card over the dimmed window, with a path to be written or chosen.
//!
//! The system's own dialog is one button away, and nothing depends on it: where none can be
//! shown, the field is enough.

use std::path::PathBuf;
use std::sync::Arc;

use gui_common::desktop::file_dialog::Answer;
use gui_common::desktop::save_file::Existing;
use gui_common::session::snapshot::{Preview, Snapshot};
use gui_common::text::typed_path;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::theme;
use iced::widget::{
    button, center, column, container, opaque, operation, row, space, text, text_input,
};
use iced::{Center, Element, Fill, Task};
use shm_io::Content;

use crate::export;
use crate::session::{Kept, SaveError, Saving};

/// The widget id of the path field.
pub(crate) const PATH: &str = "save-path";

/// The card, while it is open.
#[derive(Debug)]
pub(crate) struct SaveDialog {
    /// What is to be saved, as it was when the card opened.
    held: Snapshot,
    /// All of it, once it is held on to.
    kept: Option<Arc<Content>>,
    path: String,
    step: Step,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A path is to be given.
    Open,
    /// There is a file already: shall it be replaced?
    AskedToReplace(PathBuf),
    /// Only a part is left: shall that be saved?
    AskedForPart {
        part: String,
        path: PathBuf,
        existing: Existing,
    },
    /// It is being saved.
    Going(Existing),
    /// It could not be saved.
    Failed(String),
}

/// What happens in the card.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The path was edited.
    PathEdited(String),
    /// The strong button, or Enter.
    Accepted,
    /// The system's dialog is wanted.
    BrowsePressed,
    /// The system's dialog ended, one way or another.
    DialogEnded(Answer),
    /// All of the content is held on to, or cannot be any more.
    Kept(Kept),
    /// It was saved, or not.
    Saved(Result<PathBuf, SaveError>),
    /// It shall close.
    Cancelled,
}

/// What is to be done now.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing: the card goes on.
    None,
    /// Open the system's dialog with this name in it.
    Browse(String),
    /// Save it.
    Save(Box<Saving>),
    /// Close the card, and say where it was saved.
    Saved(PathBuf),
    /// Close the card.
    Close,
}

impl SaveDialog {
    /// Opens the card with a path in it; the task gives the focus to the field.
    pub(crate) fn open<M: 'static>(held: Snapshot) -> (SaveDialog, Task<M>) {
        let path = format!("~/{}", export::file_name(&held));
        let dialog = SaveDialog {
            held,
            kept: None,
            path,
            step: Step::Open,
        };
        let focus = Task::batch([operation::focus(PATH), operation::select_all(PATH)]);
        (dialog, focus)
    }

    /// Takes in what happened.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::PathEdited(path) => {
                self.path = path;
                self.begin_anew();
            }
            Message::Accepted => return self.accept(),
            Message::BrowsePressed => {
                self.begin_anew();
                return Action::Browse(export::file_name(&self.held));
            }
            Message::DialogEnded(Answer::Chosen(path)) => {
                self.path = path.display().to_string();
                let named = export::with_ending(&self.held, path.clone());
                // The dialog has asked about the file that was named there, and no other.
                let existing = match named == path {
                    true => Existing::Replace,
                    false => Existing::Keep,
                };
                return self.save(named, existing, false);
            }
            Message::DialogEnded(Answer::Cancelled) => {}
            Message::DialogEnded(Answer::NotShown) => {
                self.fail(tr!("save-not-shown"));
            }
            Message::DialogEnded(Answer::Died) => {
                self.fail(tr!("save-died"));
            }
            // The card may have been opened for something else meanwhile.
            Message::Kept(kept) if kept.is_of(&self.held) => self.kept = kept.content,
            Message::Kept(_) => {}
            Message::Saved(Ok(path)) => return Action::Saved(path),
            Message::Saved(Err(error)) => self.explain(error),
            Message::Cancelled => return Action::Close,
        }
        Action::None
    }

    /// Forgets the question or the problem: it was about another path.
    fn begin_anew(&mut self) {
        if !matches!(self.step, Step::Going(_)) {
            self.step = Step::Open;
        }
    }

    fn accept(&mut self) -> Action {
        match self.step.clone() {
            Step::Going(_) => Action::None,
            Step::AskedToReplace(path) => self.save(path, Existing::Replace, false),
            Step::AskedForPart { path, existing, .. } => self.save(path, existing, true),
            Step::Open | Step::Failed(_) => match typed_path::parse(&self.path) {
                Some(path) => {
                    let path = export::with_ending(&self.held, path);
                    self.save(path, Existing::Keep, false)
                }
                None => {
                    self.fail(tr!("save-no-path"));
                    Action::None
                }
            },
        }
    }

    fn save(&mut self, path: PathBuf, existing: Existing, accepts_part: bool) -> Action {
        self.step = Step::Going(existing);
        Action::Save(Box::new(Saving {
            held: self.held.clone(),
            kept: self.kept.clone(),
            path,
            existing,
            accepts_part,
        }))
    }

    fn fail(&mut self, problem: String) {
        self.step = Step::Failed(problem);
    }

    fn explain(&mut self, error: SaveError) {
        let existing = match self.step {
            Step::Going(existing) => existing,
            _ => Existing::Keep,
        };
        self.step = match error {
            SaveError::Taken(path) => Step::AskedToReplace(path),
            SaveError::OnlyPart { part, path } => Step::AskedForPart {
                part,
                path,
                existing,
            },
            SaveError::Failed(problem) => Step::Failed(problem),
        };
    }

    /// Draws the card and dims what lies below.
    pub(crate) fn view(&self) -> Element<'_, Message> {
        let field = text_input(&tr!("save-placeholder"), &visible::in_field(&self.path))
            .id(PATH)
            .on_input(|path| Message::PathEdited(visible::typed(path)))
            .on_submit(Message::Accepted)
            .size(theme::TEXT_SIZE)
            .padding([theme::space::SMALL, theme::space::MEDIUM])
            .style(theme::field);
        let browse = button(visible::line(tr!("save-browse")).size(theme::TEXT_SIZE))
            .padding([theme::space::SMALL, theme::space::MEDIUM])
            .style(theme::secondary_button)
            .on_press(Message::BrowsePressed);
        let card = column![
            self.view_title(),
            row![field, browse]
                .spacing(theme::space::SMALL)
                .align_y(Center),
            self.view_line(),
            self.view_buttons(),
        ]
        .spacing(theme::space::MEDIUM);
        let card = container(card)
            .padding(theme::space::HUGE)
            .max_width(theme::extent::DIALOG_WIDTH)
            .style(theme::dialog);
        opaque(center(card).padding(theme::space::HUGE).style(theme::dim))
    }

    fn view_title(&self) -> Element<'_, Message> {
        let (what, hint) = match self.held.content {
            Preview::Text(_) => (tr!("save-text"), tr!("save-text-hint")),
            Preview::Picture(_) => (tr!("save-picture"), tr!("save-picture-hint")),
            Preview::Bytes(_) | Preview::Empty => (tr!("save-bytes"), tr!("save-bytes-hint")),
        };
        column![
            visible::line(what).size(theme::TEXT_SIZE),
            visible::line(hint)
                .size(theme::SMALL_SIZE)
                .style(theme::muted),
        ]
        .spacing(theme::space::TINY)
        .into()
    }

    /// Draws the line below the field: a question, a problem, or nothing. It is always there, so
    /// that the card keeps its place.
    fn view_line(&self) -> Element<'_, Message> {
        let words = match &self.step {
            Step::Open => String::new(),
            Step::Going(_) => tr!("saving"),
            Step::AskedToReplace(path) => {
                tr!("save-taken", path = path.display())
            }
            Step::AskedForPart { part, .. } => {
                tr!("save-only-part", key = self.held.key, part = part)
            }
            Step::Failed(problem) => problem.clone(),
        };
        let is_problem = !matches!(self.step, Step::Open | Step::Going(_));
        visible::line(words)
            .size(theme::SMALL_SIZE)
            .wrapping(text::Wrapping::WordOrGlyph)
            .style(if is_problem {
                theme::wrong
            } else {
                theme::muted
            })
            .into()
    }

    fn view_buttons(&self) -> Element<'_, Message> {
        let yes = match self.step {
            Step::AskedToReplace(_) => tr!("save-replace"),
            Step::AskedForPart { .. } => tr!("save-part"),
            Step::Open | Step::Going(_) | Step::Failed(_) => tr!("save"),
        };
        let hint = visible::line(tr!("save-hint"))
            .size(theme::SMALL_SIZE)
            .style(theme::muted);
        let padding = [theme::space::SMALL, theme::space::LARGE];
        let cancel = button(visible::line(tr!("cancel")).size(theme::TEXT_SIZE))
            .padding(padding)
            .style(theme::secondary_button)
            .on_press(Message::Cancelled);
        let is_going = matches!(self.step, Step::Going(_));
        let save = button(visible::line(yes).size(theme::TEXT_SIZE))
            .padding(padding)
            .style(theme::primary_button)
            .on_press_maybe((!is_going).then_some(Message::Accepted));
        row![hint.width(Fill), space(), cancel, save]
            .spacing(theme::space::SMALL)
            .align_y(Center)
            .into()
    }
}

#[cfg(test)]
mod tests;
