//! What is to be seen of a key beside its field, without reading the content.

use std::sync::Arc;
use std::time::SystemTime;

use gui_common::session::snapshot::kind_name;
use gui_common::text::units;
use gui_common::tr;
use gui_common::widget::theme::Colors;
use iced::{Color, Element};
use shm_core::segment::{Content, Info};

use super::{Message, Shown, State};

/// What is there.
#[derive(Clone, Debug)]
pub(super) enum KeyState {
    /// The segment.
    Here(Arc<Info>),
    /// A segment of a Qt program, of so many bytes.
    Qt(u64),
    /// Nothing.
    Gone,
    /// Something that cannot be looked into.
    Barred,
}

impl KeyState {
    /// Returns `true` if there is anything to show.
    pub(super) fn has_content(&self) -> bool {
        match self {
            KeyState::Here(info) => !matches!(
                info.content,
                Content::Samples { latest: None, .. } | Content::Semaphore { .. }
            ),
            KeyState::Qt(_) => true,
            KeyState::Gone | KeyState::Barred => false,
        }
    }
}

impl State {
    /// Draws, beside the key, whether anything is there to show.
    pub(super) fn view_presence(&self) -> Element<'_, Message> {
        let mark = self.describe_presence().map(|(is_there, words)| {
            let color: fn(&Colors) -> Color = match is_there {
                true => |colors| colors.success,
                false => |colors| colors.muted,
            };
            (color, words)
        });
        self.window.view_mark(mark)
    }

    /// Returns `true` if something is there, and says it in few words.
    fn describe_presence(&self) -> Option<(bool, String)> {
        if self.is_other_key_wanted() {
            return Some((false, tr!("presence-enter")));
        }
        Some(match self.presence.as_ref()? {
            KeyState::Gone if self.live.is_last_copy() => (false, tr!("presence-left")),
            KeyState::Gone if self.live.is_on() => (false, tr!("presence-waiting")),
            KeyState::Gone => (false, tr!("presence-gone")),
            KeyState::Barred => (false, tr!("presence-barred")),
            KeyState::Here(info) => self.describe(info),
            // No event tells when a Qt program changes it.
            KeyState::Qt(_) if self.live.is_on() => (true, tr!("presence-polling")),
            KeyState::Qt(bytes) => (true, tr!("presence-qt", bytes = units::bytes(*bytes))),
        })
    }

    fn describe(&self, info: &Info) -> (bool, String) {
        match &info.content {
            Content::Semaphore { available, .. } => {
                (false, tr!("presence-semaphore", available = *available))
            }
            _ if self.live.is_on() => (true, tr!("presence-following")),
            Content::Samples { latest: None, .. } => (false, tr!("kind-empty")),
            Content::Damaged { .. } => (false, tr!("kind-damaged")),
            Content::Block { size } => (true, tr!("presence-block", bytes = units::bytes(*size))),
            Content::Samples {
                latest: Some(latest),
                ..
            } => {
                let words = match self.shown_since(&info.key) {
                    Some(shown) if latest.published <= shown => tr!("presence-shown"),
                    Some(_) => tr!("presence-newer"),
                    None => {
                        let kind = kind_name(latest.metadata.kind());
                        tr!(
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
