//! What is seen in shared memory, whoever loaded it.

use std::sync::Arc;

use gui_common::session::monitor::{Depth, Monitor, Observation, Update};
use gui_common::session::snapshot::Snapshot;
use gui_common::tr;
use gui_common::widget::content_pane::ContentPane;
use gui_common::widget::status::Status;
use iced::Task;
use shm_io::Source;

use super::{Message, State};

/// What was last seen under the key in the key field.
#[derive(Debug)]
pub(super) enum Seen {
    /// It has not been looked yet.
    Unknown,
    Nothing,
    Content(Box<ContentPane>),
    Unreadable(String),
}

impl State {
    pub(super) fn watch_key(&mut self) {
        self.monitor = self.window.key.key().ok().map(|key| {
            let target = Arc::clone(&self.target);
            let (form, options) = (self.form_to_watch(), self.options.clone());
            let source = Source::new(key).form(form).options(options);
            Monitor::new(source, Depth::Content, target)
        });
    }

    pub(super) fn see(&mut self, observation: Observation) -> Task<Message> {
        let checked = match self.is_attached_here() {
            true => self.look_for_loss(&observation),
            false => Task::none(),
        };
        match observation {
            Observation::Nothing => self.seen = Seen::Nothing,
            Observation::Unreadable(error) => self.seen = Seen::Unreadable(error.to_string()),
            Observation::Content(update) => {
                self.tell_who_replaced_us(&update.snapshot);
                self.show(*update);
            }
            Observation::Past(_) | Observation::Qt(_) => {}
            Observation::Presence(info) => {
                if let Seen::Content(pane) = &mut self.seen {
                    pane.observe(&info);
                }
            }
        }
        checked
    }

    pub(super) fn show(&mut self, update: Update) {
        match &mut self.seen {
            Seen::Content(pane) => pane.replace(update),
            seen => *seen = Seen::Content(Box::new(ContentPane::from_update(update))),
        }
    }

    /// Says so when somebody else's content took the place of ours.
    pub(super) fn tell_who_replaced_us(&mut self, snapshot: &Snapshot) {
        let was_ours = matches!(&self.seen, Seen::Content(pane) if is_own(pane.snapshot()));
        let Some(origin) = &snapshot.origin else {
            return;
        };
        if !was_ours || is_own(snapshot) || !self.is_attached_here() {
            return;
        }
        let (pid, key) = (origin.writer, &snapshot.key);
        let sentence = match &origin.writer_program {
            Some(program) => tr!("replaced", program = program, pid = pid, key = key),
            None => tr!("replaced-by-unknown", pid = pid, key = key),
        };
        self.window.status.set(Status::warning(sentence));
    }
}

pub(super) fn is_own(snapshot: &Snapshot) -> bool {
    snapshot
        .origin
        .as_ref()
        .is_some_and(|origin| origin.writer.is_current())
}
