//! The input dialog: a card over the dimmed window, with a text to be written.

use app_kit::theme;
use iced::keyboard::{Key, key::Named};
use iced::widget::text_editor::{self, Binding, KeyPress};
use iced::widget::{
    button, center, column, container, opaque, operation, row, space, text, text_editor as editor,
};
use iced::{Center, Element, Fill, Task};

/// The widget id of the editor.
pub const EDITOR: &str = "text";

/// What is written so far.
#[derive(Debug)]
pub struct TextDialog {
    /// Where the text will go; shown only.
    key: String,
    content: text_editor::Content,
    /// Why the text was not taken.
    problem: Option<String>,
}

/// What the person at the keyboard does.
#[derive(Clone, Debug)]
pub enum Message {
    /// Writes, selects, scrolls.
    Edit(text_editor::Action),
    /// Wants the text loaded.
    Accept,
    /// Wants to leave.
    Cancel,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the dialog goes on.
    None,
    /// Load this text. The dialog stays until it is closed, so that a failure costs no text.
    Load(String),
    /// Close the dialog.
    Close,
}

impl TextDialog {
    /// Opens an empty dialog; the task gives the focus to the editor.
    pub fn open<M>(key: &str) -> (TextDialog, Task<M>) {
        let dialog = TextDialog {
            key: key.to_owned(),
            content: text_editor::Content::new(),
            problem: None,
        };
        (dialog, operation::focus(EDITOR))
    }

    /// Says why the text could not be loaded.
    pub fn reject(&mut self, problem: String) {
        self.problem = Some(problem);
    }

    /// Takes in what was done.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Edit(action) => {
                if action.is_edit() {
                    self.problem = None;
                }
                self.content.perform(action);
                Action::None
            }
            Message::Accept => {
                let text = self.content.text();
                if text.is_empty() {
                    self.problem = Some("Enter a text first".to_owned());
                    return Action::None;
                }
                Action::Load(text)
            }
            Message::Cancel => Action::Close,
        }
    }

    /// Draws the dialog and dims what lies below.
    pub fn view(&self) -> Element<'_, Message> {
        let title = column![
            text("Text to load").size(theme::TEXT_SIZE),
            text(format!(
                "It goes into shared memory under the key {}.",
                self.key
            ))
            .size(theme::SMALL_SIZE)
            .style(theme::muted),
        ]
        .spacing(theme::space::TINY);
        let problem = self.problem.as_deref().map(|problem| {
            text(problem)
                .size(theme::SMALL_SIZE)
                .wrapping(text::Wrapping::WordOrGlyph)
                .style(theme::wrong)
        });
        let card = column![title, self.view_editor(), problem, view_buttons()]
            .spacing(theme::space::MEDIUM);
        let card = container(card)
            .padding(theme::space::HUGE)
            .max_width(560)
            .max_height(420)
            .style(theme::dialog);
        opaque(center(card).padding(theme::space::HUGE).style(theme::dim))
    }

    fn view_editor(&self) -> Element<'_, Message> {
        editor(&self.content)
            .id(EDITOR)
            .placeholder("Write or paste any text, in any script.")
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
    let hint = text("Ctrl+Enter for OK, Esc to cancel")
        .size(theme::SMALL_SIZE)
        .style(theme::muted);
    let padding = [theme::space::SMALL, theme::space::LARGE];
    let cancel = button(text("Cancel").size(theme::TEXT_SIZE))
        .padding(padding)
        .style(theme::secondary_button)
        .on_press(Message::Cancel);
    let ok = button(text("OK").size(theme::TEXT_SIZE))
        .padding(padding)
        .style(theme::primary_button)
        .on_press(Message::Accept);
    row![hint, space::horizontal(), cancel, ok]
        .spacing(theme::space::SMALL)
        .align_y(Center)
        .into()
}

/// The editor's own keys, but for the two that end the dialog, and Tab, which is text here.
fn binding(press: KeyPress) -> Option<Binding<Message>> {
    if !matches!(press.status, text_editor::Status::Focused { .. }) {
        return None;
    }
    match press.key.as_ref() {
        Key::Named(Named::Enter) if press.modifiers.command() => {
            Some(Binding::Custom(Message::Accept))
        }
        Key::Named(Named::Escape) => Some(Binding::Custom(Message::Cancel)),
        Key::Named(Named::Tab) if press.modifiers.is_empty() => Some(Binding::Insert('\t')),
        _ => Binding::from_key_press(press),
    }
}
