//! The form as which what is under a Qt key is read.

use gui_common::tr;
use gui_common::widget::status::Status;
use iced::Task;
use qt_bridge::Form;

use super::{Message, State};

impl State {
    /// Reads as a form from now on; at once, if something of the key was asked for.
    pub(super) fn choose_form(&mut self, form: Option<Form>) -> Task<Message> {
        self.key.choose_form(form);
        let key = self.key.key().ok();
        if key.is_none() || key != self.asked.as_ref() {
            return Task::none();
        }
        if self.live.is_on() {
            self.begin_live();
            return Task::none();
        }
        self.show()
    }

    pub(super) fn choose_next_form(&mut self) -> Task<Message> {
        if self.key.is_for_qt() {
            return self.choose_form(self.key.next_form());
        }
        self.status.set(Status::neutral(tr!("form-not-here")));
        Task::none()
    }
}
