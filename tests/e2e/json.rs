//! What `--json` prints is what the schemas in `docs/json` say.

use std::fs;
use std::time::{Duration, SystemTime};

use e2e_tests::layout::LAST;
use e2e_tests::{Picture, PictureFile, Scene, Schema};
use qt_bridge::{Form, QtKey, Stream};
use serde_json::{Value, json};
use shm_core::{Annotations, ArrayMetadata, ElementType, Message, Origin, Publisher};

use crate::actor::{Actor, key, options};

/// Asserts that a value is what a schema says.
fn assert_valid(schema: &str, value: &Value) {
    let faults = Schema::read(schema).faults(value);
    assert!(faults.is_empty(), "{schema}: {faults:#?}\n{value:#}");
}

/// What every command says of the scene's segment; each is as its schema has it.
struct Said {
    show: Value,
    info: Value,
    listed: Value,
    followed: Value,
}

fn said(scene: &Scene) -> Said {
    let show = scene.viewer(["show", "--json"]).run().done().json();
    assert_valid("show", &show);
    let follow = ["follow", "--json", "--count", "1"];
    let followed = scene.viewer(follow).run().done().json();
    assert_valid("follow", &followed);
    let (info, listed) = looked_at(scene);
    Said {
        show,
        info,
        listed,
        followed,
    }
}

/// What is said of it from outside.
fn looked_at(scene: &Scene) -> (Value, Value) {
    let info = scene.viewer(["info", "--json"]).run().done().json();
    assert_valid("info", &info);
    let list = scene.bare_viewer(["list", "--json"]).run().done().json();
    assert_valid("list", &list);
    let mut listed = list.as_array().unwrap().iter();
    let listed = listed.find(|one| one["key"] == scene.key()).unwrap();
    (info, listed.clone())
}

impl Said {
    /// Asserts that all say so.
    fn assert(&self, fields: &Value) {
        for (field, value) in fields.as_object().unwrap() {
            for said in [&self.show, &self.info, &self.listed, &self.followed] {
                assert_eq!(said[field], *value, "{field}: {said:#}");
            }
        }
    }
}

#[test]
fn a_text_a_picture_and_bytes() {
    let scene = Scene::new();
    let began = SystemTime::now();
    let ring = ["--ring", "32K", "--retain", "1M", "words"];
    let loader = scene.loader(["text"]).args(ring).start();
    loader.wait_for(scene.key());
    let words = said(&scene);
    words.assert(&json!({
        "kind": "text", "bytes": 5, "media_type": "text/plain; charset=utf-8", "sequence": 1,
        "writer_pid": loader.pid(), "writer_program": "loader-app", "width": null, "file_name": null,
        "ring_bytes": 32 << 10, "retain_bytes": 1 << 20, "persistent": false, "mode": "600",
    }));
    assert_eq!(words.followed["text"], "words");
    assert_eq!(words.followed["skipped"], 0);
    let published = words.info["published_ms"].as_u64().unwrap();
    let published = SystemTime::UNIX_EPOCH + Duration::from_millis(published);
    // The clock of a publication ticks every few milliseconds.
    assert!(published + Duration::from_millis(20) >= began);
    assert!(published <= SystemTime::now());
    assert!(words.info["age_ms"].as_u64().unwrap() < 60_000);

    let picture = Picture::draw(70, 50, 1).encode(PictureFile::Png);
    let source = scene.file("cat.png", &picture);
    scene
        .loader(["image", "--persist"])
        .args([&source])
        .run()
        .done();
    said(&scene).assert(&json!({
        "kind": "image", "width": 70, "height": 50, "sequence": 2, "file_name": "cat.png",
        "format": "rgb", "stride": 210, "bytes": 70 * 50 * 3, "persistent": true,
        "writer_program": null,
    }));
    let source = scene.file("a.pdf", b"%PDF");
    scene
        .loader(["file", "--persist"])
        .args([&source])
        .run()
        .done();
    said(&scene).assert(&json!({
        "kind": "bytes", "bytes": 4, "file_name": "a.pdf", "media_type": "application/pdf",
        "format": null, "stride": null,
    }));
}

#[test]
fn an_array_from_elsewhere() {
    let scene = Scene::new();
    let publisher = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    let array = ArrayMetadata::new(ElementType::Float32, [2, 3]).unwrap();
    let origin = Origin::new("hostA", "camera", 41, SystemTime::now());
    let annotations = Annotations::new().with_user(b"7").with_origin(origin);
    publisher
        .publish_with(&array.into(), &annotations, &[0; 24])
        .unwrap();
    let said = said(&scene);
    said.assert(&json!({
        "kind": "array", "element": "f4", "shape": [2, 3], "bytes": 24,
        "user": {"hex": "37", "text": "7"},
    }));
    assert_eq!(said.info["origin"]["host"], "hostA");
}

