//! `viewer-app follow`: prints or writes each new content.

mod arguments;
mod missed;
mod pattern;
mod raw;
mod source;
mod until_end;
mod writer;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gui_common::desktop::signals::Termination;
use shm_io::{Address, critical};

pub(crate) use self::arguments::Arguments;
use self::missed::MissedCounter;
use self::source::{FollowEvent, FollowSource};
use self::writer::{ContentWriter, WriteResult};
use super::failure::{Failure, refuse_form, refuse_terminal};
use crate::output::Output;

/// Follows on a separate thread until it ends or a signal arrives.
pub(super) fn run(address: &Address, arguments: Arguments) -> Result<(), Failure> {
    refuse_form(address, arguments.form)?;
    if address.qt().is_some() {
        arguments.refuse_qt()?;
    }
    if arguments.raw == Some(Output::Stdout) {
        refuse_terminal("Pixels")?;
    }
    let termination = Termination::catch()?;
    let announcement = termination.announcement();
    let missed = Arc::new(MissedCounter::default());
    let (sender, ended) = mpsc::sync_channel(1);
    let (address, total) = (address.clone(), Arc::clone(&missed));
    thread::Builder::new()
        .name("follow".to_owned())
        .spawn(move || {
            let outcome = follow(&address, &arguments, &missed);
            // The receiver is gone if a signal arrived first.
            sender.send(outcome).ok();
            drop(announcement);
        })?;
    termination.wait(None);
    // After a signal the thread is abandoned, but not inside a critical section: no file stays
    // half-written and no Qt lock stays held.
    critical::finish();
    total.print_total();
    ended.try_recv().unwrap_or(Ok(()))
}

/// Writes each content until `--count` is reached, standard output is closed, the publisher is gone
/// (`--until-end`), or the timeout expires.
fn follow(address: &Address, arguments: &Arguments, missed: &MissedCounter) -> Result<(), Failure> {
    let mut source = FollowSource::open(address, arguments, missed);
    let mut writer = ContentWriter::open(arguments)?;
    let mut count = 0;
    let mut since = Instant::now();
    while arguments.count != Some(count) {
        let left = arguments
            .timeout
            .map(|timeout| timeout.saturating_sub(since.elapsed()));
        match source.next(left.into_iter().chain(missed.due()).min())? {
            FollowEvent::Content(content, skipped) => {
                let write = || writer.write(&content, skipped, count + 1);
                match critical::section(write)? {
                    WriteResult::Written => {
                        missed.count_written();
                        source.report_shown(&content);
                        count += 1;
                    }
                    WriteResult::Skipped => {}
                    WriteResult::Closed => return Ok(()),
                }
                since = Instant::now();
            }
            FollowEvent::End => return Ok(()),
            FollowEvent::Nothing if left.is_some_and(|left| left.is_zero()) => {
                return Err(nothing_new(address, since.elapsed(), count));
            }
            FollowEvent::Nothing => {}
        }
        missed.print_if_due();
    }
    Ok(())
}

fn nothing_new(address: &Address, waited: Duration, count: u64) -> Failure {
    let after = match count {
        0 => String::new(),
        count => format!(" after the first {count}"),
    };
    Failure::new(format!(
        "No new content in {address} within {:.1} s{after}. Load something with the same \
         key, in the window SharedMemoryLoad or with loader-app text, or wait longer.",
        waited.as_secs_f32()
    ))
}
