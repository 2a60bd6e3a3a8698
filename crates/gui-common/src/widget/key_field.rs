//! The field that holds the key, checked while it is typed.

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

/// The key that both windows begin with.
pub const DEFAULT_KEY: &str = "MySharedMemory";

/// The widget id of the field, to give it the focus.
pub const ID: &str = "key";

/// What stands in the field, and whether it is a key.
#[derive(Clone, Debug)]
pub struct KeyField {
    text: String,
    /// The key, or the sentence that says why there is none.
    checked: Result<Address, String>,
    /// How what stands under a Qt key is read and written, where that was chosen.
    form: Option<Form>,
}

impl KeyField {
    /// Begins with `text`, valid or not.
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

    /// Replaces the text, as its owner typed it. From one Qt key to another the form stays.
    pub fn set(&mut self, text: String) {
        let form = self.form;
        *self = KeyField::new(text);
        self.choose_form(form);
    }

    /// Returns the text as it stands there.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the key.
    ///
    /// # Errors
    ///
    /// The sentence that says why the text is no key, where it is none.
    pub fn key(&self) -> Result<&Address, &str> {
        self.checked.as_ref().map_err(String::as_str)
    }

    /// Returns `true` if it is a Qt key that stands there, or becomes one.
    pub fn is_for_qt(&self) -> bool {
        QtKey::is_written_so(&self.text)
    }

    /// Returns `true` if words beside the key should leave their room to it, in a window so wide: under a
    /// Qt key it has given some to its form.
    pub fn is_cramped_at(&self, width: f32) -> bool {
        const NARROW: f32 = 560.0;
        width < NARROW && self.is_for_qt()
    }

    /// Returns the form that was chosen; `None` where it is to be found out.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Chooses a form; only under a Qt key there is a choice.
    pub fn choose_form(&mut self, form: Option<Form>) {
        self.form = form.filter(|_| self.is_for_qt());
    }

    /// Returns the form after the one that is chosen, in the order of the list.
    pub fn next_form(&self) -> Option<Form> {
        form_choice::next(self.form)
    }

    /// Draws the label and the field with `beside` at its right, and before that the choice of a
    /// form, where there is one; below them, what is wrong. That line is always there, so that
    /// nothing moves while a key is typed.
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
    fn it_begins_with_the_key_of_the_original() {
        let field = KeyField::default();
        assert_eq!(field.key().map(Address::as_str), Ok("MySharedMemory"));
    }

    #[test]
    fn what_is_no_key_is_said_to_be_none_while_it_is_typed() {
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
    fn hidden_characters_are_visible_in_the_field_and_in_what_is_wrong() {
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
        // One escape is still one character, wherever the cursor was.
        let characters = text.chars().filter(|one| *one == '\u{202e}').count();
        assert_eq!((characters, text.chars().count()), (1, 7), "{text:?}");

        let field = KeyField::new("a\u{202e}b");
        let problem = field.key().expect_err("no key has it").to_owned();
        assert!(problem.contains("U+202E"), "{problem}");
        assert!(!problem.contains('\u{202e}'), "{problem:?}");
    }

    #[test]
    fn typing_and_enter_are_told() {
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
    fn a_form_is_chosen_under_a_qt_key_and_no_other() {
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
