//! The access of other users.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use clap::Args;
use gui_common::text::group::Group;
use gui_common::text::shell;
use shm_core::Options;

use crate::session::Loaded;

/// The access of other users.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ShareOptions {
    /// Let other users read the segment: 640 for the users of a group, 644 for all users [default:
    /// 600, only you].
    ///
    /// They read it with `viewer-app show --owner YOU`. They cannot change it, but they can keep it
    /// busy: grant access only to users that you trust. An existing segment keeps its mode, and a
    /// warning is printed.
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,

    /// Let this group of yours read the segment, by name or number; with --mode 644, all users too.
    ///
    /// Without --mode, the mode is 640. Without --group, the group is your primary group.
    #[arg(long, value_name = "GROUP")]
    group: Option<Group>,
}

impl ShareOptions {
    /// Returns `options` with the values that the user set.
    pub(super) fn apply(self, mut options: Options) -> Options {
        if let Some(Mode(mode)) = self.mode() {
            options = options.mode(mode);
        }
        if let Some(group) = self.group {
            options = options.group(group.id());
        }
        options
    }

    /// Returns `true` if the user set one of the options.
    pub(super) fn is_set(self) -> bool {
        self.mode().is_some()
    }

    fn mode(self) -> Option<Mode> {
        self.mode.or(self.group.map(|_| Mode(0o640)))
    }

    /// Returns a message if the two options contradict each other.
    pub(super) fn usage_error(self) -> Option<String> {
        let (Mode(mode), group) = (self.mode?, self.group?);
        (mode & 0o040 == 0).then(|| {
            format!(
                "--mode {mode:o} lets the group {group} read nothing: use --mode 640, or leave one of \
                 the two out"
            )
        })
    }

    /// Returns a warning if the segment existed before with another mode or group, or if the user
    /// set none and other users may read it.
    pub(super) fn warning(self, loaded: &Loaded) -> Option<String> {
        let Some(Mode(mode)) = self.mode() else {
            return loaded.exposure();
        };
        let found = loaded.permissions?;
        let is_other_group = self.group.is_some_and(|group| group.id() != found.group);
        let key = loaded.key.own()?;
        (found.mode != mode || is_other_group).then(|| {
            format!(
                "{key} already exists and keeps its {}. For {} end the programs that loaded into it, \
                 or remove it: viewer-app remove --key {}",
                describe(found.mode, self.group.map(|_| Group::of(found.group))),
                describe(mode, self.group),
                shell::quoted(key.as_str())
            )
        })
    }
}

/// Describes a mode, and a group if one is given: `mode 640 and group video`.
fn describe(mode: u32, group: Option<Group>) -> String {
    match group {
        None => format!("mode {mode:o}"),
        Some(group) => format!("mode {mode:o} and group {group}"),
    }
}

/// The permission bits of a segment: the owner reads and writes, others read or have no access.
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
            Err(ModeError::OwnerExcluded)
        } else {
            Ok(Mode(bits))
        }
    }
}

/// Why a mode is not valid for a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModeError {
    NotOctal,
    Execute,
    OthersWrite,
    OwnerExcluded,
}

impl fmt::Display for ModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            ModeError::NotOctal => "a mode is three octal digits",
            ModeError::Execute => "a segment cannot be executable",
            ModeError::OthersWrite => {
                "readers need no write permission, and a user who has it can destroy the content"
            }
            ModeError::OwnerExcluded => {
                "you read and write the segment yourself: the first digit is 6"
            }
        };
        write!(
            f,
            "{reason}; use 600 for only you, 640 for your group, 644 for all users"
        )
    }
}

impl Error for ModeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_lets_others_read_or_gives_no_access() {
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
            ("444", ModeError::OwnerExcluded),
            ("0", ModeError::OwnerExcluded),
        ] {
            assert_eq!(text.parse::<Mode>(), Err(error), "{text}");
        }
    }
}
