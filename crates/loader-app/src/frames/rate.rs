//! How many frames a second.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The most frames a second.
const MOST: u32 = 1_000;
/// The longest that a frame may stand: a day.
const LONGEST: u32 = 86_400;

/// A number of frames a second, exact: 29.97 is not 30000/1001.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    frames: u32,
    seconds: u32,
}

impl Rate {
    /// Returns `frames` a second; at least one.
    pub(crate) fn per_second(frames: u16) -> Rate {
        Rate {
            frames: u32::from(frames.max(1)),
            seconds: 1,
        }
    }

    /// Returns when the frame with this number begins, the first, number 0, at zero.
    pub(crate) fn time_of(self, frame: u64) -> Duration {
        const NANOS: u128 = 1_000_000_000;
        let nanos = u128::from(frame) * u128::from(self.seconds) * NANOS / u128::from(self.frames);
        let seconds = u64::try_from(nanos / NANOS).unwrap_or(u64::MAX);
        Duration::new(seconds, u32::try_from(nanos % NANOS).unwrap_or(0))
    }

    /// Returns how long the frame with this number stands. Rounding does not add up.
    pub(crate) fn lasts(self, frame: u64) -> Duration {
        self.time_of(frame + 1).saturating_sub(self.time_of(frame))
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
        let most = u64::from(seconds) * u64::from(MOST);
        let least = u64::from(frames) * u64::from(LONGEST);
        let is_good = frames > 0 && u64::from(frames) <= most && u64::from(seconds) <= least;
        is_good.then_some(self)
    }
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateError {
    text: String,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is no number of frames a second; write one such as 25, 29.97 or 30000/1001, at \
             most {MOST}",
            self.text
        )
    }
}

impl Error for RateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_as_players_write_them() {
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
    fn rounding_does_not_add_up() {
        let rate: Rate = "24000/1001".parse().unwrap();
        let sum: Duration = (0..24_000).map(|frame| rate.lasts(frame)).sum();
        assert_eq!(sum, Duration::from_secs(1_001));
        assert_eq!(
            rate.time_of(u64::MAX / 2).as_secs(),
            384_691_475_370_484_607
        );
    }
}
