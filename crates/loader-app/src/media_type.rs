//! The media type of a file: by its extension, or else by the first bytes of its content.

use std::path::Path;

/// The media type of unrecognised bytes.
const UNKNOWN: &str = "application/octet-stream";

/// The number of bytes at the start of a file from which its format is recognised.
pub(crate) const HEAD_BYTES: usize = 8 * 1024;

/// Extensions whose media type `mime_guess` does not have under the name that IANA registered, and
/// one of a picture format without a registered type.
const REGISTERED: [(&str, &str); 6] = [
    ("ico", "image/vnd.microsoft.icon"),
    ("mkv", "video/matroska"),
    ("qoi", "image/qoi"),
    ("toml", "application/toml"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
];

/// Returns the media type of the extension of `path`, in upper or lower case; `None` if it is not
/// known.
pub(crate) fn of_name(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    let registered = REGISTERED
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension))
        .map(|(_, media_type)| *media_type);
    registered.or_else(|| mime_guess::from_ext(extension).first_raw())
}

/// Returns the media type of content that starts with `head`.
pub(crate) fn of_content(head: &[u8]) -> &'static str {
    infer::get(head).map_or(UNKNOWN, |found| found.mime_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_recognised_in_any_case() {
        for (name, expected) in [
            ("/tmp/a.b/Report.PDF", "application/pdf"),
            ("table.csv", "text/csv"),
            ("favicon.ICO", "image/vnd.microsoft.icon"),
            ("Cargo.toml", "application/toml"),
            ("page.html", "text/html"),
            ("notes.txt", "text/plain"),
            ("notes.md", "text/markdown"),
            ("code.js", "text/javascript"),
            ("archive.zip", "application/zip"),
            ("archive.tar.gz", "application/gzip"),
            ("cat.pgm", "image/x-portable-graymap"),
            ("sound.wav", "audio/wav"),
        ] {
            assert_eq!(of_name(Path::new(name)), Some(expected), "{name}");
        }
    }

    #[test]
    fn unrecognised_content_is_octet_stream() {
        for name in ["README", "a.unknown", ".png", "dir.d/", ""] {
            assert_eq!(of_name(Path::new(name)), None, "{name:?}");
        }
        for content in [b"".as_slice(), b"plain words", &[0; HEAD_BYTES]] {
            assert_eq!(of_content(content), UNKNOWN);
        }
    }

    #[test]
    fn content_is_recognised_by_its_first_bytes() {
        assert_eq!(of_content(b"%PDF-1.7\n"), "application/pdf");
        assert_eq!(of_content(b"\x28\xb5\x2f\xfd\0"), "application/zstd");
    }
}
