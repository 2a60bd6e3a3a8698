//! The help: a card over the dimmed window that lists all shortcuts.

use iced::widget::{button, center, column, container, mouse_area, opaque, row, scrollable, space};
use iced::{Center, Element, Fill};

use crate::picture::picture_view;
use crate::text::visible;
use crate::tr;
use crate::widget::shortcut::Shortcut;
use crate::widget::theme;

/// An id that no widget has. Focusing it removes the focus from all widgets, so that key presses go
/// to the help and not to a field below it.
pub const NO_FIELD: &str = "no field";

/// The width of the longest chord.
const KEYS_WIDTH: f32 = 136.0;

/// Draws the help: the shortcuts of the window and of its picture, over the dimmed window. A click
/// beside the card closes it, as Esc does.
pub fn view<'a, Message: Clone + 'static>(
    tables: impl IntoIterator<Item = &'static [Shortcut<Message>]>,
    close: Message,
) -> Element<'a, Message> {
    let shortcuts = tables.into_iter().flatten();
    let rows = column(shortcuts.map(view_shortcut))
        .extend(picture_view::SHORTCUTS.iter().map(view_shortcut))
        .spacing(theme::space::TINY);
    let list = scrollable(rows).width(Fill).style(theme::scroll);
    let heading = row![
        visible::line(tr!("help-title")).size(theme::TEXT_SIZE),
        space::horizontal(),
        button(visible::line(tr!("close")).size(theme::SMALL_SIZE))
            .padding([theme::space::TINY, theme::space::MEDIUM])
            .style(theme::quiet_button)
            .on_press(close.clone()),
    ]
    .align_y(Center);
    let card = container(column![heading, list].spacing(theme::space::LARGE))
        .padding(theme::space::HUGE)
        .max_width(theme::extent::WORDS)
        .style(theme::dialog);
    let dimmed = center(opaque(card))
        .padding(theme::space::HUGE)
        .style(theme::dim);
    opaque(mouse_area(dimmed).on_press(close))
}

fn view_shortcut<'a, Other, Message: 'a>(shortcut: &Shortcut<Other>) -> Element<'a, Message> {
    let keys = row(shortcut.chords.iter().map(|chord| {
        container(visible::line(chord.to_string()).size(theme::SMALL_SIZE))
            .padding([0.0, theme::space::SMALL])
            .style(theme::key_cap)
            .into()
    }))
    .spacing(theme::space::TINY)
    .width(KEYS_WIDTH);
    row![
        keys,
        visible::line(shortcut.label())
            .size(theme::SMALL_SIZE)
            .width(Fill),
    ]
    .spacing(theme::space::SMALL)
    .align_y(Center)
    .into()
}

/// Draws the quiet button that opens the help.
pub fn open_button<'a, Message: Clone + 'a>(on_press: Message) -> Element<'a, Message> {
    button(visible::line("?").size(theme::SMALL_SIZE))
        .padding([theme::space::TINY, theme::space::SMALL])
        .style(theme::quiet_button)
        .on_press(on_press)
        .into()
}

#[cfg(test)]
mod tests {
    use iced::keyboard::key::Named;

    use super::*;
    use crate::widget::shortcut::Chord;

    const TABLE: &[Shortcut<&str>] = &[
        Shortcut {
            chords: &[Chord::named(Named::F5), Chord::ctrl('s')],
            label_id: "Show it",
            message: || "show",
        },
        Shortcut {
            chords: &[Chord::sign("?")],
            label_id: "Open the help",
            message: || "help",
        },
    ];

    #[test]
    fn every_shortcut_and_its_label_are_drawn() {
        let mut ui = iced_test::simulator(view([TABLE], "close"));
        for words in ["F5", "Ctrl+S", "Show it", "?", "Open the help", "Ctrl+1"] {
            ui.find(words)
                .unwrap_or_else(|_| panic!("{words} is drawn"));
        }
    }

    #[test]
    fn the_help_closes_by_its_button_and_by_a_click_beside_it() {
        let mut ui = iced_test::simulator(view([TABLE], "close"));
        ui.click("Close").expect("the button is drawn");
        assert_eq!(ui.into_messages().collect::<Vec<_>>(), ["close"]);

        let mut ui = iced_test::simulator(view([TABLE], "close"));
        ui.point_at(iced::Point::new(2.0, 2.0));
        ui.simulate(iced_test::simulator::click());
        assert_eq!(ui.into_messages().collect::<Vec<_>>(), ["close"]);

        let mut ui = iced_test::simulator(view([TABLE], "close"));
        ui.click("Show it").expect("the row is drawn");
        assert_eq!(ui.into_messages().count(), 0, "the card is no button");
    }
}
