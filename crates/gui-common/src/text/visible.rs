//! Text in a window: untrusted text cannot deceive the user.
//!
//! A bidirectional control character reorders the text around it, and an invisible character makes
//! two names look the same. A lint forbids iced's own `text`, so that all text is drawn by this
//! module. A field escapes its value by [`in_field`] and restores it by [`typed`].
#![expect(clippy::disallowed_methods, reason = "all other code uses this module")]

use std::borrow::Cow;

use iced::widget::text::{Fragment, IntoFragment};
use iced::widget::{Text, text};
use shm_core::escape;

/// Draws one line of text with hidden characters escaped.
pub fn line<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    text(escaped(words, escape::line))
}

/// Draws several lines of text with hidden characters escaped.
pub fn lines<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    text(escaped(words, escape::text))
}

fn escaped<'a>(words: impl IntoFragment<'a>, escape: fn(&str) -> Cow<'_, str>) -> Fragment<'a> {
    let words = words.into_fragment();
    let visible = match escape(&words) {
        Cow::Borrowed(_) => None,
        Cow::Owned(visible) => Some(visible),
    };
    visible.map_or(words, Cow::Owned)
}

/// Escapes the hidden characters of a field's value, so that [`typed`] can restore them.
pub fn in_field(value: &str) -> Cow<'_, str> {
    if !value.contains(escape::is_hidden) {
        return value.into();
    }
    let mut shown = String::with_capacity(value.len());
    for character in value.chars() {
        if escape::is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown.into()
}

/// Restores the hidden characters that a field shows escaped.
pub fn typed(text: String) -> String {
    const BEGIN: &str = r"\u{";
    let mut meant = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(BEGIN) {
        meant.push_str(before);
        let hidden = after.split_once('}').and_then(|(digits, after)| {
            let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            escape::is_hidden(character).then_some((character, after))
        });
        match hidden {
            Some((character, after)) => {
                meant.push(character);
                rest = after;
            }
            None => {
                meant.push_str(BEGIN);
                rest = after;
            }
        }
    }
    meant.push_str(rest);
    meant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_drawn_escaped() {
        assert_eq!(escaped("a\u{202e}b\nc", escape::line), r"a\u{202e}b\nc");
        assert_eq!(escaped("a\u{202e}b\nc", escape::text), "a\\u{202e}b\nc");
        assert!(matches!(
            escaped("日本", escape::line),
            Cow::Borrowed("日本")
        ));
    }

    #[test]
    fn a_field_restores_what_it_escapes() {
        for value in [
            "",
            "K",
            "a\u{202e}b\u{200b}",
            "\u{1b}\n\t",
            r"C:\users\u{",
            r"\u{41}",
            r"\u{202",
            "日本",
        ] {
            assert_eq!(typed(in_field(value).into_owned()), value);
            assert!(!in_field(value).contains(escape::is_hidden));
        }
        assert_eq!(typed(r"\u{202e}".to_owned()), "\u{202e}");
    }
}
