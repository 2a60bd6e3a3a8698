//! The key field, which validates the key while the user types.

use iced::widget::{column, row, space, text, text_input};
use iced::{Center, Element, Fill};
use qt_bridge::{Form, QtKey};
use shm_io::Address;

use crate::text::explain::Explain;
use crate::text::visible;
use crate::tr;
use crate::widget::form_choice;
use crate::widget::ignore_shortcuts::ignore_shortcuts;
use crate::widget::theme;

/// The default key of both windows.
pub const DEFAULT_KEY: &str = "MySharedMemory";

/// The widget id of the field, to give it the focus.
pub const ID: &str = "key";

/// The text of the field, and the key that it parses to.
#[derive(Clone, Debug)]
pub struct KeyField {
    text: String,
    /// The key, or the sentence that explains why the text is not a key.
    checked: Result<Address, String>,
    /// The chosen form of a Qt key's content.
    form: Option<Form>,
}

impl KeyField {
    /// Creates a field with `text`, which may be invalid.
    pub fn new(text: impl Into<String>) -> KeyField {
        let text = text.into();
        let parsed = text.parse::<Address>();
        let checked = parsed.map_err(|error| error.explain());
        KeyField {
            text,
            checked,
            form: None,
        }
    }

    /// Replaces the text. The form is kept if both the old and the new text are Qt keys.
    pub fn set(&mut self, text: String) {
        let form = self.form;
        *self = KeyField::new(text);
        self.choose_form(form);
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the key.
    ///
    /// # Errors
    ///
    /// Returns the sentence that explains why the text is not a key.
    pub fn key(&self) -> Result<&Address, &str> {
        self.checked.as_ref().map_err(String::as_str)
    }

    /// Returns `true` if the text begins as a Qt key does.
    pub fn is_for_qt(&self) -> bool {
        QtKey::is_written_so(&self.text)
    }

    /// Returns `true` if a window of this width has no room for words beside the key, because the
    /// form choice of a Qt key takes it.
    pub fn is_cramped_at(&self, width: f32) -> bool {
        const NARROW: f32 = 560.0;
        width < NARROW && self.is_for_qt()
    }

    /// Returns the chosen form, or `None` for automatic detection.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Chooses a form. Has no effect unless the text is a Qt key.
    pub fn choose_form(&mut self, form: Option<Form>) {
        self.form = form.filter(|_| self.is_for_qt());
    }

    /// Returns the form that follows the chosen one in the list.
    pub fn next_form(&self) -> Option<Form> {
        form_choice::next(self.form)
    }

    /// Draws the label, the field, the form choice of a Qt key, and `beside`; below them, the
    /// error. The error line always takes its space, so that the layout does not move while the
    /// user types.
    pub fn view<'a, Message: Clone + 'a>(
        &'a self,
        on_input: impl Fn(String) -> Message + 'a,
        on_submit: Message,
        on_form: impl Fn(Option<Form>) -> Message + 'a,
        beside: impl Into<Element<'a, Message>>,
    ) -> Element<'a, Message> {
        let field = text_input(&tr!("key-placeholder"), &visible::in_field(&self.text))
            .id(ID)
            .on_input(move |text| on_input(visible::typed(text)))
            .on_submit(on_submit)
            .size(theme::TEXT_SIZE)
            .padding([theme::space::SMALL, theme::space::MEDIUM])
            .width(Fill)
            .style(if self.checked.is_ok() {
                theme::field
            } else {
                theme::wrong_field
            });
        let form = self
            .is_for_qt()
            .then(|| form_choice::view(self.form, on_form));
        let line = row![
            visible::line(tr!("key-label")).size(theme::TEXT_SIZE),
            ignore_shortcuts(field)
        ]
        .extend(form)
        .push(beside)
        .spacing(theme::space::MEDIUM)
        .align_y(Center);
        let problem = visible::line(self.checked.as_ref().err().map_or("", String::as_str))
            .size(theme::SMALL_SIZE)
            .wrapping(text::Wrapping::WordOrGlyph)
            .style(theme::wrong);
        let problem = row![
            space().height(theme::line_height(theme::SMALL_SIZE)),
            problem
        ];
        column![line, problem].spacing(theme::space::TINY).into()
    }
}

