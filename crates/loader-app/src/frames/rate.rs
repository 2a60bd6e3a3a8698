//! Frame rates.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The highest rate, in frames per second.
const MAX_RATE: u32 = 1_000;
/// The longest duration of a frame, in seconds: a day.
const MAX_SECONDS: u32 = 86_400;

/// A frame rate as an exact fraction: 29.97 differs from 30000/1001.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    frames: u32,
    seconds: u32,
}

impl Rate {
    /// Returns a rate of `frames` per second, at least 1.
    pub(crate) fn per_second(frames: u16) -> Rate {
        Rate {
            frames: u32::from(frames.max(1)),
            seconds: 1,
        }
    }

    /// Returns the time from the start of frame 0 to the start of this frame.
    pub(crate) fn start_of(self, frame: u64) -> Duration {
        const NANOS: u128 = 1_000_000_000;
        let nanos = u128::from(frame) * u128::from(self.seconds) * NANOS / u128::from(self.frames);
        let seconds = u64::try_from(nanos / NANOS).unwrap_or(u64::MAX);
        Duration::new(seconds, u32::try_from(nanos % NANOS).unwrap_or(0))
    }

    /// Returns the duration of this frame. Rounding errors do not accumulate.
    pub(crate) fn duration_of(self, frame: u64) -> Duration {
        self.start_of(frame + 1)
            .saturating_sub(self.start_of(frame))
    }
}

impl FromStr for Rate {
    type Err = RateError;

    /// Parses `25`, `29.97` or `30000/1001`.
    fn from_str(text: &str) -> Result<Rate, RateError> {
        let wrong = || RateError {
            text: text.to_owned(),
        };
        let (frames, seconds) = match text.split_once('/') {
            Some((frames, seconds)) => (frames.parse().ok(), seconds.parse().ok()),
            None => {
                let (whole, part) = text.split_once('.').unwrap_or((text, ""));
                let places = u32::try_from(part.len()).map_err(|_| wrong())?;
                let digits = [whole, part].concat();
                (digits.parse().ok(), 10_u32.checked_pow(places))
            }
        };
        let is_digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'/'));
        match (frames, seconds) {
            (Some(frames), Some(seconds)) if is_digits => Rate { frames, seconds },
            _ => return Err(wrong()),
        }
        .checked()
        .ok_or_else(wrong)
    }
}

impl Rate {
    fn checked(self) -> Option<Rate> {
        let Rate { frames, seconds } = self;
        let most = u64::from(seconds) * u64::from(MAX_RATE);
        let least = u64::from(frames) * u64::from(MAX_SECONDS);
        let is_good = frames > 0 && u64::from(frames) <= most && u64::from(seconds) <= least;
        is_good.then_some(self)
    }
}

/// The error for a text that is not a frame rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateError {
    text: String,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is not a frame rate; write frames per second, such as 25, 29.97 or 30000/1001, at \
             most {MAX_RATE}",
            self.text
        )
    }
}

impl Error for RateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_a_fraction() {
        let rate = |frames, seconds| Ok(Rate { frames, seconds });
        assert_eq!("25".parse::<Rate>(), rate(25, 1));
        assert_eq!("29.97".parse::<Rate>(), rate(2_997, 100));
        assert_eq!("0.5".parse::<Rate>(), rate(5, 10));
        assert_eq!("30000/1001".parse::<Rate>(), rate(30_000, 1_001));
        for text in [
            "",
            "0",
            "-1",
            "+5",
            "1001",
            "1e3",
            "x",
            "25fps",
            "1/0",
            "0/1",
            ".",
            "1.2.3",
            "1/2/3",
            "0.00000001",
            "4294967296",
            "NaN",
        ] {
            let error = text.parse::<Rate>().expect_err(text);
            assert!(error.to_string().contains("such as 25"), "{error}");
        }
    }

    #[test]
    fn rounding_errors_do_not_accumulate() {
        let rate: Rate = "24000/1001".parse().unwrap();
        let sum: Duration = (0..24_000).map(|frame| rate.duration_of(frame)).sum();
        assert_eq!(sum, Duration::from_secs(1_001));
        assert_eq!(
            rate.start_of(u64::MAX / 2).as_secs(),
            384_691_475_370_484_607
        );
    }
}