#[test]
fn what_is_missed_is_in_the_schema_too() {
    let scene = Scene::new();
    let publisher = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    publisher.publish_text("one").unwrap();
    let follow = scene.viewer(["follow", "--json", "--until-end"]).start();
    let first = follow.wait_for("one");
    publisher.publish_text("two").unwrap();
    follow.wait_for("two");
    drop(publisher);
    assert_valid("follow", &serde_json::from_str(&first).unwrap());
    for line in follow.finish().done().text().lines() {
        assert_valid("follow", &serde_json::from_str(line).unwrap());
    }
}

#[test]
fn what_has_no_sample() {
    // A block.
    let scene = Scene::new();
    let mut actor = Actor::new(&scene);
    actor.does("create 64");
    let show = scene.viewer(["show", "--json"]).run().done().json();
    assert_valid("show", &show);
    let (info, listed) = looked_at(&scene);
    for said in [show, info, listed] {
        assert_eq!(said["kind"], "bytes");
        assert_eq!(said["bytes"], 64);
        assert_eq!(said["ring_bytes"], Value::Null);
        assert_eq!(said["attached"][0]["access"], "read-write");
    }

    // Nothing.
    let scene = Scene::new();
    let publisher = Publisher::open(&key(&scene), &options(&scene)).unwrap();
    let (info, listed) = looked_at(&scene);
    for said in [info, listed] {
        assert_eq!(said["kind"], Value::Null);
        assert_eq!(said["ring_bytes"], 256 << 10);
    }

    // What makes no sense.
    let file = fs::File::options().write(true).open(scene.segment());
    publisher.publish_text("whole").unwrap();
    let last = (LAST as u64, 77_u64.to_le_bytes());
    std::os::unix::fs::FileExt::write_all_at(&file.unwrap(), &last.1, last.0).unwrap();
    let (info, listed) = looked_at(&scene);
    for said in [info, listed] {
        assert_eq!(said["kind"], "damaged");
        assert!(said["reason"].is_string());
    }
    drop(publisher);

    // What is no segment.
    let scene = Scene::new();
    fs::write(scene.segment(), "nothing of ours").unwrap();
    let list = scene.bare_viewer(["list", "--json"]).run().done().json();
    assert_valid("list", &list);
    assert!(list[0]["reason"].is_string(), "{list:#}");
}

#[test]
fn what_a_qt_program_shares() {
    let scene = Scene::new();
    let qt = format!("systemv:{}", scene.path("native").display());
    let qt_key: QtKey = qt.parse().unwrap();
    let mut publisher = qt_bridge::Publisher::new(&qt_key, Duration::from_secs(5));
    let picture = Picture::draw(7, 5, 1).encode(PictureFile::Png);
    let source = scene.file("p.png", &picture);
    let text = Message::Text("from Qt".to_owned());
    publisher
        .publish(&Stream::new(&text, Form::QString).unwrap())
        .unwrap();
    let run = |arguments: &[&str]| {
        let viewer = scene.bare_viewer(["--key", &qt]).args(arguments);
        viewer.run().done().json()
    };
    for command in ["show", "info"] {
        let said = run(&[command, "--json"]);
        assert_valid(command, &said);
        assert_eq!(said["form"], "qstring", "{said:#}");
        assert_eq!(said["sequence"], Value::Null);
    }
    let followed = run(&["follow", "--json", "--count", "1"]);
    assert_valid("follow", &followed);
    assert_eq!(followed["text"], "from Qt");
    assert_valid("list", &run(&["list", "--json"]));
    drop(publisher);
    let loader = scene.bare_loader(["--key", &qt, "image"]).args([&source]);
    let loader = loader.start();
    loader.wait_for("native");
    let said = run(&["show", "--json"]);
    assert_valid("show", &said);
    assert_eq!(
        (&said["width"], &said["form"]),
        (&json!(7), &json!("qimage"))
    );
    loader.terminate().done();
}

#[test]
fn the_schemas_refuse_what_is_not_so() {
    let scene = Scene::new();
    scene.loader(["text", "--persist", "words"]).run().done();
    let whole = said(&scene).followed;
    let schema = Schema::read("follow");
    for (field, wrong) in [
        ("sequence", json!("1")),
        ("sequence", json!(-1)),
        ("ring_bytes", json!(1)),
        ("kind", json!("texts")),
        ("skipped", Value::Null),
        ("attached", json!([{ "pid": 1 }])),
        ("attached", json!({})),
        ("generation", json!(1)),
    ] {
        let mut other = whole.clone();
        other[field] = wrong;
        assert_eq!(schema.faults(&other).len(), 1, "{field}: {other:#}");
    }
    let mut less = whole;
    less.as_object_mut().unwrap().remove("skipped");
    assert_eq!(schema.faults(&less).len(), 1);
    assert!(!schema.faults(&json!([])).is_empty());
}
