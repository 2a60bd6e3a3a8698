//! What this window has loaded, and another program has taken away: noticed, and loaded again.

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

/// What was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// A content, which the session keeps.
    Content,
    /// A stream into this key, which can begin again.
    Stream(Address, FrameSource),
}

impl State {
    /// Looks whether what is loaded can be found still, where what was seen under its key is
    /// something else.
    pub(super) fn look_for_loss(&mut self, seen: &Observation) -> Task<Message> {
        let is_ours = match seen {
            Observation::Nothing | Observation::Unreadable(_) => false,
            Observation::Past(_) | Observation::Content(_) | Observation::Qt(_) => true,
            Observation::Presence(info) => info.attached.iter().any(is_own_publisher),
        };
        // A stream finds that out by itself.
        if is_ours || self.attached.is_none() || self.stream.is_some() {
            return Task::none();
        }
        // What was seen may be older than what was loaded: the session knows.
        self.session.release_if_lost().map(Message::LossChecked)
    }

    /// Has the key watched under which something is loaded, where the key field has another.
    pub(super) fn guard_what_is_loaded(&mut self) {
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
        // Where nothing was lost there is nothing to say.
        let Ok(Some(key)) = reply else {
            return;
        };
        self.lose(&key, Lost::Content);
    }

    /// Notes that what was loaded is lost, and says so.
    pub(super) fn lose(&mut self, key: &Address, lost: Lost) {
        self.detach();
        self.lost = Some(lost);
        let status = Status::error(tr!("lost", key = key));
        self.window
            .status
            .set(status.with_remedy(session::remedy_of_loss()));
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

    /// Draws, beside the status, the way back.
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
