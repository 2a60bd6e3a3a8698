//! `viewer-app follow`: each new content as it comes.

mod pattern;
mod raw;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use app_kit::attendance::Attendance;
use app_kit::follower::Step;
use app_kit::signals::Termination;
use app_kit::snapshot::Origin;
use app_kit::units;
use clap::Args;
use qt_bridge::Form;
use serde::Serialize;
use shm_core::{Attached, Key, Message, Metadata, Sample};

use self::pattern::Pattern;
use self::raw::Raw;
use super::{Failure, printable, show};
use crate::export;
use crate::output::{self, Existing, Output};
use crate::report::Report;
use crate::session::{self, Content, FetchError, Found};
use crate::user::User;

/// How long a file that is being written may take after a signal.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(
    after_help = "Begins with what is there, and then prints what comes, whoever loads it: loaders may go and
come. This is not a queue: of what comes faster than it is printed, the latest is.

A text is one line: its line ends are written as \\n, tabs as \\t, other control characters as
\\u{..}, a backslash as \\\\. --json has it exactly, in one object a line. Pictures and other
bytes are described in a line.

Examples:
  viewer-app follow                               until Ctrl-C
  viewer-app follow --json --count 3              the next three, for programs
  viewer-app follow --timeout 10                  fail when nothing comes for 10 s
  viewer-app follow --output 'frame-%05d.png'     pictures as frame-00001.png and so on
  viewer-app follow --raw - | ffmpeg -f rawvideo -pixel_format rgba -video_size 640x360 -i - out.mp4"
)]
pub(crate) struct Arguments {
    /// Print one JSON object a line
    #[arg(long)]
    pub(super) json: bool,

    /// End after so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// Fail when nothing new comes for so long: seconds, or with a unit, such as 500ms or 2m
    #[arg(long, value_name = "SECONDS", value_parser = units::duration)]
    pub(super) timeout: Option<Duration>,

    /// Write each picture to a file of its own: %d or %05d in PATTERN is its number, from 1
    #[arg(long, value_name = "PATTERN")]
    pub(super) output: Option<Pattern>,

    /// Write the pixels of all pictures to FILE, or to standard output if FILE is "-"
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    pub(super) raw: Option<Output>,

    /// Look among what USER shares, a name or a user id, instead of your own
    #[arg(long, value_name = "USER")]
    pub(super) owner: Option<User>,

    /// Take what a Qt program streams for qstring, qbytearray, cstring, raw or qimage
    #[arg(long = "as", value_name = "FORM")]
    pub(super) form: Option<Form>,
}

impl Arguments {
    /// Tells whether pixels and JSON would get mixed up.
    pub(super) fn wants_stdout_twice(&self) -> bool {
        self.json && self.raw == Some(Output::Stdout)
    }
}

/// Follows on a thread of its own, until that has ended or a signal comes.
pub(super) fn run(key: &Key, arguments: Arguments) -> Result<(), Failure> {
    super::qt::refuse_form(arguments.form)?;
    if arguments.raw == Some(Output::Stdout) {
        show::refuse_terminal("Pixels")?;
    }
    let termination = Termination::catch()?;
    let announcement = termination.announcement();
    let desk = Arc::new(Desk::default());
    let (sender, ended) = mpsc::sync_channel(1);
    let (key, at) = (key.clone(), Arc::clone(&desk));
    thread::Builder::new()
        .name("follow".to_owned())
        .spawn(move || {
            let outcome = follow(&key, &arguments, &at);
            // Nobody waits for it where a signal was faster.
            sender.send(outcome).ok();
            drop(announcement);
        })?;
    termination.wait(None);
    // Where it was a signal, what waits waits in vain, but no file is left half-written.
    desk.close();
    ended.try_recv().unwrap_or(Ok(()))
}

/// Where contents are written; it is not left in the middle of one.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum DeskState {
    #[default]
    Free,
    Busy,
    Closed,
}

