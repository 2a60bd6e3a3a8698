//! Other users: no access by default, read access if the owner permits it, never write access.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;

use e2e_tests::{Fixture, Launch, OtherUser, Picture, PictureFile, PrivateDir, Program};
use image::load_from_memory;

use crate::actor::Actor;

/// A directory for segments that every user may write to, like /dev/shm, and a fixture in it.
pub(crate) struct SharedDirectory {
    pub(crate) fixture: Fixture,
    /// After the fixture, so that it is dropped after it.
    pub(crate) directory: PrivateDir,
}

impl SharedDirectory {
    pub(crate) fn new() -> SharedDirectory {
        let directory = PrivateDir::in_memory();
        directory.set_mode(0o1777);
        SharedDirectory {
            fixture: Fixture::within(directory.path()),
            directory,
        }
    }

    pub(crate) fn load(&self, arguments: &[&str]) -> Program {
        let loader = self.fixture.loader(arguments).start();
        loader.wait_for(self.fixture.key());
        loader
    }
}

/// Returns the owner of all segments here, as an option's value.
fn me() -> String {
    rustix::process::getuid().as_raw().to_string()
}

/// Starts an actor of another user that accesses this user's segments.
pub(crate) fn other_users_actor(other_user: &OtherUser, fixture: &Fixture) -> Actor {
    Actor::start(other_user.launch_as(Actor::launch(fixture).args([me()])))
}

