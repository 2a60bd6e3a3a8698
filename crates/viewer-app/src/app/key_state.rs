//! The state of the key, shown beside its field without reading the content.

use std::sync::Arc;
use std::time::SystemTime;

use gui_common::session::snapshot::kind_name;
use gui_common::text::units;
use gui_common::tr;
use gui_common::widget::theme::Colors;
use iced::{Color, Element};
use shm_core::segment::{Content, Info};

use super::{Message, Shown, State};

/// The state of a key.
#[derive(Clone, Debug)]
pub(super) enum KeyState {
    /// A segment of this library.
    Own(Arc<Info>),
    /// A Qt segment and its size, bytes.
    Qt(u64),
    /// No segment.
    Gone,
    /// A segment that cannot be attached.
    Unreadable,
}

impl KeyState {
    /// Returns `true` if there is a content to show.
    pub(super) fn has_content(&self) -> bool {
        match self {
            KeyState::Own(info) => !matches!(
                info.content,
                Content::Samples { latest: None, .. } | Content::Semaphore { .. }
            ),
            KeyState::Qt(_) => true,
            KeyState::Gone | KeyState::Unreadable => false,
        }
    }
}

impl State {
    /// Draws the state beside the key.
    pub(super) fn view_presence(&self) -> Element<'_, Message> {
        let mark = self.describe_presence().map(|(has_content, words)| {
            let color: fn(&Colors) -> Color = match has_content {
                true => |colors| colors.success,
                false => |colors| colors.muted,
            };
            (color, words)
        });
        self.window.view_mark(mark)
    }

    /// Describes the state in a few words; `true` if there is a content.
    fn describe_presence(&self) -> Option<(bool, String)> {
        if self.is_other_key_wanted() {
            return Some((false, tr!("presence-enter")));
        }
        Some(match self.presence.as_ref()? {
            KeyState::Gone if self.live.is_last_copy() => (false, tr!("presence-left")),
            KeyState::Gone if self.live.is_on() => (false, tr!("presence-waiting")),
            KeyState::Gone => (false, tr!("presence-gone")),
            KeyState::Unreadable => (false, tr!("presence-barred")),
            KeyState::Own(info) => self.describe(info),
            // Qt has no change notification.
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
                let words = match self.shown_published(&info.key) {
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

    /// Returns when the shown content of `key` was published. Sequences cannot be compared instead:
    /// they restart with each segment.
    fn shown_published(&self, key: &shm_core::Key) -> Option<SystemTime> {
        match &self.shown {
            Shown::Content(pane) if pane.snapshot().key.own() == Some(key) => {
                let origin = pane.snapshot().origin.as_ref();
                origin.map(|origin| origin.published)
            }
            _ => None,
        }
    }
}
