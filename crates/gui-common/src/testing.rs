//! Checks of the texts that windows draw, for tests. Compiled for tests and with the feature
//! `testing`.

/// Returns the first English word of a text that is not a name.
pub fn english_word_in(said: &str) -> Option<&str> {
    /// Programs, keys, formats and units, which are never translated.
    const NAMES: &str = "SharedMemoryLoad ShowSharedMem MySharedMemory loader viewer app text image \
                         file show key output FILE Ctrl Enter Esc Shift Tab GIF PNG UTF png jpg \
                         bmp gif webp ppm qoi txt pid fps kB MB MiB GB GiB xdg desktop portal gtk \
                         zenity ulimit unlimited Docker shm size format fork SHM CORE DIR \
                         Qt qt posix POSIX systemv QSharedMemory nativeKey create ipcs remove force \
                         list id TMPDIR XDG CONFIG RUNTIME HOME sudo dev NUL qstring qbytearray cstring raw qimage \
                         fs inotify max user instances watches";
    let is_path = |token: &&str| token.contains('/');
    let tokens = said.split([' ', '“', '”', '，', '。', '：', '（', '）']);
    let words = tokens
        .filter(|token| !is_path(token) && !token.starts_with("--"))
        .flat_map(|token| token.split(|letter: char| !letter.is_ascii_alphabetic()));
    let mut words = words.filter(|word| word.len() > 1);
    words.find(|word| !NAMES.split(' ').any(|name| name == *word))
}

/// Returns the fault in the texts that a window draws in another language: a wanted text is
/// missing, or a text has an English word that is not one of `names`.
pub fn fault_in(texts: &[String], wanted: &[&str], names: &[&str]) -> Option<String> {
    let is_drawn = |words: &&&str| texts.iter().any(|text| text == **words);
    if let Some(missing) = wanted.iter().find(|words| !is_drawn(words)) {
        return Some(format!("{missing} is not in {texts:?}"));
    }
    texts.iter().find_map(|text| {
        let said = names
            .iter()
            .fold(text.clone(), |said, name| said.replace(name, ""));
        english_word_in(&said).map(|word| format!("{word} in {text}"))
    })
}
