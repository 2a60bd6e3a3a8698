//! The keyboard shortcuts, for any focus.

use gui_common::widget::focus::Direction;
use gui_common::widget::main_window;
use gui_common::widget::shortcut::{self, Chord, Shortcut};
use iced::keyboard::{Modifiers, key::Named};
use iced::{Event, event, window};

use super::Message;
use crate::screen::text_dialog;

/// The shortcuts of the window, in the order of the help.
pub(super) const TABLE: &[Shortcut<Message>] = &[
    Shortcut {
        chords: &[Chord::ctrl('l')],
        label_id: "shortcut-load-text",
        message: || Message::LoadPressed,
    },
    Shortcut {
        chords: &[Chord::named(Named::Enter).with(Modifiers::CTRL)],
        label_id: "shortcut-accept-text",
        message: || Message::Dialog(text_dialog::Message::Accept),
    },
    Shortcut {
        chords: &[Chord::ctrl('o')],
        label_id: "shortcut-load-image",
        message: || Message::LoadImagePressed,
    },
    Shortcut {
        chords: &[Chord::ctrl('y')],
        label_id: "shortcut-load-again",
        message: || Message::LoadAgainPressed,
    },
    Shortcut {
        chords: &[Chord::ctrl('v')],
        label_id: "shortcut-paste",
        message: || Message::PastePressed,
    },
    Shortcut {
        chords: &[Chord::ctrl('t')],
        label_id: "shortcut-stream",
        message: || Message::StreamPressed,
    },
    Shortcut {
        chords: &[Chord::ctrl('p')],
        label_id: "shortcut-path",
        message: || Message::FocusPath,
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
        chords: &[Chord::ctrl('e')],
        label_id: "shortcut-clear",
        message: || Message::ClearPressed,
    },
    Shortcut {
        chords: &[Chord::ctrl('r')],
        label_id: "shortcut-release",
        message: || Message::ReleasePressed,
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
        label_id: "shortcut-cancel",
        message: || Message::CancelPressed,
    },
    Shortcut {
        chords: &[Chord::ctrl('q'), Chord::ctrl('w')],
        label_id: "shortcut-quit",
        message: || Message::Window(main_window::Message::Quit),
    },
];

/// Returns the message of an event, for [`event::listen_with`].
pub(super) fn message_of(
    event: Event,
    status: event::Status,
    _window: window::Id,
) -> Option<Message> {
    match event {
        Event::Keyboard(event) => shortcut::pressed(TABLE, &event, status).map(Message::Shortcut),
        _ => None,
    }
}
