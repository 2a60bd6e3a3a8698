//! Loads a file that is chosen in the file dialog or whose path is typed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::desktop::file_dialog::Answer;
use gui_common::text::typed_path;
use gui_common::tr;
use gui_common::widget::drop_target;
use gui_common::widget::status::Status;
use iced::Task;
use iced::widget::operation;
use shm_io::Address;

use super::loading::Loading;
use super::view::PATH_FIELD;
use super::{Message, State, clipboard_and_drop};
use crate::file_dialog;
use crate::progress::ReadProgress;
use crate::session::{LoadError, Loaded, Reply};

/// The state of the file dialog, which may never return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileDialog {
    Closed,
    Open,
    /// The user pressed the button again, and the status line says that a dialog is open.
    OpenReported,
}

impl State {
    pub(super) fn open_file_dialog(&mut self) -> Task<Message> {
        if self.has_dialog() || self.load_key().is_none() || !self.enter_file_dialog() {
            return Task::none();
        }
        file_dialog::pick().map(Message::FileDialogEnded)
    }

    /// Returns `true` if a file dialog may open. If one is open already, reports that once, and
    /// allows another at the next press.
    pub(super) fn enter_file_dialog(&mut self) -> bool {
        if self.file_dialog == FileDialog::Open {
            self.file_dialog = FileDialog::OpenReported;
            let status = Status::neutral(tr!("file-dialog-open"));
            self.window
                .status
                .set(status.with_remedy(tr!("file-dialog-open-remedy")));
            return false;
        }
        self.file_dialog = FileDialog::Open;
        true
    }

    /// Marks the file dialog as closed; returns the chosen path, or the status to show.
    pub(super) fn leave_file_dialog(&mut self, answer: Answer) -> Result<PathBuf, Status> {
        self.file_dialog = FileDialog::Closed;
        match answer {
            Answer::Chosen(path) => Ok(path),
            Answer::Cancelled => Err(Status::neutral(tr!("file-dialog-cancelled"))),
            Answer::NotShown => Err(Status::error(tr!("file-dialog-not-shown"))
                .with_remedy(tr!("file-dialog-not-shown-remedy"))),
            Answer::Died => {
                Err(Status::error(tr!("file-dialog-died"))
                    .with_remedy(tr!("file-dialog-died-remedy")))
            }
        }
    }

    pub(super) fn take_answer(&mut self, answer: Answer) -> Task<Message> {
        let was_cancelled = answer == Answer::Cancelled;
        match self.leave_file_dialog(answer) {
            Ok(path) => self.load_picture(path),
            Err(status) => {
                self.window.status.set(status);
                if was_cancelled {
                    return Task::none();
                }
                operation::focus(PATH_FIELD)
            }
        }
    }

    pub(super) fn load_typed_path(&mut self) -> Task<Message> {
        match typed_path::parse(&self.path) {
            Some(path) => self.load_picture(path),
            None => {
                let status = Status::error(tr!("path-missing"));
                self.window
                    .status
                    .set(status.with_remedy(tr!("path-missing-remedy")));
                Task::none()
            }
        }
    }

    pub(super) fn load_picture(&mut self, path: PathBuf) -> Task<Message> {
        let Some((key, number, progress)) = self.begin_loading(&path) else {
            return Task::none();
        };
        self.session()
            .load_picture(key, path, progress)
            .map(move |reply| Message::PictureLoaded(number, reply))
    }

    /// Prepares the load of a file; returns `None` if the key is invalid.
    pub(super) fn begin_loading(
        &mut self,
        path: &Path,
    ) -> Option<(Address, u64, Arc<ReadProgress>)> {
        let key = self.load_key()?;
        let text = tr!("loading", file = drop_target::file_name(path), key = key);
        self.window.status.set(Status::neutral(text));
        self.load_count += 1;
        let (loading, progress) = Loading::start(self.load_count);
        // Dropping an earlier load cancels it.
        self.loading = Some(loading);
        Some((key, self.load_count, progress))
    }

    pub(super) fn take_file_loaded(
        &mut self,
        number: u64,
        others: usize,
        reply: Reply<Loaded, LoadError>,
    ) {
        let is_last = self
            .loading
            .as_ref()
            .is_some_and(|loading| loading.number == number);
        if is_last {
            self.loading = None;
        }
        match reply {
            Ok(Err(error)) if error.is_cancelled() => {
                // Otherwise a later load replaced it and shows its own status.
                if is_last {
                    let status = Status::neutral(error.headline()).with_remedy(error.remedy());
                    self.window.status.set(status);
                }
            }
            reply => self.take_reply(reply, clipboard_and_drop::first_file_note(others)),
        }
    }
}