impl Desk {
    /// Does `work`, and nothing where the desk was closed.
    fn at_work<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        if self.change(DeskState::Free, DeskState::Busy) {
            let done = work();
            self.change(DeskState::Busy, DeskState::Free);
            return Some(done);
        }
        None
    }

    /// Waits until the work that was begun is done, and lets none begin.
    fn close(&self) {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), GRACE, |state| *state == DeskState::Busy);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = DeskState::Closed;
    }

    fn change(&self, from: DeskState, to: DeskState) -> bool {
        let mut state = self.state();
        let is_right = *state == from;
        if is_right {
            *state = to;
        }
        self.changed.notify_all();
        is_right
    }

    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes each content as it comes, until there were enough, nobody listens, or nothing comes.
fn follow(key: &Key, arguments: &Arguments, desk: &Desk) -> Result<(), Failure> {
    let owner = arguments.owner.as_ref();
    let mut follower = session::follower(key, owner);
    let mut delivery = Delivery::open(key, arguments)?;
    let mut count = 0;
    let mut since = Instant::now();
    while arguments.count != Some(count) {
        let left = arguments
            .timeout
            .map(|timeout| timeout.saturating_sub(since.elapsed()));
        let step = follower.next(left);
        match step.map_err(|error| FetchError::follow(error, owner))? {
            Step::Sample(sample) => {
                let Some(delivered) = desk.at_work(|| {
                    let attached = follower.others();
                    delivery.deliver(sample, attached, count + 1)
                }) else {
                    return Ok(());
                };
                match delivered? {
                    Delivered::Yes => count += 1,
                    Delivered::LeftOut => {}
                    Delivered::NobodyListens => return Ok(()),
                }
                since = Instant::now();
            }
            Step::Block => return Err(block(key)),
            Step::Empty | Step::Left | Step::Gone | Step::Quiet => {}
        }
        if arguments
            .timeout
            .is_some_and(|timeout| since.elapsed() >= timeout)
        {
            return Err(nothing_new(key, since.elapsed(), count));
        }
    }
    Ok(())
}

fn block(key: &Key) -> Failure {
    Failure::new(format!(
        "{key} is a block of bytes, and nothing tells when those change. Read them with \
         viewer-app show --key {}",
        app_kit::shell::quoted(key.as_str())
    ))
}

pub(super) fn nothing_new(key: &dyn fmt::Display, waited: Duration, count: u64) -> Failure {
    let until_then = match count {
        0 => String::new(),
        count => format!(" after the first {count}"),
    };
    Failure::new(format!(
        "Nothing new came into {key} within {:.1} s{until_then}. Load something with the same \
         key, in the window SharedMemoryLoad or with loader-app text, or wait longer.",
        waited.as_secs_f32()
    ))
}

/// What became of a content.
enum Delivered {
    Yes,
    /// It is no picture, and only pictures are wanted.
    LeftOut,
    NobodyListens,
}

/// Where contents go.
struct Delivery<'a> {
    key: &'a Key,
    arguments: &'a Arguments,
    raw: Option<Raw>,
    /// Lets loaders know what was shown here.
    attendance: Attendance,
}

/// What a line of `--json` holds: what `show --json` does, and more.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    pub(super) report: Report,
    /// How many came unseen between the last one and this.
    pub(super) skipped: u64,
    /// The text itself, where it is one.
    pub(super) text: Option<&'a str>,
}

