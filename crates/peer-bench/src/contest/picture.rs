//! A 4K picture from the loader's pixels to the viewer's: raw here, a PNG in a stream at Qt's.

use std::process::Command;

use shm_core::{
    ImageMetadata, Key, Message, Metadata, Options, PixelFormat, Publisher, Subscriber,
};

use super::{Arena, timed};
use crate::Outcome;
use crate::payload::FRAME;
use crate::peer::Peer;
use crate::report::{Goal, Report, Unit};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const OURS: &str = "ours: publish pixels, copy them out";
const QT: &str = "Qt: QImage through QDataStream";
const SIDES: (u32, u32) = (3840, 2160);

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let (key, options) = (
        Key::new("picture")?,
        Options::new().directory(arena.place()),
    );
    let publisher = Publisher::open(&key, &options)?;
    let mut subscriber = Subscriber::attach(&key, &options)?;
    let shape = ImageMetadata::packed(PixelFormat::Rgba8, SIDES.0, SIDES.1)?;
    let metadata = Metadata::Image(shape);
    let picture = picture();
    let mut contenders = vec![Contender::new(OURS, move || {
        let (shown, nanoseconds) = timed(|| {
            publisher.publish(&metadata, &picture)?;
            let sample = subscriber.latest()?.ok_or("nothing was published")?;
            Outcome::Ok(sample.to_message()?)
        });
        match shown? {
            Message::Image { pixels, .. } if pixels == picture => Ok(vec![nanoseconds]),
            _ => Err("another picture came".into()),
        }
    })];
    if let Some(program) = &arena.qt {
        let mut qt = Peer::of(Command::new(program))?;
        contenders.push(Contender::new(QT, move || {
            Ok(vec![
                qt.ask(&format!("picture {} {}", SIDES.0, SIDES.1))?
                    .parse()?,
            ])
        }));
    }
    let rounds = Rounds::play(if arena.is_quick { 1 } else { 3 }, contenders)?;
    let title = "a 4K picture: load decoded pixels, show";
    report.rounds(title, Unit::Time, OURS, &rounds);
    let goal = Goal::AtMost(0.005);
    report.judge("picture4k_vs_qt", &rounds, (OURS, QT), Of::Median, goal);
    Ok(())
}

/// Gradients with a little noise, as photographs have; `qt/peer.cpp` draws the same.
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