#[test]
fn by_default_other_users_are_refused_and_the_owner_is_named() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let loader = shared.load(&["text", "for me alone"]);
    for command in ["show", "info"] {
        let look = fixture.viewer([command, "--owner", "root"]);
        let refused = other_user.launch_as(look).run().refused("belongs to root");
        assert!(refused.stderr.contains("--mode 644"), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    // Without `--owner`, a key means the caller's own segment, and there is none.
    let nothing = other_user.launch_as(fixture.viewer(["show"])).run();
    drop(nothing.refused("There is nothing"));
    let list = fixture.bare_viewer(["list", "--json", "--owner", &me()]);
    let list = other_user.launch_as(list).run().done().json();
    assert_eq!(list[0]["key"], fixture.key(), "{list}");
    assert!(list[0]["reason"].is_string(), "{list}");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn content_with_mode_644_is_shown_to_every_user() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let text = shared.load(&["text", "--mode", "644", "for all, 給大家"]);
    for owner in ["root", &me()] {
        let show = other_user.launch_as(fixture.viewer(["show", "--owner", owner]));
        assert_eq!(show.run().done().text(), "for all, 給大家");
    }
    let info = fixture.viewer(["info", "--json", "--owner", "root"]);
    let info = other_user.launch_as(info).run().done().json();
    assert_eq!(info["attached"][0]["pid"], text.pid(), "{info}");

    let picture = Picture::draw(640, 400, 5);
    let file = fixture.file("picture.png", &picture.encode(PictureFile::Png));
    let image = fixture.loader(["image"]).args([&file]).start();
    image.wait_for("image");
    let show = fixture.viewer(["show", "--output", "-", "--owner", "root"]);
    let shown = other_user.launch_as(show).run().done().stdout;
    assert!(load_from_memory(&shown).unwrap().into_rgb8() == *picture.pixels());
    text.terminate().done();
    image.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_group_mode_permits_only_the_group() {
    let group = rustix::process::getgid().as_raw();
    let (Some(other_user), Some(colleague)) = (OtherUser::new(), OtherUser::in_group(group)) else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let _loader = shared.load(&["text", "--mode", "640", "for colleagues"]);
    let show = || fixture.viewer(["show", "--owner", "root"]);
    assert_eq!(
        colleague.launch_as(show()).run().done().text(),
        "for colleagues"
    );
    drop(
        other_user
            .launch_as(show())
            .run()
            .refused("belongs to root"),
    );
}

/// A group that the test's own programs do not belong to, and that does not exist on the computer.
const VIDEO: u32 = 64_044;

/// Prepares a process with only the permissions of its user and groups.
fn reads(other_user: &OtherUser, fixture: &Fixture) -> Launch {
    other_user.launch_as(fixture.viewer(["show", "--owner", "root"]))
}

#[test]
fn only_the_chosen_group_may_read() {
    let (Some(other_user), Some(member)) = (OtherUser::new(), OtherUser::also_in_group(VIDEO))
    else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let video = VIDEO.to_string();
    for arguments in [
        ["--mode", "640", "--group", &video].as_slice(),
        // Both forms mean the same.
        &["--group", &video],
    ] {
        let loader = fixture.loader(["text"]).args(arguments).args(["for video"]);
        let loader = loader.start();
        loader.wait_for(fixture.key());
        let segment = fs::metadata(fixture.segment()).unwrap();
        assert_eq!((segment.mode() & 0o7777, segment.gid()), (0o640, VIDEO));
        assert_eq!(reads(&member, fixture).run().done().text(), "for video");
        drop(reads(&other_user, fixture).run().refused("belongs to root"));

        let info = fixture.viewer(["info", "--json"]).run().done().json();
        assert_eq!(info["mode"], "640", "{info}");
        assert_eq!(info["group"], video.as_str(), "{info}");
        assert_eq!(info["others_may_read"], true, "{info}");
        let said = format!("the group {VIDEO} may read it (mode 640)");
        let info = fixture.viewer(["info"]).run().done();
        assert!(info.text().contains(&said), "{info:?}");
        let list = fixture.bare_viewer(["list"]).run().done();
        let said = format!("Shared:\n  {}: {said}", fixture.key());
        assert!(list.text().contains(&said), "{list:?}");
        let loaded = loader.terminate().done();
        assert!(!loaded.stderr.contains("warning"), "{loaded:?}");
    }
    fixture.assert_empty();
}

#[test]
fn streams_and_restored_segments_keep_their_group() {
    let Some(member) = OtherUser::also_in_group(VIDEO) else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let video = VIDEO.to_string();
    let camera = ["frames", "--test-pattern", "--size", "64x48", "--restore"];
    let camera = fixture.loader(camera).args(["--group", &video]).start();
    camera.wait_for(fixture.key());
    let follow = || fixture.viewer(["follow", "--owner", "root", "--count", "2"]);
    member.launch_as(follow()).run().done();
    fs::remove_file(fixture.segment()).unwrap();
    camera.wait_for_stderr("Restored");
    member.launch_as(follow()).run().done();
    let segment = fs::metadata(fixture.segment()).unwrap();
    assert_eq!((segment.mode() & 0o7777, segment.gid()), (0o640, VIDEO));
    camera.terminate().done();
    fixture.assert_empty();
}

#[test]
fn a_group_without_membership_is_refused_with_the_remedy() {
    let (Some(other_user), Some(member)) = (OtherUser::new(), OtherUser::also_in_group(VIDEO))
    else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let video = VIDEO.to_string();
    for (group, name) in [("0", "root"), (&video, &video)] {
        let loader = fixture.loader(["text", "--group", group, "mine"]);
        let refused = other_user.launch_as(loader).run();
        let refused = refused.refused(&format!("the group {name}"));
        assert!(
            refused.stderr.contains("the command id lists them"),
            "{refused:?}"
        );
    }
    assert_eq!(shared.directory.names(), [] as [String; 0]);
    let loader = fixture.loader(["text", "--group", &video, "--for", "1ms", "ours"]);
    member.launch_as(loader).run().done();
    assert_eq!(shared.directory.names(), [] as [String; 0]);
}

#[test]
fn invalid_groups_are_usage_errors() {
    let fixture = Fixture::new();
    for (arguments, words) in [
        (["--group", "no-such-group"].as_slice(), "no such group"),
        (&["--group", "4294967295"], "no such group"),
        (&["--group", "0", "--mode", "600"], "read nothing"),
        (&["--group", "0", "--mode", "604"], "read nothing"),
    ] {
        let text = fixture.loader(["text"]).args(arguments).args(["x"]);
        drop(text.run().misused(words));
        let frames = fixture.loader(["frames", "--test-pattern"]).args(arguments);
        drop(frames.run().misused(words));
    }
    fixture.assert_empty();
}

#[test]
fn loading_into_a_segment_that_other_users_may_read_prints_a_warning() {
    let fixture = Fixture::new();
    for (mode, words) in [
        (0o644, "other users may read it (mode 644)"),
        (0o640, "may read it (mode 640)"),
        (0o604, "other users may read it (mode 604)"),
        (0o666, "other users may read and change it (mode 666)"),
    ] {
        let first = fixture.loader(["text", "first"]).start();
        first.wait_for(fixture.key());
        fs::set_permissions(fixture.segment(), fs::Permissions::from_mode(mode)).unwrap();
        let file = fixture.file("file", b"private");
        for second in [
            fixture.loader(["text", "--for", "1ms", "private"]),
            fixture.loader(["file", "--for", "1ms"]).args([&file]),
            fixture.loader(["frames", "--test-pattern", "--count", "1", "--fps", "max"]),
        ] {
            let warned = second.run().done();
            assert!(warned.stderr.contains("warning"), "{warned:?}");
            assert!(warned.stderr.contains(words), "{warned:?}");
        }
        let list = fixture.list();
        assert_eq!(list[0]["others_may_read"], true, "{list:?}");
        first.terminate().done();
    }
    // For the owner alone there is no warning.
    let first = fixture.loader(["text", "first"]).start();
    first.wait_for(fixture.key());
    let quiet = fixture
        .loader(["text", "--for", "1ms", "private"])
        .run()
        .done();
    assert!(!quiet.stderr.contains("may read"), "{quiet:?}");
    let info = fixture.viewer(["info"]).run().done();
    assert!(
        info.text().contains("only its owner may read it"),
        "{info:?}"
    );
    first.terminate().done();
    fixture.assert_empty();
}

#[test]
fn another_user_can_wait_and_pin_and_is_listed() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let picture = Picture::draw(640, 400, 6);
    let file = fixture.file("picture.png", &picture.encode(PictureFile::Png));
    let first = shared.load(&["image", "--mode", "644", file.to_str().unwrap()]);

    let mut reader = other_users_actor(&other_user, fixture);
    reader.run("subscribe");
    assert_eq!(reader.run("pin"), "1");
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    let attached = info["attached"].as_array().unwrap();
    let seen = attached
        .iter()
        .find(|peer| peer["pid"] == reader.program().pid());
    assert_eq!(seen.unwrap()["access"], "read-only", "{info}");

    reader.send("wait 60000");
    let second = shared.load(&["text", "something new"]);
    assert_eq!(reader.wait_done("wait"), "New");
    assert_eq!(reader.run("pin"), "2");
    first.terminate().done();
    second.terminate().done();
    assert_eq!(reader.run("wait 60000"), "PublisherGone");
    drop(reader.finish().done());
    fixture.assert_empty();
}

#[test]
fn another_user_cannot_change_a_byte() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let loader = shared.load(&["text", "--mode", "644", "stays as it is"]);
    let segment = fixture.segment();
    let before = fs::metadata(&segment).unwrap();
    for script in [
        r#"exec 3>>"$0""#,
        r#"exec 3<>"$0""#,
        r#"truncate --size=0 "$0""#,
        r#"mv "$0" "$0.away""#,
        r#"rm -f "$0""#,
        r#"chmod 666 "$0""#,
    ] {
        let attempt = fixture.program("sh").args(["-c", script]).args([&segment]);
        let outcome = other_user.launch_as(attempt).run();
        assert!(outcome.code != Some(0), "{outcome:?}");
        let refused = ["Permission denied", "not permitted"];
        let said = &outcome.stderr;
        assert!(refused.iter().any(|words| said.contains(words)), "{said}");
    }
    let after = fs::metadata(&segment).unwrap();
    assert_eq!(before.len(), after.len());
    assert_eq!(before.permissions(), after.permissions());
    assert_eq!(
        fixture.viewer(["show"]).run().done().text(),
        "stays as it is"
    );
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn another_user_cannot_publish_or_remove() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let mut actor = other_users_actor(&other_user, fixture);
    let refused = |answer: String| assert!(answer.contains("belongs to user root"), "{answer}");
    // Neither under a free name …
    refused(actor.try_run("open"));
    refused(actor.try_run("create 64"));
    refused(actor.try_run("semaphore create 2"));
    assert_eq!(shared.directory.names(), [] as [String; 0]);
    // … nor in a segment that is shared for reading.
    let loader = shared.load(&["text", "--mode", "644", "mine"]);
    refused(actor.try_run("open"));
    refused(actor.try_run("attach"));
    refused(actor.try_run("remove --force"));
    drop(actor.finish().done());
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "mine");
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn another_users_segments_are_listed() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let _loader = shared.load(&["text", "--mode", "644", "in the list"]);
    let list = |arguments: &[&str]| {
        let list = fixture.bare_viewer(["list", "--json"]).args(arguments);
        other_user.launch_as(list).run().done().json()
    };
    for owner in ["root", &me()] {
        let listed = list(&["--owner", owner]);
        assert_eq!(listed[0]["key"], fixture.key(), "{listed}");
        assert_eq!(listed[0]["kind"], "text", "{listed}");
    }
    assert_eq!(list(&[]).as_array().unwrap().len(), 0);
    let unknown_user = fixture.bare_viewer(["list", "--owner", "no-such-user"]);
    drop(unknown_user.run().misused("user id"));
}

