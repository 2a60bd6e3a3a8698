//! A field that leaves chords with Ctrl to the window.
//!
//! iced's `text_input` inserts the `1` of Ctrl+1, as if Ctrl were not pressed.

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Shell, Widget, mouse, overlay, renderer};
use iced::{
    Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector,
    keyboard::{self, Modifiers},
};

/// Wraps a field so that it ignores characters pressed with Ctrl. Copy, paste and similar chords
/// still work.
pub fn ignore_shortcuts<'a, Message: 'a>(
    field: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    Element::new(IgnoreShortcuts {
        field: field.into(),
    })
}

struct IgnoreShortcuts<'a, Message> {
    field: Element<'a, Message>,
}

fn is_chord(event: &Event) -> bool {
    let Event::Keyboard(keyboard::Event::KeyPressed {
        modifiers, text, ..
    }) = event
    else {
        return false;
    };
    // AltGr, which types characters on many layouts, is reported as Ctrl and Alt on some systems.
    let is_command = modifiers.command() && !modifiers.contains(Modifiers::ALT);
    let is_character = |text: &str| !text.chars().any(char::is_control);
    is_command && text.as_deref().is_some_and(is_character)
}

impl<Message> Widget<Message, Theme, Renderer> for IgnoreShortcuts<'_, Message> {
    fn tag(&self) -> tree::Tag {
        self.field.as_widget().tag()
    }

    fn state(&self) -> tree::State {
        self.field.as_widget().state()
    }

    fn children(&self) -> Vec<Tree> {
        self.field.as_widget().children()
    }

    fn diff(&self, tree: &mut Tree) {
        self.field.as_widget().diff(tree);
    }

    fn size(&self) -> Size<Length> {
        self.field.as_widget().size()
    }

    fn size_hint(&self) -> Size<Length> {
        self.field.as_widget().size_hint()
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        self.field.as_widget_mut().layout(tree, renderer, limits)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        self.field
            .as_widget_mut()
            .operate(tree, layout, renderer, operation);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if is_chord(event) {
            return;
        }
        self.field.as_widget_mut().update(
            tree, event, layout, cursor, renderer, clipboard, shell, viewport,
        );
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        self.field
            .as_widget()
            .mouse_interaction(tree, layout, cursor, viewport, renderer)
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        self.field
            .as_widget()
            .draw(tree, renderer, theme, style, layout, cursor, viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.field
            .as_widget_mut()
            .overlay(tree, layout, renderer, viewport, translation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use iced::keyboard::Key;
    use iced::widget::text_input;
    use iced_test::simulator::press_key;

    #[test]
    fn characters_with_ctrl_are_not_typed() {
        let press = |character: &str, text: &str, modifiers: Modifiers| {
            let mut event = press_key(Key::Character(character.into()), Some(text.into()));
            if let Event::Keyboard(keyboard::Event::KeyPressed {
                modifiers: pressed, ..
            }) = &mut event
            {
                *pressed = modifiers;
            }
            event
        };
        let field = ignore_shortcuts(text_input("", "key").id("field").on_input(|text| text));
        let mut ui = iced_test::simulator(field);
        ui.click("key").expect("the field is there");
        ui.simulate([
            press("1", "1", Modifiers::CTRL),
            press("+", "+", Modifiers::CTRL | Modifiers::SHIFT),
            press("2", "2", Modifiers::NONE),
            press("q", "@", Modifiers::CTRL | Modifiers::ALT),
        ]);
        let written: Vec<String> = ui.into_messages().collect();
        assert_eq!(written, ["key2", "key2@"]);
        assert!(!is_chord(&press("v", "\u{16}", Modifiers::CTRL)));
    }
}
