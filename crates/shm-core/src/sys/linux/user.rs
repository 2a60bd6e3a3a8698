//! The name of a user id.

use std::fs::File;
use std::io::Read;

/// The file of local users. Users from elsewhere, such as a directory service, are shown by number.
const PASSWD: &str = "/etc/passwd";
/// How much of it is read.
const MAX_PASSWD_BYTES: u64 = 1 << 20;

/// Returns the name of a user, if the file has one.
pub(crate) fn user_name(id: u32) -> Option<String> {
    let mut text = Vec::new();
    let file = File::open(PASSWD).ok()?;
    file.take(MAX_PASSWD_BYTES).read_to_end(&mut text).ok()?;
    name_in(&String::from_utf8_lossy(&text), id)
}

/// Finds an id in the lines of a passwd file: name, password, user id, and fields that are not
/// used.
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
    fn names_are_found_by_user_id() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken:x\n:x:7:7::/:\nodd:x:many:1::/:\nanna:x:1000:100::/home/anna:/bin/sh\n";
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        assert_eq!(name_in(passwd, 1000).as_deref(), Some("anna"));
        assert_eq!(name_in(passwd, 7), None);
        assert_eq!(name_in(passwd, 4), None);
    }
}
