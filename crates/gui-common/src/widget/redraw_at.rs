//! A message that a window sends itself at a given time.

use std::time::Instant;

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Tree, Widget};
use iced::advanced::{Clipboard, Shell, mouse, renderer};
use iced::{Element, Event, Length, Rectangle, Size, Theme, window};

/// Returns an invisible element that sends `message` at the time `due`.
///
/// Only the window's own thread wakes up. A timer in the executor would wake its threads as well.
pub(crate) fn redraw_at<'a, Message: Clone + 'a>(
    due: Instant,
    message: Message,
) -> Element<'a, Message> {
    Element::new(RedrawAt { due, message })
}

struct RedrawAt<Message> {
    due: Instant,
    message: Message,
}

impl<Message: Clone, Renderer: iced::advanced::Renderer> Widget<Message, Theme, Renderer>
    for RedrawAt<Message>
{
    fn size(&self) -> Size<Length> {
        Size::new(Length::Shrink, Length::Shrink)
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, _: &layout::Limits) -> layout::Node {
        layout::Node::new(Size::ZERO)
    }

    fn update(
        &mut self,
        _: &mut Tree,
        event: &Event,
        _: Layout<'_>,
        _: mouse::Cursor,
        _: &Renderer,
        _: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _: &Rectangle,
    ) {
        // Each redraw begins with this event.
        if let Event::Window(window::Event::RedrawRequested(now)) = event {
            if *now >= self.due {
                shell.publish(self.message.clone());
            } else {
                shell.request_redraw_at(self.due);
            }
        }
    }

    fn draw(
        &self,
        _: &Tree,
        _: &mut Renderer,
        _: &Theme,
        _: &renderer::Style,
        _: Layout<'_>,
        _: mouse::Cursor,
        _: &Rectangle,
    ) {
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn messages_at(now: Instant, due: Instant) -> usize {
        let mut ui = iced_test::simulator(redraw_at(due, ()));
        ui.simulate([Event::Window(window::Event::RedrawRequested(now))]);
        ui.into_messages().count()
    }

    #[test]
    fn the_message_is_sent_when_it_is_due() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(messages_at(now, now + second), 0);
        assert_eq!(messages_at(now + second, now + second), 1);
    }
}
