//! `viewer-app show`: the content itself.

use std::io::Cursor;
use std::time::Duration;

use clap::Args;
use gui_common::desktop::save_file::SaveFile;
use gui_common::text::terminal;
use gui_common::text::units;
use image::ImageFormat;
use qt_bridge::Form;
use shm_io::{Address, Content};

use super::describe;
use super::failure::{Failure, refuse_form, refuse_terminal};
use super::memory::Memory;
use crate::export;
use crate::output::{self, Output};
use crate::picture_file;
use crate::report::Report;
use crate::session;
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

/// Prints what is in a segment, or writes it to a file.
pub(super) fn run(address: &Address, arguments: &Arguments) -> Result<(), Failure> {
    refuse_form(address, arguments.form)?;
    let owner = arguments.owner.as_ref();
    let source = session::source(address, owner)
        .form(arguments.form)
        .reporting();
    let content = session::fetch(&source, owner, arguments.wait)?;
    if arguments.json {
        // Made before the content is written, which may take its time.
        let report = Report::of_content(&content).with_users(&source.users());
        if arguments.output.is_some() {
            deliver(&content, arguments)?;
        }
        output::print_json(&report)?;
    } else {
        deliver(&content, arguments)?;
    }
    content.report_shown();
    Ok(())
}

fn deliver(content: &Content, arguments: &Arguments) -> Result<(), Failure> {
    let (output, limit) = (arguments.output.as_ref(), arguments.memory.limit);
    let key = content.address();
    if content.is_half_written() {
        terminal::print_error(format_args!(
            "The last writer of {key} died while writing: some of these bytes may be old."
        ));
    }
    if let Some(Output::File(path)) = output {
        return Ok(export::save(content, SaveFile::at(path), limit)?);
    }
    if let Some(text) = content.text()? {
        return print_text(&text);
    }
    if let Some((metadata, pixels)) = content.image() {
        if output.is_none() {
            return describe_with(content, "--output FILE.png writes it");
        }
        refuse_terminal("A picture")?;
        let mut png = Cursor::new(Vec::new());
        picture_file::encode(metadata, pixels, ImageFormat::Png, limit, &mut png)?;
        content.verify()?;
        return Ok(output::print(|stdout| stdout.write_all(png.get_ref()))?);
    }
    if content.array().is_some() && output.is_none() && terminal::is_stdout_escaped() {
        return describe_with(content, "--output FILE.npy writes it for NumPy");
    }
    refuse_terminal(&format!("What is in {key} is no text and"))?;
    output::print(|stdout| content.write_to(stdout))?;
    Ok(content.verify()?)
}

fn print_text(text: &str) -> Result<(), Failure> {
    Ok(output::print(|stdout| {
        stdout.write_all(text.as_bytes())?;
        if terminal::is_stdout_terminal() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(())
    })?)
}

fn describe_with(content: &Content, hint: &str) -> Result<(), Failure> {
    let line = describe::content(content);
    Ok(output::print(|stdout| writeln!(stdout, "{line} ({hint})"))?)
}
