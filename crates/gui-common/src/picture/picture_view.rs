//! A picture in a pane: fitted to begin with, zoomed by the wheel and the keyboard, moved by hand.
//!
//! What is seen is scaled once for the pane and kept until the picture, the pane or the part that is
//! looked at changes; the renderer then only copies it. It would otherwise scale the whole picture
//! with each drawing of the window, and place a zoomed one up to a pixel of the picture off.

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

/// The side of the squares that show through a transparent picture.
const SQUARE: u32 = 8;

/// How far a touchpad is stroked for one step of the wheel, in pixels.
const STROKE: f32 = 40.0;

/// What the keyboard does to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zoom {
    /// A step closer.
    In,
    /// A step back.
    Out,
    /// The whole picture.
    Fit,
    /// A pixel for a pixel.
    AsItIs,
}

/// The keys of a picture that is shown.
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

/// What is looked at, in pixels as the screen has them, for the window to tell and for others to make ready.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// The size of the pane. Nothing until it was drawn first.
    pub pane: Size<u32>,
    /// Drawn pixels for one of the picture, where the picture is not fitted.
    pub zoom: Option<f64>,
    /// The pixel of the picture under the pointer.
    pub pixel: Option<(u32, u32)>,
}

impl Seen {
    /// Returns `true` if more pixels than those of a fitted overview are looked at.
    pub fn is_close(&self) -> bool {
        self.zoom.is_some() || self.pixel.is_some()
    }
}

/// Shows a picture; it fills what it is given.
///
/// `seen` is what the window knows to be seen; `on_change` makes a message of what is seen now.
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

/// What lasts from one drawing to the next.
#[derive(Debug)]
struct State {
    camera: Camera,
    /// Where the picture was taken hold of, and last moved to.
    held: Option<Point>,
    last_click: Option<mouse::Click>,
    /// What was stroked and not yet made a step of.
    stroked: f32,
    /// How many pixels of the screen lie side by side in one of the layout.
    density: f32,
    drawn: RefCell<Option<Drawn>>,
}

/// What was scaled for the pane, and what of.
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

    /// Zooms by as many steps as the wheel was turned.
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

    /// Takes hold of the picture, or, at the second click, changes between the whole and 100 %.
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

    /// Does what the keyboard asks for.
    fn zoom(&mut self, zoom: Zoom, point: Point) {
        match zoom {
            Zoom::In => self.camera.zoom_in(point),
            Zoom::Out => self.camera.zoom_out(point),
            Zoom::Fit => self.camera.fit(),
            Zoom::AsItIs => self.camera.show_as_it_is(point),
        }
    }

    /// Returns where in the pane the pointer is, if it is over it.
    fn pointer(&self, bounds: Rectangle, cursor: mouse::Cursor) -> Option<Point> {
        let Point { x, y } = cursor.position_in(bounds)?;
        Some(Point::new(x * self.density, y * self.density))
    }

    /// Takes in what happened; returns whether that is nobody else's.
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
    /// Returns what is seen, scaled: what was kept of the last time, if that still holds.
    fn handle(&self, state: &State, frame: Frame, behind: Checkerboard) -> Option<Handle> {
        let picture = self.picture;
        let overview = picture.overview_pixels()?;
        let drawn_size = Size::new(frame.across.drawn, frame.down.drawn);
        if picture.is_opaque
            && drawn_size == Size::new(overview.width(), overview.height())
            && !state.camera.hides_something()
        {
            // As somebody made it ready for this pane.
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
        // The overview serves as long as it has as many pixels as are drawn: it is the quicker one.
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

/// Cuts to whole pixels: the last part of one belongs to somebody else.
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
