//! `remove`.

use super::*;

#[test]
fn removal_is_refused_while_a_process_is_attached() {
    let directory = TestDirectory::new();
    let message = directory.fail(&["remove"]);
    assert!(message.contains("MySharedMemory"), "{message}");

    let publisher = directory.publisher("MySharedMemory");
    publisher.publish_text("Hello").unwrap();
    let message = directory.fail(&["remove"]);
    assert!(
        message.contains(&format!("(pid {})", std::process::id())),
        "{message}"
    );
    assert!(message.contains("--force"), "{message}");
    assert_eq!(directory.print(&["show"]), b"Hello");

    assert_eq!(
        directory.print(&["remove", "--force"]),
        b"Removed MySharedMemory.\n"
    );
    directory.fail(&["show"]);
    assert!(publisher.publish_text("after removal").is_err());
}

#[test]
fn a_persistent_segment_can_be_removed() {
    let directory = TestDirectory::new();
    let key = Key::new("K").unwrap();
    let publisher = Publisher::open(&key, &directory.options().persistent(true)).unwrap();
    publisher.publish_text("Hello").unwrap();
    drop(publisher);
    let report = directory.json(&["info", "--key", "K", "--json"]);
    assert_eq!(report["persistent"], true);
    assert_eq!(report["attached"], json!([]));
    directory.print(&["remove", "--key", "K"]);
    directory.fail(&["info", "--key", "K"]);
}
