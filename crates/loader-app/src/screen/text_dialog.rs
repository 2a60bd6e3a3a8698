//! The text dialog: an editor on a card over the dimmed window.

use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane::offset_of;
use gui_common::widget::theme;
use iced::keyboard::{Key, key::Named};
use iced::widget::text_editor::{self, Binding, KeyPress};
use iced::widget::{
    button, center, column, container, opaque, operation, row, space, text, text_editor as editor,
};
use iced::{Center, Element, Fill, Task};

/// The widget id of the editor.
pub(crate) const EDITOR: &str = "text";

/// Longer pastes bypass the editor, in bytes.
const LARGE_PASTE: usize = 64 * 1024;

/// The state of the dialog.
#[derive(Debug)]
pub(crate) struct TextDialog {
    /// The key of the segment, for display.
    key: String,
    content: text_editor::Content,
    /// Why the text was not loaded.
    problem: Option<String>,
    /// Whether the text is being loaded; a second press of OK must not load it again.
    is_loading: bool,
}

/// A user action in the dialog.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The user edited, selected or scrolled.
    Edit(text_editor::Action),
    /// The user pressed OK.
    Accept,
    /// The user cancelled the dialog.
    Cancel,
}

/// What the window does after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing; the dialog stays open.
    None,
    /// Load this text. The dialog stays open until it is closed, so that a failure loses no text.
    Load(String),
    /// Close the dialog.
    Close,
}

impl TextDialog {
    /// Opens an empty dialog; the task focuses the editor.
    pub(crate) fn open<M>(key: &str) -> (TextDialog, Task<M>) {
        let dialog = TextDialog {
            key: key.to_owned(),
            content: text_editor::Content::new(),
            problem: None,
            is_loading: false,
        };
        (dialog, operation::focus(EDITOR))
    }

    /// Shows why the text could not be loaded.
    pub(crate) fn reject(&mut self, problem: String) {
        self.problem = Some(problem);
        self.is_loading = false;
    }

    /// Applies a user action.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Edit(action) => {
                if action.is_edit() {
                    self.problem = None;
                }
                match action {
                    text_editor::Action::Edit(text_editor::Edit::Paste(pasted))
                        if pasted.len() > LARGE_PASTE =>
                    {
                        self.paste_large(&pasted);
                    }
                    action => self.content.perform(action),
                }
                Action::None
            }
            Message::Accept if self.is_loading => Action::None,
            Message::Accept => {
                let text = self.content.text();
                if text.is_empty() {
                    self.problem = Some(tr!("text-missing"));
                    return Action::None;
                }
                self.is_loading = true;
                Action::Load(text)
            }
            Message::Cancel => Action::Close,
        }
    }

    /// Inserts a large text at the cursor, and leaves the cursor before it.
    ///
    /// The editor inserts line by line, in quadratic time. A new editor takes a text at once.
    fn paste_large(&mut self, pasted: &str) {
        let text = self.content.text();
        let cursor = self.content.cursor();
        let one = offset_of(&self.content, cursor.position);
        let other = cursor
            .selection
            .map_or(one, |end| offset_of(&self.content, end));
        let (start, end) = (one.min(other), one.max(other));
        let before = text.get(..start).unwrap_or(&text);
        let after = text.get(end..).unwrap_or_default();
        let whole = [before, pasted, after].concat();
        self.content = text_editor::Content::with_text(&whole);
        let position = match cursor.selection {
            Some(selection) if other < one => selection,
            _ => cursor.position,
        };
        self.content.move_to(text_editor::Cursor {
            position,
            selection: None,
        });
    }

    /// Draws the dialog over the dimmed window.
    pub(crate) fn view(&self) -> Element<'_, Message> {
        let title = column![
            visible::line(tr!("text-title")).size(theme::TEXT_SIZE),
            visible::line(tr!("text-key", key = self.key))
                .size(theme::SMALL_SIZE)
                .wrapping(text::Wrapping::WordOrGlyph)
                .style(theme::muted),
        ]
        .spacing(theme::space::TINY);
        let problem = self.problem.as_deref().map(|problem| {
            visible::line(problem)
                .size(theme::SMALL_SIZE)
                .wrapping(text::Wrapping::WordOrGlyph)
                .style(theme::wrong)
        });
        let card = column![title, self.view_editor(), problem, view_buttons()]
            .spacing(theme::space::MEDIUM);
        let card = container(card)
            .padding(theme::space::HUGE)
            .max_width(theme::extent::DIALOG_WIDTH)
            .max_height(theme::extent::DIALOG_HEIGHT)
            .style(theme::dialog);
        opaque(center(card).padding(theme::space::HUGE).style(theme::dim))
    }

    fn view_editor(&self) -> Element<'_, Message> {
        editor(&self.content)
            .id(EDITOR)
            .placeholder(tr!("text-placeholder"))
            .on_action(Message::Edit)
            .key_binding(binding)
            .size(theme::TEXT_SIZE)
            .padding(theme::space::MEDIUM)
            .height(Fill)
            .style(theme::editor)
            .into()
    }
}

