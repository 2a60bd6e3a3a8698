//! Another user of the computer.

use std::{
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Launch, PrivateDir, skip};

/// The user and the group "nobody": they own nothing.
const NOBODY: u32 = 65_534;

/// Somebody with another user id, who can start programs although they lie where only we may go.
#[derive(Debug)]
pub struct OtherUser {
    id: u32,
    group: u32,
    /// Beside its first group.
    groups: Option<u32>,
    /// Copies of the programs, where everybody can reach them.
    programs: PrivateDir,
}

impl OtherUser {
    /// Makes one; where that is not allowed, says that the test is skipped and returns nothing.
    #[must_use]
    pub fn new() -> Option<OtherUser> {
        OtherUser::of(NOBODY, NOBODY, None)
    }

    /// Makes another one, who is neither that nor us.
    #[must_use]
    pub fn another() -> Option<OtherUser> {
        OtherUser::of(NOBODY - 1, NOBODY - 1, None)
    }

    /// Makes one who is nobody else: whose limits are used up by no other test.
    #[must_use]
    pub fn unique() -> Option<OtherUser> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = 61_000 + (process::id() * 16 + COUNT.fetch_add(1, Ordering::Relaxed)) % 4000;
        OtherUser::of(id, id, None)
    }

    /// Makes one that belongs to a group.
    #[must_use]
    pub fn in_group(group: u32) -> Option<OtherUser> {
        OtherUser::of(NOBODY, group, None)
    }

    /// Makes one that belongs to a group beside its first, as people belong to `video`.
    #[must_use]
    pub fn also_in_group(group: u32) -> Option<OtherUser> {
        OtherUser::of(NOBODY, NOBODY, Some(group))
    }

    fn of(id: u32, group: u32, groups: Option<u32>) -> Option<OtherUser> {
        let tried = Command::new("setpriv")
            .args(become_user(id, group, groups))
            .arg("true")
            .output();
        if !tried.is_ok_and(|output| output.status.success()) {
            skip(
                "nothing can be started as another user: that needs root, and setpriv of util-linux",
            );
            return None;
        }
        let programs = PrivateDir::on_disk();
        programs.set_mode(0o755);
        Some(OtherUser {
            id,
            group,
            groups,
            programs,
        })
    }

    /// The user id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Lets the other_user start what would have been started by us.
    pub fn starts(&self, launch: Launch) -> Launch {
        let lent = self.lend(Path::new(launch.program()));
        launch
            .instead(lent)
            .through("setpriv", become_user(self.id, self.group, self.groups))
    }

    fn lend(&self, program: &Path) -> PathBuf {
        if !program.is_absolute() {
            return program.to_owned(); // found by everybody, in a directory of the system
        }
        let name = program.file_name().expect("a program is a file");
        let copy = self.programs.path().join(name);
        if !copy.exists() {
            // Not by ourselves: a child that another thread forks in the meantime would inherit the
            // file open for writing, and what is open for writing cannot be executed.
            let copied = Command::new("install")
                .args(["-m", "755"])
                .args([program, &copy])
                .status();
            assert!(
                copied.is_ok_and(|status| status.success()),
                "no copy of {program:?}"
            );
        }
        copy
    }
}

fn become_user(id: u32, group: u32, groups: Option<u32>) -> [String; 3] {
    [
        format!("--reuid={id}"),
        format!("--regid={group}"),
        match groups {
            None => "--clear-groups".to_owned(),
            Some(groups) => format!("--groups={groups}"),
        },
    ]
}
