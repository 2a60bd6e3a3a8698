//! The form in which content is written and read under a Qt key.

use gui_common::session::monitor::Monitor;
use gui_common::tr;
use gui_common::widget::form_choice;
use gui_common::widget::status::Status;
use qt_bridge::Form;

use super::State;
use crate::session::Loaded;

impl State {
    /// Handles the choice of a form, which applies to the next load.
    pub(super) fn take_form(&mut self) {
        self.session.set_form(self.window.key.form());
        let key = self.window.key.text();
        self.window
            .status
            .set(Status::neutral(match self.window.key.form() {
                Some(form) => tr!("form-next", key = key, form = form_choice::name(form)),
                None => tr!("form-next-fitting", key = key),
            }));
        self.update_monitored_form();
    }

    /// Records that this window has loaded content.
    pub(super) fn attach(&mut self, loaded: Loaded) {
        // If the user chose another form during the load, the monitor detects the form.
        self.attached_form = loaded
            .form
            .filter(|_| loaded.form == self.window.key.form());
        let is_qt = loaded.form.is_some();
        self.attached = Some(loaded.0.key);
        self.lost = None;
        if is_qt {
            // Qt segments have no notification; a new monitor reads at once.
            self.start_monitor();
        }
        self.update_guard();
    }

    /// Records that this window has no content loaded any more.
    pub(super) fn detach(&mut self) {
        self.attached = None;
        self.update_guard();
        self.update_monitored_form();
    }

    /// Returns the form in which the monitor reads the key: for content of this window the form in
    /// which it was loaded, for other content the form in the key field.
    pub(super) fn monitored_form(&self) -> Option<Form> {
        if self.is_attached_here() {
            self.attached_form
        } else {
            self.window.key.form()
        }
    }

    /// Starts a new monitor if the form differs from the current monitor's.
    fn update_monitored_form(&mut self) {
        let differs = |monitor: &Monitor| monitor.form() != self.monitored_form();
        if self.monitor.as_ref().is_some_and(differs) {
            self.start_monitor();
        }
    }
}
