//! A picture for demonstrations and screenshots.

use image::{Rgb, RgbImage, imageops};

/// Paints hills under a setting sun.
#[must_use]
pub fn demo_image(width: u32, height: u32) -> RgbImage {
    let [wide, high] = [width * 2, height * 2];
    let twice_as_large = RgbImage::from_fn(wide, high, |x, y| {
        #[expect(clippy::cast_precision_loss, reason = "a picture has few pixels")]
        let [across, down] = [x as f32 / wide as f32, y as f32 / high as f32];
        let hill = |base: f32, swell: f32, turns: f32| base + swell * (across * turns).sin();
        if down > hill(0.82, 0.05, 5.0) {
            return Rgb([28, 32, 58]);
        }
        if down > hill(0.70, 0.07, 3.0) {
            return Rgb([58, 52, 92]);
        }
        let ratio = f64::from(width) / f64::from(height);
        let from_sun = f64::hypot((f64::from(across) - 0.62) * ratio, f64::from(down) - 0.5);
        if from_sun < 0.13 {
            return Rgb([255, 236, 190]);
        }
        blend([58, 72, 140], [255, 150, 96], f64::from(down) / 0.75)
    });
    // Scaled down, so that its edges are smooth.
    imageops::resize(
        &twice_as_large,
        width,
        height,
        imageops::FilterType::Triangle,
    )
}

/// Returns the colour between two others.
fn blend(from: [u8; 3], to: [u8; 3], part: f64) -> Rgb<u8> {
    let part = part.clamp(0.0, 1.0);
    let mut mixed = from;
    for (from, to) in mixed.iter_mut().zip(to) {
        let value = f64::from(*from) * (1.0 - part) + f64::from(to) * part;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between two bytes"
        )]
        {
            *from = value.round() as u8;
        }
    }
    Rgb(mixed)
}
