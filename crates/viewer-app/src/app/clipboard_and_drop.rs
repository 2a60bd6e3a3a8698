//! What a person takes out of the window, and what they drop on it.

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
use crate::session::{self, CopyError, Copying, Newest};

impl State {
    /// Puts what is shown into the clipboard: all of it, not only what the window shows of it.
    pub(super) fn copy(&mut self) -> Task<Message> {
        let Shown::Content(pane) = &self.shown else {
            self.say_nothing_is_shown();
            return Task::none();
        };
        session::copy(pane.snapshot().clone(), self.newest()).map(Message::CopyFetched)
    }

    pub(super) fn take_copy_fetched(
        &mut self,
        fetched: Result<Copying, CopyError>,
    ) -> Task<Message> {
        match fetched {
            Ok(Copying { copied, part }) => {
                let copying = self.clipboard.copy(copied);
                copying.map(move |outcome| Message::Copied(outcome, part.clone()))
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

    pub(super) fn take_copied(
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
                let keep = session::keep(pane.snapshot().clone(), self.newest());
                let (dialog, focus) = SaveDialog::open(pane.snapshot().clone());
                self.save_dialog = Some(dialog);
                let kept = |kept| Message::SaveDialog(save_dialog::Message::Kept(kept));
                Task::batch([focus, keep.map(kept)])
            }
            _ => {
                self.say_nothing_is_shown();
                Task::none()
            }
        }
    }

    /// While contents appear by themselves, another one may have come since what is shown was drawn.
    fn newest(&self) -> Newest {
        match self.live.is_on() {
            true => Newest::Accepted,
            false => Newest::Refused,
        }
    }

    fn say_nothing_is_shown(&mut self) {
        let status = Status::neutral(tr!("nothing-to-save"));
        self.window
            .status
            .set(status.with_remedy(tr!("nothing-to-save-remedy")));
    }

    pub(super) fn update_save_dialog(&mut self, message: save_dialog::Message) -> Task<Message> {
        let Some(dialog) = &mut self.save_dialog else {
            // The system's dialog, or a slow disk, may outlive the card.
            if let save_dialog::Message::Saved(Ok(path)) = message {
                self.say_saved(&path);
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
            save_dialog::Action::Save(saving) => {
                return session::save(*saving)
                    .map(|saved| Message::SaveDialog(save_dialog::Message::Saved(saved)));
            }
            save_dialog::Action::Saved(path) => {
                self.save_dialog = None;
                self.say_saved(&path);
            }
        }
        Task::none()
    }

    fn say_saved(&mut self, path: &Path) {
        self.window
            .status
            .set(Status::success(tr!("saved", path = path.display())));
    }

    /// A file that is dropped here was meant for the other window: says so, and how it gets there.
    pub(super) fn refuse_drop(&mut self, Dropped { path, .. }: &Dropped) {
        let status = Status::warning(tr!("drop-refused-status"));
        self.window.status.set(status.with_remedy(tr!(
            "drop-refused-remedy",
            command = command_for(path),
            key = shell::quoted(self.window.key.text()),
            path = shell::quoted(&path.display().to_string()),
        )));
    }
}

/// Chooses the command that loads a file, by the ending of its name.
fn command_for(path: &Path) -> &'static str {
    const PICTURES: [&str; 14] = [
        "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "xpm", "pbm", "pgm", "ppm",
        "qoi", "ico",
    ];
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending {
        Some(ending)
            if PICTURES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(ending)) =>
        {
            "image"
        }
        _ => "file",
    }
}
