//! The commands of root and what another user has under a key of Qt: read where `--owner` says whose it is,
//! and never written or removed.

use e2e_tests::{OtherUser, Scene};

use crate::command::on;
use crate::peer::{Side, Stage};

#[test]
fn root_reads_what_another_user_has_only_with_owner_and_never_writes_it() {
    if !rustix::process::geteuid().is_root() {
        return e2e_tests::skip("only root is let through by the kernel");
    }
    let (Some(stage), Some(other_user)) = (Stage::with(&[Side::Ours]), OtherUser::new()) else {
        return;
    };
    // In a folder like /tmp, where everybody may make files.
    stage.open_to_all();
    for key in stage.keys() {
        let scene = Scene::new().with_key(&key);
        let viewer = |arguments: &[&str]| on(&stage, scene.viewer(arguments)).run();
        let mut theirs = stage.start_through(Side::Ours, |launch| other_user.starts(launch));
        theirs.ask(&["key", &key]).done();
        let file = stage.file(b"theirs");
        theirs.ask(&["load", "qstring", &file]).done();

        for arguments in [&["show"][..], &["info"], &["follow", "--count", "1"]] {
            viewer(arguments).refused("is taken by the user with the id 65534");
        }
        viewer(&["remove", "--force"]).refused("is taken by the user with the id 65534");
        let load = on(&stage, scene.loader(["text", "ours"]));
        load.run().refused("is taken by the user with the id 65534");

        for owner in ["nobody", "65534"] {
            let show = viewer(&["show", "--owner", owner]).done();
            assert_eq!(show.text(), "theirs", "{key}");
        }
        let info = viewer(&["info", "--json", "--owner", "nobody"])
            .done()
            .json();
        assert_eq!(info["kind"], "text", "{info}");
        assert_eq!(info["attached"][0]["pid"], theirs.pid(), "{info}");
        let follow = viewer(&["follow", "--count", "1", "--owner", "nobody"]).done();
        assert_eq!(follow.text().trim_end(), "theirs");
        if key.starts_with("qt") {
            let listed = viewer(&["list", "--owner", "nobody"]).done();
            let native: qt_bridge::QtKey = key.parse().unwrap();
            let name = native.native_name();
            let name = name.rsplit('/').next().unwrap().to_owned();
            assert!(listed.text().contains(&name), "{listed:?}");
            assert!(!viewer(&["list"]).done().text().contains(&name));
        }

        // It is as it was, and goes when its owner goes.
        let read = stage.writable_by_all();
        theirs.ask(&["read", "qstring", &read]).done();
        assert_eq!(std::fs::read(read).unwrap(), b"theirs");
        theirs.ask(&["detach"]).done();
        theirs.finish();
        stage.assert_clean();
    }
}

/// `--owner` that names oneself changes nothing.
#[test]
fn owner_may_be_oneself() {
    let Some(stage) = Stage::with(&[Side::Ours]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let me = rustix::process::geteuid().as_raw().to_string();
    let mut ours = stage.start_with(Side::Ours, &stage.key());
    ours.ask(&["load", "qstring", &stage.file(b"ours")]).done();
    let show = on(&stage, scene.viewer(["show", "--owner", &me])).run();
    assert_eq!(show.done().text(), "ours");
    ours.finish();
    stage.assert_clean();
}
