use std::thread;

use super::*;
use crate::testing::fault_in;

fn of(variables: &[(&str, &str)]) -> Language {
    Language::of_variables(|name| {
        let mut found = variables.iter().filter(|(other, _)| *other == name);
        found.next().map(|(_, value)| (*value).to_owned())
    })
}

const CHINESE: Language = Language::SimplifiedChinese;

#[test]
fn the_first_variable_that_is_set_names_the_locale() {
    assert_eq!(of(&[]), Language::English);
    assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), CHINESE);
    assert_eq!(
        of(&[("LC_MESSAGES", "en_GB.UTF-8"), ("LANG", "zh_CN.UTF-8")]),
        Language::English
    );
    assert_eq!(of(&[("LC_ALL", "zh_CN"), ("LANG", "en_US.UTF-8")]), CHINESE);
    // An empty variable counts as not set.
    assert_eq!(of(&[("LC_ALL", ""), ("LANG", "zh_CN")]), CHINESE);
    assert_eq!(
        of(&[("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN")]),
        Language::English
    );
    assert_eq!(of(&[("LANG", "fr_FR.UTF-8")]), Language::English);
    assert_eq!(of(&[("LC_CTYPE", "zh_CN.UTF-8")]), Language::English);
}

#[test]
fn the_language_list_precedes_every_locale_but_c() {
    let list = |list, lang| of(&[("LANGUAGE", list), ("LANG", lang)]);
    assert_eq!(list("fr:zh_CN:en", "en_US.UTF-8"), CHINESE);
    assert_eq!(list("en:zh_CN", "zh_CN.UTF-8"), Language::English);
    assert_eq!(list("", "zh_CN.UTF-8"), CHINESE);
    assert_eq!(list("zh_CN", "C"), Language::English);
    assert_eq!(list("zh_CN", "POSIX"), Language::English);
    assert_eq!(of(&[("LANGUAGE", "zh_CN")]), Language::English);
    // A list of languages excludes all others.
    assert_eq!(list("fr:de", "zh_CN.UTF-8"), Language::English);
}

#[test]
fn a_language_has_many_tags() {
    for tag in ["zh-CN", "zh_CN.UTF-8", "zh", "zh-Hans", "zh_SG@x", "ZH-cn"] {
        assert_eq!(Language::of_tag(tag), Some(CHINESE), "{tag}");
    }
    for tag in ["en", "en_US.UTF-8", "en-AU"] {
        assert_eq!(Language::of_tag(tag), Some(Language::English), "{tag}");
    }
    for tag in [
        "",
        "C",
        "zh_TW.UTF-8",
        "zh-Hant",
        "zh_HK",
        "de",
        "english",
        ".",
        "en:zh",
        "zh_AU",
    ] {
        assert_eq!(Language::of_tag(tag), None, "{tag}");
    }
    for language in Language::ALL {
        assert_eq!(language.tag().parse(), Ok(language));
    }
    let refused = "de".parse::<Language>().expect_err("it is not supported");
    assert_eq!(
        refused.to_string(),
        "the languages of the windows are en and zh-CN"
    );
}

#[test]
fn a_thread_can_override_the_language() {
    assert_eq!(tr!("load"), "Load");
    let (chinese, elsewhere) = with_language(CHINESE, || {
        let elsewhere = thread::spawn(|| tr!("load")).join();
        (tr!("load"), elsewhere.expect("it only speaks"))
    });
    assert_eq!((chinese.as_str(), elsewhere.as_str()), ("加载", "Load"));
    assert_eq!(tr!("load"), "Load");
}

#[test]
fn numbers_select_variants_and_texts_are_unchanged() {
    assert_eq!(tr!("bytes-few", count = 1_u64), "1 byte");
    assert_eq!(
        tr!("bytes-few", count = 1_u64 << 44),
        "17592186044416 bytes"
    );
    // A key may look like a number.
    assert_eq!(tr!("removed", key = "007"), "Removed 007.");
    assert_eq!(tr!("removed", key = "{ $key }"), "Removed { $key }.");
}

#[test]
fn an_unknown_id_falls_back_to_itself() {
    assert_eq!(message("no-such-id", &[]), "no-such-id");
    assert_eq!(message_in(CHINESE, "no-such-id", &[]), None);
    let said = message("removed", &[]);
    assert!(said.contains("key"), "{said}");
}

#[test]
fn a_missing_text_and_an_english_word_are_faults() {
    let texts = ["显示".to_owned(), "移除 Notes".to_owned()];
    let fault = |wanted: &[&str], names: &[&str]| fault_in(&texts, wanted, names);
    assert_eq!(fault(&["显示"], &["Notes"]), None);
    assert_eq!(fault(&[], &[]).as_deref(), Some("Notes in 移除 Notes"));
    let missing = fault(&["显示", "保存"], &["Notes"]).expect("it is missing");
    assert!(missing.starts_with("保存 is not in"), "{missing}");
}