#[test]
fn a_crash_of_the_owner_leaves_nothing_visible_to_other_users() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let shared = SharedDirectory::new();
    let fixture = &shared.fixture;
    let loader = shared.load(&["text", "--mode", "644", "gone soon"]);
    drop(loader.kill());
    let show = fixture.viewer(["show", "--owner", "root"]);
    drop(other_user.launch_as(show).run().refused("of root"));
    // Other users may not remove it: the owner does, at the next list.
    fixture.assert_empty();
}

#[test]
fn invalid_modes_are_usage_errors() {
    let fixture = Fixture::new();
    for (mode, words) in [
        ("755", "cannot be executable"),
        ("666", "no write permission"),
        ("620", "no write permission"),
        ("044", "the first digit is 6"),
        ("u=rw", "three octal digits"),
        ("899", "three octal digits"),
    ] {
        let misused = fixture.loader(["text", "--mode", mode, "x"]).run();
        drop(misused.misused(words));
    }
    fixture.assert_empty();
}

#[test]
fn an_existing_segment_keeps_its_mode_and_the_loader_reports_it() {
    let fixture = Fixture::new();
    let first = fixture.loader(["text", "first"]).start();
    first.wait_for(fixture.key());
    let second = fixture.loader(["text", "--mode", "644", "second"]).start();
    let warning = second.wait_for_stderr("keeps its mode");
    assert!(warning.contains("600"), "{warning}");
    second.wait_for(fixture.key());
    let third = fixture.loader(["text", "--mode", "600", "third"]).start();
    third.wait_for(fixture.key());
    let third = third.terminate().done();
    assert!(!third.stderr.contains("keeps its mode"), "{third:?}");
    second.terminate().done();
    first.terminate().done();
    fixture.assert_empty();
}

