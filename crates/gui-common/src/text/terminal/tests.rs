use super::*;

fn escaped(chunks: &[&[u8]]) -> String {
    let mut terminal = Escaping::new(Vec::new(), true);
    for chunk in chunks {
        terminal.write_all(chunk).expect("a vector takes all");
    }
    terminal.flush().expect("a vector takes all");
    String::from_utf8(terminal.inner).expect("only characters reach a terminal")
}

#[test]
fn a_text_keeps_its_lines_and_loses_its_escape_sequences() {
    let text = "one\n\ttwo\r\n\u{1b}]0;title\u{7}\u{9b}31m\u{202e}evil\u{200b}\u{e0041} 日本 🙂";
    let shown =
        "one\n\ttwo\\r\n\\u{1b}]0;title\\u{7}\\u{9b}31m\\u{202e}evil\\u{200b}\\u{e0041} 日本 🙂";
    assert_eq!(escaped(&[text.as_bytes()]), shown);
}

#[test]
fn a_character_in_two_chunks_is_one_character() {
    let text = "é日🙂\u{202e}\u{9b}x".as_bytes();
    let shown = "é日🙂\\u{202e}\\u{9b}x";
    for at in 0..=text.len() {
        let (one, other) = text.split_at(at);
        assert_eq!(escaped(&[one, other]), shown, "{at}");
    }
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(escaped(&bytes), shown);
}

#[test]
fn invalid_utf8_is_written_in_hexadecimal() {
    assert_eq!(escaped(&[b"a\x9b31m\xff"]), r"a\x9b31m\xff");
    // A character that never ends, and one that something else interrupts.
    assert_eq!(escaped(&[b"\xf0\x9f\x99"]), r"\xf0\x9f\x99");
    assert_eq!(escaped(&[b"\xf0\x9f", b"\x1b[m"]), r"\xf0\x9f\u{1b}[m");
    assert_eq!(escaped(&[b"\xe2", b"\xe2\x80\xae"]), r"\xe2\u{202e}");
}

#[test]
fn no_hidden_character_reaches_a_terminal() {
    let hostile: Vec<u8> = (0..=255)
        .chain("\u{202e}\u{200b}\u{2066}\u{feff}\u{e0001}\u{9b}\r".bytes())
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        })
        .take(48)
        .map(|random| {
            let length = hostile.len() as u64;
            hostile[usize::try_from(random % length).expect("it is small")]
        })
        .collect();
        let chunks: Vec<&[u8]> = bytes.chunks(1 + bytes[0] as usize % 7).collect();
        let shown = escaped(&chunks);
        assert!(!shown.contains(escape::is_hidden_in_text), "{shown:?}");
    }
}

#[test]
fn a_pipe_gets_everything_unchanged() {
    let mut pipe = Escaping::new(Vec::new(), false);
    let bytes: Vec<u8> = (0..=255).collect();
    pipe.write_all(&bytes).expect("a vector takes all");
    assert_eq!(pipe.inner, bytes);
}

#[test]
fn a_name_stays_in_its_line() {
    let name = "a\tb\nforged: line\u{1b}[2J";
    assert_eq!(one_line(name, true), r"a\tb\nforged: line\u{1b}[2J");
    assert_eq!(one_line(name, false), "a\\tb\\nforged: line\u{1b}[2J");
}
