//! A text as the card shows it, and which part of it is selected.

use std::borrow::Cow;

use iced::widget::text_editor::{Content, Position};
use shm_core::escape::is_hidden_in_text;

/// Makes the hidden characters of a text visible. A carriage return before a line feed is a line end,
/// and stays one: nothing is written over in a window.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !has_hidden(text) {
        return text.into();
    }
    let mut visible = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if is_escaped(text, at, character) {
            visible.extend(character.escape_default());
        } else {
            visible.push(character);
        }
    }
    visible.into()
}

/// Returns whether a text is shown otherwise than it is.
pub(super) fn has_hidden(text: &str) -> bool {
    let mut characters = text.char_indices();
    characters.any(|(at, character)| is_escaped(text, at, character))
}

/// Returns what an editor that shows a text made visible has selected of the text itself.
pub(super) fn selected<'a>(text: &'a str, editor: &Content) -> Option<&'a str> {
    let cursor = editor.cursor();
    let ends = [cursor.position, cursor.selection?];
    let [one, other] = ends.map(|end| original_offset(text, offset_of(editor, end)));
    text.get(one.min(other)..one.max(other))
}

/// Returns where in the whole text of an editor a position is, in bytes.
pub fn offset_of(editor: &Content, position: Position) -> usize {
    let before: usize = editor
        .lines()
        .take(position.line)
        .map(|line| line.text.len() + line.ending.as_str().len())
        .sum();
    before + position.column
}

/// Finds in a text what is at an offset of the visible one; what comes next, where that is within an
/// escape.
fn original_offset(text: &str, visible_offset: usize) -> usize {
    let mut visible = 0;
    for (at, character) in text.char_indices() {
        if visible >= visible_offset {
            return at;
        }
        visible += match is_escaped(text, at, character) {
            true => character.escape_default().len(),
            false => character.len_utf8(),
        };
    }
    text.len()
}

fn is_escaped(text: &str, at: usize, character: char) -> bool {
    is_hidden_in_text(character) && !(character == '\r' && text[at + 1..].starts_with('\n'))
}
