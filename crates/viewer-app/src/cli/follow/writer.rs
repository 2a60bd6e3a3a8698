//! The output of followed contents: pixels, files or lines.

use gui_common::desktop::save_file::SaveFile;
use gui_common::text::terminal;
use serde::Serialize;
use shm_core::ReadError;
use shm_io::Content;

use super::arguments::Arguments;
use super::raw::RawWriter;
use crate::cli::describe;
use crate::cli::failure::Failure;
use crate::export;
use crate::json;
use crate::output::{self, Output};
use crate::report::SegmentReport;

/// Writes contents to the outputs that the arguments name.
pub(super) struct ContentWriter<'a> {
    arguments: &'a Arguments,
    raw: Option<RawWriter>,
}

/// The result of writing a content.
pub(super) enum WriteResult {
    Written,
    /// It is not a picture, and `--output` writes only pictures.
    Skipped,
    /// The reading end of standard output is closed.
    Closed,
}

/// One line of `--json`: the fields of `show --json`, and more.
#[derive(Serialize)]
struct JsonLine<'a> {
    #[serde(flatten)]
    report: SegmentReport,
    /// The number of samples missed since the previous line; 0 for Qt segments, which have no
    /// sequence.
    skipped: u64,
    /// The text, if the content is one.
    text: Option<&'a str>,
}

impl<'a> ContentWriter<'a> {
    pub(super) fn open(arguments: &'a Arguments) -> Result<ContentWriter<'a>, Failure> {
        Ok(ContentWriter {
            arguments,
            raw: arguments.raw.as_ref().map(RawWriter::open).transpose()?,
        })
    }

    /// Writes a content to all outputs. `number` counts the contents, from 1.
    pub(super) fn write(
        &mut self,
        content: &Content,
        skipped: u64,
        number: u64,
    ) -> Result<WriteResult, Failure> {
        if let Some(raw) = &mut self.raw {
            let is_open = raw.write(content)?;
            if !is_open || self.arguments.raw == Some(Output::Stdout) {
                return Ok(WriteResult::of(is_open));
            }
        }
        let mut file = None;
        if let Some(pattern) = &self.arguments.output {
            if content.image().is_none() {
                terminal::print_error(format_args!(
                    "Skipped a content: it is {}, not a picture.",
                    content.kind()
                ));
                return Ok(WriteResult::Skipped);
            }
            let path = pattern.path(number);
            // Not synced to disk: a file lost to a power failure is followed by the next.
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
        let is_open = output::write(|stdout| stdout.write_all(line.as_bytes()))?;
        Ok(WriteResult::of(is_open))
    }
}

fn report(content: &Content, skipped: u64) -> Result<String, Failure> {
    let text = content.text()?;
    Ok(json::to_line(&JsonLine {
        report: SegmentReport::of_content(content),
        skipped,
        text: text.as_deref(),
    })?)
}

impl WriteResult {
    fn of(is_open: bool) -> WriteResult {
        if is_open {
            WriteResult::Written
        } else {
            WriteResult::Closed
        }
    }
}

/// Returns a text as one line, or the description of any other content.
fn describe(content: &Content) -> Result<String, ReadError> {
    Ok(match content.text()? {
        Some(text) => one_line(&text),
        None => describe::content(content),
    })
}

/// Escapes control characters and backslashes, so that each text is exactly one line.
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
    fn a_text_is_escaped_to_one_line_without_loss() {
        assert_eq!(one_line("日本 🙂 \"quoted\""), "日本 🙂 \"quoted\"");
        assert_eq!(one_line("a\nb\tc\r\n"), r"a\nb\tc\r\n");
        assert_eq!(one_line(r"C:\new"), r"C:\\new");
        assert_eq!(one_line("\u{1b}[31m\0"), r"\u{1b}[31m\u{0}");
    }
}
