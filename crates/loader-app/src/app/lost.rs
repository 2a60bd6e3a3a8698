//! Detects that another program removed the segment, and loads its content again.

use gui_common::session::monitor::{Depth, Monitor, Observation};
use gui_common::session::worker::WorkerError;
use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::status::Status;
use gui_common::widget::theme;
use iced::widget::button;
use iced::{Element, Task};
use shm_core::{Access, Participant};
use shm_io::{Address, Source};

use super::{Message, State};
use crate::session::{self, FrameSource, LoadError, Loaded, Reply};

/// What was lost with the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Content of which the session keeps a copy.
    Content,
    /// A stream under this key, which can start again.
    Stream(Address, FrameSource),
}

impl State {
    /// Checks whether the segment is still at its name, unless the observation already shows that.
    pub(super) fn check_loss(&mut self, observation: &Observation) -> Task<Message> {
        let is_present = match observation {
            Observation::Nothing | Observation::Unreadable(_) => false,
            Observation::Past(_) | Observation::Content(_) | Observation::Qt(_) => true,
            Observation::Presence(info) => info.attached.iter().any(is_own_publisher),
        };
        // A stream detects the loss itself.
        if is_present || self.attached.is_none() || self.stream.is_some() {
            return Task::none();
        }
        // The observation may be older than the load: the session decides.
        self.session.release_if_lost().map(Message::LossChecked)
    }

    /// Monitors the key of the loaded content if the key field has another.
    pub(super) fn update_guard(&mut self) {
        let elsewhere = self
            .attached
            .clone()
            .filter(|_| !self.is_attached_here() && self.stream.is_none());
        if self.guard.as_ref().map(Monitor::key) == elsewhere.as_ref() {
            return;
        }
        self.guard = elsewhere.map(|key| {
            let (options, target) = (self.options.clone(), std::sync::Arc::default());
            Monitor::new(Source::new(key).options(options), Depth::Presence, target)
        });
    }

    pub(super) fn take_loss(&mut self, reply: Result<Option<Address>, WorkerError>) {
        let Ok(Some(key)) = reply else {
            return;
        };
        self.report_loss(&key, Lost::Content);
    }

    /// Records and reports a loss.
    pub(super) fn report_loss(&mut self, key: &Address, lost: Lost) {
        self.detach();
        self.lost = Some(lost);
        let status = Status::error(tr!("lost", key = key));
        self.window
            .status
            .set(status.with_remedy(session::loss_remedy()));
    }

    pub(super) fn load_again(&mut self) -> Task<Message> {
        match self.lost.clone() {
            None => {
                self.window
                    .status
                    .set(Status::neutral(tr!("load-again-nothing")));
                Task::none()
            }
            Some(Lost::Content) => self.session().restore().map(Message::LoadedAgain),
            Some(Lost::Stream(key, source)) => self.stream_into(key, source),
        }
    }

    pub(super) fn take_loaded_again(&mut self, reply: Reply<Option<Loaded>, LoadError>) {
        let reply = match reply {
            Ok(Ok(None)) => {
                self.lost = None;
                self.window
                    .status
                    .set(Status::neutral(tr!("load-again-nothing")));
                return;
            }
            Ok(Ok(Some(loaded))) => Ok(Ok(loaded)),
            Ok(Err(error)) => Ok(Err(error)),
            Err(error) => Err(error),
        };
        self.take_reply(reply, None);
    }

    /// Draws the button Load again.
    pub(super) fn view_load_again(&self) -> Option<Element<'_, Message>> {
        self.lost.as_ref()?;
        let label = visible::line(tr!("load-again")).size(theme::SMALL_SIZE);
        Some(
            button(label)
                .padding([theme::space::TINY, theme::space::MEDIUM])
                .style(theme::secondary_button)
                .on_press(Message::LoadAgainPressed)
                .into(),
        )
    }
}

fn is_own_publisher(peer: &Participant) -> bool {
    peer.process.is_current() && peer.access == Access::ReadWrite
}
