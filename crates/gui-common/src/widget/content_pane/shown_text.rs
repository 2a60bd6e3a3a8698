//! The text in the card, with hidden characters escaped, and its selection.

use std::borrow::Cow;

use iced::widget::text_editor::{Content, Position};
use shm_core::escape::is_hidden_in_text;

/// Escapes the hidden characters of a text. A carriage return before a line feed is part of a line
/// end and is kept.
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

/// Returns `true` if the shown text differs from the original.
pub(super) fn has_hidden(text: &str) -> bool {
    let mut characters = text.char_indices();
    characters.any(|(at, character)| is_escaped(text, at, character))
}

/// Returns the part of the original text that is selected in the editor of the escaped text.
pub(super) fn selected<'a>(text: &'a str, editor: &Content) -> Option<&'a str> {
    let cursor = editor.cursor();
    let ends = [cursor.position, cursor.selection?];
    let [one, other] = ends.map(|end| original_offset(text, offset_of(editor, end)));
    text.get(one.min(other)..one.max(other))
}

/// Returns the byte offset of a position in the text of an editor.
pub fn offset_of(editor: &Content, position: Position) -> usize {
    let before: usize = editor
        .lines()
        .take(position.line)
        .map(|line| line.text.len() + line.ending.as_str().len())
        .sum();
    before + position.column
}

/// Maps an offset in the escaped text to one in the original text. An offset within an escape maps
/// to the character after it.
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
