//! Escaping of invisible characters, and of those that control a terminal.
//!
//! Names and texts in shared memory are untrusted input. Written raw, an escape sequence moves a
//! terminal's cursor, a bidirectional control makes a name read as another one, and two names that
//! differ by a zero-width character look the same. [`is_hidden`] is the class of these characters:
//! no [`Key`](crate::Key) contains one, and programs show them escaped.
//!
//! The escaped form is that of Rust: `\n`, `\r`, `\t`, and `\u{202e}` for everything else, with the
//! code point in hexadecimal. A backslash stays as it is: the form is for display, and cannot be
//! parsed back.

use std::borrow::Cow;

/// Returns `true` if a character is shown escaped because it controls a terminal or is invisible.
///
/// These are the control characters (Unicode category Cc), the line and paragraph separators, the
/// interlinear annotation characters, and what Unicode lists as `Default_Ignorable_Code_Point`,
/// except for the two variation selectors that choose between text and emoji presentation. Format
/// characters with a glyph of their own, such as the Arabic number sign, are not among them.
///
/// # Examples
///
/// ```
/// use shm_core::escape;
///
/// assert!(escape::is_hidden('\u{1b}'));
/// assert!(escape::is_hidden('\u{202e}'));
/// assert!(!escape::is_hidden('鍵'));
/// ```
#[inline]
#[must_use]
pub fn is_hidden(character: char) -> bool {
    // Printable ASCII, the most frequent case, is recognised by one comparison.
    if (' '..='~').contains(&character) {
        return false;
    }
    matches!(
        character,
        '\0'..='\u{1f}' // C0: escape sequences begin here; line feed, tab and NUL among them
        | '\u{7f}'..='\u{9f}' // DEL, and C1: escape sequences again, in one character each
        | '\u{ad}' // soft hyphen: drawn only where a line breaks
        | '\u{34f}' // combining grapheme joiner: no glyph
        | '\u{61c}' // Arabic letter mark: reorders
        | '\u{115f}' | '\u{1160}' // Hangul fillers: letters without a glyph
        | '\u{17b4}' | '\u{17b5}' // Khmer inherent vowels: no glyph
        | '\u{180b}'..='\u{180f}' // Mongolian variation selectors and vowel separator: no glyph
        | '\u{200b}'..='\u{200d}' // zero-width space, non-joiner, joiner
        | '\u{200e}' | '\u{200f}' // left-to-right and right-to-left marks: reorder
        | '\u{2028}' | '\u{2029}' // line and paragraph separators: line ends for some programs
        | '\u{202a}'..='\u{202e}' // embeddings and overrides: reorder ("Trojan Source")
        | '\u{2060}'..='\u{2065}' // word joiner, invisible operators, and one to come
        | '\u{2066}'..='\u{2069}' // isolates: reorder
        | '\u{206a}'..='\u{206f}' // deprecated format characters: some reorder
        | '\u{3164}' // Hangul filler
        | '\u{fe00}'..='\u{fe0d}' // variation selectors 1 to 14: can carry hidden data
        | '\u{feff}' // zero-width no-break space, the byte order mark
        | '\u{ffa0}' // halfwidth Hangul filler
        | '\u{fff0}'..='\u{fff8}' // reserved for more invisible ones
        | '\u{fff9}'..='\u{fffb}' // interlinear annotations: hide what stands between them
        | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls: no glyph
        | '\u{1d173}'..='\u{1d17a}' // musical format controls: no glyph
        | '\u{e0000}'..='\u{e0fff}' // tags, and variation selectors 17 to 256: can carry hidden data
    )
}

/// Escapes the hidden characters of a line, including line ends and tabs.
///
/// For names, paths and messages: one line stays one line. Does not allocate if nothing is hidden.
///
/// # Examples
///
/// ```
/// use shm_core::escape;
///
/// assert_eq!(escape::line("a\u{202e}b\n"), r"a\u{202e}b\n");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Escapes the hidden characters of a text, except for line feeds and tabs.
///
/// A carriage return is escaped, because on a terminal the text after it overwrites the line. Does
/// not allocate if nothing is hidden.
///
/// # Examples
///
/// ```
/// use shm_core::escape;
///
/// assert_eq!(escape::text("one\n\ttwo\r\n"), "one\n\ttwo\\r\n");
/// ```
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden_in_text)
}

/// Returns `true` if a character is shown escaped in a text of several lines.
#[inline]
#[must_use]
pub fn is_hidden_in_text(character: char) -> bool {
    is_hidden(character) && character != '\n' && character != '\t'
}

/// Returns the longest prefix of a text that has at most `bytes` bytes and ends with a whole
/// character.
pub(crate) fn truncated(text: &str, bytes: usize) -> &str {
    let end = (0..=text.len().min(bytes))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

/// Escapes the characters of a class.
fn escaped(text: &str, is_in_class: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&is_in_class) else {
        return Cow::Borrowed(text);
    };
    let (plain, rest) = text.split_at(first);
    let mut visible = plain.to_owned();
    for character in rest.chars() {
        if is_in_class(character) {
            visible.extend(character.escape_default());
        } else {
            visible.push(character);
        }
    }
    Cow::Owned(visible)
}

/// Escapes the hidden characters of a name that another process reports; returns "unknown" if it is
/// empty.
pub(crate) fn escaped_name(name: &str) -> String {
    match name {
        "" => "unknown".into(),
        name => line(name).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_invisible_characters_are_hidden() {
        let hidden = [
            0x00, 0x07, 0x09, 0x0a, 0x0d, 0x1b, 0x7f, 0x80, 0x9b, 0x9f, 0xad, 0x34f, 0x61c, 0x115f,
            0x180e, 0x200b, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2064,
            0x2066, 0x2069, 0x206a, 0x206f, 0x3164, 0xfe00, 0xfeff, 0xffa0, 0xfff9, 0xfffb,
            0x1d173, 0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xe01ef,
        ];
        for code in hidden {
            let character = char::from_u32(code).unwrap();
            assert!(is_hidden(character), "U+{code:04X}");
        }
    }

    #[test]
    fn visible_characters_are_not_hidden() {
        // Scripts written from right to left, combining characters, emoji with and without their
        // selector, spaces of all widths, format characters with a glyph.
        let visible = "az~ é e\u{301} 鍵 ключ עברית العربية हिन्दी ไทย 🙂 ❤\u{fe0f} ☎\u{fe0e} 👍🏽 🇩🇪 \
                    \u{a0}\u{2003}\u{3000}\u{fffd}\u{fffc}\u{e000}\u{600}";
        for character in visible.chars() {
            assert!(!is_hidden(character), "{character:?}");
        }
        assert!(matches!(line(visible), Cow::Borrowed(same) if same == visible));
        assert!(matches!(text(visible), Cow::Borrowed(same) if same == visible));
    }

    #[test]
    fn a_truncated_text_ends_with_a_whole_character() {
        assert_eq!(truncated("abc", 8), "abc");
        assert_eq!(truncated("aé", 3), "aé");
        assert_eq!(truncated("aé", 2), "a");
        assert_eq!(truncated("鍵", 2), "");
    }

    #[test]
    fn a_text_keeps_its_lines_and_a_line_stays_one() {
        assert_eq!(text("a\tb\r\nc\u{1b}[31m"), "a\tb\\r\nc\\u{1b}[31m");
        assert_eq!(line("a\tb\r\nc\u{1b}[31m"), r"a\tb\r\nc\u{1b}[31m");
        assert_eq!(line(r"C:\new"), r"C:\new");
        assert_eq!(line("tag\u{e0041}"), r"tag\u{e0041}");
    }
}
