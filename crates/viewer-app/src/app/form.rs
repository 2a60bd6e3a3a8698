//! The form in which the content of a Qt key is decoded.

use iced::Task;

use super::{Message, State};

impl State {
    /// Handles a chosen form: reads the content again if its key was requested last.
    pub(super) fn handle_form_chosen(&mut self) -> Task<Message> {
        let key = self.window.key.key().ok();
        if key.is_none() || key != self.requested.as_ref() {
            return Task::none();
        }
        if self.live.is_on() {
            self.begin_live();
            return Task::none();
        }
        self.show()
    }
}
