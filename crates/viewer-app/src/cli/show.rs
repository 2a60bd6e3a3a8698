//! `viewer-app show`: the content itself.

use std::io::Cursor;
use std::time::Duration;

use app_kit::limit::Limit;
use app_kit::save_file::SaveFile;
use app_kit::{terminal, units};
use clap::Args;
use image::ImageFormat;
use qt_bridge::{Address, Form};
use shm_core::{ImageMetadata, Key, Message, Metadata, Sample};

use super::Failure;
use super::memory::Memory;
use crate::export;
use crate::output::{self, Output};
use crate::picture_file;
use crate::report::{Report, beside};
use crate::session::{self, Content, Found};
use crate::user::User;

#[derive(Debug, Args)]
#[command(
    after_help = "A text goes to standard output as it is. Only a terminal gets a final newline, and control and
invisible characters as \\r, \\u{1b} and the like, so that no text can steer it or deceive who
reads; --no-escape writes them as they are. A picture is described in one line; --output
writes it as png, jpg, bmp, gif, webp, ppm or qoi, after the ending of FILE. An array is written
for NumPy if FILE ends with npy. Any other bytes, and an array's, go to standard output, and to a
terminal only with --no-escape.

A new file takes the place of FILE when it is whole, with the permissions of the old one if that is
yours. A pipe or a device is written to as it is; a pipe needs its reader first. A link that another
user may have made is refused, and so is a terminal.

Examples:
  viewer-app show                          print the text in MySharedMemory
  viewer-app show --wait 10                wait up to 10 s for somebody to load one
  viewer-app show --output frame.png       write the picture to a file
  viewer-app show --output - > frame.png   the same; standard output takes it as png
  viewer-app show --output a.png --limit 4G  a picture that takes more than 1 GiB to write
  viewer-app show --json                   what it is, for programs
  viewer-app show --no-escape              a text with its colours, of somebody you trust
  viewer-app --key qt:K show --as raw      what a Qt program copied into QSharedMemory K
  viewer-app show --owner anna             what anna shares by loader-app text --mode 644"
)]
pub(crate) struct Arguments {
    /// Wait so long for something to show: seconds, or with a unit, such as 500ms or 2m
    #[arg(long, value_name = "SECONDS", value_parser = units::duration)]
    pub(super) wait: Option<Duration>,

    /// Write to FILE, or to standard output if FILE is "-"
    #[arg(long, value_name = "FILE")]
    output: Option<Output>,

    /// How much memory a picture may take.
    #[command(flatten)]
    memory: Memory,

    /// Print what it is as JSON, instead of the content or beside --output FILE
    #[arg(long)]
    json: bool,

    /// Look among what USER shares, a name or a user id, instead of your own. Root names it to read
    /// what is not shared, too. Nobody writes or removes what is of others
    #[arg(long, value_name = "USER")]
    pub(super) owner: Option<User>,

    /// Take what a Qt program streamed for qstring, qbytearray, cstring, raw or qimage
    #[arg(long = "as", value_name = "FORM")]
    pub(super) form: Option<Form>,
}

impl Arguments {
    /// Returns `true` if content and JSON would get mixed up.
    pub(super) fn wants_stdout_twice(&self) -> bool {
        self.json && self.output == Some(Output::Stdout)
    }
}

pub(super) fn run(key: &Key, arguments: &Arguments) -> Result<(), Failure> {
    super::qt::refuse_form(arguments.form)?;
    let found = session::fetch(key, arguments.owner.as_ref(), arguments.wait)?;
    show(&key.into(), &found, arguments)
}

/// Prints what was found, or writes it to a file.
pub(super) fn show(key: &Address, found: &Found, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.json {
        // Made before the content is written, which may take its time.
        let report = Report::of_found(key, found);
        let report = match key {
            Address::Own(_) => report,
            Address::Qt(key) => report.with_users(key),
        };
        if let Some(output) = &arguments.output {
            deliver(key, &found.content, Some(output), arguments.memory.limit)?;
        }
        super::print_json(&report)?;
    } else {
        deliver(
            key,
            &found.content,
            arguments.output.as_ref(),
            arguments.memory.limit,
        )?;
    }
    found.tell_shown();
    Ok(())
}

