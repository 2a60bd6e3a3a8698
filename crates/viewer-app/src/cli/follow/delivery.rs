//! Contents on their way out: as pixels, as files, as lines.

use app_kit::save_file::SaveFile;
use app_kit::{terminal, units};
use qt_bridge::Address;
use serde::Serialize;
use shm_core::{Message, Metadata, ReadError, Sample};

use super::Arguments;
use super::raw::Raw;
use crate::cli::{Failure, show};
use crate::export;
use crate::json;
use crate::output::{self, Output};
use crate::report::{Report, beside};
use crate::session::{Content, Found};

/// Where contents go.
pub(super) struct Delivery<'a> {
    address: &'a Address,
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

impl<'a> Delivery<'a> {
    pub(super) fn open(
        address: &'a Address,
        arguments: &'a Arguments,
    ) -> Result<Delivery<'a>, Failure> {
        Ok(Delivery {
            address,
            arguments,
            raw: arguments.raw.as_ref().map(Raw::open).transpose()?,
        })
    }

    /// Writes a content where it is wanted, and tells of it. It is the one with this `number`.
    pub(super) fn deliver(&mut self, found: &Found, number: u64) -> Result<Delivered, Failure> {
        let content = &found.content;
        if let Some(raw) = &mut self.raw {
            let is_heard = raw.write(content)?;
            if !is_heard || self.arguments.raw == Some(Output::Stdout) {
                return Ok(Delivered::of(is_heard));
            }
        }
        let mut file = None;
        if let Some(pattern) = &self.arguments.output {
            if content.picture().is_none() {
                terminal::warn(format_args!(
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
            self.report(found)?
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

    fn report(&self, found: &Found) -> Result<String, Failure> {
        let text = text_of(&found.content)?;
        Ok(json::to_line(&Line {
            report: Report::of_found(self.address, found),
            skipped: found.skipped,
            text: text.as_deref(),
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

/// Takes out the text, where it is one.
fn text_of(content: &Content) -> Result<Option<String>, ReadError> {
    Ok(match content {
        Content::Sample(sample) if *sample.metadata() == Metadata::Text => {
            match sample.to_message()? {
                Message::Text(text) => Some(text),
                _ => None,
            }
        }
        Content::Qt(Some(Message::Text(text)), _) => Some(text.clone()),
        Content::Sample(_) | Content::Qt(..) | Content::Block { .. } => None,
    })
}

/// Writes a text as a line, and tells of anything else in one.
fn describe(content: &Content) -> Result<String, ReadError> {
    if let Some(text) = text_of(content)? {
        return Ok(one_line(&text));
    }
    Ok(match content {
        Content::Sample(sample) => describe_sample(sample),
        Content::Qt(Some(Message::Image { metadata, pixels }), _) => {
            show::describe_pixels(metadata, pixels.len())
        }
        Content::Qt(..) | Content::Block { .. } => {
            let size = units::bytes(content.bytes().len() as u64);
            format!("{} · {size}", content.kind())
        }
    })
}

fn describe_sample(sample: &Sample) -> String {
    let metadata = sample.metadata();
    let what = match metadata {
        Metadata::Image(metadata) => return show::describe_picture(sample, metadata),
        Metadata::Array(array) => array.to_string(),
        metadata => metadata.media_type().to_owned(),
    };
    let mut line = format!(
        "{} · {} · {} · sequence {}",
        metadata.kind(),
        terminal::line(&what),
        units::bytes(sample.len() as u64),
        sample.sequence()
    );
    if let Some(file_name) = metadata.file_name() {
        line.push_str(" · ");
        line.push_str(&terminal::line(file_name));
    }
    line.push_str(&beside::origin_of(sample));
    line
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
