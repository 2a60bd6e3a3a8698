//! What happens to a picture on its way to the screen: how large it is wanted, and when it is drawn.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Tree, Widget};
use iced::advanced::{mouse, renderer};
use iced::{Element, Fill, Length, Rectangle, Size, Theme};

use crate::picture::picture_view::Seen;

/// How many pixels a window has for a picture; told by what is seen to whoever converts.
#[derive(Debug, Default)]
pub struct RenderTarget {
    /// Width and height, each in one half; 0 where there is no reason to convert fewer than all.
    pane: AtomicU64,
}

impl RenderTarget {
    /// Returns the room that a picture is fitted to; `None` where all of its pixels are wanted.
    pub fn pane(&self) -> Option<Size<u32>> {
        let pane = self.pane.load(Ordering::Relaxed);
        let [width, height] = [pane >> 32, pane & u64::from(u32::MAX)]
            .map(|side| u32::try_from(side).unwrap_or_default());
        (width > 0 && height > 0).then_some(Size::new(width, height))
    }

    /// Takes over what is seen.
    pub fn set(&self, seen: Seen) {
        let Size { width, height } = match seen.zoom {
            None => seen.pane,
            // Any of its pixels may come into sight.
            Some(_) => Size::new(0, 0),
        };
        let pane = u64::from(width) << 32 | u64::from(height);
        self.pane.store(pane, Ordering::Relaxed);
    }
}

/// Watches over one picture: notes when it is first drawn.
#[derive(Clone, Debug)]
pub struct DrawLatency {
    published: SystemTime,
    latency: Arc<OnceLock<Duration>>,
    target: Arc<RenderTarget>,
}

impl DrawLatency {
    /// Begins with a picture that nobody has seen.
    pub fn new(published: SystemTime, target: Arc<RenderTarget>) -> DrawLatency {
        DrawLatency {
            published,
            latency: Arc::default(),
            target,
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

    /// Takes over what is seen of it, for those that follow.
    pub(crate) fn set_seen(&self, seen: Seen) {
        self.target.set(seen);
    }

    /// An invisible element: put where the picture is drawn, it notes that.
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
