//! Every text of the windows exists in every language, and no other text does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;
use gui_common::testing;

const ENGLISH: &str = include_str!("../languages/en.ftl");
const CHINESE: &str = include_str!("../languages/zh-CN.ftl");

/// The placeholders of an entry.
#[derive(Debug, Default, PartialEq, Eq)]
struct Placeholders {
    /// The placeholders that are written.
    shown: BTreeSet<String>,
    /// The placeholders that select a variant; not every language has a plural.
    chosen_by: BTreeSet<String>,
}

/// The entries of a language by their ids.
type Entries = BTreeMap<String, Placeholders>;

fn entries(source: &str) -> Entries {
    let resource = parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let mut entries = Entries::new();
    for entry in resource.body {
        match entry {
            Entry::Message(message) => {
                let id = message.id.name.to_owned();
                let mut placeholders = Placeholders::default();
                collect(&message.value.unwrap(), &mut placeholders);
                assert!(message.attributes.is_empty(), "{id}");
                let before = entries.insert(id.clone(), placeholders);
                assert_eq!(before, None, "{id} stands there twice");
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            other => panic!("{other:?}"),
        }
    }
    entries
}

fn collect(pattern: &Pattern<&str>, placeholders: &mut Placeholders) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { .. } => {}
            PatternElement::Placeable { expression } => match expression {
                Expression::Inline(InlineExpression::VariableReference { id }) => {
                    placeholders.shown.insert(id.name.to_owned());
                }
                Expression::Inline(InlineExpression::StringLiteral { .. }) => {}
                Expression::Select {
                    selector: InlineExpression::VariableReference { id },
                    variants,
                } => {
                    placeholders.chosen_by.insert(id.name.to_owned());
                    for variant in variants {
                        collect(&variant.value, placeholders);
                    }
                }
                other => panic!("{other:?}"),
            },
        }
    }
}

/// An entry that a source uses, and the placeholders that it gives.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    id: String,
    given: BTreeSet<String>,
}

/// Returns the entries that the sources of the windows use, without their tests.
fn uses() -> Vec<Use> {
    let sources = sources();
    sources.iter().flat_map(|source| uses_in(source)).collect()
}

/// Returns the sources of the windows, without their tests.
fn sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = ["gui-common", "loader-app", "viewer-app"].map(|name| crates.join(name));
    crates
        .iter()
        .flat_map(|one| shipped(&one.join("src")))
        .collect()
}

/// Returns the sources below a folder, without their tests.
fn shipped(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() && name != "tests" {
            sources.extend(shipped(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") && name != "tests.rs" {
            let source = fs::read_to_string(&path).unwrap();
            let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            sources.push(shipped.to_owned());
        }
    }
    sources
}

fn uses_in(source: &str) -> Vec<Use> {
    let lines = source.lines().map(str::trim);
    let code: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    let code = code.join("\n");
    let mut uses = Vec::new();
    for (at, call) in code.match_indices("tr!(") {
        // `include_str!` ends in the same letters.
        if code[..at].ends_with("include_s") {
            continue;
        }
        uses.extend(call_of(&arguments(&code[at + call.len()..])));
    }
    for (at, named) in code.match_indices("label_id: \"") {
        let id = code[at + named.len()..].split('"').next().unwrap();
        let given = BTreeSet::new();
        let id = id.to_owned();
        uses.push(Use { id, given });
    }
    uses
}

/// The macros' own definitions have no id.
fn call_of(arguments: &[String]) -> Option<Use> {
    let id = arguments.first()?.strip_prefix('"')?.strip_suffix('"')?;
    let names = arguments[1..].iter();
    let given = names.map(|argument| argument.split(" = ").next().unwrap().to_owned());
    Some(Use {
        id: id.to_owned(),
        given: given.collect(),
    })
}

/// Splits the arguments of a call, beginning after its bracket.
fn arguments(text: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut depth = 0;
    let mut is_quoted = false;
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '(' | '[' | '{' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth == 0 => break,
            ')' | ']' | '}' if !is_quoted => depth -= 1,
            ',' if !is_quoted && depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(character);
    }
    let arguments = arguments.iter().map(|argument| argument.trim().to_owned());
    arguments.filter(|argument| !argument.is_empty()).collect()
}

