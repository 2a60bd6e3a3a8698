//! Patterns for numbered file names.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::picture_file::{self, PictureFileError};

/// The number of digits of the largest number.
const MAX_DIGITS: usize = 20;

/// A path with a placeholder for a number, such as `frame-%05d.png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct PathPattern {
    before: String,
    /// The minimum width; shorter numbers are padded with zeros.
    digits: usize,
    after: String,
}

impl PathPattern {
    /// Returns the path for this number.
    pub(in crate::cli) fn path(&self, number: u64) -> PathBuf {
        let PathPattern {
            before,
            digits,
            after,
        } = self;
        format!("{before}{number:0digits$}{after}").into()
    }
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<PathPattern, PathPatternError> {
        let mut pattern = PathPattern {
            before: String::new(),
            digits: 0,
            after: String::new(),
        };
        let mut has_number = false;
        let mut rest = text;
        while let Some((literal, directive)) = rest.split_once('%') {
            pattern.part(has_number).push_str(literal);
            if let Some(after) = directive.strip_prefix('%') {
                pattern.part(has_number).push('%');
                rest = after;
                continue;
            }
            let (digits, after) = directive
                .split_once('d')
                .ok_or(PathPatternError::Directive)?;
            if has_number {
                return Err(PathPatternError::Directive);
            }
            pattern.digits = parse_digits(digits)?;
            has_number = true;
            rest = after;
        }
        pattern.part(has_number).push_str(rest);
        if !has_number {
            return Err(PathPatternError::NoNumber);
        }
        picture_file::format_of(Path::new(&pattern.path(1))).map_err(PathPatternError::Ending)?;
        Ok(pattern)
    }
}

impl PathPattern {
    fn part(&mut self, is_behind_number: bool) -> &mut String {
        if is_behind_number {
            &mut self.after
        } else {
            &mut self.before
        }
    }
}

/// Parses the text between `%` and `d`: empty, or a zero and a width.
fn parse_digits(text: &str) -> Result<usize, PathPatternError> {
    if text.is_empty() {
        return Ok(0);
    }
    text.strip_prefix('0')
        .filter(|width| width.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|width| width.parse().ok())
        .filter(|width| (1..=MAX_DIGITS).contains(width))
        .ok_or(PathPatternError::Directive)
}

/// The error of parsing a [`PathPattern`].
#[derive(Debug)]
pub(in crate::cli) enum PathPatternError {
    /// There is no placeholder for a number.
    NoNumber,
    /// A directive after `%` is invalid, or there is a second number.
    Directive,
    /// The extension names no supported format.
    Ending(PictureFileError),
}

impl fmt::Display for PathPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathPatternError::NoNumber => f.write_str(
                "Each picture would replace the previous one. Add a number, such as frame-%05d.png",
            ),
            PathPatternError::Directive => f.write_str(
                "A pattern has exactly one number, written as %d or, padded with zeros, as %05d; a \
                 percent sign is written as %%",
            ),
            PathPatternError::Ending(error) => error.fmt(f),
        }
    }
}

impl Error for PathPatternError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PathPatternError::NoNumber | PathPatternError::Directive => None,
            PathPatternError::Ending(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_replaces_the_placeholder() {
        for (text, number, name) in [
            ("frame-%05d.png", 7, "frame-00007.png"),
            ("frame-%05d.png", 1_234_567, "frame-1234567.png"),
            ("%d.JPG", 12, "12.JPG"),
            ("dir.d/100%%-%03d.qoi", 1, "dir.d/100%-001.qoi"),
            ("%020d%%.bmp", 1, "00000000000000000001%.bmp"),
        ] {
            let pattern: PathPattern = text.parse().expect(text);
            assert_eq!(pattern.path(number), Path::new(name));
        }
    }

    #[test]
    fn an_invalid_pattern_is_rejected_with_a_remedy() {
        for (text, words) in [
            ("frame.png", "%05d"),
            ("100%%.png", "%05d"),
            ("", "%05d"),
            ("%5d.png", "%05d"),
            ("%0d.png", "%05d"),
            ("%021d.png", "%05d"),
            ("%0-1d.png", "%05d"),
            ("%s.png", "%05d"),
            ("%d-%d.png", "exactly one"),
            ("%d%", "exactly one"),
            ("%d", "png"),
            ("%d.xpm", "png"),
        ] {
            let error = text.parse::<PathPattern>().expect_err(text);
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }
}