/// A shared directory in which another user has loaded content, with an actor of this user.
struct ForeignFixture {
    shared: SharedDirectory,
    owner: OtherUser,
}

impl ForeignFixture {
    /// Creates one; `None` if no program can be started as another user.
    fn new() -> Option<ForeignFixture> {
        let owner = OtherUser::new()?;
        let shared = SharedDirectory::new();
        Some(ForeignFixture { shared, owner })
    }

    fn load(&self, arguments: &[&str]) -> Program {
        let loader = self.shared.fixture.loader(arguments);
        let loader = self.owner.launch_as(loader).start();
        loader.wait_for(self.shared.fixture.key());
        loader
    }

    /// Starts an actor of the owner.
    fn owning_actor(&self) -> Actor {
        let launch = Actor::launch(&self.shared.fixture);
        Actor::start(self.owner.launch_as(launch))
    }

    /// Starts an actor of root that names the owner.
    fn root(&self) -> Actor {
        let launch = Actor::launch(&self.shared.fixture);
        Actor::start(launch.args([self.owner.id().to_string()]))
    }

    fn names(&self) -> Vec<String> {
        self.shared.directory.names()
    }
}

#[test]
fn root_reads_segments_of_other_users_only_with_owner() {
    let Some(foreign) = ForeignFixture::new() else {
        return;
    };
    let fixture = &foreign.shared.fixture;
    let loader = foreign.load(&["text", "private, but not from root"]);
    let owner = foreign.owner.id().to_string();
    for command in ["show", "info", "remove"] {
        drop(fixture.viewer([command]).run().refused("There is nothing"));
    }
    assert_eq!(fixture.list().len(), 0);
    for owner in [owner.as_str(), "nobody"] {
        let shown = fixture.viewer(["show", "--owner", owner]).run().done();
        assert_eq!(shown.text(), "private, but not from root");
    }
    let listed = fixture.bare_viewer(["list", "--json", "--owner", &owner]);
    assert_eq!(listed.run().done().json()[0]["kind"], "text");
    loader.terminate().done();
    assert_eq!(foreign.names(), [] as [String; 0]);
}

