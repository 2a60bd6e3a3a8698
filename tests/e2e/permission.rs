//! Other users: nothing by default, reading where the owner allows it, writing never.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;

use e2e_tests::{Launch, OtherUser, Picture, PictureFile, PrivateDir, Program, Scene};
use image::load_from_memory;

use crate::actor::Actor;

/// A directory for segments that everybody may write to, as /dev/shm is, and a scene in it.
pub(crate) struct Commons {
    pub(crate) scene: Scene,
    /// Behind the scene, so that it goes after it.
    pub(crate) directory: PrivateDir,
}

impl Commons {
    pub(crate) fn new() -> Commons {
        let directory = PrivateDir::in_memory();
        directory.set_mode(0o1777);
        Commons {
            scene: Scene::within(directory.path()),
            directory,
        }
    }

    pub(crate) fn loads(&self, arguments: &[&str]) -> Program {
        let loader = self.scene.loader(arguments).start();
        loader.wait_for(self.scene.key());
        loader
    }
}

/// The owner of all segments here, as a user gives it.
fn me() -> String {
    rustix::process::getuid().as_raw().to_string()
}

/// An actor of another user, who looks among our segments.
pub(crate) fn foreign_actor(other_user: &OtherUser, scene: &Scene) -> Actor {
    Actor::start(other_user.starts(Actor::launch(scene).args([me()])))
}

#[test]
fn by_default_others_are_refused_and_told_whose_it_is() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let loader = commons.loads(&["text", "for me alone"]);
    for command in ["show", "info"] {
        let look = scene.viewer([command, "--owner", "root"]);
        let refused = other_user.starts(look).run().refused("belongs to root");
        assert!(refused.stderr.contains("--mode 644"), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    // What is named without its owner is one's own, and there is none.
    let nothing = other_user.starts(scene.viewer(["show"])).run();
    drop(nothing.refused("There is nothing"));
    let list = scene.bare_viewer(["list", "--json", "--owner", &me()]);
    let list = other_user.starts(list).run().done().json();
    assert_eq!(list[0]["key"], scene.key(), "{list}");
    assert!(list[0]["reason"].is_string(), "{list}");
    loader.terminate().done();
    scene.assert_empty();
}

#[test]
fn what_is_shared_is_shown_to_everybody() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let text = commons.loads(&["text", "--mode", "644", "for all, 給大家"]);
    for owner in ["root", &me()] {
        let show = other_user.starts(scene.viewer(["show", "--owner", owner]));
        assert_eq!(show.run().done().text(), "for all, 給大家");
    }
    let info = scene.viewer(["info", "--json", "--owner", "root"]);
    let info = other_user.starts(info).run().done().json();
    assert_eq!(info["attached"][0]["pid"], text.pid(), "{info}");

    let picture = Picture::draw(640, 400, 5);
    let file = scene.file("picture.png", &picture.encode(PictureFile::Png));
    let image = scene.loader(["image"]).args([&file]).start();
    image.wait_for("image");
    let show = scene.viewer(["show", "--output", "-", "--owner", "root"]);
    let shown = other_user.starts(show).run().done().stdout;
    assert!(load_from_memory(&shown).unwrap().into_rgb8() == *picture.pixels());
    text.terminate().done();
    image.terminate().done();
    scene.assert_empty();
}

#[test]
fn a_mode_for_the_group_is_for_the_group() {
    let group = rustix::process::getgid().as_raw();
    let (Some(other_user), Some(colleague)) = (OtherUser::new(), OtherUser::in_group(group)) else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let _loader = commons.loads(&["text", "--mode", "640", "for colleagues"]);
    let show = || scene.viewer(["show", "--owner", "root"]);
    assert_eq!(
        colleague.starts(show()).run().done().text(),
        "for colleagues"
    );
    drop(other_user.starts(show()).run().refused("belongs to root"));
}

/// A group of users that the test's own programs do not belong to, and nobody on the computer has.
const VIDEO: u32 = 64_044;

/// A process that may only read what its user and groups let it.
fn reads(other_user: &OtherUser, scene: &Scene) -> Launch {
    other_user.starts(scene.viewer(["show", "--owner", "root"]))
}

