//! Loads the text of the text dialog.

use gui_common::widget::status::Status;
use iced::Task;

use super::session_reply::failure;
use super::{Message, State};
use crate::screen::text_dialog::{self, TextDialog};
use crate::session::{LoadError, Loaded, Reply};

impl State {
    pub(super) fn open_text_dialog(&mut self) -> Task<Message> {
        if self.has_dialog() {
            return Task::none();
        }
        let Some(key) = self.load_key() else {
            return Task::none();
        };
        let (dialog, focus) = TextDialog::open(key.as_str());
        self.dialog = Some(dialog);
        focus
    }

    pub(super) fn update_dialog(&mut self, message: text_dialog::Message) -> Task<Message> {
        let Some(dialog) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message) {
            text_dialog::Action::None => Task::none(),
            text_dialog::Action::Close => {
                self.dialog = None;
                Task::none()
            }
            text_dialog::Action::Load(text) => match self.load_key() {
                Some(key) => self.session().load_text(key, text).map(Message::TextLoaded),
                None => {
                    let problem = self.window.status.current().to_string();
                    if let Some(dialog) = &mut self.dialog {
                        dialog.reject(problem);
                    }
                    Task::none()
                }
            },
        }
    }

    pub(super) fn take_text_loaded(&mut self, reply: Reply<Loaded, LoadError>) {
        match reply {
            Ok(Ok(loaded)) => {
                self.dialog = None;
                self.take_loaded(loaded, None);
            }
            // The text stays in the dialog, because it may be the only copy.
            Ok(Err(error)) => self.reject_text(failure(&error), error.to_string()),
            Err(error) => self.reject_text(Status::error(error.to_string()), error.to_string()),
        }
    }

    pub(super) fn reject_text(&mut self, status: Status, problem: String) {
        self.window.status.set(status);
        if let Some(dialog) = &mut self.dialog {
            dialog.reject(problem);
        }
    }
}
