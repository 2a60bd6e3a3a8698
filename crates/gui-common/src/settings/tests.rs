use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use iced::Task;
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced_test::runtime::{Action, task};
use tempfile::TempDir;

use super::*;
use crate::widget::status::Level;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Lamp {
    bright: bool,
}

/// A path for a file whose directory does not exist yet.
fn place() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("shm-core").join("test-app.json");
    (home, path)
}

/// A path with this file at it.
fn place_with(content: &[u8]) -> (TempDir, PathBuf) {
    let (home, path) = place();
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    (home, path)
}

fn load_from(path: &Path) -> LoadedSettings<Lamp> {
    load(Some(path.to_owned()))
}

/// Changes the settings and waits until they are written, as at the end of a program.
fn change(loaded: LoadedSettings<Lamp>, change: impl FnOnce(&mut Settings<Lamp>)) -> Task<Status> {
    SettingsWriter::new(loaded).change(change)
}

fn complaint(task: Task<Status>) -> Option<Status> {
    let mut actions = task::into_stream(task)?;
    match block_on(actions.next())? {
        Action::Output(status) => Some(status),
        _ => None,
    }
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn without_a_file_the_defaults_are_used() {
    let (_home, path) = place();
    let loaded = load_from(&path);
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.notice, None);
    assert!(!path.parent().unwrap().exists(), "reading makes nothing");
}

#[test]
fn a_change_is_saved_and_loaded() {
    let (_home, path) = place();
    drop(change(load_from(&path), |settings| {
        settings.set_size(Size::new(800.0, 600.5));
        settings.key = "日本".parse().ok();
        settings.switches.bright = true;
    }));
    let settings = load_from(&path).settings;
    assert_eq!(settings.size, Size::new(800.0, 600.5));
    assert_eq!(settings.key, "日本".parse().ok());
    assert!(settings.switches.bright);
    assert_eq!(names(&path), ["test-app.json"], "no draft is left");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn only_the_last_of_many_changes_is_written() {
    let (_home, path) = place();
    let mut keeper = SettingsWriter::new(load_from(&path));
    for width in 500..1000_u16 {
        drop(keeper.change(|settings| settings.set_size(Size::new(width.into(), 500.0))));
    }
    drop(keeper);
    assert_eq!(load_from(&path).settings.size.width, 999.0);
}

#[test]
fn unchanged_settings_are_not_written() {
    let (_home, path) = place();
    drop(change(load_from(&path), |settings| {
        settings.set_size(DEFAULT_SIZE);
    }));
    assert!(!path.exists());
}

#[test]
fn a_window_size_out_of_range_is_clamped() {
    let mut settings = Settings::<NoSwitches>::default();
    settings.set_size(Size::new(1.0, 1e9));
    assert_eq!(settings.size, Size::new(MIN_SIZE.width, MAX_SIDE));
}

#[test]
fn an_invalid_file_is_reported_and_kept() {
    let huge = vec![b' '; 100_000];
    let cases: [(&[u8], &str); 12] = [
        (b"", "EOF"),
        (b"{\"version\": 1, \"wid", "EOF"),
        (b"\0\0\0\0", "expected value"),
        (b"\xff\xfe", "expected value"),
        (b"[]", "invalid"),
        (&huge, "too long"),
        (b"{\"version\": 7, \"colour\": 3}", "version is 7"),
        (
            b"{\"version\": 1, \"width\": 1, \"height\": 560}",
            "window size is out of range",
        ),
        (
            b"{\"version\": 1, \"width\": 640, \"height\": 1e30}",
            "window size is out of range",
        ),
        (
            b"{\"version\": 1, \"width\": \"wide\", \"height\": 560}",
            "wide",
        ),
        (
            b"{\"version\": 1, \"width\": 640, \"height\": 560, \"key\": \"a/b\"}",
            "not a path",
        ),
        (
            b"{\"version\": 1, \"width\": 640, \"height\": 560, \"switches\": 3}",
            "invalid type",
        ),
    ];
    for (content, reason) in cases {
        let (_home, path) = place_with(content);
        let loaded = load_from(&path);
        assert_eq!(loaded.settings, Settings::default(), "{reason}");
        let notice = loaded.notice.clone().expect("it is said");
        assert_eq!(notice.level(), Level::Warning);
        assert!(notice.to_string().contains(reason), "{notice}");
        assert!(notice.to_string().contains("test-app.json.bad"), "{notice}");
        assert_eq!(fs::read(&path).unwrap(), content, "reading changes nothing");

        drop(change(loaded, |settings| settings.switches.bright = true));
        assert_eq!(names(&path), ["test-app.json", "test-app.json.bad"]);
        assert_eq!(fs::read(file::kept_aside(&path)).unwrap(), content);
        assert!(load_from(&path).settings.switches.bright);
    }
}

#[test]
fn a_missing_field_has_its_default() {
    let (_home, path) =
        place_with(b"{\"version\": 1, \"width\": 700, \"height\": 560, \"later\": []}");
    let loaded = load_from(&path);
    assert_eq!(loaded.notice, None);
    assert_eq!(loaded.settings.size.width, 700.0);
    assert_eq!(loaded.settings.key, None);
    assert!(!loaded.settings.switches.bright);
}

#[test]
fn a_directory_in_place_of_the_file_is_reported_and_kept() {
    let (_home, path) = place();
    fs::create_dir_all(&path).unwrap();
    let loaded = load_from(&path);
    let notice = loaded.notice.clone().expect("it is said");
    assert!(
        notice.to_string().contains("it is not a regular file"),
        "{notice}"
    );
    drop(change(loaded, |settings| settings.switches.bright = true));
    assert!(file::kept_aside(&path).is_dir());
    assert!(load_from(&path).settings.switches.bright);
}

#[test]
fn a_device_is_not_read() {
    let (_home, path) = place();
    fs::create_dir(path.parent().unwrap()).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert!(load_from(&path).notice.is_some());
}

#[test]
fn a_failed_write_is_reported() {
    let (home, path) = place();
    // At the path of the directory.
    fs::write(home.path().join("shm-core"), "").unwrap();
    let loaded = LoadedSettings::<Lamp> {
        path: Some(path),
        ..LoadedSettings::default()
    };
    let mut keeper = SettingsWriter::new(loaded);
    let task = keeper.change(|settings| settings.switches.bright = true);
    let status = complaint(task).expect("it is said");
    assert_eq!(status.level(), Level::Warning);
    assert!(status.remedy().unwrap().contains("shm-core"), "{status}");
}

#[test]
fn an_invalid_file_that_cannot_be_renamed_is_not_overwritten() {
    let (_home, path) = place_with(b"precious");
    // A directory is not replaced by a file.
    fs::create_dir(file::kept_aside(&path)).unwrap();
    let mut keeper = SettingsWriter::new(load_from(&path));
    let task = keeper.change(|settings| settings.switches.bright = true);
    complaint(task).expect("it is said");
    drop(keeper);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn without_a_home_nothing_is_saved() {
    let loaded: LoadedSettings<Lamp> = load(None);
    assert_eq!(loaded.notice, None);
    let task = change(loaded, |settings| settings.switches.bright = true);
    assert!(complaint(task).is_none());
}
