//! Holds the dependencies to the rules in `deny.toml`, with nothing but cargo.

mod graph;
mod license;
mod policy;

use std::collections::BTreeSet;

use policy::Policy;

/// Fails with one line for each of `complaints`.
fn assert_none(complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "against deny.toml:\n{}",
        complaints.join("\n")
    );
}

#[test]
fn every_license_is_allowed() {
    let policy = Policy::read();
    let complaints: Vec<String> = graph::packages(&policy.targets)
        .iter()
        .filter(|package| !license::is_satisfied(&package.license, &policy.licenses))
        .map(|package| format!("{package} is licensed {:?}", package.license))
        .collect();
    assert_none(&complaints);
}

#[test]
fn no_license_is_allowed_that_nothing_needs() {
    let policy = Policy::read();
    let packages = graph::packages(&policy.targets);
    let complaints: Vec<String> = policy
        .licenses
        .iter()
        .filter(|license| {
            let mut fewer: BTreeSet<String> = policy.licenses.clone();
            fewer.remove(*license);
            packages
                .iter()
                .all(|package| license::is_satisfied(&package.license, &fewer))
        })
        .map(|license| format!("{license} is allowed and nothing needs it"))
        .collect();
    assert_none(&complaints);
}

#[test]
fn nothing_banned_is_used() {
    let policy = Policy::read();
    let complaints: Vec<String> = graph::packages(&policy.targets)
        .iter()
        .flat_map(|package| {
            policy
                .bans
                .iter()
                .filter(|ban| ban.covers(&package.name, &package.version))
                .map(move |ban| format!("{package} is banned: {}", ban.reason))
        })
        .collect();
    assert_none(&complaints);
}

#[test]
fn everything_foreign_comes_from_crates_io() {
    let policy = Policy::read();
    let complaints: Vec<String> = graph::packages(&policy.targets)
        .iter()
        .filter(|package| package.source.is_some() && !package.is_own())
        .map(|package| format!("{package} comes from {:?}", package.source))
        .collect();
    assert_none(&complaints);
}