#[test]
fn root_cannot_write_segments_of_other_users() {
    let Some(foreign) = ForeignFixture::new() else {
        return;
    };
    let mut root = foreign.root();
    let refused = |root: &mut Actor, line: &str| {
        let answer = root.try_run(line);
        assert!(
            answer.contains("belongs to user nobody (uid "),
            "{line}: {answer}"
        );
    };
    // Neither under a free name …
    for line in [
        "open",
        "open persistent",
        "create 64",
        "attach",
        "remove",
        "join block",
        "semaphore create 2",
    ] {
        refused(&mut root, line);
    }
    assert_eq!(foreign.names(), [] as [String; 0]);
    // … nor in samples …
    let loader = foreign.load(&["text", "--mode", "644", "foreign"]);
    for line in [
        "open",
        "open persistent",
        "attach",
        "remove",
        "remove --force",
        "join samples",
    ] {
        refused(&mut root, line);
    }
    loader.terminate().done();
    // … nor in a block, whose lock a reader takes, too.
    let mut block = foreign.owning_actor();
    block.run("create 64");
    for line in ["attach", "remove --force", "join block"] {
        refused(&mut root, line);
    }
    let owner = foreign.owner.id().to_string();
    let show = foreign
        .shared
        .fixture
        .viewer(["show", "--owner", &owner, "--output", "-"]);
    drop(show.run().refused("belongs to user nobody"));
    assert_eq!(foreign.names().len(), 1);
    drop(block.finish().done());
    drop(root.finish().done());
}

#[test]
fn root_does_not_remove_leftovers_of_other_users() {
    let Some(foreign) = ForeignFixture::new() else {
        return;
    };
    let fixture = &foreign.shared.fixture;
    let id = foreign.owner.id();
    drop(foreign.load(&["text", "dies"]).kill());
    let stale = foreign.names();
    assert_eq!(stale.len(), 1);
    // Temporary files and sockets of theirs, as a crash leaves them, under their names and under
    // ours.
    let mut head = vec![0; 0x7000];
    let file = fs::File::open(fixture.segments().join(&stale[0])).unwrap();
    file.read_exact_at(&mut head, 0).unwrap();
    for uid in [0, id] {
        let draft = format!(".shm-core.{uid}.0123456789abcdef.tmp");
        let draft = fixture.segments().join(draft);
        fs::write(&draft, &head).unwrap();
        chown(&draft, Some(id), Some(id)).unwrap();
    }
    let socket = ".shm-core-presence.0123456789abcdef0123456789abcdef.0123456789abcdef";
    let socket = fixture.segments().join(socket);
    drop(UnixListener::bind(&socket).unwrap());
    chown(&socket, Some(id), Some(id)).unwrap();
    let left = foreign.names();
    assert_eq!(left.len(), 4);

    let owner = id.to_string();
    drop(fixture.list());
    let listed = fixture.bare_viewer(["list", "--json", "--owner", &owner]);
    assert_eq!(listed.run().done().json().as_array().unwrap().len(), 0);
    for command in ["show", "info"] {
        let look = fixture.viewer([command, "--owner", &owner]).run();
        drop(look.refused("There is nothing"));
    }
    let mut root = foreign.root();
    for line in ["subscribe", "open", "remove --force"] {
        assert!(root.try_run(line).starts_with("error"), "{line}");
    }
    assert_eq!(root.run("list"), "0");
    drop(root.finish().done());
    assert_eq!(foreign.names(), left);

    // The owner does.
    foreign
        .owner
        .launch_as(fixture.bare_viewer(["list"]))
        .run()
        .done();
    let draft_of_ours = ".shm-core.0.0123456789abcdef.tmp".to_owned();
    assert_eq!(foreign.names(), [draft_of_ours]);
}

#[test]
fn files_of_other_users_at_roots_names_are_left_alone() {
    let Some(foreign) = ForeignFixture::new() else {
        return;
    };
    let fixture = &foreign.shared.fixture;
    drop(foreign.load(&["text", "--persist", "bait"]));
    let theirs_at = fixture.segments().join(&foreign.names()[0]);
    fs::rename(&theirs_at, fixture.segment()).unwrap();
    for command in [["show"].as_slice(), &["info"], &["remove", "--force"]] {
        let refused = fixture.viewer(command).run();
        drop(refused.refused("user nobody (uid "));
    }
    drop(
        fixture
            .loader(["text", "mine"])
            .run()
            .refused("user nobody (uid "),
    );
    assert_eq!(foreign.names().len(), 1);
}
