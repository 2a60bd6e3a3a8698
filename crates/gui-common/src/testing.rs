//! What tests of the windows ask of the texts that they draw. Compiled for tests, and with the feature
//! `testing`.

/// Returns the first word of a text that is English and no name.
pub fn english_word_in(said: &str) -> Option<&str> {
    /// Programs, keys, formats and units, which are called the same everywhere.
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

/// Returns what is wrong with the texts that a window draws in another language: a wanted one is
/// missing, or one has a word of English that is none of these names.
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
