//! Sizes and times as people read and write them.

use std::fmt;
use std::time::Duration;

use crate::tr;

/// Writes a number of bytes with at most one decimal place: `42 bytes`, `1.5 MB`.
///
/// The units are decimal: 1 kB is 1,000 bytes, as file managers and `ls -h --si` count.
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    match UNITS.iter().find(|(unit, _)| count >= *unit) {
        None => tr!("bytes-few", count = count),
        Some((unit, name)) => {
            // Cut, not rounded: 999,999 bytes must not read "1000 kB".
            let tenths = count / (unit / 10);
            match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                tenth => format!("{}.{tenth} {name}", tenths / 10),
            }
        }
    }
}

/// Writes a number with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// Writes how long ago something was, in its largest whole unit: `now`, `2 s`, `3 min`, `5 h`, `2 d`.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        0 => tr!("age-now"),
        seconds @ 1..60 => tr!("age-seconds", count = seconds),
        seconds @ 60..3_600 => tr!("age-minutes", count = seconds / 60),
        seconds @ 3_600..86_400 => tr!("age-hours", count = seconds / 3_600),
        seconds => tr!("age-days", count = seconds / 86_400),
    }
}

/// Writes how long ago something was so that the words change seldom: `just now`, `3 min old`.
///
/// A window that is only looked at is drawn anew for each change.
pub(crate) fn rough_age(time: Duration) -> String {
    match time.as_secs() {
        0..60 => tr!("age-just-now"),
        _ => tr!("age-old", age = age(time)),
    }
}

/// Writes how old something is: `just now`, `2 s old`.
pub fn old(time: Duration) -> String {
    match time.as_secs() {
        0 => tr!("age-just-now"),
        _ => tr!("age-old", age = age(time)),
    }
}

/// Writes when something was done: `just now`, `2 s ago`.
pub fn ago(time: Duration) -> String {
    match time.as_secs() {
        0 => tr!("age-just-now"),
        _ => tr!("age-ago", age = age(time)),
    }
}

/// Returns how long something of this age keeps its [`rough_age`].
pub(crate) fn rough_age_lasts(time: Duration) -> Duration {
    let step = match time.as_secs() {
        0..3_600 => 60,
        3_600..86_400 => 3_600,
        _ => 86_400,
    };
    let next = (time.as_secs() / step + 1) * step;
    Duration::from_secs(next).saturating_sub(time)
}

/// Formats a duration, including short ones: `0.4 ms`, `3 ms`, `1.5 s`, then as [`age`] does.
pub fn lapse(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1_000 => milliseconds(format!("0.{}", micros / 100)),
        micros @ 1_000..1_000_000 => milliseconds((micros / 1_000).to_string()),
        micros @ 1_000_000..10_000_000 => {
            let number = format!("{}.{}", micros / 1_000_000, micros / 100_000 % 10);
            tr!("lapse-seconds", number = number)
        }
        _ => age(time),
    }
}

fn milliseconds(number: String) -> String {
    tr!("lapse-milliseconds", number = number)
}

/// Parses a duration written as a number and a unit: `500ms`, `10s`, `1.5m`, `2h`.
///
/// A number without a unit counts seconds.
///
/// # Errors
///
/// [`DurationError`] if the text is not such a number, is negative, or is too long to wait for.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let digits = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds_per_unit = match unit.trim_start() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err(DurationError::new(text)),
    };
    number
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * seconds_per_unit).ok())
        .ok_or_else(|| DurationError::new(text))
}

/// The error for a text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError {
    text: String,
}

impl DurationError {
    fn new(text: &str) -> DurationError {
        DurationError {
            text: text.to_owned(),
        }
    }
}

impl fmt::Display for DurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "\"{}\" is no duration; write a number and a unit, such as 500ms, 10s, 2m or 1h",
            self.text
        )
    }
}

impl std::error::Error for DurationError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_durations_are_in_milliseconds() {
        for (micros, written) in [
            (0, "0.0 ms"),
            (449, "0.4 ms"),
            (999, "0.9 ms"),
            (3_999, "3 ms"),
            (999_999, "999 ms"),
            (1_000_000, "1.0 s"),
            (9_950_000, "9.9 s"),
            (61_000_000, "1 min"),
        ] {
            assert_eq!(lapse(Duration::from_micros(micros)), written);
        }
    }

    #[test]
    fn byte_counts_use_decimal_units() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_000), "1 kB");
        assert_eq!(bytes(1_550), "1.5 kB");
        assert_eq!(bytes(999_999), "999.9 kB");
        assert_eq!(bytes(33_177_600), "33.1 MB");
        assert_eq!(bytes(u64::MAX), "18446744 TB");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn ages_use_their_largest_unit() {
        assert_eq!(age(Duration::from_millis(999)), "now");
        assert_eq!(age(Duration::from_secs(2)), "2 s");
        assert_eq!(age(Duration::from_secs(60)), "1 min");
        assert_eq!(age(Duration::from_secs(7_200)), "2 h");
        assert_eq!(age(Duration::from_secs(200_000)), "2 d");
    }

    #[test]
    fn a_rough_age_is_valid_until_it_changes() {
        let mut time = Duration::from_millis(500);
        let mut said = rough_age(time);
        assert_eq!(said, "just now");
        while time < Duration::from_secs(400_000) {
            let next = time + rough_age_lasts(time);
            assert_eq!(rough_age(next - Duration::from_millis(1)), said);
            said = rough_age(next);
            assert_ne!(said, rough_age(time), "at {next:?}");
            time = next;
        }
        assert_eq!(said, "5 d old");
    }

    #[test]
    fn durations_take_the_usual_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2 m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn an_invalid_text_is_refused_with_an_example() {
        for text in ["", "s", "-1s", "10 days", "1e400s", "1.2.3", "9e9", "NaN"] {
            let error = duration(text).expect_err(text);
            assert!(error.to_string().contains("such as 500ms"), "{error}");
        }
        assert!(duration(&"9".repeat(400)).is_err());
    }
}
