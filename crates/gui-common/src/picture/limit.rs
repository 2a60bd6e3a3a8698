//! The memory limit for decoding or encoding a picture.

use std::fmt;
use std::str::FromStr;

/// The maximum memory for one picture: the decoder's or encoder's, the conversion's and the
/// resulting pixels together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u64);

/// The unit suffixes and their sizes in bytes.
const UNITS: [(char, u64); 4] = [
    ('T', 1 << 40),
    ('G', 1 << 30),
    ('M', 1 << 20),
    ('K', 1 << 10),
];

impl Limit {
    /// The default limit: 1 GiB.
    ///
    /// A photograph of 100 megapixels fits, in the usual formats.
    pub const DEFAULT: Limit = Limit(1 << 30);

    /// Returns the limit in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Returns the smallest limit of at least this many bytes: whole GiB, or MiB below 1 GiB.
    pub fn at_least(bytes: u64) -> Limit {
        let unit = if bytes > 1 << 30 { 1 << 30 } else { 1 << 20 };
        Limit(bytes.div_ceil(unit).max(1).saturating_mul(unit))
    }
}

impl Default for Limit {
    fn default() -> Limit {
        Limit::DEFAULT
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&format(self.0))
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Limit, LimitError> {
        match bytes(text)? {
            0 => Err(LimitError::new(text)),
            bytes => Ok(Limit(bytes)),
        }
    }
}

/// Formats a size as [`bytes`] parses it: `1G`, `512M`, in the largest unit without a remainder.
pub fn format(bytes: u64) -> String {
    let fits = |unit: u64| bytes > 0 && bytes.is_multiple_of(unit);
    match UNITS.iter().find(|(_, unit)| fits(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

/// Parses a whole number of bytes, or of K, M, G or T, each 1,024 times the one before.
///
/// # Errors
///
/// [`LimitError`] where the text is no such number, or too large.
pub fn bytes(text: &str) -> Result<u64, LimitError> {
    let wrong = || LimitError::new(text);
    let upper = text.to_ascii_uppercase();
    let digits = upper.strip_suffix("IB").unwrap_or(&upper);
    let unit = UNITS.iter().find(|(name, _)| digits.ends_with(*name));
    let (number, unit) = match unit {
        Some((name, unit)) => (digits.strip_suffix(*name).unwrap_or(digits), *unit),
        None if digits.len() < text.len() => return Err(wrong()),
        None => (digits, 1),
    };
    // `parse` takes a sign as well.
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number
        .parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(wrong)?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// The error for a text that is not a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitError {
    text: String,
}

impl LimitError {
    fn new(text: &str) -> LimitError {
        LimitError {
            text: text.to_owned(),
        }
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "\"{}\" is no size; write a whole number and a unit, such as 512M or 2G",
            self.text
        )
    }
}

impl std::error::Error for LimitError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        for (text, bytes, written) in [
            ("1", 1, "1"),
            ("1025", 1_025, "1025"),
            ("64K", 65_536, "64K"),
            ("512M", 512 << 20, "512M"),
            ("1024m", 1 << 30, "1G"),
            ("2GiB", 2 << 30, "2G"),
            ("16777215T", 16_777_215 << 40, "16777215T"),
        ] {
            let limit: Limit = text.parse().expect(text);
            assert_eq!(limit.bytes(), bytes, "{text}");
            assert_eq!(limit.to_string(), written, "{text}");
        }
    }

    #[test]
    fn zero_is_a_size_but_not_a_limit() {
        assert_eq!((bytes("0"), format(0)), (Ok(0), "0".to_owned()));
        assert_eq!(bytes("0M"), Ok(0));
    }

    #[test]
    fn an_invalid_text_is_refused_with_an_example() {
        for text in [
            "",
            "G",
            "0",
            "0G",
            "-1G",
            "+1G",
            "1.5G",
            "1 G",
            "1GG",
            "1B",
            "1iB",
            "iB",
            "16777216T",
            "99999999999999999999",
        ] {
            let error = text.parse::<Limit>().expect_err(text);
            assert!(error.to_string().contains("such as 512M"), "{error}");
        }
    }

    #[test]
    fn the_suggested_limit_is_at_least_the_need() {
        for (bytes, written) in [
            (1, "1M"),
            (1 << 20, "1M"),
            ((1 << 20) + 1, "2M"),
            (1 << 30, "1G"),
            ((1 << 30) + 1, "2G"),
            (5 << 30, "5G"),
        ] {
            let limit = Limit::at_least(bytes);
            assert!(limit.bytes() >= bytes);
            assert_eq!(limit.to_string(), written);
        }
        assert!(Limit::at_least(u64::MAX).bytes() > 1 << 62);
    }
}