#[test]
fn a_group_of_ones_choice_may_read_and_nobody_else() {
    let (Some(other_user), Some(member)) = (OtherUser::new(), OtherUser::also_in_group(VIDEO))
    else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let video = VIDEO.to_string();
    for arguments in [
        ["--mode", "640", "--group", &video].as_slice(),
        // It means the same.
        &["--group", &video],
    ] {
        let loader = scene.loader(["text"]).args(arguments).args(["for video"]);
        let loader = loader.start();
        loader.wait_for(scene.key());
        let segment = fs::metadata(scene.segment()).unwrap();
        assert_eq!((segment.mode() & 0o7777, segment.gid()), (0o640, VIDEO));
        assert_eq!(reads(&member, scene).run().done().text(), "for video");
        drop(reads(&other_user, scene).run().refused("belongs to root"));

        let info = scene.viewer(["info", "--json"]).run().done().json();
        assert_eq!(info["mode"], "640", "{info}");
        assert_eq!(info["group"], video.as_str(), "{info}");
        assert_eq!(info["others_may_read"], true, "{info}");
        let said = format!("the group {VIDEO} may read it (mode 640)");
        let info = scene.viewer(["info"]).run().done();
        assert!(info.text().contains(&said), "{info:?}");
        let list = scene.bare_viewer(["list"]).run().done();
        let said = format!("Shared:\n  {}: {said}", scene.key());
        assert!(list.text().contains(&said), "{list:?}");
        let loaded = loader.terminate().done();
        assert!(!loaded.stderr.contains("warning"), "{loaded:?}");
    }
    scene.assert_empty();
}

#[test]
fn a_stream_for_a_group_and_a_segment_that_is_restored_keep_to_it() {
    let Some(member) = OtherUser::also_in_group(VIDEO) else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let video = VIDEO.to_string();
    let camera = ["frames", "--test-pattern", "--size", "64x48", "--restore"];
    let camera = scene.loader(camera).args(["--group", &video]).start();
    camera.wait_for(scene.key());
    let follow = || scene.viewer(["follow", "--owner", "root", "--count", "2"]);
    member.starts(follow()).run().done();
    fs::remove_file(scene.segment()).unwrap();
    camera.wait_for_complaint("Restored");
    member.starts(follow()).run().done();
    let segment = fs::metadata(scene.segment()).unwrap();
    assert_eq!((segment.mode() & 0o7777, segment.gid()), (0o640, VIDEO));
    camera.terminate().done();
    scene.assert_empty();
}

#[test]
fn a_group_that_one_is_no_member_of_is_refused_by_name_with_the_way_out() {
    let (Some(other_user), Some(member)) = (OtherUser::new(), OtherUser::also_in_group(VIDEO))
    else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let video = VIDEO.to_string();
    for (group, name) in [("0", "root"), (&video, &video)] {
        let loader = scene.loader(["text", "--group", group, "mine"]);
        let refused = other_user.starts(loader).run();
        let refused = refused.refused(&format!("the group {name}"));
        assert!(refused.stderr.contains("id tells"), "{refused:?}");
    }
    assert_eq!(commons.directory.names(), [] as [String; 0]);
    let loader = scene.loader(["text", "--group", &video, "--for", "1ms", "ours"]);
    member.starts(loader).run().done();
    assert_eq!(commons.directory.names(), [] as [String; 0]);
}

#[test]
fn groups_that_make_no_sense_are_wrong_usage() {
    let scene = Scene::new();
    for (arguments, words) in [
        (["--group", "no-such-group"].as_slice(), "no such group"),
        (&["--group", "4294967295"], "no such group"),
        (&["--group", "0", "--mode", "600"], "read nothing"),
        (&["--group", "0", "--mode", "604"], "read nothing"),
    ] {
        let text = scene.loader(["text"]).args(arguments).args(["x"]);
        drop(text.run().misused(words));
        let frames = scene.loader(["frames", "--test-pattern"]).args(arguments);
        drop(frames.run().misused(words));
    }
    scene.assert_empty();
}

