//! What is said of those who watch, and that nothing jumps when they come.

use std::sync::Arc;
use std::time::Duration;

use gui_common::widget::theme::Colors;
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced::widget::column;
use iced::{Rectangle, Size, Theme};
use iced_test::Simulator;
use iced_test::runtime::{Action, task};
use shm_core::presence::{PresenceClient, Report};
use shm_core::{Key, Options, PresenceError, PresenceErrorKind, Process};

use super::*;
use crate::session::SessionThread;

const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");

fn watcher(pid: u32, sequence: Option<u64>) -> Viewer {
    Viewer {
        process: Process::with_pid(pid),
        program: "viewer-app".to_owned(),
        report: sequence.map(|sequence| Report {
            sequence: sequence.into(),
            latency: Duration::from_millis(sequence / 4),
        }),
    }
}

/// Forty of them, two of which lag behind.
fn crowd() -> Vec<Viewer> {
    let sequence = |index| match index {
        3 => Some(11),
        7 => None,
        _ => Some(12),
    };
    (0..40)
        .map(|index| watcher(4711 + index, sequence(index)))
        .collect()
}

fn of(watchers: Vec<Viewer>) -> Watchers {
    let mut this = Watchers::nobody(false);
    this.take(Viewers::Known(watchers));
    this
}

/// The watchers between a card and the window's lower edge, as the window has them.
fn ui(watchers: &Watchers) -> Simulator<'_, Message> {
    let card = container(visible::line("card"))
        .height(Fill)
        .style(theme::card);
    let body = column![card.width(Fill), watchers.view()].spacing(theme::space::MEDIUM);
    let window = container(body)
        .padding(theme::space::LARGE)
        .style(|theme| container::background(Colors::of(theme).background));
    let settings = iced::Settings {
        default_font: theme::FONT,
        ..iced::Settings::default()
    };
    Simulator::with_size(settings, Size::new(640.0, 200.0), window)
}

fn shows(watchers: &Watchers, words: &str) -> bool {
    ui(watchers).find(words).is_ok()
}

fn assert_looks(watchers: &Watchers, name: &str) {
    for (theme, tone) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let path = format!("{SNAPSHOTS}/{name}-{tone}");
        let snapshot = ui(watchers).snapshot(&theme).unwrap();
        let is_same = snapshot.matches_image(&path).unwrap();
        assert!(is_same, "{path} is another picture");
    }
}

#[test]
fn one_is_told_of_whole() {
    let watchers = of(vec![watcher(4711, None)]);
    assert!(shows(
        &watchers,
        "Watched by viewer-app (pid 4711) · nothing shown yet"
    ));
    let watchers = of(vec![watcher(4711, Some(12))]);
    assert!(shows(
        &watchers,
        "Watched by viewer-app (pid 4711) · sequence 12 after 3 ms"
    ));
    assert_looks(&watchers, "watchers-one");
}

#[test]
fn many_are_summed_up_and_listed_for_whoever_asks() {
    let mut watchers = of(crowd());
    assert!(shows(&watchers, "Watched by 40 · 38 show sequence 12"));
    assert!(!shows(&watchers, "viewer-app (pid 4714)"));
    assert_looks(&watchers, "watchers-many");

    let mut ui = ui(&watchers);
    ui.click("Show each").unwrap();
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(matches!(messages[..], [Message::WatchersToggled]));
    watchers.toggle();
    for words in ["viewer-app (pid 4714)", "sequence 11 after 2 ms", "Hide"] {
        assert!(shows(&watchers, words), "{words}");
    }
    assert_looks(&watchers, "watchers-each");
}

#[test]
fn sums_agree_with_their_verbs() {
    let sum = |sequences: &[Option<u64>]| {
        let watchers: Vec<_> = sequences.iter().map(|shown| watcher(1, *shown)).collect();
        summary(&watchers)
    };
    for (sequences, words) in [
        ([None, None].as_slice(), "Watched by 2 · nothing shown yet"),
        (&[Some(3), None], "Watched by 2 · 1 shows sequence 3"),
        (&[Some(3), Some(3)], "Watched by 2 · all show sequence 3"),
        (
            &[Some(3), Some(4), Some(4)],
            "Watched by 3 · 2 show sequence 4",
        ),
    ] {
        assert_eq!(sum(sequences), words);
    }
}

#[test]
fn nothing_jumps_when_somebody_comes() {
    let card = |watchers: &Watchers| -> Rectangle {
        let card = ui(watchers).find("card").unwrap();
        iced_test::selector::Bounded::bounds(&card)
    };
    let nobody = card(&Watchers::nobody(false));
    for watchers in [
        of(vec![watcher(4711, Some(12))]),
        of(vec![watcher(4711, None), watcher(4712, None)]),
        of(crowd()),
    ] {
        assert_eq!(card(&watchers), nobody);
    }
}

#[test]
fn where_nobody_can_be_told_of_that_is_all_there_is_to_say() {
    let mut watchers = Watchers::nobody(false);
    watchers.take(Viewers::Unknown(Arc::new(PresenceError::new(
        PresenceErrorKind::NoDirectory {
            candidates: Vec::new(),
        },
    ))));
    assert!(shows(&watchers, "Viewers cannot be shown here."));
}

#[test]
fn the_window_learns_who_watches_what_it_has_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options::new().directory(directory.path());
    let key = Key::new("watched").unwrap();
    let mut session = SessionThread::start(options.clone());
    let mut watched = task::into_stream(session.watched()).unwrap();
    let mut wait_for = |is_so: fn(&[Viewer]) -> bool| loop {
        let action = block_on(watched.next()).unwrap();
        if let Action::Output(Viewers::Known(watchers)) = action
            && is_so(&watchers)
        {
            return;
        }
    };
    let mut loading =
        task::into_stream(session.load_text(key.clone().into(), "Hello".into())).unwrap();
    assert!(block_on(loading.next()).is_some());
    wait_for(<[_]>::is_empty);
    let segment = shm_core::segment::info(&key, &options).unwrap().id;
    let presence = PresenceClient::connect(segment, &options).unwrap();
    presence.report(1, Duration::from_millis(3));
    wait_for(|watchers| watchers.iter().any(|one| one.report.is_some()));

    // Nobody watches what was let go of, and the next is watched as the first was.
    let mut releasing = task::into_stream(session.release()).unwrap();
    assert!(block_on(releasing.next()).is_some());
    wait_for(<[_]>::is_empty);
    drop(presence);
}
