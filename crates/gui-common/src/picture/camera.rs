//! The visible part of a picture and its scale: the arithmetic of zooming and panning.

use std::ops::Range;

use iced::{Point, Size, Vector};

/// The zoom steps of the wheel and the keys, in drawn pixels per picture pixel.
const STOPS: [f64; 25] = [
    0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0,
    6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0,
];

/// The view of a picture: the whole picture or a part of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Camera {
    picture: Size<u32>,
    pane: Size<u32>,
    zoom: Zoom,
    /// The point of the picture at the centre of the pane, in picture pixels.
    center: [f64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Zoom {
    /// Fitted to the pane, and never enlarged.
    Fit,
    /// This many drawn pixels per picture pixel; more than in [`Zoom::Fit`].
    Scale(f64),
}

/// One axis of a drawing: the position and the visible part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// The start of the picture relative to the start of the pane; negative if it is hidden.
    pub(crate) start: i64,
    /// The length of the whole drawn picture.
    pub(crate) drawn: u32,
    /// The length of the pane.
    pub(crate) pane: u32,
}

impl Axis {
    /// Returns the range of the pane that the visible part covers.
    pub(crate) fn visible(self) -> Range<u32> {
        let clamped = |at: i64| u32::try_from(at.clamp(0, self.pane.into())).unwrap_or(0);
        clamped(self.start)..clamped(self.start + i64::from(self.drawn))
    }

    /// Returns the visible range of a picture that is `side` pixels long, in picture pixels.
    pub(crate) fn visible_of(self, side: u32) -> Range<f64> {
        let Range { start, end } = self.visible();
        let at = |drawn: u32| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a drawn picture is not that large"
            )]
            let from_start = (i64::from(drawn) - self.start) as f64;
            from_start * f64::from(side) / f64::from(self.drawn)
        };
        at(start)..at(end)
    }
}

/// The position of the whole picture in the pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) across: Axis,
    pub(crate) down: Axis,
}

impl Camera {
    /// Creates a view of the whole picture.
    pub(crate) fn new(picture: Size<u32>, pane: Size<u32>) -> Camera {
        Camera {
            picture,
            pane: at_least_a_pixel(pane),
            zoom: Zoom::Fit,
            center: [picture.width, picture.height].map(|side| f64::from(side) / 2.0),
        }
    }

    /// Changes to another picture. One of the same size keeps the view.
    pub(crate) fn show(&mut self, picture: Size<u32>) {
        if self.picture != picture {
            *self = Camera::new(picture, self.pane);
        }
    }

    /// Changes the size of the pane.
    pub(crate) fn resize(&mut self, pane: Size<u32>) {
        self.pane = at_least_a_pixel(pane);
        self.set(self.zoom);
    }

    /// Returns the number of drawn pixels per picture pixel.
    pub(crate) fn scale(&self) -> f64 {
        match self.zoom {
            Zoom::Fit => self.fitting(),
            Zoom::Scale(scale) => scale,
        }
    }

    /// Returns `true` if the picture is fitted to the pane.
    pub(crate) fn is_fit(&self) -> bool {
        self.zoom == Zoom::Fit
    }

    /// Returns `true` if a part of the picture is hidden, so that it can be panned.
    pub(crate) fn hides_something(&self) -> bool {
        let Frame { across, down } = self.frame();
        across.drawn > across.pane || down.drawn > down.pane
    }

    /// Shows the whole picture.
    pub(crate) fn fit(&mut self) {
        self.set(Zoom::Fit);
    }

    /// Shows the picture at 100 %; the pixel at `point` of the pane stays there.
    pub(crate) fn show_as_it_is(&mut self, point: Point) {
        self.zoom_to(1.0, point);
    }

    /// Zooms in by one step; the pixel at `point` of the pane stays there.
    pub(crate) fn zoom_in(&mut self, point: Point) {
        let scale = self.scale();
        // Slightly more than the scale, because rounding may miss the exact step.
        if let Some(next) = STOPS.into_iter().find(|stop| *stop > scale * 1.001) {
            self.zoom_to(next, point);
        }
    }

    /// Zooms out by one step; the smallest shows the whole picture.
    pub(crate) fn zoom_out(&mut self, point: Point) {
        let scale = self.scale();
        let next = STOPS.into_iter().rfind(|stop| *stop < scale * 0.999);
        self.zoom_to(next.unwrap_or(0.0), point);
    }

