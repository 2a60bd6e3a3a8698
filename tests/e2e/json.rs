//! The output of `--json` matches the schemas in `docs/json`.

use std::fs;
use std::time::{Duration, SystemTime};

use e2e_tests::layout::LAST;
use e2e_tests::{Fixture, Picture, PictureFile, Schema};
use qt_bridge::{Form, QtKey, Stream};
use serde_json::{Value, json};
use shm_core::{Annotations, ArrayMetadata, ElementType, Message, Origin, Publisher};

use crate::actor::{Actor, key, options};

/// Asserts that a value matches a schema.
fn assert_valid(schema: &str, value: &Value) {
    let violations = Schema::read(schema).violations(value);
    assert!(
        violations.is_empty(),
        "{schema}: {violations:#?}\n{value:#}"
    );
}

/// The reports of every command about the fixture's segment; each matches its schema.
struct Reports {
    show: Value,
    info: Value,
    listed: Value,
    followed: Value,
}

fn reports(fixture: &Fixture) -> Reports {
    let show = fixture.viewer(["show", "--json"]).run().done().json();
    assert_valid("show", &show);
    let follow = ["follow", "--json", "--count", "1"];
    let followed = fixture.viewer(follow).run().done().json();
    assert_valid("follow", &followed);
    let (info, listed) = inspected(fixture);
    Reports {
        show,
        info,
        listed,
        followed,
    }
}

/// Returns the reports of the commands that do not attach.
fn inspected(fixture: &Fixture) -> (Value, Value) {
    let info = fixture.viewer(["info", "--json"]).run().done().json();
    assert_valid("info", &info);
    let list = fixture.bare_viewer(["list", "--json"]).run().done().json();
    assert_valid("list", &list);
    let mut listed = list.as_array().unwrap().iter();
    let listed = listed.find(|one| one["key"] == fixture.key()).unwrap();
    (info, listed.clone())
}

impl Reports {
    /// Asserts that all reports contain these fields.
    fn assert(&self, fields: &Value) {
        for (field, value) in fields.as_object().unwrap() {
            for said in [&self.show, &self.info, &self.listed, &self.followed] {
                assert_eq!(said[field], *value, "{field}: {said:#}");
            }
        }
    }
}

#[test]
fn texts_pictures_and_bytes_match_the_schemas() {
    let fixture = Fixture::new();
    let began = SystemTime::now();
    let ring = ["--ring", "32K", "--retain", "1M", "words"];
    let loader = fixture.loader(["text"]).args(ring).start();
    loader.wait_for(fixture.key());
    let words = reports(&fixture);
    words.assert(&json!({
        "kind": "text", "bytes": 5, "media_type": "text/plain; charset=utf-8", "sequence": 1,
        "writer_pid": loader.pid(), "writer_program": "loader-app", "width": null, "file_name": null,
        "ring_bytes": 32 << 10, "retain_bytes": 1 << 20, "persistent": false, "mode": "600",
    }));
    assert_eq!(words.followed["text"], "words");
    assert_eq!(words.followed["skipped"], 0);
    let published = words.info["published_ms"].as_u64().unwrap();
    let published = SystemTime::UNIX_EPOCH + Duration::from_millis(published);
    // The clock of a publication has a resolution of a few milliseconds.
    assert!(published + Duration::from_millis(20) >= began);
    assert!(published <= SystemTime::now());
    assert!(words.info["age_ms"].as_u64().unwrap() < 60_000);

    let picture = Picture::draw(70, 50, 1).encode(PictureFile::Png);
    let source = fixture.file("cat.png", &picture);
    fixture
        .loader(["image", "--persist"])
        .args([&source])
        .run()
        .done();
    reports(&fixture).assert(&json!({
        "kind": "image", "width": 70, "height": 50, "sequence": 2, "file_name": "cat.png",
        "format": "rgb", "stride": 210, "bytes": 70 * 50 * 3, "persistent": true,
        "writer_program": null,
    }));
    let source = fixture.file("a.pdf", b"%PDF");
    fixture
        .loader(["file", "--persist"])
        .args([&source])
        .run()
        .done();
    reports(&fixture).assert(&json!({
        "kind": "bytes", "bytes": 4, "file_name": "a.pdf", "media_type": "application/pdf",
        "format": null, "stride": null,
    }));
}