impl Default for KeyField {
    fn default() -> KeyField {
        KeyField::new(DEFAULT_KEY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    enum Message {
        Edited(String),
        Submitted,
        Chosen(Option<Form>),
    }

    fn simulator(field: &KeyField) -> iced_test::Simulator<'_, Message> {
        let nothing = iced::widget::space();
        iced_test::simulator(field.view(
            Message::Edited,
            Message::Submitted,
            Message::Chosen,
            nothing,
        ))
    }

    #[test]
    fn the_default_key_is_that_of_the_qt_example() {
        let field = KeyField::default();
        assert_eq!(field.key().map(Address::as_str), Ok("MySharedMemory"));
    }

    #[test]
    fn an_invalid_key_shows_an_error_while_it_is_typed() {
        let mut field = KeyField::default();
        field.set("a/b".to_owned());
        assert_eq!(field.text(), "a/b");
        let problem = field.key().expect_err("a slash").to_owned();
        simulator(&field)
            .find(problem.as_str())
            .expect("the sentence is drawn");
        field.set("ab".to_owned());
        assert!(field.key().is_ok());
        assert!(simulator(&field).find(problem.as_str()).is_err());
    }

    #[test]
    fn hidden_characters_are_visible_in_the_field_and_in_the_error() {
        let field = KeyField::new("qt:a\u{202e}b");
        assert!(field.key().is_ok(), "a Qt program may have such a key");
        let mut ui = simulator(&field);
        ui.click(iced::widget::Id::new(ID))
            .expect("the field is drawn");
        ui.typewrite("c");
        let typed: Vec<Message> = ui.into_messages().collect();
        let [Message::Edited(text)] = &typed[..] else {
            panic!("{typed:?}");
        };
        // An escape still stands for one character, wherever the cursor was.
        let characters = text.chars().filter(|one| *one == '\u{202e}').count();
        assert_eq!((characters, text.chars().count()), (1, 7), "{text:?}");

        let field = KeyField::new("a\u{202e}b");
        let problem = field.key().expect_err("no key has it").to_owned();
        assert!(problem.contains("U+202E"), "{problem}");
        assert!(!problem.contains('\u{202e}'), "{problem:?}");
    }

    #[test]
    fn typing_and_enter_send_messages() {
        let field = KeyField::new("K");
        let mut ui = simulator(&field);
        ui.click(iced::widget::Id::new(ID))
            .expect("the field is drawn");
        ui.typewrite("2");
        ui.tap_key(iced::keyboard::key::Named::Enter);
        let messages: Vec<Message> = ui.into_messages().collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(matches!(&messages[0], Message::Edited(text) if text.contains('2')));
        assert_eq!(messages[1], Message::Submitted);
    }

    #[test]
    fn only_a_qt_key_has_a_choice_of_forms() {
        let is_offered = |field: &KeyField| {
            let offered = simulator(field).find(iced::widget::Id::new(form_choice::ID));
            offered.is_ok()
        };
        let mut field = KeyField::new("qt:A");
        assert!(is_offered(&field));
        field.choose_form(Some(Form::Raw));
        for qt in ["qt:", "posix:/b", "systemv:/tmp/c", "qt-posix:D"] {
            field.set(qt.to_owned());
            assert_eq!(field.form(), Some(Form::Raw), "{qt}");
            assert!(is_offered(&field), "{qt}");
        }
        field.set("D".to_owned());
        assert_eq!(field.form(), None);
        assert!(!is_offered(&field));
        field.choose_form(Some(Form::Raw));
        field.set("qt:D".to_owned());
        assert_eq!(field.form(), None);
    }
}