#[test]
fn loading_into_what_others_may_read_is_warned_of() {
    let scene = Scene::new();
    for (mode, words) in [
        (0o644, "other users may read it (mode 644)"),
        (0o640, "may read it (mode 640)"),
        (0o604, "other users may read it (mode 604)"),
        (0o666, "other users may read and change it (mode 666)"),
    ] {
        let first = scene.loader(["text", "first"]).start();
        first.wait_for(scene.key());
        fs::set_permissions(scene.segment(), fs::Permissions::from_mode(mode)).unwrap();
        let file = scene.file("file", b"private");
        for second in [
            scene.loader(["text", "--for", "1ms", "private"]),
            scene.loader(["file", "--for", "1ms"]).args([&file]),
            scene.loader(["frames", "--test-pattern", "--count", "1", "--fps", "max"]),
        ] {
            let warned = second.run().done();
            assert!(warned.stderr.contains("warning"), "{warned:?}");
            assert!(warned.stderr.contains(words), "{warned:?}");
        }
        let list = scene.list();
        assert_eq!(list[0]["others_may_read"], true, "{list:?}");
        first.terminate().done();
    }
    // For oneself alone there is nothing to say.
    let first = scene.loader(["text", "first"]).start();
    first.wait_for(scene.key());
    let quiet = scene
        .loader(["text", "--for", "1ms", "private"])
        .run()
        .done();
    assert!(!quiet.stderr.contains("may read"), "{quiet:?}");
    let info = scene.viewer(["info"]).run().done();
    assert!(
        info.text().contains("only its owner may read it"),
        "{info:?}"
    );
    first.terminate().done();
    scene.assert_empty();
}

#[test]
fn another_user_waits_pins_and_is_seen() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let picture = Picture::draw(640, 400, 6);
    let file = scene.file("picture.png", &picture.encode(PictureFile::Png));
    let first = commons.loads(&["image", "--mode", "644", file.to_str().unwrap()]);

    let mut reader = foreign_actor(&other_user, scene);
    reader.does("subscribe");
    assert_eq!(reader.does("pin"), "1");
    let info = scene.viewer(["info", "--json"]).run().done().json();
    let attached = info["attached"].as_array().unwrap();
    let seen = attached
        .iter()
        .find(|peer| peer["pid"] == reader.program().pid());
    assert_eq!(seen.unwrap()["access"], "read-only", "{info}");

    reader.begins("wait 60000");
    let second = commons.loads(&["text", "something new"]);
    assert_eq!(reader.has_done("wait"), "New");
    assert_eq!(reader.does("pin"), "2");
    first.terminate().done();
    second.terminate().done();
    assert_eq!(reader.does("wait 60000"), "PublisherGone");
    drop(reader.ends().done());
    scene.assert_empty();
}

#[test]
fn another_user_cannot_change_a_byte() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let loader = commons.loads(&["text", "--mode", "644", "stays as it is"]);
    let segment = scene.segment();
    let before = fs::metadata(&segment).unwrap();
    for script in [
        r#"exec 3>>"$0""#,
        r#"exec 3<>"$0""#,
        r#"truncate --size=0 "$0""#,
        r#"mv "$0" "$0.away""#,
        r#"rm -f "$0""#,
        r#"chmod 666 "$0""#,
    ] {
        let attempt = scene.program("sh").args(["-c", script]).args([&segment]);
        let outcome = other_user.starts(attempt).run();
        assert!(outcome.code != Some(0), "{outcome:?}");
        let refused = ["Permission denied", "not permitted"];
        let said = &outcome.stderr;
        assert!(refused.iter().any(|words| said.contains(words)), "{said}");
    }
    let after = fs::metadata(&segment).unwrap();
    assert_eq!(before.len(), after.len());
    assert_eq!(before.permissions(), after.permissions());
    assert_eq!(scene.viewer(["show"]).run().done().text(), "stays as it is");
    loader.terminate().done();
    scene.assert_empty();
}

#[test]
fn another_user_publishes_and_removes_nothing_of_ours() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let mut actor = foreign_actor(&other_user, scene);
    let refused = |answer: String| assert!(answer.contains("belongs to user root"), "{answer}");
    // Neither under a name that is free …
    refused(actor.tries("open"));
    refused(actor.tries("create 64"));
    refused(actor.tries("semaphore create 2"));
    assert_eq!(commons.directory.names(), [] as [String; 0]);
    // … nor in what is shared for reading.
    let loader = commons.loads(&["text", "--mode", "644", "mine"]);
    refused(actor.tries("open"));
    refused(actor.tries("attach"));
    refused(actor.tries("remove --force"));
    drop(actor.ends().done());
    assert_eq!(scene.viewer(["show"]).run().done().text(), "mine");
    loader.terminate().done();
    scene.assert_empty();
}

