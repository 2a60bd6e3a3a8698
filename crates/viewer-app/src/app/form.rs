//! The form as which what is under a Qt key is read.

use iced::Task;

use super::{Message, State};

impl State {
    /// Reads as a form from now on; at once, if something of the key was asked for.
    pub(super) fn take_form(&mut self) -> Task<Message> {
        let key = self.window.key.key().ok();
        if key.is_none() || key != self.asked.as_ref() {
            return Task::none();
        }
        if self.live.is_on() {
            self.begin_live();
            return Task::none();
        }
        self.show()
    }
}
