//! The path of a picture to the screen: the size it is converted to, and the time when it is drawn.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Tree, Widget};
use iced::advanced::{mouse, renderer};
use iced::{Element, Fill, Length, Rectangle, Size, Theme};

use crate::picture::picture_view::Seen;

/// The number of pixels that a window has for a picture. The view sets it; the thread that converts
/// pictures reads it.
#[derive(Debug, Default)]
pub struct RenderTarget {
    /// Width in the upper and height in the lower 32 bits; 0 if all pixels are needed.
    pane: AtomicU64,
}

impl RenderTarget {
    /// Returns the size that a picture is fitted to, or `None` if all of its pixels are needed.
    pub fn pane(&self) -> Option<Size<u32>> {
        let pane = self.pane.load(Ordering::Relaxed);
        let [width, height] = [pane >> 32, pane & u64::from(u32::MAX)]
            .map(|side| u32::try_from(side).unwrap_or_default());
        (width > 0 && height > 0).then_some(Size::new(width, height))
    }

    /// Sets the visible area.
    pub fn set(&self, seen: Seen) {
        let Size { width, height } = match seen.zoom {
            None => seen.pane,
            // Any pixel may become visible.
            Some(_) => Size::new(0, 0),
        };
        let pane = u64::from(width) << 32 | u64::from(height);
        self.pane.store(pane, Ordering::Relaxed);
    }
}

/// The latency of one picture: from its publication to its first draw.
#[derive(Clone, Debug)]
pub struct DrawLatency {
    published: SystemTime,
    latency: Arc<OnceLock<Duration>>,
    target: Arc<RenderTarget>,
}

impl DrawLatency {
    /// Creates the latency of a picture that was not drawn yet.
    pub fn new(published: SystemTime, target: Arc<RenderTarget>) -> DrawLatency {
        DrawLatency {
            published,
            latency: Arc::default(),
            target,
        }
    }

    /// Returns the time from publication to the first draw, or `None` before it.
    pub fn latency(&self) -> Option<Duration> {
        self.latency.get().copied()
    }

    /// Records that the picture is drawn now.
    pub fn note(&self) {
        self.latency.get_or_init(|| {
            // If the clock was set back, the publication is in the future.
            let now = SystemTime::now();
            now.duration_since(self.published).unwrap_or_default()
        });
    }

    /// Sets the visible area for the pictures that follow.
    pub(crate) fn set_seen(&self, seen: Seen) {
        self.target.set(seen);
    }

    /// Returns an invisible element that records when it is drawn with the picture.
    pub fn view<'a, Message: 'a>(&self) -> Element<'a, Message> {
        Element::new(Probe {
            draw_latency: self.clone(),
        })
    }
}

struct Probe {
    draw_latency: DrawLatency,
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
        _: Layout<'_>,
        _: mouse::Cursor,
        _: &Rectangle,
    ) {
        self.draw_latency.note();
    }
}
