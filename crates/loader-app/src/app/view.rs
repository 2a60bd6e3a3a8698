//! What the window looks like.

use std::time::SystemTime;

use app_kit::{content_pane, status, theme};
use iced::widget::{button, column, container, row, space, stack, text, text_input};
use iced::{Center, Color, Element, Fill, Pixels, Theme};

use super::{Message, Seen, State};

const PATH_FIELD: &str = "path";
/// The height of the main action.
const MAIN_HEIGHT: f32 = 52.0;
/// The height of the other actions: that of a field.
const FIELD_HEIGHT: f32 = 44.0;
/// Room for the label of "Load Image From File...", and half of the narrowest window at the most.
const IMAGE_BUTTON_WIDTH: f32 = 220.0;

impl State {
    /// Draws the window, and the input dialog over it while it is open.
    pub fn view(&self) -> Element<'_, Message> {
        let body = column![
            self.view_key(),
            self.view_actions(),
            self.view_heading(),
            self.view_content(),
        ]
        .spacing(theme::space::MEDIUM);
        let window = column![
            container(body).padding(theme::space::LARGE).height(Fill),
            self.status.current().view(),
        ];
        let dialog = self
            .dialog
            .as_ref()
            .map(|dialog| dialog.view().map(Message::Dialog));
        stack![window].extend(dialog).into()
    }

    fn view_key(&self) -> Element<'_, Message> {
        let (words, color): (_, fn(&theme::Colors) -> Color) = match &self.attached {
            None => ("not attached".to_owned(), |colors| colors.border),
            Some(_) if self.is_attached_here() => ("attached".to_owned(), |colors| colors.success),
            Some(key) => (
                format!("attached to {}", shortened(key.as_str())),
                |colors| colors.warning,
            ),
        };
        let mark = row![
            status::dot(move |theme| color(theme::Colors::of(theme))),
            text(words).size(theme::SMALL_SIZE).style(theme::muted),
        ]
        .spacing(theme::space::SMALL)
        .align_y(Center);
        self.key_field
            .view(Message::KeyEdited, Message::LoadPressed, mark)
    }

    fn view_actions(&self) -> Element<'_, Message> {
        let load = big_button("Load")
            .width(Fill)
            .height(MAIN_HEIGHT)
            .style(theme::primary_button)
            .on_press(Message::LoadPressed);
        let load_image = big_button("Load Image From File...")
            .width(IMAGE_BUTTON_WIDTH)
            .height(FIELD_HEIGHT)
            .style(theme::secondary_button)
            .on_press(Message::LoadImagePressed);
        let path = text_input("or its path, then Enter", &self.path)
            .id(PATH_FIELD)
            .on_input(Message::PathEdited)
            .on_submit(Message::PathSubmitted)
            .size(theme::TEXT_SIZE)
            .line_height(Pixels(FIELD_HEIGHT - 2.0 * theme::space::MEDIUM))
            .padding(theme::space::MEDIUM)
            .style(theme::field);
        column![
            load,
            row![load_image, path]
                .spacing(theme::space::SMALL)
                .align_y(Center),
        ]
        .spacing(theme::space::SMALL)
        .into()
    }

    fn view_heading(&self) -> Element<'_, Message> {
        let clear = quiet_button("Clear")
            .on_press_maybe(self.is_attached_here().then_some(Message::ClearPressed));
        let release = quiet_button("Release")
            .on_press_maybe(self.attached.as_ref().map(|_| Message::ReleasePressed));
        row![
            text("In shared memory now").size(theme::TEXT_SIZE),
            space::horizontal(),
            clear,
            release,
        ]
        .spacing(theme::space::TINY)
        .align_y(Center)
        .into()
    }

    fn view_content(&self) -> Element<'_, Message> {
        match &self.seen {
            Seen::Unknown => content_pane::notice("", ""),
            Seen::Nothing => {
                content_pane::notice("Nothing", "What you load is read back and shown here.")
            }
            Seen::Unreadable(sentence) => {
                content_pane::notice("It cannot be read", sentence.as_str())
            }
            Seen::Content(pane) => column![
                pane.view().map(Message::Pane),
                pane.view_facts(SystemTime::now(), None).map(Message::Pane),
            ]
            .spacing(theme::space::SMALL)
            .into(),
        }
    }
}

fn big_button(label: &str) -> button::Button<'_, Message, Theme> {
    button(
        text(label)
            .size(theme::TEXT_SIZE)
            .width(Fill)
            .height(Fill)
            .center(),
    )
}

fn quiet_button(label: &str) -> button::Button<'_, Message, Theme> {
    button(text(label).size(theme::SMALL_SIZE))
        .padding([theme::space::TINY, theme::space::MEDIUM])
        .style(theme::quiet_button)
}

/// Cuts a long key so that it leaves room for the key field.
fn shortened(key: &str) -> String {
    const MOST: usize = 16;
    if key.chars().count() <= MOST {
        return key.to_owned();
    }
    key.chars().take(MOST - 1).chain(['…']).collect()
}
