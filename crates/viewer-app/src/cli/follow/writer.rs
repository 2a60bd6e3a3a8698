//! Contents on their way out: as pixels, as files, as lines.

use gui_common::desktop::save_file::SaveFile;
use gui_common::text::terminal;
use serde::Serialize;
use shm_core::ReadError;
use shm_io::Content;

use super::arguments::Arguments;
use super::raw::Raw;
use crate::cli::describe;
use crate::cli::failure::Failure;
use crate::export;
use crate::json;
use crate::output::{self, Output};
use crate::report::Report;

/// Where contents go.
pub(super) struct Writer<'a> {
    arguments: &'a Arguments,
    raw: Option<Raw>,
}

/// What became of a content.
pub(super) enum Delivered {
    Yes,
    /// It is no picture, and only pictures are wanted.
    LeftOut,
    NobodyListens,
}

/// What a line of `--json` holds: what `show --json` does, and more.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    report: Report,
    /// How many came unseen between the last one and this; 0 where nothing is counted.
    skipped: u64,
    /// The text itself, where it is one.
    text: Option<&'a str>,
}

impl<'a> Writer<'a> {
    pub(super) fn open(arguments: &'a Arguments) -> Result<Writer<'a>, Failure> {
        Ok(Writer {
            arguments,
            raw: arguments.raw.as_ref().map(Raw::open).transpose()?,
        })
    }

    /// Writes a content where it is wanted, and tells of it. It is the one with this `number`.
    pub(super) fn deliver(
        &mut self,
        content: &Content,
        skipped: u64,
        number: u64,
    ) -> Result<Delivered, Failure> {
        if let Some(raw) = &mut self.raw {
            let is_heard = raw.write(content)?;
            if !is_heard || self.arguments.raw == Some(Output::Stdout) {
                return Ok(Delivered::of(is_heard));
            }
        }
        let mut file = None;
        if let Some(pattern) = &self.arguments.output {
            if content.image().is_none() {
                terminal::print_error(format_args!(
                    "What came is {}, no picture: it is left out.",
                    content.kind()
                ));
                return Ok(Delivered::LeftOut);
            }
            let path = pattern.path(number);
            // One that a power failure takes is followed by the next.
            let target = SaveFile::at(&path).in_series();
            export::save(content, target, self.arguments.memory.limit)?;
            file = Some(path);
        }
        let mut line = if self.arguments.json {
            report(content, skipped)?
        } else {
            describe(content)?
        };
        if let Some(path) = file.filter(|_| !self.arguments.json) {
            line.push_str(" → ");
            line.push_str(&terminal::line(&path.to_string_lossy()));
        }
        line.push('\n');
        let is_heard = output::is_heard(|stdout| stdout.write_all(line.as_bytes()))?;
        Ok(Delivered::of(is_heard))
    }
}

fn report(content: &Content, skipped: u64) -> Result<String, Failure> {
    let text = content.text()?;
    Ok(json::to_line(&Line {
        report: Report::of_content(content),
        skipped,
        text: text.as_deref(),
    })?)
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
fn describe(content: &Content) -> Result<String, ReadError> {
    Ok(match content.text()? {
        Some(text) => one_line(&text),
        None => describe::content(content),
    })
}

/// Writes a text without line ends, so that each is one line and can be told from the next.
fn one_line(text: &str) -> String {
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
    use super::*;

    #[test]
    fn a_text_is_one_line_and_can_be_read_back() {
        assert_eq!(one_line("日本 🙂 \"quoted\""), "日本 🙂 \"quoted\"");
        assert_eq!(one_line("a\nb\tc\r\n"), r"a\nb\tc\r\n");
        assert_eq!(one_line(r"C:\new"), r"C:\\new");
        assert_eq!(one_line("\u{1b}[31m\0"), r"\u{1b}[31m\u{0}");
    }
}
