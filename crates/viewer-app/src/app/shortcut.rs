//! What the keyboard does, wherever the focus is.

use app_kit::focus::Direction;
use app_kit::shortcut::{self, Chord, Shortcut};
use iced::keyboard::{Modifiers, key::Named};
use iced::{Event, event, window};

use super::Message;
use crate::screen::segment_list;

/// Every shortcut of the window, in the order in which the help shows them.
pub(super) const TABLE: &[Shortcut<Message>] = &[
    Shortcut {
        chords: &[
            Chord::named(Named::F5),
            Chord::named(Named::Enter).with(Modifiers::CTRL),
        ],
        does: "Show what is in shared memory",
        message: || Message::Show,
    },
    Shortcut {
        chords: &[Chord::named(Named::F6)],
        does: "Let what is loaded appear by itself, or not",
        message: || Message::LiveToggled,
    },
    Shortcut {
        chords: &[Chord::ctrl('c')],
        does: "Copy what is shown",
        message: || Message::Copy,
    },
    Shortcut {
        chords: &[Chord::ctrl('s')],
        does: "Save what is shown",
        message: || Message::SaveAs,
    },
    Shortcut {
        chords: &[Chord::ctrl('l')],
        does: "Open or close the list of segments",
        message: || Message::ToggleSegments,
    },
    Shortcut {
        chords: &[Chord::ctrl('h')],
        does: "Open or close the history",
        message: || Message::ToggleHistory,
    },
    Shortcut {
        chords: &[Chord::ctrl('k')],
        does: "Go to the key",
        message: || Message::FocusKey,
    },
    Shortcut {
        chords: &[Chord::named(Named::Tab)],
        does: "Go to the next field",
        message: || Message::Focus(Direction::Forward),
    },
    Shortcut {
        chords: &[Chord::named(Named::Tab).with(Modifiers::SHIFT)],
        does: "Go back to the field before",
        message: || Message::Focus(Direction::Backward),
    },
    Shortcut {
        chords: &[Chord::named(Named::F1), Chord::sign("?")],
        does: "Open or close this help",
        message: || Message::ToggleHelp,
    },
    Shortcut {
        chords: &[Chord::named(Named::Escape)],
        does: "Close what is open",
        message: || Message::Escape,
    },
    Shortcut {
        chords: &[Chord::ctrl('q'), Chord::ctrl('w')],
        does: "Close the window",
        message: || Message::Quit,
    },
];

/// The shortcuts of the list of segments; they repeat while the key is held down.
pub(super) const LIST: &[Shortcut<Message>] = &[
    Shortcut {
        chords: &[Chord::named(Named::ArrowDown)],
        does: "Go down the list of segments",
        message: || Message::Segments(segment_list::Message::Moved { down: true }),
    },
    Shortcut {
        chords: &[Chord::named(Named::ArrowUp)],
        does: "Go up the list of segments",
        message: || Message::Segments(segment_list::Message::Moved { down: false }),
    },
];

/// Returns what an event means to the window; for [`event::listen_with`].
pub(super) fn message_of(
    event: Event,
    status: event::Status,
    _window: window::Id,
) -> Option<Message> {
    match event {
        Event::Keyboard(event) => shortcut::pressed(TABLE, &event, status)
            .or_else(|| shortcut::held(LIST, &event, status))
            .map(Message::Shortcut),
        _ => None,
    }
}
