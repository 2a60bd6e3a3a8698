//! Copying and saving the shown content, and files dropped on the window.

use std::path::Path;

use gui_common::desktop::clipboard::ClipboardError;
use gui_common::text::shell;
use gui_common::tr;
use gui_common::widget::drop_target::Dropped;
use gui_common::widget::status::Status;
use iced::Task;

use super::{Message, Shown, State};
use crate::file_dialog;
use crate::screen::save_dialog::{self, SaveDialog};
use crate::session::{self, CopyContent, CopyError, IfReplaced};

impl State {
    /// Copies the shown content to the clipboard, including what the window does not show of it.
    pub(super) fn copy(&mut self) -> Task<Message> {
        let Shown::Content(pane) = &self.shown else {
            self.report_nothing_shown();
            return Task::none();
        };
        session::copy(pane.snapshot().clone(), self.if_replaced()).map(Message::CopyFetched)
    }

    pub(super) fn handle_copy_fetched(
        &mut self,
        fetched: Result<CopyContent, CopyError>,
    ) -> Task<Message> {
        match fetched {
            Ok(CopyContent { copied, part }) => {
                let copy = self.clipboard.copy(copied);
                copy.map(move |outcome| Message::Copied(outcome, part.clone()))
            }
            Err(error) => {
                let status = Status::error(tr!("copy-failed"));
                self.window
                    .status
                    .set(status.with_remedy(error.to_string()));
                Task::none()
            }
        }
    }

    pub(super) fn handle_copied(
        &mut self,
        outcome: Result<(), ClipboardError>,
        part: Option<String>,
    ) {
        self.window.status.set(match (outcome, part) {
            (Ok(()), None) => Status::success(tr!("copied")),
            (Ok(()), Some(part)) => Status::warning(tr!("copied-part", part = part))
                .with_remedy(tr!("copied-part-remedy")),
            (Err(error), _) => Status::error(tr!("copy-failed")).with_remedy(error.to_string()),
        });
    }

    pub(super) fn open_save_dialog(&mut self) -> Task<Message> {
        match &self.shown {
            Shown::Content(pane) if !pane.snapshot().is_empty() => {
                let full = session::fetch_full(pane.snapshot().clone(), self.if_replaced());
                let (dialog, focus) = SaveDialog::open(pane.snapshot().clone());
                self.save_dialog = Some(dialog);
                let fetched =
                    |full| Message::SaveDialog(save_dialog::Message::FullContentFetched(full));
                Task::batch([focus, full.map(fetched)])
            }
            _ => {
                self.report_nothing_shown();
                Task::none()
            }
        }
    }

    /// In live mode a newer sample may have replaced the one that is drawn, and is accepted.
    fn if_replaced(&self) -> IfReplaced {
        match self.live.is_on() {
            true => IfReplaced::Accept,
            false => IfReplaced::Refuse,
        }
    }

    fn report_nothing_shown(&mut self) {
        let status = Status::neutral(tr!("nothing-to-save"));
        self.window
            .status
            .set(status.with_remedy(tr!("nothing-to-save-remedy")));
    }

    pub(super) fn update_save_dialog(&mut self, message: save_dialog::Message) -> Task<Message> {
        let Some(dialog) = &mut self.save_dialog else {
            // The file dialog, or saving to a slow disk, may outlive the dialog.
            if let save_dialog::Message::Saved(Ok(path)) = message {
                self.report_saved(&path);
            }
            return Task::none();
        };
        match dialog.update(message) {
            save_dialog::Action::None => {}
            save_dialog::Action::Close => self.save_dialog = None,
            save_dialog::Action::Browse(name) => {
                return file_dialog::save_as(name)
                    .map(|answer| Message::SaveDialog(save_dialog::Message::DialogEnded(answer)));
            }
            save_dialog::Action::Save(request) => {
                return session::save(*request)
                    .map(|saved| Message::SaveDialog(save_dialog::Message::Saved(saved)));
            }
            save_dialog::Action::Saved(path) => {
                self.save_dialog = None;
                self.report_saved(&path);
            }
        }
        Task::none()
    }

    fn report_saved(&mut self, path: &Path) {
        self.window
            .status
            .set(Status::success(tr!("saved", path = path.display())));
    }

    /// Refuses a dropped file, which belongs into the loader window, and shows the command to load
    /// it.
    pub(super) fn refuse_drop(&mut self, Dropped { path, .. }: &Dropped) {
        let status = Status::warning(tr!("drop-refused-status"));
        self.window.status.set(status.with_remedy(tr!(
            "drop-refused-remedy",
            command = load_command(path),
            key = shell::quoted(self.window.key.text()),
            path = shell::quoted(&path.display().to_string()),
        )));
    }
}

/// Returns the command of loader-app that loads a file, chosen by its extension.
fn load_command(path: &Path) -> &'static str {
    const PICTURES: [&str; 14] = [
        "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "xpm", "pbm", "pgm", "ppm",
        "qoi", "ico",
    ];
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some(extension)
            if PICTURES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension)) =>
        {
            "image"
        }
        _ => "file",
    }
}