impl<'a> Delivery<'a> {
    fn open(key: &'a Key, arguments: &'a Arguments) -> Result<Delivery<'a>, Failure> {
        Ok(Delivery {
            key,
            arguments,
            raw: arguments.raw.as_ref().map(Raw::open).transpose()?,
            attendance: Attendance::new(session::options(arguments.owner.as_ref())),
        })
    }

    /// Writes a content where it is wanted, tells of it, and lets its loaders know. It is the one
    /// with this `number`.
    fn deliver(
        &mut self,
        sample: Sample,
        attached: Vec<Attached>,
        number: u64,
    ) -> Result<Delivered, Failure> {
        let origin = Origin::of(&sample, &attached);
        let delivered = self.write(sample, attached, number)?;
        if matches!(delivered, Delivered::Yes) {
            // A clock that was set back makes it younger than now.
            let took = SystemTime::now().duration_since(origin.published);
            self.attendance.shown(&origin, took.unwrap_or_default());
        }
        Ok(delivered)
    }

    fn write(
        &mut self,
        sample: Sample,
        attached: Vec<Attached>,
        number: u64,
    ) -> Result<Delivered, Failure> {
        if let Some(raw) = &mut self.raw {
            let is_heard = raw.write(&sample)?;
            if !is_heard || self.arguments.raw == Some(Output::Stdout) {
                return Ok(Delivered::of(is_heard));
            }
        }
        let mut file = None;
        if let Some(pattern) = &self.arguments.output {
            if !matches!(sample.metadata(), Metadata::Image(_)) {
                let kind = sample.metadata().kind();
                super::warn(format_args!(
                    "What came is {kind}, no picture: it is left out."
                ));
                return Ok(Delivered::LeftOut);
            }
            let path = pattern.path(number);
            export::save_sample(&sample, &path, Existing::Replace)?;
            file = Some(path);
        }
        let mut line = if self.arguments.json {
            self.report(sample, attached)?
        } else {
            describe(&sample)?
        };
        if let Some(path) = file.filter(|_| !self.arguments.json) {
            line.push_str(" → ");
            line.push_str(&printable(&path.to_string_lossy()));
        }
        line.push('\n');
        let is_heard = output::is_heard(|stdout| stdout.write_all(line.as_bytes()))?;
        Ok(Delivered::of(is_heard))
    }

    fn report(&self, sample: Sample, attached: Vec<Attached>) -> Result<String, Failure> {
        let message;
        let text = match sample.metadata() {
            Metadata::Text => {
                message = sample.to_message()?;
                match &message {
                    Message::Text(text) => Some(text.as_str()),
                    Message::Image { .. } | Message::Bytes { .. } => None,
                }
            }
            Metadata::Image(_) | Metadata::Bytes { .. } => None,
        };
        let skipped = sample.skipped();
        let found = Found {
            persistent: session::is_persistent(self.key, self.arguments.owner.as_ref()),
            attached,
            content: Content::Sample(sample),
            seat: None,
        };
        Ok(serde_json::to_string(&Line {
            report: Report::of_found(&self.key.into(), &found, SystemTime::now()),
            skipped,
            text,
        })?)
    }
}

impl Delivered {
    fn of(is_heard: bool) -> Delivered {
        if is_heard {
            Delivered::Yes
        } else {
            Delivered::NobodyListens
        }
    }
}

/// Writes a text as a line, and tells of anything else in one.
fn describe(sample: &Sample) -> Result<String, Failure> {
    Ok(match sample.metadata() {
        Metadata::Text => match sample.to_message()? {
            Message::Text(text) => one_line(&text),
            Message::Image { .. } | Message::Bytes { .. } => String::new(),
        },
        Metadata::Image(metadata) => show::describe_picture(sample, metadata),
        Metadata::Bytes { media_type, source } => {
            let mut line = format!(
                "bytes · {} · {} · generation {}",
                printable(media_type),
                units::bytes(sample.len() as u64),
                sample.generation()
            );
            if let Some(source) = source {
                line.push_str(" · ");
                line.push_str(&printable(source));
            }
            line
        }
    })
}

/// Writes a text without line ends, so that each is one line and can be told from the next.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || character == '\\' {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_text_is_one_line_and_can_be_read_back() {
        assert_eq!(one_line("日本 🙂 \"quoted\""), "日本 🙂 \"quoted\"");
        assert_eq!(one_line("a\nb\tc\r\n"), r"a\nb\tc\r\n");
        assert_eq!(one_line(r"C:\new"), r"C:\\new");
        assert_eq!(one_line("\u{1b}[31m\0"), r"\u{1b}[31m\u{0}");
    }

    #[test]
    fn nothing_begins_at_a_closed_desk() {
        let desk = Desk::default();
        assert_eq!(desk.at_work(|| 7), Some(7));
        desk.close();
        assert_eq!(desk.at_work(|| 7), None);
    }

    #[test]
    fn a_desk_is_closed_when_its_work_is_done() {
        let desk = Desk::default();
        let (begun, waits) = mpsc::channel();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                desk.at_work(|| {
                    begun.send(()).expect("the other end is there");
                    thread::yield_now();
                    is_done.store(true, Ordering::SeqCst);
                })
            });
            waits.recv().expect("the work begins");
            desk.close();
            assert!(is_done.load(Ordering::SeqCst));
        });
    }
}
