//! `viewer-app show`: prints or writes the content of a segment.

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
use super::memory::MemoryOption;
use crate::export;
use crate::output::{self, Output};
use crate::owner::Owner;
use crate::picture_file;
use crate::report::SegmentReport;
use crate::session;

#[derive(Debug, Args)]
#[command(
    after_help = "A text is written to standard output unchanged. If that is a terminal, a final
newline is added, and control and invisible characters are escaped as \\r, \\u{1b} and so on,
because a text is untrusted input; --no-escape writes them unchanged. A picture is described in
one line; --output writes it as png, jpg, bmp, gif, webp, ppm or qoi, chosen by the extension of
FILE. An array is written for NumPy if the extension is npy. Other bytes, and those of an array,
are written to standard output, but to a terminal only with --no-escape.

FILE is replaced atomically when the new file is complete; it keeps its permissions if you own
it. A pipe or a device is written to directly; open a pipe for reading first. A symbolic link
that another user may have created is refused, and so is a terminal.

Examples:
  viewer-app show                          print the text in MySharedMemory
  viewer-app show --wait 10                wait up to 10 s for the first text
  viewer-app show --output frame.png       write the picture to a file
  viewer-app show --output - > frame.png   write the picture to standard output, as png
  viewer-app show --output a.png --limit 4G  allow more than 1 GiB of memory for the picture
  viewer-app show --json                   print the properties as JSON, for scripts
  viewer-app show --no-escape              print a text with its colours; only if you trust it
  viewer-app --key qt:K show --as raw      print the bytes in QSharedMemory K
  viewer-app show --owner anna             print what anna shares with loader-app text --mode 644"
)]
pub(crate) struct Arguments {
    /// Wait up to this long for the first content: seconds, or with a unit, such as 500ms or 2m
    #[arg(long, value_name = "SECONDS", value_parser = units::duration)]
    pub(super) wait: Option<Duration>,

    /// Write to FILE, or to standard output if FILE is "-"
    #[arg(long, value_name = "FILE")]
    output: Option<Output>,

    /// The memory limit of pictures.
    #[command(flatten)]
    memory: MemoryOption,

    /// Print the properties as JSON instead of the content; with --output FILE, write the content
    /// too
    #[arg(long)]
    json: bool,

    /// Use the segments of USER, a name or a user id, instead of your own. They are only read. Root
    /// can read segments that USER does not share
    #[arg(long, value_name = "USER")]
    pub(super) owner: Option<Owner>,

    /// Decode the content of a Qt key as FORM: qstring, qbytearray, cstring, raw or qimage
    #[arg(long = "as", value_name = "FORM")]
    pub(super) form: Option<Form>,
}

impl Arguments {
    /// Returns `true` if content and JSON would both go to standard output.
    pub(super) fn wants_stdout_twice(&self) -> bool {
        self.json && self.output == Some(Output::Stdout)
    }
}

/// Prints the content of a segment, or writes it to a file.
pub(super) fn run(address: &Address, arguments: &Arguments) -> Result<(), Failure> {
    refuse_form(address, arguments.form)?;
    let owner = arguments.owner.as_ref();
    let source = session::source(address, owner)
        .form(arguments.form)
        .reporting();
    let content = session::fetch(&source, owner, arguments.wait)?;
    if arguments.json {
        // Before the content is written: that may take long, and the report has ages.
        let report = SegmentReport::of_content(&content).with_users(&source.users());
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
            "The last writer of {key} crashed while writing: some of these bytes may be old."
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
    refuse_terminal(&format!("The content of {key} is not text and"))?;
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
