//! Commands for people to copy into a shell.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use shm_core::escape;

/// Quotes a word where a shell would read more into it than a word.
///
/// A word with hidden characters is quoted as `$'…'`, with their bytes in hexadecimal: what is seen
/// is what is run.
pub fn quoted(word: &str) -> String {
    quoted_bytes(word.as_bytes())
}

/// Quotes a path, also one that is not UTF-8.
pub fn quoted_path(path: &Path) -> String {
    quoted_bytes(path.as_os_str().as_bytes())
}

fn quoted_bytes(word: &[u8]) -> String {
    match std::str::from_utf8(word) {
        Ok(word) if word.contains(escape::is_hidden) => with_escapes(word.as_bytes()),
        Ok(word) if is_plain(word) => word.to_owned(),
        Ok(word) => format!("'{}'", word.replace('\'', r"'\''")),
        Err(_) => with_escapes(word),
    }
}

fn is_plain(word: &str) -> bool {
    let is_plain = |character: char| character.is_alphanumeric() || "-_.,+@%/".contains(character);
    !word.is_empty() && word.chars().all(is_plain)
}

/// Quotes as bash, zsh and POSIX shells since 2024 do.
fn with_escapes(word: &[u8]) -> String {
    let mut quoted = "$'".to_owned();
    let hexadecimal = |quoted: &mut String, bytes: &[u8]| {
        quoted.extend(bytes.iter().map(|byte| format!(r"\x{byte:02x}")));
    };
    for chunk in word.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '\\' => quoted.extend(['\\', character]),
                hidden if escape::is_hidden(hidden) => {
                    hexadecimal(&mut quoted, hidden.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => quoted.push(other),
            }
        }
        hexadecimal(&mut quoted, chunk.invalid());
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::process::Command;

    use super::*;

    #[test]
    fn words_with_special_characters_are_quoted() {
        assert_eq!(quoted("MySharedMemory"), "MySharedMemory");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("日本"), "日本");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\u{202e}1"), r"$'a\xe2\x80\xae1'");
    }

    #[test]
    fn a_shell_parses_a_quoted_word_back() {
        let words: [&[u8]; 5] = [
            b"plain",
            b"it's \\ $HOME `id`",
            "a\u{202e}1f\n\u{1b}[31m'\\".as_bytes(),
            b"\xff\xfe not text",
            "日本\u{200b}".as_bytes(),
        ];
        for word in words {
            let command = format!(
                "printf %s {}",
                quoted_path(Path::new(OsStr::from_bytes(word)))
            );
            assert!(!command.contains(escape::is_hidden), "{command:?}");
            let output = Command::new("bash").args(["-c", &command]).output();
            assert_eq!(output.expect("bash is there").stdout, word, "{command}");
        }
    }
}
