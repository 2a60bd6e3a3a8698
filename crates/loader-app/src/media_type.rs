//! The media type of a file, guessed from the ending of its name.

use std::path::Path;

/// What is said of bytes about which nothing is known.
pub const UNKNOWN: &str = "application/octet-stream";

/// Endings in lower case, and what they stand for.
const TYPES: [(&str, &str); 46] = [
    ("7z", "application/x-7z-compressed"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("bz2", "application/x-bzip2"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("md", "text/markdown"),
    ("mkv", "video/matroska"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pbm", "image/x-portable-bitmap"),
    ("pdf", "application/pdf"),
    ("pgm", "image/x-portable-graymap"),
    ("png", "image/png"),
    ("ppm", "image/x-portable-pixmap"),
    ("qoi", "image/qoi"),
    ("rs", "text/x-rust"),
    ("sh", "application/x-sh"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("xpm", "image/x-xpixmap"),
    ("yaml", "application/yaml"),
    ("zip", "application/zip"),
];

/// Returns the media type that the ending of `path` stands for, in any case.
pub fn of(path: &Path) -> &'static str {
    let Some(ending) = path.extension().and_then(|ending| ending.to_str()) else {
        return UNKNOWN;
    };
    TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(ending))
        .map_or(UNKNOWN, |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_known_in_any_case() {
        assert_eq!(of(Path::new("/tmp/a.b/Report.PDF")), "application/pdf");
        assert_eq!(of(Path::new("table.csv")), "text/csv");
    }

    #[test]
    fn what_is_not_known_is_bytes() {
        for name in ["README", "a.unknown", ".png", "dir.d/", ""] {
            let expected = UNKNOWN;
            assert_eq!(of(Path::new(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_has_nothing_twice() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
