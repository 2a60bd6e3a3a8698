//! The media type of a file: by the ending of its name, or else by what its content begins with.

use std::path::Path;

/// What is said of bytes about which nothing is known.
const UNKNOWN: &str = "application/octet-stream";

/// As much of a file as tells its format.
pub(crate) const HEAD_BYTES: usize = 8 * 1024;

/// Endings whose types IANA has registered since, or under another name than `mime_guess` knows, and
/// one of a picture format that has no registered type.
const REGISTERED: [(&str, &str); 6] = [
    ("ico", "image/vnd.microsoft.icon"),
    ("mkv", "video/matroska"),
    ("qoi", "image/qoi"),
    ("toml", "application/toml"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
];

/// Returns the media type that the ending of `path` stands for, in any case; `None` where it is not known.
pub(crate) fn of_name(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?;
    let registered = REGISTERED
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(ending))
        .map(|(_, media_type)| *media_type);
    registered.or_else(|| mime_guess::from_ext(ending).first_raw())
}

/// Returns the media type of bytes that begin so.
pub(crate) fn of_content(head: &[u8]) -> &'static str {
    infer::get(head).map_or(UNKNOWN, |found| found.mime_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_known_in_any_case() {
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
    fn what_is_not_known_is_bytes() {
        for name in ["README", "a.unknown", ".png", "dir.d/", ""] {
            assert_eq!(of_name(Path::new(name)), None, "{name:?}");
        }
        for content in [b"".as_slice(), b"plain words", &[0; HEAD_BYTES]] {
            assert_eq!(of_content(content), UNKNOWN);
        }
    }

    #[test]
    fn a_content_is_known_by_its_beginning() {
        assert_eq!(of_content(b"%PDF-1.7\n"), "application/pdf");
        assert_eq!(of_content(b"\x28\xb5\x2f\xfd\0"), "application/zstd");
    }
}
