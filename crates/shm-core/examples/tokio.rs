//! A task that reads what another task publishes, on tokio. Any other executor works as well.
//!
//!     cargo run --features async --example tokio

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use futures_lite::StreamExt;
use shm_core::{Key, Options, Publisher, Subscriber};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (key, options) = (Key::new("tokio-example")?, Options::new());
    let publisher = Publisher::open(&key, &options)?;
    let mut samples = Subscriber::attach(&key, &options)?.into_stream()?;
    let publishing = async move {
        for number in 1..=3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            publisher.publish_text(&format!("number {number}"))?;
        }
        // Detaches, which ends the stream.
        drop(publisher);
        Ok::<_, Box<dyn Error>>(())
    };
    let reading = async move {
        while let Some(sample) = samples.next().await {
            let text = String::from_utf8_lossy(sample?.payload()).into_owned();
            writeln!(io::stdout(), "{text}")?;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let (published, read) = futures_lite::future::zip(publishing, reading).await;
    published.and(read)
}
