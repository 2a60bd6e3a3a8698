//! Invalid arguments and help.

use super::*;

#[test]
fn a_form_needs_a_qt_key() {
    let directory = TestDirectory::new();
    for wrong in [
        ["--key", "K", "--as", "raw"].as_slice(),
        &["show", "--key", "K", "--as", "raw"],
    ] {
        let output = directory.run(wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(stderr(&output).contains("write it as qt:KEY"), "{wrong:?}");
    }
}

#[test]
fn invalid_arguments_exit_with_2() {
    let directory = TestDirectory::new();
    for arguments in [
        &["show", "--key", "a/b"][..],
        &["show", "--key", ""],
        &["--key", "qt:"],
        &["show", "--wait", "soon"],
        &["show", "--json", "--output", "-"],
        &["nonsense"],
    ] {
        let output = directory.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn without_a_display_the_command_is_suggested() {
    let directory = TestDirectory::new();
    let message = directory.fail(&["--key", "two words"]);
    assert!(message.contains("display"), "{message}");
    assert!(
        message.contains("viewer-app show --key 'two words'"),
        "{message}"
    );
}

#[test]
fn help_has_examples() {
    let directory = TestDirectory::new();
    for arguments in [
        &["--help"][..],
        &["show", "--help"],
        &["info", "--help"],
        &["list", "--help"],
        &["remove", "--help"],
    ] {
        let help = String::from_utf8(directory.print(arguments)).unwrap();
        assert!(help.contains("Examples:"), "{arguments:?}");
    }
}
