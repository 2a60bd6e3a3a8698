//! The keyboard shortcuts, which work with any focus.

use gui_common::widget::focus::Direction;
use gui_common::widget::main_window;
use gui_common::widget::shortcut::{self, Chord, Shortcut};
use iced::keyboard::{Modifiers, key::Named};
use iced::{Event, event, window};

use super::Message;
use crate::screen::segment_list;

/// The shortcuts of the window, in the order of the help.
pub(super) const TABLE: &[Shortcut<Message>] = &[
    Shortcut {
        chords: &[
            Chord::named(Named::F5),
            Chord::named(Named::Enter).with(Modifiers::CTRL),
        ],
        label_id: "shortcut-show",
        message: || Message::Show,
    },
    Shortcut {
        chords: &[Chord::named(Named::F6)],
        label_id: "shortcut-live",
        message: || Message::LiveToggled,
    },
    Shortcut {
        chords: &[Chord::ctrl('c')],
        label_id: "shortcut-copy",
        message: || Message::Copy,
    },
    Shortcut {
        chords: &[Chord::ctrl('s')],
        label_id: "shortcut-save",
        message: || Message::SaveAs,
    },
    Shortcut {
        chords: &[Chord::ctrl('l')],
        label_id: "shortcut-segments",
        message: || Message::ToggleSegments,
    },
    Shortcut {
        chords: &[Chord::ctrl('h')],
        label_id: "shortcut-history",
        message: || Message::ToggleHistory,
    },
    Shortcut {
        chords: &[Chord::ctrl('k')],
        label_id: "shortcut-key",
        message: || Message::Window(main_window::Message::FocusKey),
    },
    Shortcut {
        chords: &[Chord::ctrl('f')],
        label_id: "shortcut-form",
        message: || Message::Window(main_window::Message::NextForm),
    },
    Shortcut {
        chords: &[Chord::named(Named::Tab)],
        label_id: "shortcut-next-field",
        message: || Message::Window(main_window::Message::Focus(Direction::Forward)),
    },
    Shortcut {
        chords: &[Chord::named(Named::Tab).with(Modifiers::SHIFT)],
        label_id: "shortcut-field-before",
        message: || Message::Window(main_window::Message::Focus(Direction::Backward)),
    },
    Shortcut {
        chords: &[Chord::named(Named::F1), Chord::sign("?")],
        label_id: "shortcut-help",
        message: || Message::Window(main_window::Message::ToggleHelp),
    },
    Shortcut {
        chords: &[Chord::named(Named::Escape)],
        label_id: "shortcut-close",
        message: || Message::Escape,
    },
    Shortcut {
        chords: &[Chord::ctrl('q'), Chord::ctrl('w')],
        label_id: "shortcut-quit",
        message: || Message::Window(main_window::Message::Quit),
    },
];

/// The shortcuts of the list of segments, which repeat while the key is held.
pub(super) const LIST: &[Shortcut<Message>] = &[
    Shortcut {
        chords: &[Chord::named(Named::ArrowDown)],
        label_id: "shortcut-list-down",
        message: || Message::Segments(segment_list::Message::Moved { down: true }),
    },
    Shortcut {
        chords: &[Chord::named(Named::ArrowUp)],
        label_id: "shortcut-list-up",
        message: || Message::Segments(segment_list::Message::Moved { down: false }),
    },
];

/// Converts a keyboard event to a message, for [`event::listen_with`].
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
