//! The commands of root on Qt segments of another user: read if `--owner` names the user, and never
//! written or removed.

use e2e_tests::{Fixture, OtherUser};

use crate::command::on;
use crate::peer::{QtFixture, Side};

#[test]
fn root_reads_segments_of_another_user_only_with_owner_and_never_writes_them() {
    if !rustix::process::geteuid().is_root() {
        return e2e_tests::skip("only root is permitted by the kernel");
    }
    let (Some(qt_fixture), Some(other_user)) = (QtFixture::with(&[Side::Ours]), OtherUser::new())
    else {
        return;
    };
    // In a folder like /tmp, where every user may create files.
    qt_fixture.open_to_all();
    for key in qt_fixture.keys() {
        let fixture = Fixture::new().with_key(&key);
        let viewer = |arguments: &[&str]| on(&qt_fixture, fixture.viewer(arguments)).run();
        let mut theirs =
            qt_fixture.start_through(Side::Ours, |launch| other_user.launch_as(launch));
        theirs.ask(&["key", &key]).done();
        let file = qt_fixture.file(b"theirs");
        theirs.ask(&["load", "qstring", &file]).done();

        for arguments in [&["show"][..], &["info"], &["follow", "--count", "1"]] {
            viewer(arguments).refused("is taken by the user with the id 65534");
        }
        viewer(&["remove", "--force"]).refused("is taken by the user with the id 65534");
        let load = on(&qt_fixture, fixture.loader(["text", "ours"]));
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

        // It is unchanged, and is removed when its owner detaches.
        let read = qt_fixture.writable_by_all();
        theirs.ask(&["read", "qstring", &read]).done();
        assert_eq!(std::fs::read(read).unwrap(), b"theirs");
        theirs.ask(&["detach"]).done();
        theirs.finish();
        qt_fixture.assert_clean();
    }
}

/// `--owner` with the caller's own user id changes nothing.
#[test]
fn owner_may_name_the_caller() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Ours]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let me = rustix::process::geteuid().as_raw().to_string();
    let mut ours = qt_fixture.start_with(Side::Ours, &qt_fixture.key());
    ours.ask(&["load", "qstring", &qt_fixture.file(b"ours")])
        .done();
    let show = on(&qt_fixture, fixture.viewer(["show", "--owner", &me])).run();
    assert_eq!(show.done().text(), "ours");
    ours.finish();
    qt_fixture.assert_clean();
}
