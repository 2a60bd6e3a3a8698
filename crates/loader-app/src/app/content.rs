//! The content under the key in the key field, as the monitor observes it.

use std::sync::Arc;

use gui_common::session::monitor::{Depth, Monitor, Observation, Update};
use gui_common::session::snapshot::Snapshot;
use gui_common::tr;
use gui_common::widget::content_pane::ContentPane;
use gui_common::widget::status::Status;
use iced::Task;
use shm_io::Source;

use super::{Message, State};

/// The content under the key in the key field.
#[derive(Debug)]
pub(super) enum ContentState {
    /// The monitor has not read it yet.
    Unknown,
    Nothing,
    Content(Box<ContentPane>),
    Unreadable(String),
}

impl State {
    /// Starts a monitor for the key in the key field.
    pub(super) fn start_monitor(&mut self) {
        self.monitor = self.window.key.key().ok().map(|key| {
            let target = Arc::clone(&self.target);
            let (form, options) = (self.monitored_form(), self.options.clone());
            let source = Source::new(key).form(form).options(options);
            Monitor::new(source, Depth::Content, target)
        });
    }

    pub(super) fn observe(&mut self, observation: Observation) -> Task<Message> {
        let checked = match self.is_attached_here() {
            true => self.check_loss(&observation),
            false => Task::none(),
        };
        match observation {
            Observation::Nothing => self.content = ContentState::Nothing,
            Observation::Unreadable(error) => {
                self.content = ContentState::Unreadable(error.to_string())
            }
            Observation::Content(update) => {
                self.report_replacement(&update.snapshot);
                self.show(*update);
            }
            Observation::Past(_) | Observation::Qt(_) => {}
            Observation::Presence(info) => {
                if let ContentState::Content(pane) = &mut self.content {
                    pane.observe(&info);
                }
            }
        }
        checked
    }

    pub(super) fn show(&mut self, update: Update) {
        match &mut self.content {
            ContentState::Content(pane) => pane.replace(update),
            content => *content = ContentState::Content(Box::new(ContentPane::from_update(update))),
        }
    }

    /// Reports that another process replaced the content of this window.
    pub(super) fn report_replacement(&mut self, snapshot: &Snapshot) {
        let was_ours =
            matches!(&self.content, ContentState::Content(pane) if is_own(pane.snapshot()));
        let Some(origin) = &snapshot.origin else {
            return;
        };
        if !was_ours || is_own(snapshot) || !self.is_attached_here() {
            return;
        }
        let (pid, key) = (origin.writer, &snapshot.key);
        let text = match &origin.writer_program {
            Some(program) => tr!("replaced", program = program, pid = pid, key = key),
            None => tr!("replaced-by-unknown", pid = pid, key = key),
        };
        self.window.status.set(Status::warning(text));
    }
}

pub(super) fn is_own(snapshot: &Snapshot) -> bool {
    snapshot
        .origin
        .as_ref()
        .is_some_and(|origin| origin.writer.is_current())
}
