//! Another user of the computer.

use std::{
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Launch, PrivateDir, skip};

/// The user and the group "nobody": they own nothing.
const NOBODY: u32 = 65_534;

/// Another user id, which can start programs although their folder is closed to it.
#[derive(Debug)]
pub struct OtherUser {
    id: u32,
    group: u32,
    /// A supplementary group.
    groups: Option<u32>,
    /// Copies of the programs, in a folder that every user can reach.
    programs: PrivateDir,
}

impl OtherUser {
    /// Creates another user. Returns `None` and reports the test as skipped if that is not
    /// permitted.
    #[must_use]
    pub fn new() -> Option<OtherUser> {
        OtherUser::of(NOBODY, NOBODY, None)
    }

    /// Creates a third user.
    #[must_use]
    pub fn another() -> Option<OtherUser> {
        OtherUser::of(NOBODY - 1, NOBODY - 1, None)
    }

    /// Creates a user that no other test uses, so that its resource limits are unused.
    #[must_use]
    pub fn unique() -> Option<OtherUser> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = 61_000 + (process::id() * 16 + COUNT.fetch_add(1, Ordering::Relaxed)) % 4000;
        OtherUser::of(id, id, None)
    }

    /// Creates a user with this primary group.
    #[must_use]
    pub fn in_group(group: u32) -> Option<OtherUser> {
        OtherUser::of(NOBODY, group, None)
    }

    /// Creates a user with a supplementary group, as users belong to `video`.
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

    /// Returns the user id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Makes this user start the program.
    pub fn launch_as(&self, launch: Launch) -> Launch {
        let lent = self.accessible_copy(Path::new(launch.program()));
        launch
            .instead(lent)
            .through("setpriv", become_user(self.id, self.group, self.groups))
    }

    fn accessible_copy(&self, program: &Path) -> PathBuf {
        if !program.is_absolute() {
            return program.to_owned(); // in a system directory, readable by every user
        }
        let name = program.file_name().expect("a program is a file");
        let copy = self.programs.path().join(name);
        if !copy.exists() {
            // By another process: a child that another thread forks meanwhile would inherit the
            // file open for writing, and a file that is open for writing cannot be executed.
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
