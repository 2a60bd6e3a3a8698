//! Who else may read what is loaded.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use clap::Args;
use gui_common::text::group::Group;
use gui_common::text::shell;
use shm_core::Options;

use crate::session::Loaded;

/// Who else may read what is loaded.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Share {
    /// Lets other users read it: 640 those of a group, 644 everybody; 600, nobody, is usual.
    ///
    /// They read it with `viewer-app show --owner YOU`. They cannot change it, but they can keep it
    /// busy: grant this to users that you trust. What is there already keeps its mode; you are warned.
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,

    /// Lets this group of yours read it, by name or number; with --mode 644 everybody too.
    ///
    /// Without --mode it means --mode 640; without --group that is about your own group.
    #[arg(long, value_name = "GROUP")]
    group: Option<Group>,
}

impl Share {
    /// Adds what was asked for.
    pub(super) fn apply(self, mut options: Options) -> Options {
        if let Some(Mode(mode)) = self.mode() {
            options = options.mode(mode);
        }
        if let Some(group) = self.group {
            options = options.group(group.id());
        }
        options
    }

    /// Returns `true` if others were asked for.
    pub(super) fn is_asked_for(self) -> bool {
        self.mode().is_some()
    }

    fn mode(self) -> Option<Mode> {
        self.mode.or(self.group.map(|_| Mode(0o640)))
    }

    /// Says what is wrong with the two together.
    pub(super) fn problem(self) -> Option<String> {
        let (Mode(mode), group) = (self.mode?, self.group?);
        (mode & 0o040 == 0).then(|| {
            format!(
                "--mode {mode:o} lets the group {group} read nothing: use --mode 640, or leave one of \
                 the two out"
            )
        })
    }

    /// Says that the segment was there before, and is shared with others than asked for.
    pub(super) fn warning(self, loaded: &Loaded) -> Option<String> {
        let Some(Mode(mode)) = self.mode() else {
            return loaded.exposure();
        };
        let found = loaded.permissions?;
        let is_other_group = self.group.is_some_and(|group| group.id() != found.group);
        let key = loaded.key.own()?;
        (found.mode != mode || is_other_group).then(|| {
            format!(
                "{key} was there before and keeps its {}. For {} end the programs that loaded into it, \
                 or remove it: viewer-app remove --key {}",
                named(found.mode, self.group.map(|_| Group::of(found.group))),
                named(mode, self.group),
                shell::quoted(key.as_str())
            )
        })
    }
}

/// Writes a mode, and whose it is where that matters: `mode 640 and group video`.
fn named(mode: u32, group: Option<Group>) -> String {
    match group {
        None => format!("mode {mode:o}"),
        Some(group) => format!("mode {mode:o} and group {group}"),
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
