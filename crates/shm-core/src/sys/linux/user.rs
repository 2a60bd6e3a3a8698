//! What a user id is called.

use std::fs::File;
use std::io::Read;

/// Where names stand beside their numbers. Users from elsewhere, such as a directory service, are
/// told by number.
const PASSWD: &str = "/etc/passwd";
/// More of it is not read.
const MOST_BYTES: u64 = 1 << 20;

/// Returns the name of a user, where the system has one on file.
pub(crate) fn user_name(id: u32) -> Option<String> {
    let mut text = Vec::new();
    let file = File::open(PASSWD).ok()?;
    file.take(MOST_BYTES).read_to_end(&mut text).ok()?;
    name_in(&String::from_utf8_lossy(&text), id)
}

/// Finds an id in the lines of a passwd file: name, password, user id, and more that is of no use here.
fn name_in(passwd: &str, id: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn names_are_found_by_their_number() {
        let people = "root:x:0:0:root:/root:/bin/sh\nbroken:x\n:x:7:7::/:\nodd:x:many:1::/:\nanna:x:1000:100::/home/anna:/bin/sh\n";
        assert_eq!(name_in(people, 0).as_deref(), Some("root"));
        assert_eq!(name_in(people, 1000).as_deref(), Some("anna"));
        assert_eq!(name_in(people, 7), None);
        assert_eq!(name_in(people, 4), None);
    }
}