#[test]
fn calls_are_parsed() {
    let found = uses_in(
        "fn f() {\n    tr!(\n        \"two\",\n        key = f(a, \"b, c)\"),\n        bytes = 1,\n    );\n}\n// tr!(\"no\")",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].id, "two");
    assert_eq!(found[0].given, ["key", "bytes"].map(str::to_owned).into());
}

#[test]
fn both_languages_have_the_same_entries_with_the_same_placeholders() {
    let (english, chinese) = (entries(ENGLISH), entries(CHINESE));
    for (id, placeholders) in &english {
        let other = chinese.get(id).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!(placeholders.shown, other.shown, "{id}");
    }
    for id in chinese.keys() {
        assert!(english.contains_key(id), "{id}");
    }
}

#[test]
fn every_used_text_exists_with_its_placeholders() {
    let uses = uses();
    for (tag, source) in [("en", ENGLISH), ("zh-CN", CHINESE)] {
        let entries = entries(source);
        for Use { id, given } in &uses {
            let entry = entries.get(id);
            let entry = entry.unwrap_or_else(|| panic!("{tag} has no {id}"));
            let wanted = entry.shown.union(&entry.chosen_by);
            for name in wanted {
                assert!(given.contains(name), "{tag}: {id} is not given {name}");
            }
        }
    }
}

#[test]
fn every_text_is_used() {
    let said: BTreeSet<String> = uses().into_iter().map(|one| one.id).collect();
    assert!(said.len() > 300, "{}", said.len());
    let chinese = entries(CHINESE);
    let unused: Vec<&String> = chinese.keys().filter(|id| !said.contains(*id)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_placeholder_is_used_by_some_language() {
    let (english, chinese) = (entries(ENGLISH), entries(CHINESE));
    for Use { id, given } in uses() {
        let takes = |entries: &Entries, name: &String| {
            let entry = entries.get(&id);
            entry.is_some_and(|entry| entry.shown.contains(name) || entry.chosen_by.contains(name))
        };
        for name in &given {
            assert!(
                takes(&english, name) || takes(&chinese, name),
                "{id}: {name}"
            );
        }
    }
}

/// No text that a window draws is a literal in its code.
#[test]
fn no_drawn_text_is_a_literal() {
    const DRAWING: [&str; 9] = [
        "text(",
        "text_input(",
        "placeholder(",
        "notice(",
        "Status::neutral(",
        "Status::success(",
        "Status::warning(",
        "Status::error(",
        "with_remedy(",
    ];
    for source in sources() {
        for call in DRAWING {
            for (at, _) in source.match_indices(call) {
                for argument in arguments(&source[at + call.len()..]) {
                    let is_literal = argument.starts_with('"') || argument.starts_with("format!");
                    let has_words = argument.contains(|c: char| c.is_ascii_alphabetic());
                    assert!(!(is_literal && has_words), "{call}{argument}");
                }
            }
        }
    }
}

/// Returns the text of an entry's line without its placeholders.
fn own_words(line: &str) -> String {
    let said = line.split_once(" =").map_or(line, |(_, said)| said);
    let variant = said.trim_start().trim_start_matches('*');
    let said = match variant.strip_prefix('[') {
        Some(variant) => variant.split_once(']').unwrap().1,
        None => said,
    };
    let mut words = String::new();
    for part in said.split('{') {
        let own = part.split_once('}').map_or(part, |(_, own)| own);
        words.push_str(own);
        words.push(' ');
    }
    words
}

/// Chinese sentences have full-width punctuation and no English words.
#[test]
fn chinese_texts_have_no_english_words() {
    for line in CHINESE.lines().filter(|line| !line.starts_with('#')) {
        // The selector of an entry is named in its text.
        let said = own_words(line).replace("$count ->", "");
        assert_eq!(testing::english_word_in(&said), None, "{line}");
        let characters: Vec<char> = said.chars().collect();
        for pair in characters.windows(2) {
            let is_han = ('\u{4e00}'..='\u{9fff}').contains(&pair[0]);
            let is_narrow = matches!(pair[1], ',' | ';' | ':' | '!' | '?' | '(' | ')' | '.');
            assert!(!(is_han && is_narrow), "{line}");
        }
    }
    let english = ENGLISH.lines().filter(|line| line.contains(" = "));
    let found = english.filter(|line| testing::english_word_in(&own_words(line)).is_some());
    assert!(found.count() > 300, "English is taken for Chinese");
}
