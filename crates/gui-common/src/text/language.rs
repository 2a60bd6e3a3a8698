//! The language of the windows, and the texts in it.
//!
//! Every text is an entry in `languages/TAG.ftl`, one file for each language, in [Fluent]'s format.
//! [`tr!`](crate::tr) returns one. A window [sets](set) its language once, before it shows
//! anything; a command never does, so that its output is English, which scripts can parse.
//!
//! [Fluent]: https://projectfluent.org

use std::cell::Cell;
use std::env;
use std::error::Error;
use std::fmt;
use std::io;
use std::path;
use std::str::FromStr;
use std::sync::{LazyLock, OnceLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use qt_bridge::QtKey;
use shm_core::{Key, Process, Sequence};
use shm_io::Address;
use unic_langid::LanguageIdentifier;

/// A language of the windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, the fallback of all others.
    #[default]
    English,
    /// Chinese in simplified characters.
    SimplifiedChinese,
}

/// Returns the text of an id, with its placeholders filled in.
///
/// ```
/// use gui_common::tr;
///
/// assert_eq!(tr!("fact-sequence", number = 3_u64), "sequence 3");
/// ```
#[macro_export]
macro_rules! tr {
    ($id:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::text::language::message(
            $id,
            &[$((stringify!($name), $crate::text::language::Argument::value(&$value))),*],
        )
    };
}

/// The language of the process.
static CHOSEN: OnceLock<Language> = OnceLock::new();

thread_local! {
    /// The language that overrides the process's for this thread.
    static SPOKEN: Cell<Option<Language>> = const { Cell::new(None) };
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::English, Language::SimplifiedChinese];

    /// Returns the BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::SimplifiedChinese => "zh-CN",
        }
    }

    /// Returns the language of a tag or the name of a locale: `en`, `zh_CN.UTF-8`.
    ///
    /// Regions with traditional characters, such as `zh_TW`, do not match simplified Chinese.
    pub(crate) fn of_tag(tag: &str) -> Option<Language> {
        Language::first_of([tag])
    }

    /// Returns the language of the first tag that the windows support.
    fn first_of<'a>(tags: impl IntoIterator<Item = &'a str>) -> Option<Language> {
        let identifier = |tag: &str| tag.split(['.', '@']).next()?.parse().ok();
        let asked_for: Vec<LanguageIdentifier> = tags.into_iter().filter_map(identifier).collect();
        let spoken: Vec<LanguageIdentifier> = ["en", "zh-Hans"]
            .iter()
            .flat_map(|tag| tag.parse())
            .collect();
        let found = negotiate_languages(&asked_for, &spoken, None, NegotiationStrategy::Lookup);
        Some(match found.first()?.language.as_str() {
            "zh" => Language::SimplifiedChinese,
            _ => Language::English,
        })
    }

    /// Returns the language of the process's locale.
    ///
    /// The first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not empty names the locale, as in
    /// POSIX. Unless it is the C locale, the list in `LANGUAGE` takes precedence, as in gettext.
    pub fn of_locale() -> Language {
        Language::of_variables(|name| env::var(name).ok())
    }

    fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Language {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        let Some(locale) = locale.filter(|locale| !is_c(locale)) else {
            return Language::English;
        };
        let asked_for = set("LANGUAGE").unwrap_or(locale);
        Language::first_of(asked_for.split(':')).unwrap_or_default()
    }

    /// Returns the current language of this thread.
    pub fn current() -> Language {
        let chosen = || CHOSEN.get().copied().unwrap_or_default();
        SPOKEN.get().unwrap_or_else(chosen)
    }

    const fn source(self) -> &'static str {
        match self {
            Language::English => include_str!("../../languages/en.ftl"),
            Language::SimplifiedChinese => include_str!("../../languages/zh-CN.ftl"),
        }
    }

    fn entries(self) -> &'static Entries {
        static ENGLISH: LazyLock<Entries> = LazyLock::new(|| read(Language::English));
        static CHINESE: LazyLock<Entries> = LazyLock::new(|| read(Language::SimplifiedChinese));
        match self {
            Language::English => &ENGLISH,
            Language::SimplifiedChinese => &CHINESE,
        }
    }
}

/// Returns `true` if a locale is the C locale, which has no language.
fn is_c(locale: &str) -> bool {
    matches!(locale.split('.').next(), Some("C" | "POSIX"))
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(tag: &str) -> Result<Language, LanguageError> {
        Language::of_tag(tag).ok_or(LanguageError)
    }
}

