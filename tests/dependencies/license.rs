//! Licence expressions: `MIT OR Apache-2.0`, `(MIT OR Apache-2.0) AND Unicode-3.0`, and the older `MIT/Apache-2.0`.

use std::{collections::BTreeSet, iter::Peekable, vec};

type Words = Peekable<vec::IntoIter<String>>;

/// Whether `expression` can be met with the licences in `allowed` alone.
///
/// An expression that cannot be read is not met.
pub(crate) fn is_satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    let mut words = words.into_iter().peekable();
    any_of(&mut words, allowed) == Some(true) && words.next().is_none()
}

/// `all {OR all}`
fn any_of(words: &mut Words, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = all_of(words, allowed)?;
    while words.next_if(|word| word == "OR").is_some() {
        met |= all_of(words, allowed)?;
    }
    Some(met)
}

/// `term {AND term}`
fn all_of(words: &mut Words, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = term(words, allowed)?;
    while words.next_if(|word| word == "AND").is_some() {
        met &= term(words, allowed)?;
    }
    Some(met)
}

/// `( any )`, or a licence, `WITH` an exception or without.
fn term(words: &mut Words, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut license = words.next()?;
    if license == "(" {
        let met = any_of(words, allowed)?;
        return (words.next()? == ")").then_some(met);
    }
    if words.next_if(|word| word == "WITH").is_some() {
        license = format!("{license} WITH {}", words.next()?);
    }
    Some(allowed.contains(&license))
}

#[test]
fn expressions_are_met_as_they_read() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Zlib".to_owned()]);
    for met in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0 OR MIT",
        "GPL-3.0/MIT",
        "MIT AND Zlib",
        "(GPL-3.0 OR MIT) AND Zlib",
        "GPL-3.0 AND ISC OR MIT",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert!(is_satisfied(met, &allowed), "{met}");
    }
    for unmet in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT AND (GPL-3.0 OR ISC)",
        "MIT WITH exception",
        "(MIT",
        "MIT)",
        "MIT Zlib",
    ] {
        assert!(!is_satisfied(unmet, &allowed), "{unmet}");
    }
}
