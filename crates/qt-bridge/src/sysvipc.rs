//! Reading `/proc/sysvipc`, which has what no system call returns.

use std::fs;
use std::path::Path;

/// Returns the field `column` of the first row whose field `row.0` has the value `row.1`.
///
/// `table` is the name of a file in `/proc/sysvipc`.
pub(crate) fn field(table: &str, row: (&str, i32), column: &str) -> Option<u64> {
    let text = fs::read_to_string(Path::new("/proc/sysvipc").join(table)).ok()?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next()?.split_ascii_whitespace().collect();
    let place = |wanted: &str| names.iter().position(|name| *name == wanted);
    let (known, wanted) = (place(row.0)?, place(column)?);
    lines.find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.get(known)?.parse() == Ok(row.1);
        is_it.then(|| fields.get(wanted)?.parse().ok())?
    })
}
