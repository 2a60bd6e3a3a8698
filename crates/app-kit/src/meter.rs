//! What happens to a picture on its way to the screen: whether it was drawn, when, and how large.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Tree, Widget};
use iced::advanced::{mouse, renderer};
use iced::{Element, Event, Fill, Length, Rectangle, Size, Subscription, Theme, event, window};

use crate::picture::Room;

/// How many pixels the picture of a window has room on; told by its drawing to whoever converts.
#[derive(Debug, Default)]
pub struct Stage {
    /// Width and height in pixels, each in one half; 0 as long as nothing was drawn.
    size: AtomicU64,
    /// Pixels for each unit of length, as the bits of an `f32`.
    scale: AtomicU64,
}

impl Stage {
    /// Returns the room; `None` as long as nothing was drawn.
    pub fn room(&self) -> Option<Room> {
        let size = self.size.load(Ordering::Relaxed);
        let [width, height] = [size >> 32, size & u64::from(u32::MAX)]
            .map(|side| u32::try_from(side).unwrap_or_default());
        (width > 0 && height > 0).then_some(Room { width, height })
    }

    /// Takes over how many pixels the screen has for each unit of length.
    pub fn set_scale(&self, scale: f32) {
        self.scale
            .store(u64::from(scale.to_bits()), Ordering::Relaxed);
    }

    pub(crate) fn set_size(&self, size: Size) {
        let scale = match u32::try_from(self.scale.load(Ordering::Relaxed)) {
            Ok(bits) if bits != 0 => f32::from_bits(bits),
            _ => 1.0,
        };
        let [width, height] = [size.width, size.height].map(|side| pixels(side * scale));
        self.size.store(width << 32 | height, Ordering::Relaxed);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and below zero there is nothing to draw on"
)]
fn pixels(length: f32) -> u64 {
    u64::from(length.round() as u32)
}

/// Watches over one picture: notes when it is first drawn.
#[derive(Clone, Debug)]
pub struct Meter {
    published: SystemTime,
    latency: Arc<OnceLock<Duration>>,
    stage: Arc<Stage>,
}

impl Meter {
    /// Begins with a picture that nobody has seen.
    pub fn new(published: SystemTime, stage: Arc<Stage>) -> Meter {
        Meter {
            published,
            latency: Arc::default(),
            stage,
        }
    }

    /// Returns how long it took from its publication until it was drawn; `None` if it was not yet.
    pub fn latency(&self) -> Option<Duration> {
        self.latency.get().copied()
    }

    /// Notes that it is drawn now.
    pub fn note(&self) {
        self.latency.get_or_init(|| {
            // A clock that was set back makes it younger than now.
            let now = SystemTime::now();
            now.duration_since(self.published).unwrap_or_default()
        });
    }

    /// An invisible element: put where the picture is drawn, it notes that, and how large.
    pub fn view<'a, Message: 'a>(&self) -> Element<'a, Message> {
        Element::new(Probe {
            meter: self.clone(),
        })
    }
}

/// Tells that a window has come to a screen that may have other pixels: ask it for its scale factor.
pub fn rescaled() -> Subscription<window::Id> {
    event::listen_with(|event, _, window| match event {
        Event::Window(window::Event::Opened { .. } | window::Event::Rescaled(_)) => Some(window),
        _ => None,
    })
}

struct Probe {
    meter: Meter,
}

impl<Message, Renderer: iced::advanced::Renderer> Widget<Message, Theme, Renderer> for Probe {
    fn size(&self) -> Size<Length> {
        Size::new(Fill, Fill)
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, Fill, Fill)
    }

    fn draw(
        &self,
        _: &Tree,
        _: &mut Renderer,
        _: &Theme,
        _: &renderer::Style,
        layout: Layout<'_>,
        _: mouse::Cursor,
        _: &Rectangle,
    ) {
        self.meter.stage.set_size(layout.bounds().size());
        self.meter.note();
    }
}
