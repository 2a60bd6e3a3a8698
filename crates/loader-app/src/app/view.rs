//! The view of the window.

use std::time::SystemTime;

use gui_common::text::visible;
use gui_common::tr;
use gui_common::widget::content_pane;
use gui_common::widget::ignore_shortcuts::ignore_shortcuts;
use gui_common::widget::status;
use gui_common::widget::theme;
use iced::widget::{button, column, container, row, stack, text, text_input};
use iced::{Center, Color, Element, Fill, Pixels, Theme};

use super::loading::Loading;
use super::{ContentState, Message, State, shortcut};

/// The widget id of the path field.
pub(super) const PATH_FIELD: &str = "path";
/// Enough for the label "Load Image From File...", and at most half of the smallest window.
const IMAGE_BUTTON_WIDTH: f32 = 220.0;

impl State {
    /// Draws the window, with the open dialogs over it.
    pub(crate) fn view(&self) -> Element<'_, Message> {
        let body = column![
            column![self.view_key(), self.view_actions()].spacing(theme::space::TINY),
            self.view_heading(),
            self.view_content(),
            self.viewers.view(),
        ]
        .spacing(theme::space::MEDIUM);
        let window = column![
            container(body).padding(theme::space::LARGE).height(Fill),
            self.view_status(),
        ];
        let dialog = self
            .dialog
            .as_ref()
            .map(|dialog| dialog.view().map(Message::Dialog));
        let hint = self.window.view_drop_hint(self.drop_outcome());
        let card = self
            .stream_card
            .as_ref()
            .map(|card| card.view().map(Message::StreamCard));
        let help = self.window.view_help(Message::Window, [shortcut::TABLE]);
        stack![window]
            .extend(dialog)
            .extend(card)
            .extend(help)
            .extend(hint)
            .into()
    }

    fn view_key(&self) -> Element<'_, Message> {
        let (words, color): (_, fn(&theme::Colors) -> Color) = match &self.attached {
            None => (tr!("not-attached"), |colors| colors.border),
            Some(_) if self.is_attached_here() => (tr!("attached"), |colors| colors.success),
            // The status line has shown the key.
            Some(_) => (tr!("attached-elsewhere"), |colors| colors.warning),
        };
        let mark = self.window.view_mark(Some((color, words)));
        self.window
            .view_key(Message::Window, Message::LoadPressed, mark)
    }

    fn view_actions(&self) -> Element<'_, Message> {
        let load = big_button(tr!("load"))
            .width(Fill)
            .height(theme::extent::MAIN_ACTION)
            .style(theme::primary_button)
            .on_press(Message::LoadPressed);
        let load_image = big_button(tr!("load-image"))
            .width(IMAGE_BUTTON_WIDTH)
            .height(theme::extent::FIELD)
            .style(theme::secondary_button)
            .on_press(Message::LoadImagePressed);
        let path = text_input(&tr!("path-placeholder"), &visible::in_field(&self.path))
            .id(PATH_FIELD)
            .on_input(|path| Message::PathEdited(visible::typed(path)))
            .on_submit(Message::PathSubmitted)
            .size(theme::TEXT_SIZE)
            .line_height(Pixels(theme::extent::FIELD - 2.0 * theme::space::SMALL))
            .padding([theme::space::SMALL, theme::space::MEDIUM])
            .style(theme::field);
        column![
            load,
            row![load_image, ignore_shortcuts(path)]
                .spacing(theme::space::SMALL)
                .align_y(Center),
        ]
        .spacing(theme::space::SMALL)
        .into()
    }

    /// Draws the status line and, without changing its height, the progress of a load.
    fn view_status(&self) -> Element<'_, Message> {
        let loading = self.loading.as_ref();
        let actions = [
            self.view_load_again(),
            loading.and_then(Loading::view_cancel),
        ];
        let status = self
            .window
            .view_status(Message::Window, actions.into_iter().flatten());
        stack![status]
            .extend(loading.and_then(Loading::view_bar))
            .into()
    }

    fn view_heading(&self) -> Element<'_, Message> {
        let clear = quiet_button(tr!("clear"))
            .on_press_maybe(self.is_attached_here().then_some(Message::ClearPressed));
        let release = quiet_button(tr!("release"))
            .on_press_maybe(self.attached.as_ref().map(|_| Message::ReleasePressed));
        let stream = if self.stream.is_some() {
            quiet_button(tr!("stream-stop")).style(theme::secondary_button)
        } else {
            quiet_button(tr!("stream"))
        };
        let stream = stream.on_press(Message::StreamPressed);
        row![self.view_title(), stream, clear, release]
            .spacing(theme::space::TINY)
            .align_y(Center)
            .into()
    }

    /// Draws the title of the content, or the progress of a running stream.
    fn view_title(&self) -> Element<'_, Message> {
        let Some(stream) = &self.stream else {
            let title = visible::line(tr!("in-memory-now")).size(theme::TEXT_SIZE);
            return title.width(Fill).into();
        };
        let mark = status::dot(move |theme| theme::Colors::of(theme).accent);
        let words = visible::line(stream.summary())
            .size(theme::SMALL_SIZE)
            .line_height(Pixels(theme::line_height(theme::TEXT_SIZE)))
            .wrapping(text::Wrapping::None);
        let line = row![mark, words]
            .spacing(theme::space::SMALL)
            .align_y(Center);
        container(line).width(Fill).clip(true).into()
    }

    fn view_content(&self) -> Element<'_, Message> {
        match &self.content {
            ContentState::Unknown => content_pane::notice("", ""),
            ContentState::Nothing => {
                content_pane::notice(tr!("nothing-there"), tr!("nothing-there-body"))
            }
            ContentState::Unreadable(reason) => {
                content_pane::notice(tr!("cannot-be-read"), reason.as_str())
            }
            ContentState::Content(pane) => column![
                pane.view().map(Message::Pane),
                pane.view_facts(SystemTime::now(), None, &self.viewers.processes())
                    .map(Message::Pane),
            ]
            .spacing(theme::space::SMALL)
            .into(),
        }
    }
}

fn big_button<'a>(label: String) -> button::Button<'a, Message, Theme> {
    button(
        visible::line(label)
            .size(theme::TEXT_SIZE)
            .width(Fill)
            .height(Fill)
            .center(),
    )
}

fn quiet_button<'a>(label: String) -> button::Button<'a, Message, Theme> {
    button(visible::line(label).size(theme::SMALL_SIZE))
        .padding([theme::space::TINY, theme::space::MEDIUM])
        .style(theme::quiet_button)
}
