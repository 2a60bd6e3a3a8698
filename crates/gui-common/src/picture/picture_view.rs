//! A picture in a pane: fitted at first, zoomed by wheel and keyboard, panned by dragging.
//!
//! The visible part is scaled once and cached until the picture, the pane or the view changes; the
//! renderer then only copies it. Otherwise it would scale the whole picture at each redraw, and
//! place a zoomed picture up to one picture pixel off.

mod drawing;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use iced::advanced::image::{self, Image, Renderer as _};
use iced::advanced::layout::{self, Layout};
use iced::advanced::mouse::{self, click};
use iced::advanced::renderer;
use iced::advanced::widget::{Tree, tree};
use iced::advanced::{Clipboard, Shell, Widget};
use iced::keyboard::Modifiers;
use iced::mouse::{Button, ScrollDelta};
use iced::widget::image::Handle;
use iced::{
    Color, Element, Event, Fill, Length, Point, Rectangle, Renderer, Size, Theme, event, window,
};

use self::drawing::Checkerboard;
use crate::picture::camera::{Camera, Frame};
use crate::picture::drawable::Picture;
use crate::widget::shortcut::{self, Chord, Shortcut};
use crate::widget::theme::Colors;

/// The side of the squares of the checkerboard behind a transparent picture.
const SQUARE: u32 = 8;

/// The touchpad scroll distance of one zoom step, in pixels.
const STROKE: f32 = 40.0;

/// A zoom command of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zoom {
    /// Zooms in by one step.
    In,
    /// Zooms out by one step.
    Out,
    /// The whole picture.
    Fit,
    /// Shows the picture at 100 %.
    AsItIs,
}

/// The shortcuts of a shown picture.
pub(crate) const SHORTCUTS: &[Shortcut<Zoom>] = &[
    Shortcut {
        chords: &[
            Chord::sign("+").with(Modifiers::CTRL),
            Chord::sign("=").with(Modifiers::CTRL),
        ],
        label_id: "shortcut-look-closer",
        message: || Zoom::In,
    },
    Shortcut {
        chords: &[Chord::sign("-").with(Modifiers::CTRL)],
        label_id: "shortcut-step-back",
        message: || Zoom::Out,
    },
    Shortcut {
        chords: &[Chord::sign("0").with(Modifiers::CTRL)],
        label_id: "shortcut-fit",
        message: || Zoom::Fit,
    },
    Shortcut {
        chords: &[Chord::sign("1").with(Modifiers::CTRL)],
        label_id: "shortcut-as-it-is",
        message: || Zoom::AsItIs,
    },
];

/// The visible area, in screen pixels: the window shows it, and other threads convert pictures for
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// The size of the pane; zero until its first draw.
    pub pane: Size<u32>,
    /// Drawn pixels per picture pixel, or `None` if the picture is fitted.
    pub zoom: Option<f64>,
    /// The pixel of the picture under the pointer.
    pub pixel: Option<(u32, u32)>,
}

impl Seen {
    /// Returns `true` if the view needs more pixels than a fitted overview has.
    pub fn is_close(&self) -> bool {
        self.zoom.is_some() || self.pixel.is_some()
    }
}

/// Returns an element that shows a picture and fills the available space.
///
/// `seen` is the visible area that the window knows; `on_change` creates the message that reports a
/// new one.
pub(crate) fn picture_view<'a, Message: 'a>(
    picture: &'a Picture,
    seen: Seen,
    on_change: impl Fn(Seen) -> Message + 'a,
) -> Element<'a, Message> {
    Element::new(PictureView {
        picture,
        seen,
        on_change: Box::new(on_change),
    })
}

struct PictureView<'a, Message> {
    picture: &'a Picture,
    seen: Seen,
    on_change: Box<dyn Fn(Seen) -> Message + 'a>,
}

/// The state of the widget.
#[derive(Debug)]
struct State {
    camera: Camera,
    /// The last position of the pointer during a drag.
    held: Option<Point>,
    last_click: Option<mouse::Click>,
    /// The scroll distance that does not make a whole step yet.
    stroked: f32,
    /// The scale factor: screen pixels per layout pixel.
    density: f32,
    drawn: RefCell<Option<Drawn>>,
}