fn deliver(
    key: &Address,
    content: &Content,
    output: Option<&Output>,
    limit: Limit,
) -> Result<(), Failure> {
    if let Content::Block {
        is_half_written: true,
        ..
    } = content
    {
        terminal::warn(format_args!(
            "The last writer of {key} died while writing: some of these bytes may be old."
        ));
    }
    if let Some(Output::File(path)) = output {
        return Ok(export::save(content, SaveFile::at(path), limit)?);
    }
    if let Content::Sample(sample) = content {
        match sample.metadata() {
            Metadata::Text => return print_text(sample),
            Metadata::Image(metadata) => return print_picture(sample, metadata, output, limit),
            Metadata::Array(array) if output.is_none() && terminal::is_stdout_escaped() => {
                let line = beside::describe_array(array, sample);
                return Ok(output::print(|stdout| {
                    writeln!(stdout, "{line} (--output FILE.npy writes it for NumPy)")
                })?);
            }
            _ => {}
        }
    }
    if let Content::Qt(message, _) = content {
        match message {
            Some(Message::Text(text)) => return print_copied(text),
            Some(Message::Image { metadata, pixels }) => {
                return print_copied_picture(metadata, pixels, output, limit);
            }
            _ => {}
        }
    }
    refuse_terminal(&format!("What is in {key} is no text and"))?;
    output::print(|stdout| content.write_to(stdout))?;
    Ok(content.verify()?)
}

fn print_text(sample: &Sample) -> Result<(), Failure> {
    print_copied(&export::text_of(sample)?)
}

fn print_copied(text: &str) -> Result<(), Failure> {
    Ok(output::print(|stdout| {
        stdout.write_all(text.as_bytes())?;
        if terminal::is_stdout_terminal() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(())
    })?)
}

/// Writes a picture to standard output where that was asked for; else describes it.
fn print_picture(
    sample: &Sample,
    metadata: &ImageMetadata,
    output: Option<&Output>,
    limit: Limit,
) -> Result<(), Failure> {
    if output.is_some() {
        refuse_terminal("A picture")?;
        let mut png = Cursor::new(Vec::new());
        picture_file::encode(
            metadata,
            sample.payload(),
            ImageFormat::Png,
            limit,
            &mut png,
        )?;
        sample.verify()?;
        return Ok(output::print(|stdout| stdout.write_all(png.get_ref()))?);
    }
    let line = describe_picture(sample, metadata);
    Ok(output::print(|stdout| {
        writeln!(stdout, "{line} (--output FILE.png writes it)")
    })?)
}

/// Does with a picture of a Qt program what [`print_picture`] does with others.
fn print_copied_picture(
    metadata: &ImageMetadata,
    pixels: &[u8],
    output: Option<&Output>,
    limit: Limit,
) -> Result<(), Failure> {
    if output.is_some() {
        refuse_terminal("A picture")?;
        let mut png = Cursor::new(Vec::new());
        picture_file::encode(metadata, pixels, ImageFormat::Png, limit, &mut png)?;
        return Ok(output::print(|stdout| stdout.write_all(png.get_ref()))?);
    }
    let line = describe_pixels(metadata, pixels.len());
    Ok(output::print(|stdout| {
        writeln!(stdout, "{line} (--output FILE.png writes it)")
    })?)
}

/// Tells of pixels in one line.
pub(super) fn describe_pixels(metadata: &ImageMetadata, bytes: usize) -> String {
    format!(
        "image · {} × {} · {} · {}",
        metadata.width,
        metadata.height,
        metadata.format.name(),
        units::bytes(bytes as u64),
    )
}

/// Tells of a picture in one line.
pub(super) fn describe_picture(sample: &Sample, metadata: &ImageMetadata) -> String {
    let mut line = describe_pixels(metadata, sample.len());
    line.push_str(&format!(" · sequence {}", sample.sequence()));
    if let Some(file_name) = &metadata.file_name {
        line.push_str(" · ");
        line.push_str(&terminal::line(file_name));
    }
    line.push_str(&beside::origin_of(sample));
    line
}

pub(super) fn refuse_terminal(what: &str) -> Result<(), Failure> {
    if terminal::is_stdout_escaped() {
        return Err(Failure::new(format!(
            "{what} would garble the terminal. Write it to a file with --output FILE, pipe it to \
             another program, or have it written all the same with --no-escape."
        )));
    }
    Ok(())
}
