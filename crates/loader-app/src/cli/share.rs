//! Who else may read what is loaded.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use clap::Args;
use qt_bridge::Address;
use shm_core::{Options, segment};

/// Who else may read what is loaded.
#[derive(Clone, Copy, Debug, Args)]
pub struct Share {
    /// Lets other users read it: 640 those of your group, 644 everybody; 600, nobody, is usual.
    ///
    /// They read it with `viewer-app show --owner YOU`. They cannot change it, but they can keep it
    /// busy: grant this to users that you trust.
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,
}

impl Share {
    /// Adds what was asked for.
    pub(super) fn apply(self, options: Options) -> Options {
        match self.mode {
            Some(mode) => options.mode(mode.0),
            None => options,
        }
    }

    /// Tells whether others were asked for.
    pub(super) fn is_asked_for(self) -> bool {
        self.mode.is_some()
    }

    /// Says that the segment was there before, and is shared with others than asked for.
    pub(super) fn warning(self, address: &Address, options: &Options) -> Option<String> {
        let Mode(wanted) = self.mode?;
        let key = address.own()?;
        let found = segment::info(key, options).ok()?.mode;
        (found != wanted).then(|| {
            format!(
                "{key} was there before and keeps its mode {found:o}. For mode {wanted:o} end the \
                 programs that loaded into it, or remove it: viewer-app remove --key {}",
                app_kit::shell::quoted(key.as_str())
            )
        })
    }
}

/// Permission bits that make sense for a segment: its owner does all, others read or do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mode(u32);

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Mode, ModeError> {
        let is_octal = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let bits = u32::from_str_radix(text, 8);
        match bits {
            Ok(bits) if is_octal && bits <= 0o777 => Mode::of_bits(bits),
            _ => Err(ModeError::NotOctal),
        }
    }
}

impl Mode {
    fn of_bits(bits: u32) -> Result<Mode, ModeError> {
        if bits & 0o111 != 0 {
            Err(ModeError::Execute)
        } else if bits & 0o022 != 0 {
            Err(ModeError::OthersWrite)
        } else if bits & 0o600 != 0o600 {
            Err(ModeError::OwnerLeftOut)
        } else {
            Ok(Mode(bits))
        }
    }
}

/// Why these are no permissions for a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModeError {
    NotOctal,
    Execute,
    OthersWrite,
    OwnerLeftOut,
}

impl fmt::Display for ModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = match self {
            ModeError::NotOctal => "It is not three octal digits.",
            ModeError::Execute => "Shared memory is not executed.",
            ModeError::OthersWrite => {
                "Readers need no right to write, and whoever has it can destroy what is loaded."
            }
            ModeError::OwnerLeftOut => "You read and write it yourself: the first digit is 6.",
        };
        write!(
            f,
            "{wrong} Use 600 for nobody else, 640 for your group, 644 for everybody"
        )
    }
}

impl Error for ModeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_read_or_do_nothing() {
        for (text, bits) in [
            ("600", 0o600),
            ("640", 0o640),
            ("644", 0o644),
            ("0604", 0o604),
        ] {
            assert_eq!(text.parse(), Ok(Mode(bits)), "{text}");
        }
        for (text, error) in [
            ("", ModeError::NotOctal),
            ("+644", ModeError::NotOctal),
            ("u+r", ModeError::NotOctal),
            ("648", ModeError::NotOctal),
            ("1644", ModeError::NotOctal),
            ("777777777777", ModeError::NotOctal),
            ("755", ModeError::Execute),
            ("611", ModeError::Execute),
            ("666", ModeError::OthersWrite),
            ("620", ModeError::OthersWrite),
            ("444", ModeError::OwnerLeftOut),
            ("0", ModeError::OwnerLeftOut),
        ] {
            assert_eq!(text.parse::<Mode>(), Err(error), "{text}");
        }
    }
}
