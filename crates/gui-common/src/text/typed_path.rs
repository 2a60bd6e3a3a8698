//! A path that the user types or pastes.

use std::env;
use std::path::{Path, PathBuf};

/// Parses a typed path: trims white space and expands `~/` to the home folder. Returns `None` if
/// nothing is left.
pub fn parse(text: &str) -> Option<PathBuf> {
    parse_with_home(text, env::home_dir().as_deref())
}

fn parse_with_home(text: &str, home: Option<&Path>) -> Option<PathBuf> {
    let text = text.trim();
    match (text.strip_prefix("~/"), home) {
        _ if text.is_empty() => None,
        (Some(rest), Some(home)) => Some(home.join(rest)),
        _ => Some(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_a_path_is_trimmed() {
        let expected = Some(PathBuf::from("/tmp/my photo.png"));
        assert_eq!(parse_with_home(" /tmp/my photo.png\n", None), expected);
        assert_eq!(parse_with_home(" \t", None), None);
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let home = Some(Path::new("/home/ada"));
        let expected = Some(PathBuf::from("/home/ada/photo.png"));
        assert_eq!(parse_with_home("~/photo.png", home), expected);
        let expected = Some(PathBuf::from("~photo.png"));
        assert_eq!(parse_with_home("~photo.png", home), expected);
    }
}