/// The error for a language that the windows do not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanguageError;

impl fmt::Display for LanguageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = Language::ALL.map(Language::tag).join(" and ");
        write!(f, "the languages of the windows are {tags}")
    }
}

impl Error for LanguageError {}

/// Sets the language of all threads. Only the first call has an effect.
pub fn set(language: Language) {
    CHOSEN.get_or_init(|| language);
}

/// Runs `work` with `language` as the language of this thread: for output that scripts parse, and
/// for tests.
pub fn with_language<T>(language: Language, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Language>);

    impl Drop for Before {
        fn drop(&mut self) {
            SPOKEN.set(self.0);
        }
    }

    let _before = Before(SPOKEN.replace(Some(language)));
    work()
}

type Entries = FluentBundle<FluentResource>;

fn read(language: Language) -> Entries {
    // An entry that cannot be parsed is skipped, and its English text or id is used. A test finds
    // it.
    let resource = FluentResource::try_new(language.source().to_owned());
    let resource = resource.unwrap_or_else(|(rest, _)| rest);
    let tag = language.tag().parse();
    let mut entries = FluentBundle::new_concurrent(vec![tag.unwrap_or_default()]);
    // Isolation marks around placeholders would be copied with a selection.
    entries.set_use_isolating(false);
    entries.add_resource_overriding(resource);
    entries
}

/// The value of a placeholder.
pub trait Argument {
    /// Converts to a number, by which an entry can select a variant, or to a text.
    fn value(&self) -> FluentValue<'_>;
}

/// Fluent's numbers are floating-point: an integer that does not fit becomes a text.
fn whole(number: u64) -> FluentValue<'static> {
    const EXACT: u64 = 1 << 53;
    match number {
        ..=EXACT => FluentValue::from(number),
        _ => FluentValue::from(number.to_string()),
    }
}

macro_rules! impl_argument {
    ($($type:ty => $value:expr;)*) => {
        $(impl Argument for $type {
            fn value(&self) -> FluentValue<'_> {
                let value: fn(&$type) -> FluentValue<'_> = $value;
                value(self)
            }
        })*
    };
}

impl_argument! {
    str => |text| FluentValue::from(text);
    String => |text| FluentValue::from(text.as_str());
    Key => |key| FluentValue::from(key.as_str());
    QtKey => |key| FluentValue::from(key.as_str());
    Address => |address| FluentValue::from(address.as_str());
    u32 => |number| FluentValue::from(*number);
    u64 => |number| whole(*number);
    Sequence => |sequence| whole(sequence.get());
    usize => |number| FluentValue::from(*number);
    Process => |process| FluentValue::from(process.to_string());
    io::Error => |error| FluentValue::from(error.to_string());
}

impl Argument for path::Display<'_> {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self.to_string())
    }
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> FluentValue<'_> {
        T::value(self)
    }
}

/// Returns the text of an id. Most callers use [`tr!`](crate::tr); this is for ids from a table.
///
/// Falls back to English, and then to the id itself, so that the user sees a word rather than
/// nothing.
pub fn message(id: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> String {
    message_in(Language::current(), id, arguments)
        .or_else(|| message_in(Language::English, id, arguments))
        .unwrap_or_else(|| id.to_owned())
}

/// Returns the text of an id in one language, if it has one.
pub(crate) fn message_in(
    language: Language,
    id: &str,
    arguments: &[(&'static str, FluentValue<'_>)],
) -> Option<String> {
    let entries = language.entries();
    let pattern = entries.get_message(id)?.value()?;
    let arguments: FluentArgs<'_> = arguments
        .iter()
        .map(|(name, value)| (*name, value.clone()))
        .collect();
    // Errors of an entry, such as an unknown placeholder, appear in the text.
    let mut errors = Vec::new();
    let said = entries.format_pattern(pattern, Some(&arguments), &mut errors);
    Some(said.into_owned())
}

/// Joins sentences.
pub fn sentences(parts: impl IntoIterator<Item = String>) -> String {
    joined(parts, &tr!("between-sentences"))
}

/// Joins names to a list.
pub fn names(parts: impl IntoIterator<Item = String>) -> String {
    joined(parts, &tr!("between-names"))
}

fn joined(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests;
