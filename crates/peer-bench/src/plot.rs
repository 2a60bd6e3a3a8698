//! Line plots with two logarithmic axes, as SVG for light and dark pages.

use std::fmt::Write as _;

/// A line: its name and its points.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A plot of several lines.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    /// The titles of the axes, and the format of their numbers.
    pub(crate) x: (&'a str, fn(f64) -> String),
    pub(crate) y: (&'a str, fn(f64) -> String),
    pub(crate) lines: Vec<Line>,
}

const SIZE: (f64, f64) = (720.0, 400.0);
/// Left, top, right and bottom of the plotting area.
const FRAME: (f64, f64, f64, f64) = (80.0, 40.0, 540.0, 345.0);
/// Distinguishable with colour blindness, on white and on black.
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900"];

impl Plot<'_> {
    pub(crate) fn svg(&self) -> String {
        let (width, height) = SIZE;
        let mut svg = String::new();
        // Writing to a string cannot fail.
        let _written = write!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#808080">
<text x="{}" y="22" font-size="15">{}</text>
"##,
            FRAME.0, self.title
        );
        let (x, y) = (self.axis(|point| point.0), self.axis(|point| point.1));
        self.draw_grid(&mut svg, x, y);
        for (index, line) in self.lines.iter().enumerate() {
            draw_line(&mut svg, line, index, x, y);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// Returns the powers of ten that enclose all points.
    fn axis(&self, pick: impl Fn(&(f64, f64)) -> f64) -> Axis {
        let all = self
            .lines
            .iter()
            .flat_map(|line| line.points.iter().map(&pick));
        let (least, most) = all.fold((f64::MAX, f64::MIN), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let (from, to) = (least.log10().floor(), most.log10().ceil());
        Axis {
            from,
            to: to.max(from + 1.0),
        }
    }

    fn draw_grid(&self, svg: &mut String, x: Axis, y: Axis) {
        let (left, top, right, bottom) = FRAME;
        for power in x.powers() {
            let at = x.place(10f64.powf(power), left, right);
            let text = (self.x.1)(10f64.powf(power));
            let _written = write!(
                svg,
                r##"<path d="M{at:.1} {top}V{bottom}" stroke="#808080" stroke-opacity="0.25"/>
<text x="{at:.1}" y="{}" text-anchor="middle">{text}</text>
"##,
                bottom + 18.0
            );
        }
        for power in y.powers() {
            let at = y.place(10f64.powf(power), bottom, top);
            let text = (self.y.1)(10f64.powf(power));
            let _written = write!(
                svg,
                r##"<path d="M{left} {at:.1}H{right}" stroke="#808080" stroke-opacity="0.25"/>
<text x="{}" y="{:.1}" text-anchor="end">{text}</text>
"##,
                left - 8.0,
                at + 4.0
            );
        }
        let _written = write!(
            svg,
            r##"<text x="{}" y="{}" text-anchor="middle">{}</text>
<text x="{}" y="{}" text-anchor="end">{}</text>
"##,
            f64::midpoint(left, right),
            bottom + 40.0,
            self.x.0,
            left - 8.0,
            top - 8.0,
            self.y.0
        );
    }
}

fn draw_line(svg: &mut String, line: &Line, index: usize, x: Axis, y: Axis) {
    let (left, top, right, bottom) = FRAME;
    let colour = COLOURS[index % COLOURS.len()];
    let mut path = String::new();
    let mut dots = String::new();
    for &(one, other) in &line.points {
        let (at_x, at_y) = (x.place(one, left, right), y.place(other, bottom, top));
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _written = write!(path, "{command}{at_x:.1} {at_y:.1}");
        let _written = write!(
            dots,
            r#"<circle cx="{at_x:.1}" cy="{at_y:.1}" r="3" fill="{colour}"/>"#
        );
    }
    let legend = top + 14.0 + 20.0 * [0.0, 1.0, 2.0, 3.0, 4.0][index % COLOURS.len()];
    let _written = write!(
        svg,
        r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}
<text x="{}" y="{legend}" fill="{colour}">{}</text>
"#,
        right + 12.0,
        line.name
    );
}

/// One axis: the powers of ten at its ends.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn place(self, value: f64, start: f64, end: f64) -> f64 {
        start + (value.log10() - self.from) / (self.to - self.from) * (end - start)
    }

    fn powers(self) -> impl Iterator<Item = f64> {
        std::iter::successors(Some(self.from), |power| Some(power + 1.0))
            .take_while(move |power| *power <= self.to)
    }
}
