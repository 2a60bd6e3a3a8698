//! What is to be seen of a key beside its field, without reading the content.

use std::sync::Arc;
use std::time::SystemTime;

use app_kit::snapshot::name_of_kind;
use app_kit::theme::{self, Colors};
use app_kit::visible;
use app_kit::{say, status, units};
use iced::widget::{container, row};
use iced::{Center, Element};
use shm_core::segment::{Content, Info};

use super::{Message, Shown, State};

/// What is there.
#[derive(Clone, Debug)]
pub(super) enum Presence {
    /// The segment.
    Here(Arc<Info>),
    /// A segment of a Qt program, of so many bytes.
    Qt(u64),
    /// Nothing.
    Gone,
    /// Something that cannot be looked into.
    Barred,
}

impl Presence {
    /// Returns `true` if there is anything to show.
    pub(super) fn has_content(&self) -> bool {
        match self {
            Presence::Here(info) => !matches!(
                info.content,
                Content::Samples { latest: None, .. } | Content::Semaphore { .. }
            ),
            Presence::Qt(_) => true,
            Presence::Gone | Presence::Barred => false,
        }
    }
}

impl State {
    /// Draws, beside the key, whether anything is there to show.
    pub(super) fn view_presence(&self) -> Element<'_, Message> {
        let is_narrow = self.key.is_cramped_at(self.keeper.settings().size.width);
        let width = match is_narrow {
            true => theme::extent::DOT,
            false => theme::extent::BESIDE_KEY,
        };
        let place = |content| container(content).width(width).into();
        let Some((is_there, words)) = self.describe_presence() else {
            return place(row![]);
        };
        let dot = status::dot(move |theme| {
            let colors = Colors::of(theme);
            if is_there {
                colors.success
            } else {
                colors.muted
            }
        });
        let words = visible::line(words)
            .size(theme::SMALL_SIZE)
            .style(theme::muted);
        place(
            row![dot]
                .extend((!is_narrow).then(|| words.into()))
                .spacing(theme::space::SMALL)
                .align_y(Center),
        )
    }

    /// Returns `true` if something is there, and says it in few words.
    fn describe_presence(&self) -> Option<(bool, String)> {
        if self.is_other_key_wanted() {
            return Some((false, say!("presence-enter")));
        }
        Some(match self.presence.as_ref()? {
            Presence::Gone if self.live.is_last_copy() => (false, say!("presence-left")),
            Presence::Gone if self.live.is_on() => (false, say!("presence-waiting")),
            Presence::Gone => (false, say!("presence-gone")),
            Presence::Barred => (false, say!("presence-barred")),
            Presence::Here(info) => self.describe(info),
            // No event tells when a Qt program changes it.
            Presence::Qt(_) if self.live.is_on() => (true, say!("presence-polling")),
            Presence::Qt(bytes) => (true, say!("presence-qt", bytes = units::bytes(*bytes))),
        })
    }

    fn describe(&self, info: &Info) -> (bool, String) {
        match &info.content {
            Content::Semaphore { available, .. } => {
                (false, say!("presence-semaphore", available = *available))
            }
            _ if self.live.is_on() => (true, say!("presence-following")),
            Content::Samples { latest: None, .. } => (false, say!("kind-empty")),
            Content::Damaged { .. } => (false, say!("kind-damaged")),
            Content::Block { size } => (true, say!("presence-block", bytes = units::bytes(*size))),
            Content::Samples {
                latest: Some(latest),
                ..
            } => {
                let words = match self.shown_since(&info.key) {
                    Some(shown) if latest.published <= shown => say!("presence-shown"),
                    Some(_) => say!("presence-newer"),
                    None => {
                        let kind = name_of_kind(latest.metadata.kind());
                        say!(
                            "presence-new",
                            kind = kind,
                            bytes = units::bytes(latest.bytes)
                        )
                    }
                };
                (true, words)
            }
        }
    }

    /// Tells when what is shown of `key` was published. Generations would not do: they begin
    /// anew with the segment.
    fn shown_since(&self, key: &shm_core::Key) -> Option<SystemTime> {
        match &self.shown {
            Shown::Content(pane) if pane.snapshot().key.own() == Some(key) => {
                let origin = pane.snapshot().origin.as_ref();
                origin.map(|origin| origin.published)
            }
            _ => None,
        }
    }
}
