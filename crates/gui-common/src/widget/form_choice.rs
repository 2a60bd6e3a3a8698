//! The drop-down beside a Qt key that chooses the form of its content.

use std::fmt;

use iced::widget::{container, pick_list, stack, text};
use iced::{Element, Pixels};
use qt_bridge::Form;

use crate::text::visible;
use crate::tr;
use crate::widget::theme;

/// The widget id of the drop-down.
pub const ID: &str = "form";

/// The width of the longest name and the arrow.
const WIDTH: f32 = 128.0;

/// The choices, in the order of the list.
const CHOICES: [Choice; 6] = [
    Choice(None),
    Choice(Some(Form::QString)),
    Choice(Some(Form::QByteArray)),
    Choice(Some(Form::CString)),
    Choice(Some(Form::Raw)),
    Choice(Some(Form::QImage)),
];

/// A form, or `None`: the form is then detected on reading and chosen by the content on writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice(Option<Form>);

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map_or_else(|| tr!("form-automatic"), name))
    }
}

/// Returns the name of the Qt type of a form.
pub fn name(form: Form) -> String {
    match form {
        Form::QString => "QString".to_owned(),
        Form::QByteArray => "QByteArray".to_owned(),
        Form::CString => "const char *".to_owned(),
        Form::Raw => tr!("form-raw"),
        Form::QImage => "QImage".to_owned(),
    }
}

/// Returns the next choice in the list; after the last, the first.
pub(crate) fn next(chosen: Option<Form>) -> Option<Form> {
    let mut choices = CHOICES.into_iter().cycle();
    choices.find(|choice| choice.0 == chosen);
    choices.next().and_then(|choice| choice.0)
}

/// Draws the drop-down at the height of a field.
pub(crate) fn view<'a, Message: Clone + 'a>(
    chosen: Option<Form>,
    on_choose: impl Fn(Option<Form>) -> Message + 'a,
) -> Element<'a, Message> {
    let padding = [theme::space::SMALL, theme::space::MEDIUM];
    let line = Pixels(theme::line_height(theme::TEXT_SIZE));
    let chosen = Choice(chosen);
    let list = pick_list(CHOICES, Some(chosen), move |choice| on_choose(choice.0))
        .text_size(theme::SMALL_SIZE)
        .text_line_height(line)
        .padding(padding)
        .width(WIDTH)
        .handle(pick_list::Handle::Arrow {
            size: Some(Pixels(theme::SMALL_SIZE)),
        })
        .style(theme::drop_down)
        .menu_style(theme::drop_down_list);
    // The software renderer redraws only the lower half of the list's own label.
    let label = visible::line(chosen.to_string())
        .size(theme::SMALL_SIZE)
        .line_height(line)
        .wrapping(text::Wrapping::None);
    container(stack![list, container(label).padding(padding)])
        .id(ID)
        .into()
}

#[cfg(test)]
mod tests {
    use iced::{Event, Point, mouse};

    use super::*;

    #[test]
    fn the_shortcut_cycles_through_all_forms() {
        let mut seen = vec![None];
        while let Some(form) = next(seen[seen.len() - 1]) {
            seen.push(Some(form));
        }
        let all = Form::NAMES.map(|(_, form)| Some(form));
        assert_eq!(seen[0], None);
        assert_eq!(seen[1..], all);
    }

    #[test]
    fn each_form_can_be_chosen_by_mouse() {
        const ROW: f32 = theme::line_height(theme::SMALL_SIZE) + 2.0 * theme::space::SMALL;
        let mut below = 0.5 * ROW;
        for choice in CHOICES {
            let mut ui = iced_test::simulator(view(Some(Form::QImage), |form| form));
            let drawn = ui.click(iced::widget::Id::new(ID)).expect("it is drawn");
            let bounds = drawn.bounds();
            let position = Point::new(bounds.center_x(), bounds.y + bounds.height + below);
            ui.point_at(position);
            ui.simulate([Event::Mouse(mouse::Event::CursorMoved { position })]);
            ui.simulate(iced_test::simulator::click());
            assert_eq!(ui.into_messages().collect::<Vec<_>>(), [choice.0]);
            below += ROW;
        }
    }

    #[test]
    fn the_drop_down_is_as_high_as_a_field() {
        let beside: Element<'_, Option<Form>> = iced::widget::text_input("", "")
            .size(theme::TEXT_SIZE)
            .padding([theme::space::SMALL, theme::space::MEDIUM])
            .into();
        let field = container(beside).id("field");
        let both = iced::widget::row![field, view(None, |form| form)];
        let mut ui = iced_test::simulator(both);
        let mut height = |id| {
            ui.find(iced::widget::Id::new(id))
                .map(|drawn| drawn.bounds().height)
        };
        assert_eq!(height("field").ok(), height(ID).ok());
    }
}