/// The cached scaled part, and what it was scaled from.
#[derive(Debug)]
struct Drawn {
    picture: image::Id,
    has_original: bool,
    frame: Frame,
    behind: Option<Checkerboard>,
    handle: Handle,
}

impl State {
    fn seen(&self, pointer: Option<Point>) -> Seen {
        let Frame { across, down } = self.camera.frame();
        Seen {
            pane: Size::new(across.pane, down.pane),
            zoom: (!self.camera.is_fit()).then(|| self.camera.scale()),
            pixel: pointer.and_then(|point| self.camera.pixel_at(point)),
        }
    }

    /// Zooms by the steps of a wheel event.
    fn scroll(&mut self, delta: ScrollDelta, pointer: Point) {
        self.stroked += match delta {
            ScrollDelta::Lines { y, .. } => y * STROKE,
            ScrollDelta::Pixels { y, .. } => y,
        };
        while self.stroked >= STROKE {
            self.stroked -= STROKE;
            self.camera.zoom_in(pointer);
        }
        while self.stroked <= -STROKE {
            self.stroked += STROKE;
            self.camera.zoom_out(pointer);
        }
    }

    /// Begins a drag; a double click switches between fit and 100 %.
    fn press(&mut self, pointer: Point, hand: Option<Point>) {
        let click = mouse::Click::new(pointer, Button::Left, self.last_click);
        self.last_click = Some(click);
        if click.kind() != click::Kind::Double {
            self.held = hand.filter(|_| self.camera.hides_something());
        } else if self.camera.is_fit() {
            self.camera.show_as_it_is(pointer);
        } else {
            self.camera.fit();
        }
    }

    /// Executes a zoom command.
    fn zoom(&mut self, zoom: Zoom, point: Point) {
        match zoom {
            Zoom::In => self.camera.zoom_in(point),
            Zoom::Out => self.camera.zoom_out(point),
            Zoom::Fit => self.camera.fit(),
            Zoom::AsItIs => self.camera.show_as_it_is(point),
        }
    }

    /// Returns the position of the pointer in the pane, if it is over it.
    fn pointer(&self, bounds: Rectangle, cursor: mouse::Cursor) -> Option<Point> {
        let Point { x, y } = cursor.position_in(bounds)?;
        Some(Point::new(x * self.density, y * self.density))
    }

    /// Handles an event; returns `true` if it is consumed.
    fn handle(&mut self, event: &Event, bounds: Rectangle, cursor: mouse::Cursor) -> bool {
        let over = self.pointer(bounds, cursor);
        match event {
            Event::Mouse(mouse::Event::WheelScrolled { delta }) => match over {
                Some(pointer) => {
                    self.scroll(*delta, pointer);
                    true
                }
                None => false,
            },
            Event::Mouse(mouse::Event::ButtonPressed(Button::Left)) => match over {
                Some(pointer) => {
                    self.press(pointer, cursor.position_from(bounds.position()));
                    true
                }
                None => false,
            },
            Event::Mouse(mouse::Event::ButtonReleased(Button::Left)) => self.held.take().is_some(),
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                match (self.held, cursor.position_from(bounds.position())) {
                    (Some(before), Some(now)) => {
                        self.camera.pan((now - before) * self.density);
                        self.held = Some(now);
                        true
                    }
                    _ => false,
                }
            }
            Event::Keyboard(pressed) => {
                let Some(zoom) = shortcut::held(SHORTCUTS, pressed, event::Status::Ignored) else {
                    return false;
                };
                self.zoom(zoom(), over.unwrap_or_else(|| self.camera.middle()));
                true
            }
            _ => false,
        }
    }
}

