//! The reports of `info`, `show --json` and `list`.

use super::*;

#[test]
fn reports_have_all_documented_fields() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("P");
    publish_picture(&publisher);
    let pid = std::process::id();
    for arguments in [
        &["info", "--key", "P", "--json"][..],
        &["show", "--key", "P", "--json"],
    ] {
        let mut report = directory.json(arguments);
        assert!(report["age_ms"].take().is_u64(), "{report}");
        assert!(report["published_ms"].take().is_u64(), "{report}");
        let writer = report["writer_program"].take();
        assert!(writer.is_string(), "{writer}");
        let program = report["attached"][0]["program"].take();
        assert!(program.is_string(), "{program}");
        let group = report["group"].clone();
        assert!(group.is_string(), "{group}");
        assert_eq!(
            report,
            json!({
                "key": "P",
                "kind": "image",
                "bytes": 22,
                "width": 2,
                "height": 2,
                "format": "rgba",
                "stride": 11,
                "element": null,
                "shape": null,
                "user": null,
                "origin": null,
                "media_type": "image/x-raw",
                "file_name": "flag.png",
                "sequence": 1,
                "writer_pid": pid,
                "writer_program": null,
                "published_ms": null,
                "age_ms": null,
                "persistent": false,
                "ring_bytes": 256 << 10,
                "retain_bytes": 0,
                "mode": "600",
                "group": group,
                "others_may_read": false,
                "attached": [{"pid": pid, "program": null, "access": "read-write"}],
            })
        );
    }
    // With an output file, the report still goes to standard output.
    let file = directory.path("p.png");
    let report = directory.json(&["show", "--key", "P", "--json", "--output", &file]);
    assert_eq!(report["width"], 2);
    assert!(fs::exists(&file).unwrap());
}

#[test]
fn annotations_are_reported() {
    let directory = TestDirectory::new();
    let publisher = directory.publisher("O");
    let published = SystemTime::now() - Duration::from_secs(90);
    let mut origin = Origin::new("host\u{202e}A", "camera", 41, published);
    origin.is_stale = true;
    let annotations = Annotations::new().with_user(b"n\x1b7").with_origin(origin);
    publisher
        .publish_with(&Metadata::Text, &annotations, b"text")
        .unwrap();

    for command in ["info", "show"] {
        let mut report = directory.json(&[command, "--key", "O", "--json"]);
        let mut origin = report["origin"].take();
        assert!(origin["age_ms"].take().as_u64().unwrap() >= 90_000);
        assert!(origin["last_heard_ms"].take().as_u64().unwrap() < 90_000);
        assert_eq!(
            origin,
            json!({
                "host": "host\u{202e}A",
                "program": "camera",
                "sequence": 41,
                "age_ms": null,
                "last_heard_ms": null,
                "stale": true,
            })
        );
        assert_eq!(report["user"], json!({"hex": "6e1b37", "text": "n\u{1b}7"}));
    }
    let printed =
        String::from_utf8(directory.print(&["info", "--key", "O", "--no-escape"])).unwrap();
    assert!(printed.contains("by camera on host"), "{printed}");
    assert!(printed.contains(", 1 min ago, stale\n"), "{printed}");
    assert!(printed.contains("user data   6e1b37"), "{printed}");

    // Missing annotations are null.
    publisher
        .publish_with(&Metadata::Text, &Annotations::new(), b"text")
        .unwrap();
    let report = directory.json(&["info", "--key", "O", "--json"]);
    assert_eq!(report.get("origin"), Some(&json!(null)));
    assert_eq!(report.get("user"), Some(&json!(null)));
}

#[test]
fn a_list_has_segments_and_ignored_files() {
    let directory = TestDirectory::new();
    assert_eq!(directory.json(&["list", "--json"]), json!([]));
    let output = directory.run(&["list"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert!(stderr(&output).contains("There are no segments"));

    let one = directory.publisher("one");
    one.publish_text("Hello").unwrap();
    let _two = directory.publisher("two words");
    let uid = fs::read_dir(directory.temporary.path())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .find_map(|name| name.strip_suffix(".one").map(str::to_owned))
        .unwrap();
    fs::write(directory.path(&format!("{uid}.odd")), "no segment").unwrap();

    let list = directory.json(&["list", "--json"]);
    assert_eq!(list.as_array().unwrap().len(), 3, "{list}");
    assert_eq!(list[0]["key"], "odd");
    assert!(list[0]["reason"].is_string());
    assert_eq!(list[0]["kind"], Value::Null);
    assert_eq!(list[1]["kind"], "text");
    assert_eq!(list[1].get("reason"), None);
    assert_eq!(list[2]["key"], "two words");
    assert_eq!(list[2]["bytes"], 0);

    let table = String::from_utf8(directory.print(&["list"])).unwrap();
    let mut lines = table.lines();
    let heading = lines.next().unwrap();
    assert_eq!(
        heading.split_whitespace().collect::<Vec<_>>(),
        [
            "KEY",
            "KIND",
            "SIZE",
            "SEQUENCE",
            "LOADER",
            "ATTACHED",
            "AGE",
            "PERSISTENT"
        ]
    );
    let first = lines.next().unwrap();
    assert_eq!(first.find("text"), heading.find("KIND"), "{table}");
    assert!(
        first.starts_with("one ") && first.contains("5 bytes"),
        "{table}"
    );
    assert!(table.contains("Ignored:\n  odd: "), "{table}");
}
