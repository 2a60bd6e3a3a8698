//! A few seconds of what `make fuzz` does without limit: every file of the corpus, mutations of
//! them, and random bytes.
//!
//! The choices are the same in each run. If a signal kills the test, the bytes remain in the file
//! that is printed first.

use std::{
    collections::BTreeSet,
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use e2e_tests::corruption::{TARGETS, Target};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// How many mutated or random inputs each target runs.
const CASES: u32 = 400;

/// Returns the files of a target's corpus.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&directory).expect("every target has a corpus");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("readable");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

fn target(name: &str) -> Target {
    let named = TARGETS.into_iter().find(|target| target.name == name);
    named.expect("a known target")
}

fn run_corpus(name: &str) {
    let files = corpus(name);
    assert!(!files.is_empty());
    for (path, bytes) in files {
        let ran = panic::catch_unwind(AssertUnwindSafe(|| (target(name).run)(&bytes)));
        assert!(ran.is_ok(), "{}: {bytes:02x?}", path.display());
    }
}

/// Random bytes, or a file of the corpus with some bytes changed, truncated or extended.
fn bytes(name: &str) -> impl Strategy<Value = Vec<u8>> {
    let seeds: Vec<Vec<u8>> = corpus(name).into_iter().map(|(_, bytes)| bytes).collect();
    let changes = vec((any::<Index>(), any::<u8>()), 0..6);
    let tail = vec(any::<u8>(), 0..12);
    let changed = (select(seeds), changes, any::<Index>(), tail);
    let changed = changed.prop_map(|(mut bytes, changes, end, tail)| {
        bytes.truncate(end.index(2 * bytes.len() + 1));
        bytes.extend(tail);
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes
    });
    prop_oneof![vec(any::<u8>(), 0..120), changed]
}

fn run_random(name: &str) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let run = target(name).run;
    let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    println!("the current bytes: {}", last.display());
    let outcome = TestRunner::new_with_rng(config, rng).run(&bytes(name), |bytes| {
        fs::write(&last, &bytes).expect("space for a file");
        run(&bytes);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    fs::remove_file(&last).expect("it was written");
}

macro_rules! targets {
    ($($name:ident),*) => {
        /// The targets with a test here.
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        $(mod $name {
            #[test]
            fn the_corpus_passes() {
                super::run_corpus(stringify!($name));
            }

            #[test]
            fn mutated_and_random_inputs_pass() {
                super::run_random(stringify!($name));
            }
        })*
    };
}

targets!(
    header,
    ring,
    region_table,
    slot_table,
    metadata,
    image,
    key,
    stream
);

#[test]
fn every_target_has_a_program_a_corpus_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |directory: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root.join(directory)).expect("it is there");
        let stem = |path: PathBuf| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        };
        entries
            .map(|entry| stem(entry.expect("readable").path()))
            .collect()
    };
    let targets: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(names("../fuzz/fuzz_targets"), targets);
    assert_eq!(names("fuzz/corpus"), targets);
    assert_eq!(
        TESTED
            .iter()
            .map(|&name| name.to_owned())
            .collect::<BTreeSet<_>>(),
        targets
    );
}
