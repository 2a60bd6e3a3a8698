//! `viewer-app follow`: each new content as it comes.

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
use self::missed::Missed;
use self::source::{Arrival, Arrivals};
use self::writer::{Delivered, Writer};
use super::failure::{Failure, refuse_form, refuse_terminal};
use crate::output::Output;

/// Follows on a thread of its own, until that has ended or a signal comes.
pub(super) fn run(address: &Address, arguments: Arguments) -> Result<(), Failure> {
    refuse_form(address, arguments.form)?;
    if address.qt().is_some() {
        arguments.refuse_of_qt()?;
    }
    if arguments.raw == Some(Output::Stdout) {
        refuse_terminal("Pixels")?;
    }
    let termination = Termination::catch()?;
    let announcement = termination.announcement();
    let missed = Arc::new(Missed::default());
    let (sender, ended) = mpsc::sync_channel(1);
    let (address, sum) = (address.clone(), Arc::clone(&missed));
    thread::Builder::new()
        .name("follow".to_owned())
        .spawn(move || {
            let outcome = follow(&address, &arguments, &missed);
            // Nobody waits for it where a signal was faster.
            sender.send(outcome).ok();
            drop(announcement);
        })?;
    termination.wait(None);
    // Where it was a signal, what waits waits in vain, but no file is left half-written, and no lock
    // of a Qt program held.
    critical::finish();
    sum.tell_sum();
    ended.try_recv().unwrap_or(Ok(()))
}

/// Takes each content as it comes, until there were enough, nobody listens, or nothing comes.
fn follow(address: &Address, arguments: &Arguments, missed: &Missed) -> Result<(), Failure> {
    let mut source = Arrivals::open(address, arguments, missed);
    let mut writer = Writer::open(arguments)?;
    let mut count = 0;
    let mut since = Instant::now();
    while arguments.count != Some(count) {
        let left = arguments
            .timeout
            .map(|timeout| timeout.saturating_sub(since.elapsed()));
        match source.next(left.into_iter().chain(missed.due()).min())? {
            Arrival::Content(content, skipped) => {
                let deliver = || writer.deliver(&content, skipped, count + 1);
                match critical::section(deliver)? {
                    Delivered::Yes => {
                        missed.count_taken();
                        source.delivered(&content);
                        count += 1;
                    }
                    Delivered::LeftOut => {}
                    Delivered::NobodyListens => return Ok(()),
                }
                since = Instant::now();
            }
            Arrival::End => return Ok(()),
            Arrival::Nothing if left.is_some_and(|left| left.is_zero()) => {
                return Err(nothing_new(address, since.elapsed(), count));
            }
            Arrival::Nothing => {}
        }
        missed.tell_if_due();
    }
    Ok(())
}

fn nothing_new(address: &Address, waited: Duration, count: u64) -> Failure {
    let until_then = match count {
        0 => String::new(),
        count => format!(" after the first {count}"),
    };
    Failure::new(format!(
        "Nothing new came into {address} within {:.1} s{until_then}. Load something with the same \
         key, in the window SharedMemoryLoad or with loader-app text, or wait longer.",
        waited.as_secs_f32()
    ))
}
