//! The names of pictures that are numbered.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::picture_file::{self, PictureFileError};

/// The most digits that a number has.
const MOST_DIGITS: usize = 20;

/// A name with a place for a number, such as `frame-%05d.png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Pattern {
    before: String,
    /// A number with fewer digits gets zeros in front.
    digits: usize,
    after: String,
}

impl Pattern {
    /// Returns the name with this number in it.
    pub(in crate::cli) fn path(&self, number: u64) -> PathBuf {
        let Pattern {
            before,
            digits,
            after,
        } = self;
        format!("{before}{number:0digits$}{after}").into()
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Pattern, PatternError> {
        let mut pattern = Pattern {
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
            let (digits, after) = directive.split_once('d').ok_or(PatternError::Directive)?;
            if has_number {
                return Err(PatternError::Directive);
            }
            pattern.digits = parse_digits(digits)?;
            has_number = true;
            rest = after;
        }
        pattern.part(has_number).push_str(rest);
        if !has_number {
            return Err(PatternError::NoNumber);
        }
        picture_file::format_of(Path::new(&pattern.path(1))).map_err(PatternError::Ending)?;
        Ok(pattern)
    }
}

impl Pattern {
    fn part(&mut self, is_behind_number: bool) -> &mut String {
        if is_behind_number {
            &mut self.after
        } else {
            &mut self.before
        }
    }
}

/// Reads what stands between `%` and `d`: nothing, or 0 and a number.
fn parse_digits(text: &str) -> Result<usize, PatternError> {
    if text.is_empty() {
        return Ok(0);
    }
    text.strip_prefix('0')
        .filter(|width| width.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|width| width.parse().ok())
        .filter(|width| (1..=MOST_DIGITS).contains(width))
        .ok_or(PatternError::Directive)
}

/// Why a text names no numbered pictures.
#[derive(Debug)]
pub(in crate::cli) enum PatternError {
    /// There is no place for a number.
    NoNumber,
    /// What follows a `%` is not understood, or there is a second number.
    Directive,
    /// The ending names no format.
    Ending(PictureFileError),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatternError::NoNumber => f.write_str(
                "Each picture would replace the one before. Add a place for its number, such as \
                 frame-%05d.png",
            ),
            PatternError::Directive => f.write_str(
                "Only one number is put in, written as %d or, with zeros in front, as %05d; a \
                 percent sign itself is %%",
            ),
            PatternError::Ending(error) => error.fmt(f),
        }
    }
}

impl Error for PatternError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PatternError::NoNumber | PatternError::Directive => None,
            PatternError::Ending(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_their_place() {
        for (text, number, name) in [
            ("frame-%05d.png", 7, "frame-00007.png"),
            ("frame-%05d.png", 1_234_567, "frame-1234567.png"),
            ("%d.JPG", 12, "12.JPG"),
            ("dir.d/100%%-%03d.qoi", 1, "dir.d/100%-001.qoi"),
            ("%020d%%.bmp", 1, "00000000000000000001%.bmp"),
        ] {
            let pattern: Pattern = text.parse().expect(text);
            assert_eq!(pattern.path(number), Path::new(name));
        }
    }

    #[test]
    fn what_is_no_pattern_says_what_to_write() {
        for (text, words) in [
            ("frame.png", "%05d"),
            ("100%%.png", "%05d"),
            ("", "%05d"),
            ("%5d.png", "%05d"),
            ("%0d.png", "%05d"),
            ("%021d.png", "%05d"),
            ("%0-1d.png", "%05d"),
            ("%s.png", "%05d"),
            ("%d-%d.png", "Only one"),
            ("%d%", "Only one"),
            ("%d", "png"),
            ("%d.xpm", "png"),
        ] {
            let error = text.parse::<Pattern>().expect_err(text);
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }
}