    fn zoom_to(&mut self, scale: f64, point: Point) {
        let before = self.scale();
        let sides = [(point.x, self.pane.width), (point.y, self.pane.height)];
        // Not computed from the frame, whose rounding errors would add up.
        for (center, (point, pane)) in self.center.iter_mut().zip(sides) {
            let off_middle = f64::from(point) - f64::from(pane) / 2.0;
            *center += off_middle / before - off_middle / scale.max(f64::MIN_POSITIVE);
        }
        self.set(Zoom::Scale(scale));
    }

    /// Returns the centre of the pane.
    pub(crate) fn middle(&self) -> Point {
        let Size { width, height } = self.pane;
        #[expect(clippy::cast_precision_loss, reason = "a pane is small")]
        let middle = Point::new(width as f32 / 2.0, height as f32 / 2.0);
        middle
    }

    /// Pans the picture by this many drawn pixels.
    pub(crate) fn pan(&mut self, by: Vector) {
        let scale = self.scale();
        self.center[0] -= f64::from(by.x) / scale;
        self.center[1] -= f64::from(by.y) / scale;
        self.set(self.zoom);
    }

    /// Returns the pixel of the picture at a point of the pane.
    pub(crate) fn pixel_at(&self, point: Point) -> Option<(u32, u32)> {
        let [x, y] = self.at(point);
        Some((
            whole_within(x, self.picture.width)?,
            whole_within(y, self.picture.height)?,
        ))
    }

    /// Maps a point of the pane to picture pixels.
    fn at(&self, point: Point) -> [f64; 2] {
        let along = |span: Axis, point: f32, side: u32| {
            #[expect(clippy::cast_precision_loss, reason = "a pane is small")]
            let from_start = f64::from(point) - span.start as f64;
            from_start * f64::from(side) / f64::from(span.drawn)
        };
        let Frame { across, down } = self.frame();
        [
            along(across, point.x, self.picture.width),
            along(down, point.y, self.picture.height),
        ]
    }

    /// Returns the position of the whole picture, in whole screen pixels.
    pub(crate) fn frame(&self) -> Frame {
        let scale = self.scale();
        let span = |side: u32, pane: u32, center: f64| {
            let drawn = rounded(f64::from(side) * scale).max(1);
            let start = if drawn <= i64::from(pane) {
                (i64::from(pane) - drawn) / 2
            } else {
                rounded(f64::from(pane) / 2.0 - center * scale).clamp(i64::from(pane) - drawn, 0)
            };
            Axis {
                start,
                drawn: u32::try_from(drawn).unwrap_or(u32::MAX),
                pane,
            }
        };
        Frame {
            across: span(self.picture.width, self.pane.width, self.center[0]),
            down: span(self.picture.height, self.pane.height, self.center[1]),
        }
    }

    fn fitting(&self) -> f64 {
        let across = f64::from(self.pane.width) / f64::from(self.picture.width);
        let down = f64::from(self.pane.height) / f64::from(self.picture.height);
        across.min(down).min(1.0)
    }

    /// Sets a zoom, and limits the position so that no more of the pane than necessary is empty.
    fn set(&mut self, zoom: Zoom) {
        self.zoom = match zoom {
            Zoom::Scale(scale) if scale > self.fitting() => zoom,
            _ => Zoom::Fit,
        };
        let scale = self.scale();
        let sides = [
            (self.picture.width, self.pane.width),
            (self.picture.height, self.pane.height),
        ];
        for (center, (side, pane)) in self.center.iter_mut().zip(sides) {
            let side = f64::from(side);
            let half = f64::from(pane) / 2.0 / scale;
            *center = if 2.0 * half >= side {
                side / 2.0
            } else {
                center.clamp(half, side - half)
            };
        }
    }
}

/// Returns the size at which a picture is drawn in a pane that it is fitted to.
///
/// A thread that scales pictures for the screen uses this size, so that they are drawn without
/// scaling.
pub(crate) fn fitted(picture: Size<u32>, pane: Size<u32>) -> Size<u32> {
    let Frame { across, down } = Camera::new(picture, pane).frame();
    Size::new(across.drawn, down.drawn)
}