#[test]
fn another_users_segments_are_listed() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let _loader = commons.loads(&["text", "--mode", "644", "in the list"]);
    let list = |arguments: &[&str]| {
        let list = scene.bare_viewer(["list", "--json"]).args(arguments);
        other_user.starts(list).run().done().json()
    };
    for owner in ["root", &me()] {
        let listed = list(&["--owner", owner]);
        assert_eq!(listed[0]["key"], scene.key(), "{listed}");
        assert_eq!(listed[0]["kind"], "text", "{listed}");
    }
    assert_eq!(list(&[]).as_array().unwrap().len(), 0);
    let nobody = scene.bare_viewer(["list", "--owner", "no-such-user"]);
    drop(nobody.run().misused("user id"));
}

#[test]
fn a_crash_of_the_owner_leaves_nothing_for_others_to_see() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let commons = Commons::new();
    let scene = &commons.scene;
    let loader = commons.loads(&["text", "--mode", "644", "gone soon"]);
    drop(loader.kill());
    let show = scene.viewer(["show", "--owner", "root"]);
    drop(other_user.starts(show).run().refused("of root"));
    // They may not remove it: the owner does, at the next look.
    scene.assert_empty();
}

#[test]
fn only_modes_that_make_sense_are_taken() {
    let scene = Scene::new();
    for (mode, words) in [
        ("755", "not executed"),
        ("666", "no right to write"),
        ("620", "no right to write"),
        ("044", "the first digit is 6"),
        ("u=rw", "three octal digits"),
        ("899", "three octal digits"),
    ] {
        let misused = scene.loader(["text", "--mode", mode, "x"]).run();
        drop(misused.misused(words));
    }
    scene.assert_empty();
}

#[test]
fn a_segment_that_was_there_keeps_its_mode_and_the_loader_says_so() {
    let scene = Scene::new();
    let first = scene.loader(["text", "first"]).start();
    first.wait_for(scene.key());
    let second = scene.loader(["text", "--mode", "644", "second"]).start();
    let warning = second.wait_for_complaint("keeps its mode");
    assert!(warning.contains("600"), "{warning}");
    second.wait_for(scene.key());
    let third = scene.loader(["text", "--mode", "600", "third"]).start();
    third.wait_for(scene.key());
    let third = third.terminate().done();
    assert!(!third.stderr.contains("keeps its mode"), "{third:?}");
    second.terminate().done();
    first.terminate().done();
    scene.assert_empty();
}

/// Commons in which another user has loaded something, with what an actor of ours does there.
struct Theirs {
    commons: Commons,
    owner: OtherUser,
}

impl Theirs {
    /// Nothing where nobody else can be started.
    fn new() -> Option<Theirs> {
        let owner = OtherUser::new()?;
        let commons = Commons::new();
        Some(Theirs { commons, owner })
    }

    fn loads(&self, arguments: &[&str]) -> Program {
        let loader = self.commons.scene.loader(arguments);
        let loader = self.owner.starts(loader).start();
        loader.wait_for(self.commons.scene.key());
        loader
    }

    /// An actor of the owner's.
    fn owning_actor(&self) -> Actor {
        let launch = Actor::launch(&self.commons.scene);
        Actor::start(self.owner.starts(launch))
    }

    /// One of root, who names the owner.
    fn root(&self) -> Actor {
        let launch = Actor::launch(&self.commons.scene);
        Actor::start(launch.args([self.owner.id().to_string()]))
    }

    fn names(&self) -> Vec<String> {
        self.commons.directory.names()
    }
}

#[test]
fn root_reads_what_is_of_others_where_it_names_them_and_not_otherwise() {
    let Some(theirs) = Theirs::new() else {
        return;
    };
    let scene = &theirs.commons.scene;
    let loader = theirs.loads(&["text", "private, but not from root"]);
    let owner = theirs.owner.id().to_string();
    for command in ["show", "info", "remove"] {
        drop(scene.viewer([command]).run().refused("There is nothing"));
    }
    assert_eq!(scene.list().len(), 0);
    for owner in [owner.as_str(), "nobody"] {
        let shown = scene.viewer(["show", "--owner", owner]).run().done();
        assert_eq!(shown.text(), "private, but not from root");
    }
    let listed = scene.bare_viewer(["list", "--json", "--owner", &owner]);
    assert_eq!(listed.run().done().json()[0]["kind"], "text");
    loader.terminate().done();
    assert_eq!(theirs.names(), [] as [String; 0]);
}

