//! The language of the windows: which one it is, and how things are said in it.
//!
//! Every sentence is an entry in `languages/TAG.ftl`, one file a language, in [Fluent]'s form.
//! [`tr!`](crate::tr) says one. A window [chooses](choose) its language once, before it says
//! anything; a command never does, and so speaks English, which scripts can read.
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

/// A language that the windows speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, which every other one falls back to.
    #[default]
    English,
    /// Chinese in simplified characters.
    SimplifiedChinese,
}

/// Says the entry of an id, with what its placeholders stand for.
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

/// What the process has chosen.
static CHOSEN: OnceLock<Language> = OnceLock::new();

thread_local! {
    /// What this thread speaks for now, whatever was chosen.
    static SPOKEN: Cell<Option<Language>> = const { Cell::new(None) };
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::English, Language::SimplifiedChinese];

    /// Returns its tag, as standards write it.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::SimplifiedChinese => "zh-CN",
        }
    }

    /// Finds the language that a tag or the name of a locale asks for: `en`, `zh_CN.UTF-8`.
    ///
    /// Regions that write traditional characters, such as `zh_TW`, do not ask for simplified ones.
    pub(crate) fn of_tag(tag: &str) -> Option<Language> {
        Language::first_of([tag])
    }

    /// Finds the first of some tags that the windows speak.
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

    /// Finds the language that the locale of this process asks for.
    ///
    /// The first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not empty names the locale, as POSIX
    /// has it. Where it is not the one of C, the list in `LANGUAGE` goes before it, as in gettext.
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

    /// Returns the language that this thread speaks.
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

/// Returns `true` if a locale is the one of C, in which there is no language.
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

/// No window speaks the language that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanguageError;

impl fmt::Display for LanguageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = Language::ALL.map(Language::tag).join(" and ");
        write!(f, "the languages of the windows are {tags}")
    }
}

impl Error for LanguageError {}

/// Chooses the language of all threads, once and for all. A second choice changes nothing.
pub fn set(language: Language) {
    CHOSEN.get_or_init(|| language);
}

/// Lets this thread speak `language` while `work` goes on, whatever was chosen: for what scripts
/// read of a window, and for tests.
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
    // What cannot be read is left out, and said in English or by its id. A test finds it.
    let resource = FluentResource::try_new(language.source().to_owned());
    let resource = resource.unwrap_or_else(|(rest, _)| rest);
    let tag = language.tag().parse();
    let mut entries = FluentBundle::new_concurrent(vec![tag.unwrap_or_default()]);
    // Marks around placeholders would be copied along with what is selected.
    entries.set_use_isolating(false);
    entries.add_resource_overriding(resource);
    entries
}

/// What a placeholder stands for.
pub trait Argument {
    /// Makes it what an entry takes: a number, by which an entry may choose, or a text.
    fn value(&self) -> FluentValue<'_>;
}

/// Fluent's numbers are floating: one that does not fit is a text.
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

/// Says the entry of an id. Most use [`tr!`](crate::tr); this is for ids out of a table.
///
/// What this thread's language does not have is said in English, and what English does not have
/// by its id: a person should see a strange word rather than nothing.
pub fn message(id: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> String {
    message_in(Language::current(), id, arguments)
        .or_else(|| message_in(Language::English, id, arguments))
        .unwrap_or_else(|| id.to_owned())
}

/// Says the entry of an id in one language, where it has one.
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
    // What is wrong with an entry, such as an unknown placeholder, stands in what is said.
    let mut errors = Vec::new();
    let said = entries.format_pattern(pattern, Some(&arguments), &mut errors);
    Some(said.into_owned())
}

/// Says sentences one after the other.
pub fn sentences(parts: impl IntoIterator<Item = String>) -> String {
    joined(parts, &tr!("between-sentences"))
}

/// Says names one after the other.
pub fn names(parts: impl IntoIterator<Item = String>) -> String {
    joined(parts, &tr!("between-names"))
}

fn joined(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests;
