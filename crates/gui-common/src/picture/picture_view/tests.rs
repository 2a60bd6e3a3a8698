use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use iced_test::Simulator;
use shm_core::{ImageMetadata, PixelFormat};

use super::*;
use crate::picture::camera::fitted;

const PANE: Size = Size::new(240.0, 160.0);
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");

/// A picture with an edge, a gradient, and transparency if it is large enough.
fn picture(format: PixelFormat, width: u32, height: u32) -> Picture {
    let metadata = ImageMetadata::packed(format, width, height).expect("it is small");
    let mut payload = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let slope = |at: u32, side: u32| (at * 255 / (side - 1)).to_le_bytes()[0];
            let ring = ((x * x + y * y) / (width * height / 20).max(1)).is_multiple_of(2);
            let (red, green) = (slope(x, width), slope(y, height));
            let blue = if ring { 220 } else { 40 };
            match format {
                PixelFormat::Rgba8 => {
                    payload.extend([red, green, blue, slope(x + y, width + height)])
                }
                _ => payload.extend([red, green, blue]),
            }
        }
    }
    Picture::from_payload(&metadata, &payload, None).expect("it fits")
}

/// A pane, and what happened in it, at twice the usual density.
struct Pane<'a> {
    ui: Simulator<'a, Seen>,
    seen: Rc<Cell<Seen>>,
}

impl<'a> Pane<'a> {
    fn new(picture: &'a Picture) -> Pane<'a> {
        let seen = Rc::new(Cell::new(Seen::default()));
        let told = Rc::clone(&seen);
        let view = picture_view(picture, Seen::default(), move |seen| {
            told.set(seen);
            seen
        });
        let mut ui = Simulator::with_size(iced::Settings::default(), PANE, view);
        ui.simulate([Event::Window(window::Event::Rescaled(2.0))]);
        Pane { ui, seen }
    }

    fn point_at(&mut self, x: f32, y: f32) -> &mut Pane<'a> {
        let position = Point::new(x, y);
        self.ui.point_at(position);
        self.ui
            .simulate([Event::Mouse(mouse::Event::CursorMoved { position })]);
        self
    }

    fn scroll(&mut self, y: f32) -> &mut Pane<'a> {
        let delta = ScrollDelta::Lines { x: 0.0, y };
        self.ui
            .simulate([Event::Mouse(mouse::Event::WheelScrolled { delta })]);
        self
    }

    fn press(&mut self) -> &mut Pane<'a> {
        self.ui
            .simulate([Event::Mouse(mouse::Event::ButtonPressed(Button::Left))]);
        self
    }

    fn release(&mut self) -> &mut Pane<'a> {
        self.ui
            .simulate([Event::Mouse(mouse::Event::ButtonReleased(Button::Left))]);
        self
    }

    fn control(&mut self, key: &'static str) -> &mut Pane<'a> {
        let chord = Chord::sign(key).with(Modifiers::CTRL);
        self.ui.simulate([Event::Keyboard(shortcut::press(chord))]);
        self
    }

    /// Compares with the picture in the folder of snapshots, in light and dark.
    fn looks_like(&mut self, name: &str) {
        for (mode, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
            let path = Path::new(SNAPSHOTS).join(format!("picture-{name}-{mode}"));
            let snapshot = self.ui.snapshot(&theme).expect("it is drawn");
            let is_alike = snapshot.matches_image(path).expect("it can be compared");
            assert!(is_alike, "{name} in {mode} looks different");
        }
    }

    fn seen(&self) -> Seen {
        self.seen.get()
    }

    /// The column of the picture under the pointer.
    fn column(&self) -> Option<u32> {
        self.seen().pixel.map(|(x, _)| x)
    }
}

#[test]
fn a_large_picture_is_fitted() {
    let picture = picture(PixelFormat::Rgb8, 900, 300);
    let mut pane = Pane::new(&picture);
    pane.looks_like("fit");
    let seen = pane.seen();
    assert_eq!(seen.pane, Size::new(480, 320));
    assert_eq!((seen.zoom, seen.pixel), (None, None));
    assert!(!seen.is_close());
}

#[test]
fn a_small_picture_is_not_scaled() {
    let picture = picture(PixelFormat::Rgb8, 60, 40);
    let mut pane = Pane::new(&picture);
    pane.looks_like("small");
    pane.control("1").control("-");
    assert_eq!(pane.seen().zoom, None);
}

