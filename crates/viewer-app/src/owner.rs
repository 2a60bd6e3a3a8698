//! The user whose segments a command reads, by name or user id.

use std::error::Error;
use std::fmt;
use std::fs;
use std::str::FromStr;

/// The user database. Users from elsewhere, such as a directory service, are given by user id.
const PASSWD: &str = "/etc/passwd";

/// The owner of segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    id: u32,
    /// The name or user id, as given.
    name: String,
}

impl Owner {
    /// Returns the user id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    fn parse(text: &str, passwd: &str) -> Result<Owner, OwnerError> {
        let id = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => id_of(text, passwd),
        };
        match id {
            Some(id) => Ok(Owner {
                id,
                name: text.to_owned(),
            }),
            None => Err(OwnerError),
        }
    }
}

/// Finds the user id of a name in the lines of a passwd file: name, password, user id, and others.
fn id_of(name: &str, passwd: &str) -> Option<u32> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Owner, OwnerError> {
        // If the file cannot be read, user ids still work.
        let passwd = fs::read(PASSWD).unwrap_or_default();
        Owner::parse(text, &String::from_utf8_lossy(&passwd))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.parse() == Ok(self.id) {
            formatter.write_str("user ")?;
        }
        formatter.write_str(&self.name)
    }
}

/// The error of an unknown user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerError;

impl fmt::Display for OwnerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "There is no such user in {PASSWD}. A user id works too: `id -u USER` prints it"
        )
    }
}

impl Error for OwnerError {}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: &str = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:100::/home/anna:/bin/sh\n\
                          broken:x\nodd:x:many:1::/:/bin/sh\n";

    #[test]
    fn names_and_user_ids_are_accepted() {
        for (text, id, shown) in [
            ("anna", 1000, "anna"),
            ("root", 0, "root"),
            ("1000", 1000, "user 1000"),
            ("4242", 4242, "user 4242"),
        ] {
            let user = Owner::parse(text, PEOPLE).expect("there is such a user");
            assert_eq!((user.id(), user.to_string().as_str()), (id, shown));
        }
        for text in ["", "ann", "x", "broken", "odd", "-1", "4294967296"] {
            assert_eq!(Owner::parse(text, PEOPLE), Err(OwnerError), "{text}");
        }
    }
}