fn view_buttons<'a>() -> Element<'a, Message> {
    let hint = visible::line(tr!("text-hint"))
        .size(theme::SMALL_SIZE)
        .style(theme::muted);
    let padding = [theme::space::SMALL, theme::space::LARGE];
    let cancel = button(visible::line(tr!("cancel")).size(theme::TEXT_SIZE))
        .padding(padding)
        .style(theme::secondary_button)
        .on_press(Message::Cancel);
    let ok = button(visible::line(tr!("text-ok")).size(theme::TEXT_SIZE))
        .padding(padding)
        .style(theme::primary_button)
        .on_press(Message::Accept);
    row![hint, space::horizontal(), cancel, ok]
        .spacing(theme::space::SMALL)
        .align_y(Center)
        .into()
}

/// Returns the editor's key bindings, with Tab as text. The window handles the two keys that end
/// the dialog.
fn binding(press: KeyPress) -> Option<Binding<Message>> {
    if !matches!(press.status, text_editor::Status::Focused { .. }) {
        return None;
    }
    match press.key.as_ref() {
        // The window handles these for any focus.
        Key::Named(Named::Enter) if press.modifiers.command() => None,
        Key::Named(Named::Escape) => None,
        Key::Named(Named::Tab) if press.modifiers.is_empty() => Some(Binding::Insert('\t')),
        _ => Binding::from_key_press(press),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialog() -> TextDialog {
        let (dialog, focus) = TextDialog::open::<()>("K");
        drop(focus);
        dialog
    }

    fn paste(dialog: &mut TextDialog, text: &str) {
        let paste = text_editor::Edit::Paste(text.to_owned().into());
        dialog.update(Message::Edit(text_editor::Action::Edit(paste)));
    }

    #[test]
    fn a_pasted_text_is_unchanged() {
        for text in [
            "one",
            "tail\n",
            "\n",
            "a\n\n",
            "a\r\nb\r\n",
            "mixed\r\nand\nthen\n",
            "\ttab",
            "a\u{2028}b",
            "a\rb",
            "\u{feff}bom",
            "e\u{301}\u{200d}😀",
            "a\n\rb",
            "nul\0",
            "\u{b}\u{c}\u{85}",
        ] {
            let mut dialog = dialog();
            paste(&mut dialog, text);
            assert_eq!(dialog.content.text(), text, "{text:?}");
            let large = text.repeat(LARGE_PASTE / text.len() + 1);
            let mut dialog = self::dialog();
            paste(&mut dialog, &large);
            assert!(dialog.content.text() == large, "{text:?}, many times");
        }
    }

    #[test]
    fn a_large_text_is_inserted_at_the_cursor() {
        use text_editor::{Action, Motion};
        let large = "line\n".repeat(LARGE_PASTE / 4);
        let mut dialog = dialog();
        paste(&mut dialog, "ab\r\ncd");
        dialog.update(Message::Edit(Action::Move(Motion::Left)));
        paste(&mut dialog, &large);
        assert!(dialog.content.text() == format!("ab\r\nc{large}d"));
        // A selection is replaced: here the first line with its line ending.
        dialog.update(Message::Edit(Action::Move(Motion::DocumentStart)));
        dialog.update(Message::Edit(Action::Select(Motion::Down)));
        paste(&mut dialog, &large);
        assert!(dialog.content.text() == format!("{large}c{large}d"));
    }

    #[test]
    fn a_text_is_loaded_once() {
        let mut dialog = dialog();
        paste(&mut dialog, "once");
        assert_eq!(
            dialog.update(Message::Accept),
            Action::Load("once".to_owned())
        );
        assert_eq!(dialog.update(Message::Accept), Action::None);
        dialog.reject("No room.".to_owned());
        assert_eq!(
            dialog.update(Message::Accept),
            Action::Load("once".to_owned())
        );
        assert_eq!(dialog.update(Message::Cancel), Action::Close);
    }
}
