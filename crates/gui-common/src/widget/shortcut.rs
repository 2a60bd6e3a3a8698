//! Keyboard shortcuts: one table that drives both the keyboard and the help.

use std::fmt;

use iced::event;
use iced::keyboard::{Event, Key, Modifiers, key::Named};

use crate::text::language;
use crate::tr;

/// A shortcut that works wherever the focus is.
#[derive(Debug)]
pub struct Shortcut<Message: 'static> {
    /// The chords, each of which triggers it.
    pub chords: &'static [Chord],
    /// The id of the label, an imperative phrase.
    pub label_id: &'static str,
    /// The message that it sends to the window.
    pub message: fn() -> Message,
}

impl<Message> Shortcut<Message> {
    /// Returns the label in the language of the window.
    pub fn label(&self) -> String {
        language::message(self.label_id, &[])
    }
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    main: Main,
    modifiers: Modifiers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Main {
    Named(Named),
    /// A letter; by its position on the keyboard if the layout has no Latin letters.
    Letter(char),
    /// A character, whichever keys the layout needs for it.
    Sign(&'static str),
}

impl Chord {
    /// Creates a chord of a key without modifiers that types nothing.
    pub const fn named(key: Named) -> Chord {
        Chord {
            main: Main::Named(key),
            modifiers: Modifiers::NONE,
        }
    }

    /// Creates a chord of Ctrl and a letter.
    pub const fn ctrl(letter: char) -> Chord {
        Chord {
            main: Main::Letter(letter),
            modifiers: Modifiers::COMMAND,
        }
    }

    /// Creates a chord of a character, such as the question mark.
    pub const fn sign(sign: &'static str) -> Chord {
        Chord {
            main: Main::Sign(sign),
            modifiers: Modifiers::NONE,
        }
    }

    /// Returns the same key with more modifiers.
    #[must_use]
    pub const fn with(self, modifiers: Modifiers) -> Chord {
        Chord {
            main: self.main,
            modifiers: self.modifiers.union(modifiers),
        }
    }

    /// Returns `true` if the window handles this chord even while a text field has the focus.
    ///
    /// Letters with Ctrl and the function keys type nothing, and Esc is handled by both. Enter,
    /// Tab, the question mark and the letters that copy and paste may be meant for the field, which
    /// then captures the event.
    fn is_for_the_window(self) -> bool {
        match self.main {
            Main::Letter(letter) => !matches!(letter, 'c' | 'v' | 'x'),
            Main::Named(named) => matches!(named, Named::F1 | Named::F5 | Named::Escape),
            Main::Sign(_) => false,
        }
    }

    fn is_pressed(self, event: &Event) -> bool {
        let Event::KeyPressed {
            key,
            modified_key,
            physical_key,
            modifiers,
            ..
        } = event
        else {
            return false;
        };
        match self.main {
            Main::Named(named) => *key == Key::Named(named) && *modifiers == self.modifiers,
            Main::Letter(letter) => {
                *modifiers == self.modifiers
                    && key
                        .to_latin(*physical_key)
                        .is_some_and(|pressed| pressed.eq_ignore_ascii_case(&letter))
            }
            Main::Sign(sign) => {
                // On many layouts the character needs Shift.
                let is_alike = *modifiers - Modifiers::SHIFT == self.modifiers;
                let sign = Key::Character(sign);
                is_alike && (modified_key.as_ref() == sign || key.as_ref() == sign)
            }
        }
    }
}

/// Writes a chord as it is labelled on the keyboard: `Ctrl+L`, `Shift+Tab`, `?`.
impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.command() {
            f.write_str("Ctrl+")?;
        }
        if self.modifiers.shift() {
            f.write_str("Shift+")?;
        }
        match self.main {
            Main::Named(Named::Escape) => f.write_str("Esc"),
            Main::Named(Named::ArrowDown) => f.write_str(&tr!("chord-down")),
            Main::Named(Named::ArrowUp) => f.write_str(&tr!("chord-up")),
            Main::Named(named) => write!(f, "{named:?}"),
            Main::Letter(letter) => write!(f, "{}", letter.to_ascii_uppercase()),
            Main::Sign(sign) => f.write_str(sign),
        }
    }
}

/// Returns the message of a pressed key; key repeats return `None`. `status` is `Captured` if a
/// widget has already used the event.
pub fn pressed<Message>(
    table: &[Shortcut<Message>],
    event: &Event,
    status: event::Status,
) -> Option<fn() -> Message> {
    match event {
        Event::KeyPressed { repeat: true, .. } => None,
        _ => held(table, event, status),
    }
}

/// Returns the message of a pressed key, also for key repeats.
pub fn held<Message>(
    table: &[Shortcut<Message>],
    event: &Event,
    status: event::Status,
) -> Option<fn() -> Message> {
    let is_left = |chord: &Chord| status == event::Status::Ignored || chord.is_for_the_window();
    table
        .iter()
        .find(|shortcut| {
            let mut chords = shortcut.chords.iter();
            chords.any(|chord| is_left(chord) && chord.is_pressed(event))
        })
        .map(|shortcut| shortcut.message)
}

