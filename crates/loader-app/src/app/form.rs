//! The form in which something is loaded under a Qt key, and in which it is read back.

use gui_common::tr;
use gui_common::widget::form_choice;
use gui_common::widget::status::Status;
use qt_bridge::Form;

use super::State;
use crate::session::Loaded;

impl State {
    /// Has what is loaded next written in a form; what is loaded stays as it is.
    pub(super) fn take_form(&mut self) {
        self.session.stream_as(self.window.key.form());
        let key = self.window.key.text();
        self.window
            .status
            .set(Status::neutral(match self.window.key.form() {
                Some(form) => tr!("form-next", key = key, form = form_choice::name(form)),
                None => tr!("form-next-fitting", key = key),
            }));
        self.watch_in_form();
    }

    /// Notes what is loaded now.
    pub(super) fn attach(&mut self, loaded: Loaded) {
        // If another form was chosen while it was on its way, it is recognised.
        self.attached_as = loaded
            .form
            .filter(|_| loaded.form == self.window.key.form());
        let is_qt = loaded.form.is_some();
        self.attached = Some(loaded.0.key);
        self.lost = None;
        if is_qt {
            // Nothing tells the watch of it; a new one looks at once.
            self.watch_key();
        }
        self.guard_what_is_loaded();
    }

    /// Notes that nothing is loaded any more.
    pub(super) fn detach(&mut self) {
        self.attached = None;
        self.guard_what_is_loaded();
        self.watch_in_form();
    }

    /// Returns the form in which the key is read: what this window has loaded there in that which was
    /// chosen for it, and what others have loaded in that which is chosen now.
    pub(super) fn form_to_watch(&self) -> Option<Form> {
        if self.is_attached_here() {
            self.attached_as
        } else {
            self.window.key.form()
        }
    }

    /// Begins to read in another form, where it is another one.
    fn watch_in_form(&mut self) {
        let is_other =
            |watch: &gui_common::session::monitor::Monitor| watch.form() != self.form_to_watch();
        if self.monitor.as_ref().is_some_and(is_other) {
            self.watch_key();
        }
    }
}
