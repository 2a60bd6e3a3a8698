//! A JSON schema validator, as far as the documents in `docs/json` need it.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// A schema of `docs/json`.
#[derive(Debug)]
pub struct Schema {
    root: Value,
}

impl Schema {
    /// Reads `docs/json/NAME.schema.json`.
    #[must_use]
    pub fn read(name: &str) -> Schema {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json");
        let text = fs::read_to_string(folder.join(format!("{name}.schema.json")));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        Schema::new(serde_json::from_str(&text).expect("it is JSON"))
    }

    /// Creates a validator from a schema.
    #[must_use]
    pub fn new(root: Value) -> Schema {
        Schema { root }
    }

    /// Returns the violations of the schema in a value; empty if it is valid.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<String> {
        let mut violations = Vec::new();
        self.check(&self.root, value, "$", &mut violations);
        violations
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, violations: &mut Vec<String>) {
        let schema = schema.as_object().expect("a schema is an object");
        for (keyword, says) in schema {
            let condition = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" => true,
                "$ref" => {
                    self.check(self.definition(says), value, at, violations);
                    true
                }
                "type" => one_or_more(says).any(|kind| is_of(kind, value)),
                "enum" => says.as_array().expect("an array").contains(value),
                "minimum" => value.as_f64() >= says.as_f64() || !value.is_number(),
                "required" => value.as_object().is_none_or(|fields| {
                    let mut names = one_or_more(says);
                    names.all(|name| fields.contains_key(name))
                }),
                "properties" | "additionalProperties" => {
                    self.check_fields(schema, keyword, value, at, violations);
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, item, &format!("{at}[{index}]"), violations);
                    }
                    true
                }
                other => panic!("{other} is not supported here"),
            };
            if !condition {
                violations.push(format!("{at} is not {keyword} {says}: {value}"));
            }
        }
    }

    fn check_fields(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        value: &Value,
        at: &str,
        violations: &mut Vec<String>,
    ) {
        let properties = schema["properties"].as_object().expect("an object");
        for (name, field) in value.as_object().into_iter().flatten() {
            match properties.get(name) {
                Some(says) if keyword == "properties" => {
                    self.check(says, field, &format!("{at}.{name}"), violations);
                }
                None if schema.get(keyword) == Some(&Value::Bool(false)) => {
                    violations.push(format!("{at}.{name} is unknown"));
                }
                _ => {}
            }
        }
    }

    fn definition(&self, reference: &Value) -> &Value {
        let reference = reference.as_str().expect("a string");
        let name = reference.strip_prefix("#/$defs/").expect("it is local");
        &self.root["$defs"][name]
    }
}

/// Returns a word, or the words of an array.
fn one_or_more(says: &Value) -> impl Iterator<Item = &str> {
    let words = says
        .as_array()
        .map_or(std::slice::from_ref(says), Vec::as_slice);
    words.iter().map(|word| word.as_str().expect("a word"))
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not supported here"),
    }
}
