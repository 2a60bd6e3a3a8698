//! The memory of a segment with one short text: counted, not timed.

use std::fs;
use std::os::unix::fs::MetadataExt;

use shm_core::{Key, Options, Publisher};

use super::Arena;
use crate::Outcome;
use crate::report::{Goal, Report};
use crate::round::{Contender, Rounds};
use crate::spread::Of;

const OURS: &str = "a segment with a short text, bytes";
const BOUND: &str = "320 KB";

pub(crate) fn run(arena: &Arena, report: &mut Report) -> Outcome {
    let place = arena.fresh_place()?;
    let publisher = Publisher::open(&Key::new("short")?, &Options::new().directory(&place))?;
    publisher.publish_text("A short text.")?;
    let mut bytes = 0;
    for file in fs::read_dir(&place)? {
        bytes += file?.metadata()?.blocks() * 512;
    }
    report.line("");
    report.line(&format!(
        "memory of a segment with a short text: {bytes} bytes"
    ));
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let ours = bytes as f64;
    let contenders = vec![
        Contender::new(OURS, || Ok(vec![ours])),
        Contender::new(BOUND, || Ok(vec![320e3])),
    ];
    let rounds = Rounds::play(1, contenders)?;
    report.judge(
        "create_bytes",
        &rounds,
        (OURS, BOUND),
        Of::Median,
        Goal::AtMost(1.0),
    );
    Ok(())
}