/// Avoids a division by zero for a pane of size zero.
fn at_least_a_pixel(pane: Size<u32>) -> Size<u32> {
    Size::new(pane.width.max(1), pane.height.max(1))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and a drawn picture is no longer than 64 times a side"
)]
fn rounded(number: f64) -> i64 {
    number.round() as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "compared before with the side of a picture"
)]
fn whole_within(number: f64, side: u32) -> Option<u32> {
    (number >= 0.0 && number < f64::from(side)).then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANE: Size<u32> = Size::new(400, 200);

    fn camera(width: u32, height: u32) -> Camera {
        Camera::new(Size::new(width, height), PANE)
    }

    #[test]
    fn fitting_shrinks_and_never_enlarges() {
        assert_eq!(fitted(Size::new(4000, 1000), PANE), Size::new(400, 100));
        assert_eq!(fitted(Size::new(100, 1000), PANE), Size::new(20, 200));
        assert_eq!(fitted(Size::new(30, 20), PANE), Size::new(30, 20));
        // A picture one pixel high stays visible, however wide it is.
        assert_eq!(fitted(Size::new(60_000, 1), PANE), Size::new(400, 1));
    }

    #[test]
    fn a_part_of_the_picture_can_be_visible() {
        let large = Axis {
            start: -4,
            drawn: 12,
            pane: 5,
        };
        assert_eq!(large.visible(), 0..5);
        assert_eq!(large.visible_of(3), 1.0..2.25);
        let small = Axis {
            start: 3,
            drawn: 2,
            pane: 9,
        };
        assert_eq!(small.visible(), 3..5);
        assert_eq!(small.visible_of(20), 0.0..20.0);
    }

    #[test]
    fn zooming_keeps_the_pixel_under_the_pointer() {
        let mut camera = camera(2000, 1000);
        let pointer = Point::new(300.5, 50.5);
        let pixel = camera.at(pointer);
        for _ in 0..6 {
            camera.zoom_in(pointer);
            let [x, y] = camera.at(pointer);
            let tolerance = 1.0 / camera.scale();
            assert!((x - pixel[0]).abs() <= tolerance, "{x} {pixel:?}");
            assert!((y - pixel[1]).abs() <= tolerance, "{y} {pixel:?}");
        }
        assert_eq!(camera.scale(), 2.0);
        for _ in 0..6 {
            camera.zoom_out(pointer);
        }
        assert!(camera.is_fit());
    }

    #[test]
    fn zooming_stops_at_round_numbers_and_at_fit() {
        let mut camera = camera(30, 20);
        let middle = Point::new(200.0, 100.0);
        camera.zoom_out(middle);
        assert!(camera.is_fit());
        let mut scales = Vec::new();
        for _ in 0..20 {
            camera.zoom_in(middle);
            scales.push(camera.scale());
        }
        assert_eq!(scales[..4], [1.5, 2.0, 3.0, 4.0]);
        assert_eq!(scales[19], 64.0);
        camera.show_as_it_is(middle);
        assert!(
            camera.is_fit(),
            "a small picture is shown as it is to begin with"
        );
        camera.fit();
        assert_eq!(camera, Camera::new(Size::new(30, 20), PANE));
    }

    #[test]
    fn panning_stops_at_the_edges() {
        let mut camera = camera(800, 100);
        camera.show_as_it_is(Point::new(200.0, 100.0));
        assert!(camera.hides_something());
        assert_eq!(camera.frame().across.start, -200);
        camera.pan(Vector::new(50.0, 70.0));
        // It is lower than the pane, so it stays centred.
        assert_eq!(
            (camera.frame().across.start, camera.frame().down.start),
            (-150, 50)
        );
        camera.pan(Vector::new(9000.0, 0.0));
        assert_eq!(camera.frame().across.start, 0);
        camera.pan(Vector::new(-9000.0, 0.0));
        assert_eq!(camera.frame().across.start, -400);
        camera.resize(Size::new(1000, 200));
        assert!(!camera.hides_something());
    }

    #[test]
    fn a_point_maps_to_the_pixel_drawn_there() {
        let mut camera = camera(30, 20);
        assert_eq!(camera.pixel_at(Point::new(185.0, 90.0)), Some((0, 0)));
        assert_eq!(camera.pixel_at(Point::new(184.9, 90.0)), None);
        assert_eq!(camera.pixel_at(Point::new(214.9, 109.9)), Some((29, 19)));
        assert_eq!(camera.pixel_at(Point::new(200.0, 110.0)), None);
        for _ in 0..6 {
            camera.zoom_in(Point::new(200.0, 100.0));
        }
        assert_eq!(camera.scale(), 8.0);
        let Frame { across, .. } = camera.frame();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let left = across.start as f32;
        assert_eq!(
            camera
                .pixel_at(Point::new(left + 7.9, 100.0))
                .map(|at| at.0),
            Some(0)
        );
        assert_eq!(
            camera
                .pixel_at(Point::new(left + 8.0, 100.0))
                .map(|at| at.0),
            Some(1)
        );
    }

    #[test]
    fn another_picture_of_the_same_size_keeps_the_view() {
        let mut camera = camera(800, 800);
        camera.zoom_in(Point::new(10.0, 10.0));
        let before = camera;
        camera.show(Size::new(800, 800));
        assert_eq!(camera, before);
        camera.show(Size::new(801, 800));
        assert!(camera.is_fit());
    }
}
