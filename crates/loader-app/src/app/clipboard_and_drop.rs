//! Files that are dropped on the window, and the clipboard.

use gui_common::desktop::clipboard::{ClipboardError, Pasted};
use gui_common::tr;
use gui_common::widget::drop_target::Dropped;
use gui_common::widget::status::Status;
use iced::Task;

use super::{Message, State};

impl State {
    /// Returns the hint for a file that is dragged over the window.
    pub(super) fn drop_outcome(&self) -> String {
        match self.window.key.key() {
            Ok(key) => tr!("drop-outcome", key = key),
            Err(_) => tr!("drop-without-key"),
        }
    }

    pub(super) fn load_file(&mut self, dropped: Dropped) -> Task<Message> {
        let Dropped { path, others } = dropped;
        let Some((key, number, progress)) = self.begin_loading(&path) else {
            return Task::none();
        };
        self.session()
            .load_file(key, path, progress)
            .map(move |reply| Message::FileLoaded {
                number,
                others,
                reply,
            })
    }

    /// Loads the clipboard, unless a dialog is open.
    pub(super) fn paste(&mut self) -> Task<Message> {
        if self.has_dialog() || self.load_key().is_none() {
            return Task::none();
        }
        self.clipboard.paste().map(Message::Pasted)
    }

    pub(super) fn take_pasted(&mut self, pasted: Result<Pasted, ClipboardError>) -> Task<Message> {
        // The key may have changed since the clipboard was read.
        let Some(key) = self.load_key() else {
            return Task::none();
        };
        match pasted {
            Ok(Pasted::Text(text)) if !text.is_empty() => self
                .session()
                .load_text(key, text)
                .map(Message::PastedLoaded),
            Ok(Pasted::Picture(picture)) => self
                .session
                .load_pixels(key, picture)
                .map(Message::PastedLoaded),
            Ok(Pasted::Files(files)) => {
                let others = files.len().saturating_sub(1);
                match files.into_iter().next() {
                    Some(path) => self.load_file(Dropped { path, others }),
                    None => Task::none(),
                }
            }
            Ok(Pasted::Text(_) | Pasted::Nothing) => {
                let status = Status::neutral(tr!("paste-nothing"));
                self.window
                    .status
                    .set(status.with_remedy(tr!("paste-nothing-remedy")));
                Task::none()
            }
            Err(error) => {
                let status = Status::error(tr!("paste-failed"));
                self.window
                    .status
                    .set(status.with_remedy(error.to_string()));
                Task::none()
            }
        }
    }
}

/// Returns a note if only the first of several files is loaded.
pub(super) fn first_file_note(others: usize) -> Option<String> {
    match others {
        0 => None,
        _ => Some(tr!("only-the-first", count = others + 1)),
    }
}
