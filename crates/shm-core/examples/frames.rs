//! Frames that are filled in shared memory and read there, without a copy, with their latency.
//!
//!     cargo run --release --example frames -- show camera
//!     cargo run --release --example frames -- publish camera 300 60   # 300 frames, 60 a second
//!
//! A subscriber that is slower than the publisher never delays it: it skips frames, and counts
//! them.

use std::env;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use shm_core::{
    Annotations, ImageMetadata, Key, Metadata, Next, Options, PixelFormat, Publisher, Subscriber,
};

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["publish", name, count, rate] => publish(&Key::new(name)?, count.parse()?, rate.parse()?),
        ["show", name] => show(&Key::new(name)?),
        _ => Err("usage: frames publish KEY COUNT RATE | frames show KEY".into()),
    }
}

/// Publishes `count` frames, `rate` a second.
fn publish(key: &Key, count: u32, rate: u32) -> Result<(), Box<dyn Error>> {
    let image = ImageMetadata::packed(PixelFormat::Rgba8, WIDTH, HEIGHT)?;
    let bytes = image.payload_bytes();
    let metadata = Metadata::Image(image);
    // Allocates the regions now, so that the first frame is as fast as the later ones.
    let options = Options::new().reserve(bytes as u64);
    let publisher = Publisher::open(key, &options)?;
    let period = Duration::from_secs(1) / rate.max(1);
    let mut due = Instant::now();
    for number in 0..count {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += period;
        // The loan is memory of the segment that no subscriber sees until it is published. Its
        // content is arbitrary, so all of it is written.
        let mut loan = publisher.loan(bytes)?;
        let shade = number.to_le_bytes()[0];
        for pixel in loan.chunks_exact_mut(4) {
            pixel.copy_from_slice(&[shade, shade, shade, 255]);
        }
        let annotations = Annotations::new().with_user(&number.to_le_bytes());
        loan.publish_with(&metadata, &annotations)?;
    }
    Ok(())
}

/// Prints a line for each frame until the last publisher detaches.
fn show(key: &Key) -> Result<(), Box<dyn Error>> {
    let mut subscriber = Subscriber::attach_within(key, &Options::new(), None)?;
    let (mut shown, mut skipped) = (0, 0);
    loop {
        match subscriber.next(None)? {
            Next::Sample(sample) => {
                let latency = sample.age();
                let number = u32::from_le_bytes(sample.user().try_into()?);
                // In place: the region stays pinned until the sample is dropped.
                let shade = sample.payload()[0];
                println!("frame {number}, shade {shade}: {latency:.1?} after it was published");
                shown += 1;
                skipped += sample.skipped();
            }
            Next::PublisherGone | Next::Removed => break,
            // Clearings. There is no timeout and no interrupter.
            _ => {}
        }
    }
    println!("{shown} frames shown, {skipped} skipped");
    Ok(())
}
