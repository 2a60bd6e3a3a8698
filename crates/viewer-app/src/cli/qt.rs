//! The commands under a key of a Qt program.

use std::fmt::Write as _;

use app_kit::explain::Explain;
use app_kit::{hex, units};
use qt_bridge::{Form, QtKey, ReadingError};
use shm_core::Message;

use super::info::{HEX_BYTES, Lines};
use super::{Command, Failure, follow, info, remove, show};
use crate::output;
use crate::report::Report;
use crate::session::{self, Content, FetchError, Found};

/// Does what a command says; of another user's segment where `--owner` says so.
pub(super) fn run(key: &QtKey, command: Command) -> Result<(), Failure> {
    let owner = match &command {
        Command::Show(arguments) => arguments.owner.as_ref(),
        Command::Follow(arguments) => arguments.owner.as_ref(),
        Command::Info(arguments) => arguments.owner.as_ref(),
        Command::List(_) | Command::Remove(_) => None,
    };
    let owner = owner.cloned();
    let key = &match &owner {
        Some(owner) => key.owned_by(owner.id()),
        None => key.clone(),
    };
    match command {
        Command::Show(arguments) => {
            let found = session::qt::fetch(key, arguments.form, owner.as_ref(), arguments.wait)?;
            show::show(&key.into(), &found, &arguments)
        }
        Command::Follow(arguments) => follow::run(&key.into(), arguments),
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
    let found = match session::qt::fetch(key, None, arguments.owner.as_ref(), None) {
        Ok(found) => Ok(found),
        // It is there: the rest can be told.
        Err(FetchError::Qt(reason @ (ReadingError::Lock(_) | ReadingError::Stream { .. }))) => {
            Err(reason)
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        let report = match &found {
            Ok(found) => Report::of_found(&key.into(), found).with_users(key),
            Err(reason) => Report::of_unreadable_qt(key, reason),
        };
        return super::print_json(&report);
    }
    let mut lines = describe(key, found.as_ref());
    if let (true, Ok(found)) = (arguments.hex, &found) {
        let bytes = found.content.bytes();
        let dump = hex::dump(&bytes[..bytes.len().min(HEX_BYTES)]);
        write!(lines, "\n{dump}\n")?;
    }
    Ok(output::print(|stdout| stdout.write_all(lines.as_bytes()))?)
}

fn describe(key: &QtKey, found: Result<&Found, &ReadingError>) -> String {
    let mut lines = Lines::default();
    lines.add("key", key.as_str());
    lines.add("native key", &key.native_name());
    lines.add("lock", &key.native_lock_name());
    match found.map(|found| &found.content) {
        Ok(content @ Content::Qt(message, form)) => {
            lines.add("kind", &format!("{}, as {form}", content.kind()));
            if let Some(Message::Image { metadata, pixels }) = message {
                lines.add("pixels", &show::describe_pixels(metadata, pixels.len()));
            }
        }
        Ok(_) => {}
        Err(reason) => lines.add("kind", &format!("cannot be read: {}", reason.explain())),
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
