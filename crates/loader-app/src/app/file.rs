//! A file that is chosen, or whose path is typed, and loaded.

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
use crate::progress::Progress;
use crate::session::{LoadError, Loaded, Reply};

/// What is known of the system's file dialog, which need not ever answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileDialog {
    Closed,
    Open,
    /// The button was pressed again, and it was said that a dialog is open.
    OpenAndSaidSo,
}

impl State {
    pub(super) fn open_file_dialog(&mut self) -> Task<Message> {
        if self.is_covered() || self.key_to_load_under().is_none() || !self.enter_file_dialog() {
            return Task::none();
        }
        file_dialog::pick().map(Message::FileDialogEnded)
    }

    /// Notes that a file dialog opens. Where one is open says so, and is content the next time.
    pub(super) fn enter_file_dialog(&mut self) -> bool {
        if self.file_dialog == FileDialog::Open {
            self.file_dialog = FileDialog::OpenAndSaidSo;
            let status = Status::neutral(tr!("file-dialog-open"));
            self.window
                .status
                .set(status.with_remedy(tr!("file-dialog-open-remedy")));
            return false;
        }
        self.file_dialog = FileDialog::Open;
        true
    }

    /// Notes that the file dialog is closed; returns its choice, or what is to be said of it.
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

    /// Prepares to load a file, which takes its time; `None` where there is no key to load under.
    pub(super) fn begin_loading(&mut self, path: &Path) -> Option<(Address, u64, Arc<Progress>)> {
        let key = self.key_to_load_under()?;
        let sentence = tr!("loading", file = drop_target::file_name(path), key = key);
        self.window.status.set(Status::neutral(sentence));
        self.files += 1;
        let (loading, progress) = Loading::start(self.files);
        // One that is still on its way is not wanted any more.
        self.loading = Some(loading);
        Some((key, self.files, progress))
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
                // Otherwise it made room for another one, which says itself how it goes.
                if is_last {
                    let status = Status::neutral(error.headline()).with_remedy(error.remedy());
                    self.window.status.set(status);
                }
            }
            reply => self.take_reply(reply, clipboard_and_drop::only_the_first(others)),
        }
    }
}
