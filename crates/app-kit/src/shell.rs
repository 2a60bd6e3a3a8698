//! Commands for people to copy into a shell.

/// Quotes a word where a shell would read more into it than a word.
pub fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word
            .chars()
            .all(|character| character.is_alphanumeric() || "-_.,+@%/".contains(character));
    if is_plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_the_shell_would_read_more_into_them() {
        assert_eq!(quoted("MySharedMemory"), "MySharedMemory");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("日本"), "日本");
        assert_eq!(quoted(""), "''");
    }
}
