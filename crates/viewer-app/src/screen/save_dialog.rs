//! The dialog "Save as...": a card over the dimmed window with a field for the path.
//!
//! A button opens the file dialog of the desktop. It is optional: without one, the user types a
//! path.

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
use crate::session::{FullContent, SaveError, SaveRequest};

/// The widget id of the path field.
pub(crate) const PATH: &str = "save-path";

/// The open dialog.
#[derive(Debug)]
pub(crate) struct SaveDialog {
    /// The content to save, as it was when the dialog opened.
    snapshot: Snapshot,
    /// The full content, once it is fetched.
    full: Option<Arc<Content>>,
    path: String,
    state: SaveState,
}

/// The state of saving.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SaveState {
    /// The user enters a path.
    EnterPath,
    /// The file exists: the user confirms replacing it.
    ConfirmReplace(PathBuf),
    /// Only a part is available: the user confirms saving it.
    ConfirmPart {
        part: String,
        path: PathBuf,
        existing: Existing,
    },
    /// The content is being saved.
    Saving(Existing),
    /// Saving failed.
    Failed(String),
}

/// An event of the dialog.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The path was edited.
    PathEdited(String),
    /// The primary button or Enter was pressed.
    Accepted,
    /// The file dialog of the desktop is requested.
    BrowsePressed,
    /// The file dialog of the desktop was closed or failed.
    DialogEnded(Answer),
    /// The full content was fetched, if it was still there.
    FullContentFetched(FullContent),
    /// Saving succeeded or failed.
    Saved(Result<PathBuf, SaveError>),
    /// The dialog is to be closed.
    Cancelled,
}

/// An action for the window.
#[derive(Debug)]
pub(crate) enum Action {
    /// No action; the dialog stays open.
    None,
    /// Open the file dialog of the desktop with this file name.
    Browse(String),
    /// Save the content.
    Save(Box<SaveRequest>),
    /// Close the dialog and report the path.
    Saved(PathBuf),
    /// Close the dialog.
    Close,
}

impl SaveDialog {
    /// Opens the dialog with a suggested path; the task focuses the field.
    pub(crate) fn open<M: 'static>(snapshot: Snapshot) -> (SaveDialog, Task<M>) {
        let path = format!("~/{}", export::file_name(&snapshot));
        let dialog = SaveDialog {
            snapshot,
            full: None,
            path,
            state: SaveState::EnterPath,
        };
        let focus = Task::batch([operation::focus(PATH), operation::select_all(PATH)]);
        (dialog, focus)
    }

    /// Handles an event.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::PathEdited(path) => {
                self.path = path;
                self.reset();
            }
            Message::Accepted => return self.accept(),
            Message::BrowsePressed => {
                self.reset();
                return Action::Browse(export::file_name(&self.snapshot));
            }
            Message::DialogEnded(Answer::Chosen(path)) => {
                self.path = path.display().to_string();
                let named = export::with_extension(&self.snapshot, path.clone());
                // The file dialog confirmed replacing the path it returned, and no other.
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
            // The dialog may have been reopened for another content meanwhile.
            Message::FullContentFetched(full) if full.is_of(&self.snapshot) => {
                self.full = full.content;
            }
            Message::FullContentFetched(_) => {}
            Message::Saved(Ok(path)) => return Action::Saved(path),
            Message::Saved(Err(error)) => self.explain(error),
            Message::Cancelled => return Action::Close,
        }
        Action::None
    }

    /// Discards a question or an error, which was about another path.
    fn reset(&mut self) {
        if !matches!(self.state, SaveState::Saving(_)) {
            self.state = SaveState::EnterPath;
        }
    }

    fn accept(&mut self) -> Action {
        match self.state.clone() {
            SaveState::Saving(_) => Action::None,
            SaveState::ConfirmReplace(path) => self.save(path, Existing::Replace, false),
            SaveState::ConfirmPart { path, existing, .. } => self.save(path, existing, true),
            SaveState::EnterPath | SaveState::Failed(_) => match typed_path::parse(&self.path) {
                Some(path) => {
                    let path = export::with_extension(&self.snapshot, path);
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
        self.state = SaveState::Saving(existing);
        Action::Save(Box::new(SaveRequest {
            snapshot: self.snapshot.clone(),
            full: self.full.clone(),
            path,
            existing,
            accepts_part,
        }))
    }

    fn fail(&mut self, problem: String) {
        self.state = SaveState::Failed(problem);
    }

    fn explain(&mut self, error: SaveError) {
        let existing = match self.state {
            SaveState::Saving(existing) => existing,
            _ => Existing::Keep,
        };
        self.state = match error {
            SaveError::Exists(path) => SaveState::ConfirmReplace(path),
            SaveError::Partial { part, path } => SaveState::ConfirmPart {
                part,
                path,
                existing,
            },
            SaveError::Failed(problem) => SaveState::Failed(problem),
        };
    }

    /// Draws the dialog over the dimmed window.
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
        let (what, hint) = match self.snapshot.content {
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

    /// Draws the line below the field: a question, an error, or an empty line, so that the dialog
    /// does not change its size.
    fn view_line(&self) -> Element<'_, Message> {
        let words = match &self.state {
            SaveState::EnterPath => String::new(),
            SaveState::Saving(_) => tr!("saving"),
            SaveState::ConfirmReplace(path) => {
                tr!("save-taken", path = path.display())
            }
            SaveState::ConfirmPart { part, .. } => {
                tr!("save-only-part", key = self.snapshot.key, part = part)
            }
            SaveState::Failed(problem) => problem.clone(),
        };
        let is_problem = !matches!(self.state, SaveState::EnterPath | SaveState::Saving(_));
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
        let accept = match self.state {
            SaveState::ConfirmReplace(_) => tr!("save-replace"),
            SaveState::ConfirmPart { .. } => tr!("save-part"),
            SaveState::EnterPath | SaveState::Saving(_) | SaveState::Failed(_) => tr!("save"),
        };
        let hint = visible::line(tr!("save-hint"))
            .size(theme::SMALL_SIZE)
            .style(theme::muted);
        let padding = [theme::space::SMALL, theme::space::LARGE];
        let cancel = button(visible::line(tr!("cancel")).size(theme::TEXT_SIZE))
            .padding(padding)
            .style(theme::secondary_button)
            .on_press(Message::Cancelled);
        let is_saving = matches!(self.state, SaveState::Saving(_));
        let save = button(visible::line(accept).size(theme::TEXT_SIZE))
            .padding(padding)
            .style(theme::primary_button)
            .on_press_maybe((!is_saving).then_some(Message::Accepted));
        row![hint.width(Fill), space(), cancel, save]
            .spacing(theme::space::SMALL)
            .align_y(Center)
            .into()
    }
}

#[cfg(test)]
mod tests;
