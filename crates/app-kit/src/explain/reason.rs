//! What comes as the end of a sentence, in the language of the window.

use crate::language::{self, Language};

/// What shm-core says of a file that is no segment, or of a damaged one, and qt-bridge of a stream; with
/// `{}` for what varies, and how an entry calls that. These come as texts, because there are so many
/// ways to be wrong.
pub(super) const REASONS: &[(&str, &str, &[&str])] = &[
    ("it does not begin as a segment does", "reason-magic", &[]),
    ("it claims to have {} slots", "reason-slots", &["count"]),
    ("it is of an unknown kind ({})", "reason-kind", &["kind"]),
    ("it claims a block of {} bytes", "reason-block", &["bytes"]),
    ("it claims a ring of {} bytes", "reason-ring", &["bytes"]),
    (
        "it is cut short: {} bytes of {}",
        "reason-cut",
        &["bytes", "whole"],
    ),
    (
        "it claims {} bytes, and has memory for {}",
        "reason-memory",
        &["bytes", "memory"],
    ),
    ("it is too short to be a segment", "reason-short", &[]),
    (
        "{} belongs to user {}, not to user {}",
        "reason-owner",
        &["path", "found", "expected"],
    ),
    (
        "{} is a directory of user {}, not a regular file",
        "reason-directory",
        &["path", "owner"],
    ),
    (
        "{} is a symbolic link of user {}, not a regular file",
        "reason-link",
        &["path", "owner"],
    ),
    (
        "{} is a named pipe of user {}, not a regular file",
        "reason-pipe",
        &["path", "owner"],
    ),
    (
        "{} is a socket of user {}, not a regular file",
        "reason-socket",
        &["path", "owner"],
    ),
    (
        "{} is a device of user {}, not a regular file",
        "reason-device",
        &["path", "owner"],
    ),
    (
        "the positions of its records contradict each other",
        "reason-positions",
        &[],
    ),
    ("a record has an impossible header", "reason-record", &[]),
    (
        "a record goes back to sequence {}",
        "reason-sequence",
        &["sequence"],
    ),
    (
        "it names region {}, which does not exist",
        "reason-region",
        &["region"],
    ),
    (
        "it claims {} bytes, and has no memory for as many",
        "reason-no-memory",
        &["bytes"],
    ),
    (
        "it is too long for a ring of this length",
        "reason-metadata",
        &[],
    ),
    (
        "it claims a payload of {} bytes",
        "reason-payload",
        &["bytes"],
    ),
    (
        "there are bytes behind the metadata",
        "reason-behind-metadata",
        &[],
    ),
    ("the metadata ends too early", "reason-metadata-cut", &[]),
    (
        "a name in the metadata is not UTF-8",
        "reason-metadata-utf8",
        &[],
    ),
    (
        "the metadata says the same twice",
        "reason-metadata-twice",
        &[],
    ),
    (
        "an image of {} × {} pixels is out of bounds (1 to {} a side)",
        "reason-sides",
        &["width", "height", "most"],
    ),
    (
        "its {} is {} bytes long, and {} are the most",
        "reason-name",
        &["what", "bytes", "most"],
    ),
    ("file name", "reason-file-name", &[]),
    ("media type", "reason-media-type", &[]),
    ("user data", "reason-user-data", &[]),
    ("host name", "reason-host-name", &[]),
    ("program name", "reason-program-name", &[]),
    (
        "rows of {} bytes do not fit a stride of {}",
        "reason-stride",
        &["row", "stride"],
    ),
    (
        "the image needs {} bytes of pixels, and there are {}",
        "reason-pixels",
        &["needed", "found"],
    ),
    (
        "an array of {} dimensions is out of bounds (1 to {})",
        "reason-dimensions",
        &["count", "most"],
    ),
    (
        "the array needs {} bytes, and there are {}",
        "reason-array",
        &["needed", "found"],
    ),
    (
        "the array needs more bytes than there can be",
        "reason-array-too-large",
        &[],
    ),
    ("the text is not UTF-8 at byte {}", "reason-utf8", &["at"]),
    (
        "The segment \"{}\" has layout version {}, and this program knows version {}: use programs of one release.",
        "reason-version",
        &["key", "found", "known"],
    ),
    (
        "The system does not permit access to the segment \"{}\": check who owns it and its mode, and the directory's.",
        "reason-permission",
        &["key"],
    ),
    ("there are only {} bytes", "reason-qt-few-bytes", &["bytes"]),
    (
        "it says to be {} bytes long, and there are {}",
        "reason-qt-length",
        &["bytes", "room"],
    ),
    (
        "{} bytes are no whole number of UTF-16 units",
        "reason-qt-odd",
        &["bytes"],
    ),
    (
        "it begins with {} where 1 stands before a picture",
        "reason-qt-mark",
        &["found"],
    ),
    ("the PNG file: {}", "reason-qt-png", &["reason"]),
    ("no NUL stands at its end", "reason-qt-no-nul", &[]),
    ("the bytes are no UTF-8 text", "reason-qt-not-utf8", &[]),
    (
        "a picture is streamed as qimage",
        "reason-qt-is-picture",
        &[],
    ),
    ("this is no picture", "reason-qt-no-picture", &[]),
    ("it has a NUL, where a C string ends", "reason-qt-nul", &[]),
    ("its sides do not fit its bytes", "reason-qt-sides", &[]),
    ("its rows are longer than they say", "reason-qt-rows", &[]),
    ("no PNG file can be made of it", "reason-qt-no-png", &[]),
];

/// Says what shm-core said of a file; in its own words where there are no others.
pub fn explain_reason(reason: &str) -> String {
    known_reason(reason)
        .or_else(|| {
            // Which file it is about stands before it; its name may have a colon too.
            reason.match_indices(": ").find_map(|(at, colon)| {
                let rest = known_reason(&reason[at + colon.len()..])?;
                let arguments = [("path", reason[..at].into()), ("reason", rest.into())];
                language::say_in(Language::spoken(), "reason-at", &arguments)
            })
        })
        .unwrap_or_else(|| reason.to_owned())
}

fn known_reason(reason: &str) -> Option<String> {
    REASONS.iter().find_map(|(template, id, names)| {
        let found = holes(template, reason)?;
        let arguments: Vec<_> = names
            .iter()
            .zip(found)
            .map(|(name, value)| {
                // What varies may be words, too.
                let value = known_reason(value).unwrap_or_else(|| value.to_owned());
                (*name, value.into())
            })
            .collect();
        language::say_in(Language::spoken(), id, &arguments)
    })
}

/// Returns what stands in a text where a template has `{}`; `None` where the rest differs.
fn holes<'a>(template: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = template.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let end = match part {
            "" => rest.len(),
            part => rest.find(part)?,
        };
        found.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    rest.is_empty().then_some(found)
}
