//! The rules in `deny.toml`, as far as they can be checked without a network.

use std::{collections::BTreeSet, fs, path::Path};

use toml_edit::{DocumentMut, Item, Value};

/// What `deny.toml` says.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) targets: Vec<String>,
    pub(crate) licenses: BTreeSet<String>,
    pub(crate) bans: Vec<Ban>,
}

/// A crate that must not be used, in one version or in any.
#[derive(Debug)]
pub(crate) struct Ban {
    name: String,
    version: Option<String>,
    pub(crate) reason: String,
}

impl Policy {
    /// Reads the rules of this workspace.
    pub(crate) fn read() -> Policy {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml");
        let text = fs::read_to_string(&path).expect("deny.toml stands beside Cargo.toml");
        let rules: DocumentMut = text.parse().expect("deny.toml is TOML");
        Policy {
            targets: strings(&rules["graph"]["targets"]).collect(),
            licenses: strings(&rules["licenses"]["allow"]).collect(),
            bans: elements(&rules["bans"]["deny"]).map(Ban::new).collect(),
        }
    }
}

impl Ban {
    fn new(rule: &Value) -> Ban {
        let field = |name| {
            let table = rule.as_inline_table().expect("a ban is a table");
            table[name].as_str().expect("a ban's fields are text")
        };
        let (name, version) = match field("crate").split_once('@') {
            None => (field("crate"), None),
            Some((name, requirement)) => {
                let version = requirement.strip_prefix('=');
                (name, Some(version.expect("a ban names one exact version")))
            }
        };
        Ban {
            name: name.to_owned(),
            version: version.map(str::to_owned),
            reason: field("reason").to_owned(),
        }
    }

    /// Whether the rule is about this version of this crate.
    pub(crate) fn covers(&self, name: &str, version: &str) -> bool {
        self.name == name && self.version.as_deref().is_none_or(|only| only == version)
    }
}

fn elements(list: &Item) -> impl Iterator<Item = &Value> {
    list.as_array().expect("a list").iter()
}

fn strings(list: &Item) -> impl Iterator<Item = String> {
    elements(list).map(|value| value.as_str().expect("text").to_owned())
}

#[test]
fn a_ban_covers_the_version_that_it_names() {
    let document: DocumentMut =
        r#"deny = [{ crate = "a@=3.0.0", reason = "" }, { crate = "b", reason = "" }]"#
            .parse()
            .unwrap();
    let bans: Vec<Ban> = elements(&document["deny"]).map(Ban::new).collect();
    assert!(bans[0].covers("a", "3.0.0"));
    assert!(!bans[0].covers("a", "2.0.1"));
    assert!(!bans[0].covers("b", "3.0.0"));
    assert!(bans[1].covers("b", "0.1.0"));
}
