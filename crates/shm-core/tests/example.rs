//! The example of a server, its clients and a semaphore does what it says.

mod common;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use common::Place;

/// Where cargo puts examples, beside the tests; builds this one where a test alone was asked for.
fn example() -> PathBuf {
    let tests = env::current_exe().expect("a test is a file");
    let folder = tests.ancestors().nth(2).expect("target/debug");
    let example = folder.join("examples/semaphore");
    if !example.exists() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--locked", "--quiet", "--example", "semaphore"])
            .arg("--target-dir")
            .arg(folder.parent().expect("target"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo is there").success());
    }
    example
}

#[test]
fn the_clients_do_each_job_once() {
    let place = Place::new();
    let ended = Command::new(example())
        .env("SHM_CORE_DIR", place.path())
        .output()
        .expect("it can be started");
    assert!(ended.status.success(), "{ended:?}");
    let said = String::from_utf8_lossy(&ended.stdout);
    let mut squares: Vec<u64> = said
        .lines()
        .filter_map(|line| line.split_once("squared is ")?.1.parse().ok())
        .collect();
    squares.sort_unstable();
    assert_eq!(squares, [1, 4, 9, 16, 25, 36], "{said}");
    assert!(said.ends_with("server: 0 units are left\n"), "{said}");
    assert!(place.names().is_empty(), "nothing is left behind");
}