impl<Message> Widget<Message, Theme, Renderer> for PictureView<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State {
            camera: Camera::new(self.picture.size(), Size::new(1, 1)),
            held: None,
            last_click: None,
            stroked: 0.0,
            density: 1.0,
            drawn: RefCell::new(None),
        })
    }

    fn diff(&self, tree: &mut Tree) {
        let state = tree.state.downcast_mut::<State>();
        state.camera.show(self.picture.size());
    }

    fn size(&self) -> Size<Length> {
        Size::new(Fill, Fill)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        _renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let node = layout::atomic(limits, Fill, Fill);
        let state = tree.state.downcast_mut::<State>();
        state.camera.resize(whole(node.size() * state.density));
        node
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let bounds = layout.bounds();
        if let Event::Window(window::Event::Rescaled(density)) = event {
            state.density = *density;
            state.camera.resize(whole(bounds.size() * *density));
        }
        if !shell.is_event_captured() && state.handle(event, bounds, cursor) {
            shell.capture_event();
            shell.request_redraw();
        }
        let matters = matches!(
            event,
            Event::Mouse(_) | Event::Keyboard(_) | Event::Window(window::Event::RedrawRequested(_))
        );
        let seen = state.seen(state.pointer(bounds, cursor));
        if matters && seen != self.seen {
            self.seen = seen;
            shell.publish((self.on_change)(seen));
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        let state = tree.state.downcast_ref::<State>();
        if state.held.is_some() {
            mouse::Interaction::Grabbing
        } else if cursor.is_over(layout.bounds()) && state.camera.hides_something() {
            mouse::Interaction::Grab
        } else {
            mouse::Interaction::None
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let bounds = layout.bounds();
        let frame = state.camera.frame();
        let Some(handle) = self.handle(state, frame, checkerboard(theme)) else {
            return;
        };
        let (across, down) = (frame.across.visible(), frame.down.visible());
        let corner = Point::new(
            (bounds.x * state.density).round() + float(across.start),
            (bounds.y * state.density).round() + float(down.start),
        );
        let size = Size::new(
            float(across.end - across.start),
            float(down.end - down.start),
        );
        let place = Rectangle::new(corner, size) * (1.0 / state.density);
        renderer.draw_image(Image::new(handle), place, place);
    }
}

impl<Message> PictureView<'_, Message> {
    /// Returns the scaled visible part, from the cache if it is still valid.
    fn handle(&self, state: &State, frame: Frame, behind: Checkerboard) -> Option<Handle> {
        let picture = self.picture;
        let overview = picture.overview_pixels()?;
        let drawn_size = Size::new(frame.across.drawn, frame.down.drawn);
        if picture.is_opaque
            && drawn_size == Size::new(overview.width(), overview.height())
            && !state.camera.hides_something()
        {
            // Already scaled for this pane.
            return Some(picture.handle.clone());
        }
        let behind = picture.has_alpha().then_some(behind);
        let id = picture.handle.id();
        let mut kept = state.drawn.borrow_mut();
        if let Some(drawn) = kept.as_ref()
            && drawn.picture == id
            && drawn.has_original == picture.original.is_some()
            && drawn.frame == frame
            && drawn.behind == behind
        {
            return Some(drawn.handle.clone());
        }
        // The overview is faster, and used if it has at least as many pixels as are drawn.
        let all = picture.all_pixels();
        let is_enough = drawn_size.width <= overview.width();
        let rows = all.filter(|_| !is_enough).unwrap_or(overview);
        let squares = all.is_some();
        let handle = drawing::draw(rows, frame, squares, behind);
        *kept = Some(Drawn {
            picture: id,
            has_original: picture.original.is_some(),
            frame,
            behind,
            handle: handle.clone(),
        });
        Some(handle)
    }
}

fn checkerboard(theme: &Theme) -> Checkerboard {
    let colors = Colors::of(theme);
    Checkerboard {
        colors: [colors.surface, colors.square].map(rgb),
        side: SQUARE,
    }
}

fn rgb(color: Color) -> [u8; 3] {
    let [red, green, blue, _] = color.into_rgba8();
    [red, green, blue]
}

/// Rounds down to whole pixels: a partial pixel belongs to the neighbouring widget.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates"
)]
fn whole(size: Size) -> Size<u32> {
    Size::new(size.width as u32, size.height as u32)
}

#[expect(clippy::cast_precision_loss, reason = "a pane is small")]
fn float(pixels: u32) -> f32 {
    pixels as f32
}
