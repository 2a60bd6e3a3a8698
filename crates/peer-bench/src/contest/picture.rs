//! A 4K picture from the pixels of the loader to those of the viewer: raw in this project, a PNG
//! stream in Qt.

use std::process::Command;

use shm_core::{ImageMetadata, Key, Metadata, Options, PixelFormat, Publisher, Sample, Subscriber};

use super::{Arena, timed};
use crate::Outcome;
use crate::payload::FRAME;
use crate::peer::Peer;
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const OURS: &str = "ours: publish pixels, copy them to a window";
const COPIED: &str = "ours: publish pixels, copy them by to_message";
const QT: &str = "Qt: QImage through QDataStream";
/// The number of consecutive pictures; one for Qt, where each takes seconds.
const PICTURES: usize = 5;
const SIDES: (u32, u32) = (3840, 2160);

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let picture = picture();
    let mut window = vec![1; FRAME];
    let (mut shown, mut copied) = (
        Pictures::open(arena, "shown", &picture)?,
        Pictures::open(arena, "copied", &picture)?,
    );
    let mut contenders = vec![
        Contender::new(OURS, || {
            let mut show = || {
                let (done, nanoseconds) = timed(|| {
                    let sample = shown.pass(&picture)?;
                    window.copy_from_slice(sample.payload());
                    Outcome::Ok(())
                });
                done?;
                is_same(&window, &picture).map(|()| nanoseconds)
            };
            (0..PICTURES).map(|_| show()).collect()
        }),
        Contender::new(COPIED, || {
            let mut show = || {
                let (message, nanoseconds) =
                    timed(|| Outcome::Ok(copied.pass(&picture)?.to_message()?));
                is_same(message?.payload(), &picture).map(|()| nanoseconds)
            };
            (0..PICTURES).map(|_| show()).collect()
        }),
    ];
    if let Some(program) = &arena.qt {
        let mut qt = Peer::of(Command::new(program))?;
        contenders.push(Contender::new(QT, move || {
            Ok(vec![
                qt.ask(&format!("picture {} {}", SIDES.0, SIDES.1))?
                    .parse()?,
            ])
        }));
    }
    let rounds = Rounds::play(if arena.is_quick { 1 } else { 5 }, contenders)?;
    let title = "a 4K picture: load decoded pixels, show";
    report.rounds(title, Unit::Time, OURS, &rounds);
    let goal = Goal::AtMost(0.005);
    report.judge("picture4k_vs_qt", &rounds, (OURS, QT), Of::Median, goal);
    Ok(())
}

/// A publisher of pictures, and a subscriber.
struct Pictures {
    publisher: Publisher,
    subscriber: Subscriber,
    metadata: Metadata,
}

impl Pictures {
    /// After four pictures: long-running programs reuse the same memory. Another contest measures
    /// the first.
    fn open(arena: &Arena, key: &str, picture: &[u8]) -> Outcome<Self> {
        let (key, options) = (Key::new(key)?, Options::new().directory(arena.place()));
        let shape = ImageMetadata::packed(PixelFormat::Rgba8, SIDES.0, SIDES.1)?;
        let mut pictures = Self {
            publisher: Publisher::open(&key, &options)?,
            subscriber: Subscriber::attach(&key, &options)?,
            metadata: Metadata::Image(shape),
        };
        for _ in 0..4 {
            drop(pictures.pass(picture)?);
        }
        Ok(pictures)
    }

    fn pass(&mut self, picture: &[u8]) -> Outcome<Sample> {
        self.publisher.publish(&self.metadata, picture)?;
        Ok(self.subscriber.latest()?.ok_or("nothing was published")?)
    }
}

fn is_same(shown: &[u8], picture: &[u8]) -> Outcome {
    if shown == picture {
        Ok(())
    } else {
        Err("another picture came".into())
    }
}

/// Gradients with a little noise, as in photographs; `qt/peer.cpp` draws the same.
fn picture() -> Vec<u8> {
    let mut pixels = Vec::with_capacity(FRAME);
    let mut noise = 1u32;
    for y in 0..SIDES.1 {
        for x in 0..SIDES.0 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = noise >> 29;
            let channel = |value: u32| u8::try_from((value + grain) & 255).unwrap_or(0);
            pixels.extend([channel(x / 16), channel(y / 9), channel((x + y) / 24), 255]);
        }
    }
    pixels
}
