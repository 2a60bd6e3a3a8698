//! A user of the computer, by name or number.

use std::error::Error;
use std::fmt;
use std::fs;
use std::str::FromStr;

/// Where names stand beside their numbers. Users from elsewhere, such as a directory service, are
/// named by number.
const PASSWD: &str = "/etc/passwd";

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    id: u32,
    /// As it was given.
    name: String,
}

impl User {
    /// Returns the user id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    fn parse(text: &str, passwd: &str) -> Result<User, UserError> {
        let id = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => id_of(text, passwd),
        };
        match id {
            Some(id) => Ok(User {
                id,
                name: text.to_owned(),
            }),
            None => Err(UserError),
        }
    }
}

/// Finds a name in the lines of a passwd file: name, password, user id, and more that is of no use here.
fn id_of(name: &str, passwd: &str) -> Option<u32> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

impl FromStr for User {
    type Err = UserError;

    fn from_str(text: &str) -> Result<User, UserError> {
        // Where it cannot be read, numbers are still understood.
        let passwd = fs::read(PASSWD).unwrap_or_default();
        User::parse(text, &String::from_utf8_lossy(&passwd))
    }
}

impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.parse() == Ok(self.id) {
            formatter.write_str("user ")?;
        }
        formatter.write_str(&self.name)
    }
}

/// There is no such user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UserError;

impl fmt::Display for UserError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "There is no such user in {PASSWD}. A user id will do, as `id -u USER` tells it"
        )
    }
}

impl Error for UserError {}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: &str = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:100::/home/anna:/bin/sh\n\
                          broken:x\nodd:x:many:1::/:/bin/sh\n";

    #[test]
    fn names_and_numbers_are_understood() {
        for (text, id, shown) in [
            ("anna", 1000, "anna"),
            ("root", 0, "root"),
            ("1000", 1000, "user 1000"),
            ("4242", 4242, "user 4242"),
        ] {
            let user = User::parse(text, PEOPLE).expect("there is such a user");
            assert_eq!((user.id(), user.to_string().as_str()), (id, shown));
        }
        for text in ["", "ann", "x", "broken", "odd", "-1", "4294967296"] {
            assert_eq!(User::parse(text, PEOPLE), Err(UserError), "{text}");
        }
    }
}
