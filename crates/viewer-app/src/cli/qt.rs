//! The commands under a key of a Qt program.

use std::fmt::Write as _;
use std::time::{Instant, SystemTime};

use app_kit::qt::PATIENCE;
use app_kit::signals::{Ended, Termination};
use app_kit::{hex, units};
use qt_bridge::{Address, Follower, Form, QtKey, Reading, Step};
use shm_core::Message;

use super::follow::{self, Line};
use super::info::{HEX_BYTES, Lines};
use super::{Command, Failure, info, printable, remove, show};
use crate::export;
use crate::output::{self, Existing};
use crate::report::Report;
use crate::session::{self, Content, Found};

/// Does what a command says.
pub(super) fn run(key: &QtKey, command: Command) -> Result<(), Failure> {
    let owner = match &command {
        Command::Show(arguments) => arguments.owner.as_ref(),
        Command::Follow(arguments) => arguments.owner.as_ref(),
        Command::Info(arguments) => arguments.owner.as_ref(),
        Command::List(_) | Command::Remove(_) => None,
    };
    if owner.is_some() {
        return Err(Failure::new(
            "Qt programs share nothing with other users: leave --owner out.",
        ));
    }
    match command {
        Command::Show(arguments) => {
            let found = session::qt::fetch(key, arguments.form, arguments.wait)?;
            show::show(&key.into(), &found, &arguments)
        }
        Command::Follow(arguments) => follow(key, &arguments),
        Command::Info(arguments) => tell(key, &arguments),
        Command::List(arguments) => super::list::run(&arguments),
        Command::Remove(arguments) => remove(key, &arguments),
    }
}

/// Refuses `--as` where no Qt program streams.
pub(crate) fn refuse_form(form: Option<Form>) -> Result<(), Failure> {
    match form {
        None => Ok(()),
        Some(_) => Err(Failure::new(
            "--as says what a Qt program streams, and this key is not of one: write it as qt:KEY, or \
             leave --as out.",
        )),
    }
}

fn remove(key: &QtKey, arguments: &remove::Arguments) -> Result<(), Failure> {
    qt_bridge::remove(key, arguments.force)?;
    Ok(output::print(|stdout| writeln!(stdout, "Removed {key}."))?)
}

fn tell(key: &QtKey, arguments: &info::Arguments) -> Result<(), Failure> {
    let found = session::qt::fetch(key, None, None)?;
    if arguments.json {
        let report = Report::of_found(&key.into(), &found, SystemTime::now());
        return super::print_json(&report);
    }
    let mut lines = describe(key, &found);
    if arguments.hex {
        let bytes = found.content.bytes();
        let dump = hex::dump(&bytes[..bytes.len().min(HEX_BYTES)]);
        write!(lines, "\n{dump}\n")?;
    }
    Ok(output::print(|stdout| stdout.write_all(lines.as_bytes()))?)
}

fn describe(key: &QtKey, found: &Found) -> String {
    let mut lines = Lines::default();
    lines.add("key", key.as_str());
    lines.add("native key", &key.native_name());
    lines.add("lock", &key.native_lock_name());
    if let Content::Qt(message, form) = &found.content {
        let metadata = message.as_ref().map(Message::metadata);
        let kind = metadata
            .as_ref()
            .map_or("nothing", |metadata| metadata.kind());
        lines.add("kind", &format!("{kind}, as {form}"));
        if let Some(Message::Image { metadata, pixels }) = message {
            lines.add("pixels", &show::describe_pixels(metadata, pixels.len()));
        }
    }
    if let Ok(size) = qt_bridge::size(key) {
        lines.add("size", &units::bytes(size as u64));
    }
    let users = qt_bridge::users(key);
    if users.is_empty() {
        lines.add("attached", "nobody is seen");
    }
    for (index, user) in users.iter().enumerate() {
        let label = if index == 0 { "attached" } else { "" };
        lines.add(label, &user.to_string());
    }
    lines.text
}

/// Looks again and again, because nothing wakes who waits for a Qt program.
fn follow(key: &QtKey, arguments: &follow::Arguments) -> Result<(), Failure> {
    if arguments.raw.is_some() {
        return Err(Failure::new(
            "--raw writes frames of loader-app. A Qt program streams PNG files: take --output.",
        ));
    }
    let termination = Termination::catch()?;
    let mut follower = Follower::new(key, arguments.form, PATIENCE);
    super::warn(format_args!(
        "Nothing tells when a Qt program changes {key}: it is looked at five times a second at most."
    ));
    let mut count = 0;
    let mut since = Instant::now();
    while arguments.count != Some(count) {
        if let Step::New(reading) = follower.look()? {
            match deliver(key, arguments, reading, count + 1)? {
                Some(true) => count += 1,
                Some(false) => return Ok(()),
                None => {}
            }
            since = Instant::now();
            continue;
        }
        let left = arguments
            .timeout
            .map(|timeout| timeout.saturating_sub(since.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(follow::nothing_new(key, since.elapsed(), count));
        }
        let pause = left.map_or(follower.pause(), |left| left.min(follower.pause()));
        if termination.wait(Some(pause)) == Ended::Signal {
            return Ok(());
        }
    }
    Ok(())
}

/// Writes a content where it is wanted, and tells of it: whether somebody listened, or nothing
/// where it was left out.
fn deliver(
    key: &QtKey,
    arguments: &follow::Arguments,
    reading: Reading,
    number: u64,
) -> Result<Option<bool>, Failure> {
    let content = Content::Qt(reading.value.into_message(), reading.form);
    let mut file = None;
    if let Some(pattern) = &arguments.output {
        if !matches!(content, Content::Qt(Some(Message::Image { .. }), _)) {
            super::warn("What came is no picture: it is left out.");
            return Ok(None);
        }
        let path = pattern.path(number);
        export::save(&content, &path, Existing::Replace)?;
        file = Some(path);
    }
    let mut line = if arguments.json {
        in_json(&key.into(), content)?
    } else {
        in_words(&content)
    };
    if let Some(path) = file.filter(|_| !arguments.json) {
        line.push_str(" → ");
        line.push_str(&printable(&path.to_string_lossy()));
    }
    line.push('\n');
    Ok(Some(output::is_heard(|stdout| {
        stdout.write_all(line.as_bytes())
    })?))
}

fn in_words(content: &Content) -> String {
    match content {
        Content::Qt(Some(Message::Text(text)), _) => follow::one_line(text),
        Content::Qt(Some(Message::Image { metadata, pixels }), _) => {
            show::describe_pixels(metadata, pixels.len())
        }
        other => format!("bytes · {}", units::bytes(other.bytes().len() as u64)),
    }
}

fn in_json(key: &Address, content: Content) -> Result<String, Failure> {
    let text = match &content {
        Content::Qt(Some(Message::Text(text)), _) => Some(text.clone()),
        _ => None,
    };
    let found = Found {
        content,
        persistent: false,
        attached: Vec::new(),
        seat: None,
    };
    Ok(serde_json::to_string(&Line {
        report: Report::of_found(key, &found, SystemTime::now()),
        skipped: 0,
        text: text.as_deref(),
    })?)
}