/// Returns the event of pressing a chord on a keyboard with Latin letters.
#[cfg(any(test, feature = "testing"))]
pub fn press(chord: Chord) -> Event {
    let key = match chord.main {
        Main::Named(named) => Key::Named(named),
        Main::Letter(letter) => Key::Character(letter.to_string().into()),
        Main::Sign(sign) => Key::Character(sign.into()),
    };
    Event::KeyPressed {
        modified_key: key.clone(),
        key,
        physical_key: iced::keyboard::key::Physical::Unidentified(
            iced::keyboard::key::NativeCode::Unidentified,
        ),
        location: iced::keyboard::Location::Standard,
        modifiers: chord.modifiers,
        text: None,
        repeat: false,
    }
}

#[cfg(test)]
mod tests {
    use iced::event::Status::{Captured, Ignored};

    use super::*;

    const TABLE: &[Shortcut<&str>] = &[
        Shortcut {
            chords: &[Chord::ctrl('l'), Chord::named(Named::F5)],
            label_id: "Load",
            message: || "load",
        },
        Shortcut {
            chords: &[Chord::named(Named::Tab).with(Modifiers::SHIFT)],
            label_id: "Go back",
            message: || "back",
        },
        Shortcut {
            chords: &[Chord::sign("?")],
            label_id: "Help",
            message: || "help",
        },
    ];

    fn pressed_message(event: &Event, status: event::Status) -> Option<&'static str> {
        pressed(TABLE, event, status).map(|message| message())
    }

    #[test]
    fn only_chords_of_the_table_are_handled() {
        assert_eq!(
            pressed_message(&press(Chord::ctrl('l')), Ignored),
            Some("load")
        );
        assert_eq!(
            pressed_message(&press(Chord::named(Named::F5)), Ignored),
            Some("load")
        );
        let back = Chord::named(Named::Tab).with(Modifiers::SHIFT);
        assert_eq!(pressed_message(&press(back), Ignored), Some("back"));
        for other in [
            Chord::named(Named::Tab),
            Chord::ctrl('l').with(Modifiers::SHIFT),
            Chord::ctrl('l').with(Modifiers::ALT),
            Chord::ctrl('m'),
            Chord::sign("l"),
        ] {
            assert_eq!(pressed_message(&press(other), Ignored), None, "{other}");
        }
    }

    #[test]
    fn a_focused_field_keeps_its_characters() {
        let help = press(Chord::sign("?"));
        assert_eq!(pressed_message(&help, Captured), None);
        assert_eq!(pressed_message(&help, Ignored), Some("help"));
        assert_eq!(
            pressed_message(&press(Chord::ctrl('l')), Captured),
            Some("load")
        );
    }

    #[test]
    fn a_key_held_down_counts_once() {
        let Event::KeyPressed {
            key,
            modified_key,
            physical_key,
            location,
            modifiers,
            text,
            ..
        } = press(Chord::ctrl('l'))
        else {
            panic!("it is a press");
        };
        let held = Event::KeyPressed {
            key,
            modified_key,
            physical_key,
            location,
            modifiers,
            text,
            repeat: true,
        };
        assert_eq!(pressed_message(&held, Ignored), None);
    }

    #[test]
    fn letters_match_by_position_and_characters_by_value() {
        use iced::keyboard::key::{Code, Physical};
        let greek = Event::KeyPressed {
            key: Key::Character("λ".into()),
            modified_key: Key::Character("λ".into()),
            physical_key: Physical::Code(Code::KeyL),
            location: iced::keyboard::Location::Standard,
            modifiers: Modifiers::CTRL,
            text: None,
            repeat: false,
        };
        assert_eq!(pressed_message(&greek, Ignored), Some("load"));
        let german = Event::KeyPressed {
            key: Key::Character("ß".into()),
            modified_key: Key::Character("?".into()),
            physical_key: Physical::Code(Code::Minus),
            location: iced::keyboard::Location::Standard,
            modifiers: Modifiers::SHIFT,
            text: Some("?".into()),
            repeat: false,
        };
        assert_eq!(pressed_message(&german, Ignored), Some("help"));
    }

    #[test]
    fn chords_are_formatted_as_on_the_keyboard() {
        let written = |chord: Chord| chord.to_string();
        assert_eq!(written(Chord::ctrl('l')), "Ctrl+L");
        assert_eq!(
            written(Chord::named(Named::Enter).with(Modifiers::CTRL)),
            "Ctrl+Enter"
        );
        assert_eq!(
            written(Chord::named(Named::Tab).with(Modifiers::SHIFT)),
            "Shift+Tab"
        );
        assert_eq!(written(Chord::named(Named::Escape)), "Esc");
        assert_eq!(written(Chord::sign("?")), "?");
    }
}
