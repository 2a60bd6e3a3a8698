//! What the keyboard and dropped files mean, wherever the focus is.

use iced::keyboard::{self, Key, key::Named};
use iced::{Event, event, window};

use super::Message;
use crate::screen::text_dialog;

/// Returns the message of an event, where it has one. `status` says whether a widget has already
/// made use of the event: a field that is written in keeps its keys, but for those with Ctrl.
pub(super) fn message_of(
    event: Event,
    status: event::Status,
    _window: window::Id,
) -> Option<Message> {
    match event {
        Event::Window(window::Event::FileDropped(path)) => Some(Message::FileDropped(path)),
        Event::Keyboard(keyboard::Event::KeyPressed {
            key,
            physical_key,
            modifiers,
            repeat: false,
            ..
        }) => match key.as_ref() {
            _ if modifiers.command() && !modifiers.alt() && !modifiers.shift() => {
                match key.to_latin(physical_key) {
                    Some('l') => Some(Message::LoadPressed),
                    Some('o') => Some(Message::LoadImagePressed),
                    Some('r') => Some(Message::ReleasePressed),
                    Some('t') => Some(Message::StreamPressed),
                    _ if status == event::Status::Captured => None,
                    _ if key == Key::Named(Named::Enter) => {
                        Some(Message::Dialog(text_dialog::Message::Accept))
                    }
                    _ => None,
                }
            }
            // A field keeps it too, to let go of the focus.
            Key::Named(Named::Escape) => Some(Message::CancelPressed),
            _ if status == event::Status::Captured => None,
            Key::Named(Named::Tab) if modifiers.shift() => Some(Message::FocusPrevious),
            Key::Named(Named::Tab) => Some(Message::FocusNext),
            _ => None,
        },
        _ => None,
    }
}