#[test]
fn arrays_of_other_programs_match_the_schemas() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let array = ArrayMetadata::new(ElementType::Float32, [2, 3]).unwrap();
    let origin = Origin::new("hostA", "camera", 41, SystemTime::now());
    let annotations = Annotations::new().with_user(b"7").with_origin(origin);
    publisher
        .publish_with(&array.into(), &annotations, &[0; 24])
        .unwrap();
    let said = reports(&fixture);
    said.assert(&json!({
        "kind": "array", "element": "f4", "shape": [2, 3], "bytes": 24,
        "user": {"hex": "37", "text": "7"},
    }));
    assert_eq!(said.info["origin"]["host"], "hostA");
}

#[test]
fn missed_samples_match_the_schema() {
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    publisher.publish_text("one").unwrap();
    let follow = fixture.viewer(["follow", "--json", "--until-end"]).start();
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
fn segments_without_a_sample_match_the_schemas() {
    // A block.
    let fixture = Fixture::new();
    let mut actor = Actor::new(&fixture);
    actor.run("create 64");
    let show = fixture.viewer(["show", "--json"]).run().done().json();
    assert_valid("show", &show);
    let (info, listed) = inspected(&fixture);
    for said in [show, info, listed] {
        assert_eq!(said["kind"], "bytes");
        assert_eq!(said["bytes"], 64);
        assert_eq!(said["ring_bytes"], Value::Null);
        assert_eq!(said["attached"][0]["access"], "read-write");
    }

    // No segment.
    let fixture = Fixture::new();
    let publisher = Publisher::open(&key(&fixture), &options(&fixture)).unwrap();
    let (info, listed) = inspected(&fixture);
    for said in [info, listed] {
        assert_eq!(said["kind"], Value::Null);
        assert_eq!(said["ring_bytes"], 256 << 10);
    }

    // An invalid segment.
    let file = fs::File::options().write(true).open(fixture.segment());
    publisher.publish_text("whole").unwrap();
    let last = (LAST as u64, 77_u64.to_le_bytes());
    std::os::unix::fs::FileExt::write_all_at(&file.unwrap(), &last.1, last.0).unwrap();
    let (info, listed) = inspected(&fixture);
    for said in [info, listed] {
        assert_eq!(said["kind"], "damaged");
        assert!(said["reason"].is_string());
    }
    drop(publisher);

    // A file that is not a segment.
    let fixture = Fixture::new();
    fs::write(fixture.segment(), "nothing of ours").unwrap();
    let list = fixture.bare_viewer(["list", "--json"]).run().done().json();
    assert_valid("list", &list);
    assert!(list[0]["reason"].is_string(), "{list:#}");
}

#[test]
fn qt_segments_match_the_schemas() {
    let fixture = Fixture::new();
    let qt = format!("systemv:{}", fixture.path("native").display());
    let qt_key: QtKey = qt.parse().unwrap();
    let mut publisher = qt_bridge::Publisher::new(&qt_key, Duration::from_secs(5));
    let picture = Picture::draw(7, 5, 1).encode(PictureFile::Png);
    let source = fixture.file("p.png", &picture);
    let text = Message::Text("from Qt".to_owned());
    publisher
        .publish(&Stream::new(&text, Form::QString).unwrap())
        .unwrap();
    let run = |arguments: &[&str]| {
        let viewer = fixture.bare_viewer(["--key", &qt]).args(arguments);
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
    let loader = fixture.bare_loader(["--key", &qt, "image"]).args([&source]);
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
fn the_schemas_reject_invalid_documents() {
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "words"]).run().done();
    let whole = reports(&fixture).followed;
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
        assert_eq!(schema.violations(&other).len(), 1, "{field}: {other:#}");
    }
    let mut less = whole;
    less.as_object_mut().unwrap().remove("skipped");
    assert_eq!(schema.violations(&less).len(), 1);
    assert!(!schema.violations(&json!([])).is_empty());
}