#[test]
fn a_large_picture_can_be_shown_at_100_percent() {
    let picture = picture(PixelFormat::Rgb8, 900, 300);
    let mut pane = Pane::new(&picture);
    pane.control("1").looks_like("100");
    assert_eq!(pane.seen().zoom, Some(1.0));
}

#[test]
fn zoomed_pixels_are_squares() {
    let picture = picture(PixelFormat::Rgb8, 40, 30);
    let mut pane = Pane::new(&picture);
    pane.point_at(110.0, 75.0);
    for _ in 0..7 {
        pane.scroll(1.0);
    }
    pane.looks_like("zoomed");
    let seen = pane.seen();
    assert_eq!(seen.zoom, Some(12.0));
    // A picture that fits into the pane stays centred.
    assert_eq!(seen.pixel, Some((18, 13)));
}

#[test]
fn the_checkerboard_shows_through_transparent_pixels() {
    let picture = picture(PixelFormat::Rgba8, 300, 200);
    Pane::new(&picture).looks_like("transparent");
    let small = self::picture(PixelFormat::Rgba8, 24, 18);
    let mut pane = Pane::new(&small);
    for _ in 0..7 {
        pane.control("+");
    }
    pane.looks_like("transparent-zoomed");
}

#[test]
fn the_pixel_under_the_pointer_stays_there_when_the_wheel_turns() {
    let picture = picture(PixelFormat::Rgb8, 2000, 1000);
    let mut pane = Pane::new(&picture);
    pane.point_at(30.0, 40.0);
    pane.control("1");
    for _ in 0..5 {
        pane.scroll(1.0);
    }
    let seen = pane.seen();
    assert_eq!(seen.zoom, Some(6.0));
    // At 24 % the pane shows from 0 to 2000, and from 40 to 280 of 320.
    let (x, y) = seen.pixel.expect("the pointer is over the picture");
    assert!(x.abs_diff(250) <= 4 && y.abs_diff(166) <= 4, "{x}, {y}");
}

#[test]
fn a_picture_is_dragged_also_beyond_the_pane() {
    let picture = picture(PixelFormat::Rgb8, 2000, 1000);
    let mut pane = Pane::new(&picture);
    pane.control("1").point_at(100.0, 100.0);
    let before = pane.seen().pixel;
    pane.press().point_at(90.0, 105.0);
    assert_eq!(pane.seen().pixel, before, "the pixel follows the hand");
    pane.point_at(-5000.0, 100.0)
        .release()
        .point_at(239.9, 100.0);
    assert_eq!(pane.column(), Some(1999));
    // The drag has ended.
    pane.point_at(100.0, 100.0).point_at(239.9, 100.0);
    assert_eq!(pane.column(), Some(1999));
}

#[test]
fn a_double_click_switches_between_fit_and_100_percent() {
    let picture = picture(PixelFormat::Rgb8, 2000, 1000);
    for (clicks, zoom) in [(1, None), (2, Some(1.0))] {
        let mut pane = Pane::new(&picture);
        pane.point_at(100.0, 100.0);
        for _ in 0..clicks {
            pane.press().release();
        }
        assert_eq!(pane.seen().zoom, zoom);
    }
}

#[test]
fn a_picture_scaled_for_the_pane_is_not_scaled_again() {
    let size = fitted(Size::new(1920, 1080), Size::new(240, 160));
    assert_eq!(size, Size::new(240, 135));
    let pixels = vec![77; 240 * 135 * 4];
    let ready = Picture {
        handle: Handle::from_rgba(size.width, size.height, pixels),
        width: 1920,
        height: 1080,
        format: PixelFormat::Rgb8,
        file_name: None,
        original: None,
        is_opaque: true,
    };
    let view = PictureView {
        picture: &ready,
        seen: Seen::default(),
        on_change: Box::new(|seen| seen),
    };
    let tree::State::Some(state) = view.state() else {
        panic!("a view has a state");
    };
    let mut state: Box<State> = state.downcast().expect("it is the state of a view");
    state.camera.resize(Size::new(240, 160));
    let behind = checkerboard(&Theme::Light);
    let id = |state: &State| {
        let handle = view.handle(state, state.camera.frame(), behind);
        handle.expect("it can be drawn").id()
    };
    assert_eq!(id(&state), ready.handle.id());
    // Zoomed into it is scaled: once.
    state.camera.zoom_in(Point::ORIGIN);
    let scaled = id(&state);
    assert_ne!(scaled, ready.handle.id());
    assert_eq!(id(&state), scaled);
}