#[test]
fn root_writes_nothing_of_others() {
    let Some(theirs) = Theirs::new() else {
        return;
    };
    let mut root = theirs.root();
    let refused = |root: &mut Actor, line: &str| {
        let answer = root.tries(line);
        assert!(
            answer.contains("belongs to user nobody (uid "),
            "{line}: {answer}"
        );
    };
    // Neither under a name that is free …
    for line in [
        "open",
        "open persistent",
        "create 64",
        "attach",
        "remove",
        "visit block",
        "semaphore create 2",
    ] {
        refused(&mut root, line);
    }
    assert_eq!(theirs.names(), [] as [String; 0]);
    // … nor where there are samples …
    let loader = theirs.loads(&["text", "--mode", "644", "theirs"]);
    for line in [
        "open",
        "open persistent",
        "attach",
        "remove",
        "remove --force",
        "visit samples",
    ] {
        refused(&mut root, line);
    }
    loader.terminate().done();
    // … nor a block, whose lock a reader takes, too.
    let mut block = theirs.owning_actor();
    block.does("create 64");
    for line in ["attach", "remove --force", "visit block"] {
        refused(&mut root, line);
    }
    let owner = theirs.owner.id().to_string();
    let show = theirs
        .commons
        .scene
        .viewer(["show", "--owner", &owner, "--output", "-"]);
    drop(show.run().refused("belongs to user nobody"));
    assert_eq!(theirs.names().len(), 1);
    drop(block.ends().done());
    drop(root.ends().done());
}

#[test]
fn root_removes_nothing_that_others_left_behind() {
    let Some(theirs) = Theirs::new() else {
        return;
    };
    let scene = &theirs.commons.scene;
    let id = theirs.owner.id();
    drop(theirs.loads(&["text", "dies"]).kill());
    let stale = theirs.names();
    assert_eq!(stale.len(), 1);
    // Drafts and sockets of theirs, as a crash leaves them, under their names and under ours.
    let mut head = vec![0; 0x7000];
    let file = fs::File::open(scene.segments().join(&stale[0])).unwrap();
    file.read_exact_at(&mut head, 0).unwrap();
    for uid in [0, id] {
        let draft = format!(".shm-core.{uid}.0123456789abcdef.tmp");
        let draft = scene.segments().join(draft);
        fs::write(&draft, &head).unwrap();
        chown(&draft, Some(id), Some(id)).unwrap();
    }
    let socket = ".shm-core-presence.0123456789abcdef0123456789abcdef.0123456789abcdef";
    let socket = scene.segments().join(socket);
    drop(UnixListener::bind(&socket).unwrap());
    chown(&socket, Some(id), Some(id)).unwrap();
    let left = theirs.names();
    assert_eq!(left.len(), 4);

    let owner = id.to_string();
    drop(scene.list());
    let listed = scene.bare_viewer(["list", "--json", "--owner", &owner]);
    assert_eq!(listed.run().done().json().as_array().unwrap().len(), 0);
    for command in ["show", "info"] {
        let look = scene.viewer([command, "--owner", &owner]).run();
        drop(look.refused("There is nothing"));
    }
    let mut root = theirs.root();
    for line in ["subscribe", "open", "remove --force"] {
        assert!(root.tries(line).starts_with("error"), "{line}");
    }
    assert_eq!(root.does("list"), "0");
    drop(root.ends().done());
    assert_eq!(theirs.names(), left);

    // The owner does.
    theirs
        .owner
        .starts(scene.bare_viewer(["list"]))
        .run()
        .done();
    let draft_of_ours = ".shm-core.0.0123456789abcdef.tmp".to_owned();
    assert_eq!(theirs.names(), [draft_of_ours]);
}

#[test]
fn what_stands_at_roots_names_and_is_of_others_is_not_roots() {
    let Some(theirs) = Theirs::new() else {
        return;
    };
    let scene = &theirs.commons.scene;
    drop(theirs.loads(&["text", "--persist", "bait"]));
    let theirs_at = scene.segments().join(&theirs.names()[0]);
    fs::rename(&theirs_at, scene.segment()).unwrap();
    for command in [["show"].as_slice(), &["info"], &["remove", "--force"]] {
        let refused = scene.viewer(command).run();
        drop(refused.refused("user nobody (uid "));
    }
    drop(
        scene
            .loader(["text", "mine"])
            .run()
            .refused("user nobody (uid "),
    );
    assert_eq!(theirs.names().len(), 1);
}
