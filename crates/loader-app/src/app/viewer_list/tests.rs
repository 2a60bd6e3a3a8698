//! The texts about viewers, and the layout.

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

fn viewer(pid: u32, sequence: Option<u64>) -> Viewer {
    Viewer {
        process: Process::with_pid(pid),
        program: "viewer-app".to_owned(),
        report: sequence.map(|sequence| Report {
            sequence: sequence.into(),
            latency: Duration::from_millis(sequence / 4),
        }),
    }
}

/// Returns forty viewers, two of which lag behind.
fn crowd() -> Vec<Viewer> {
    let sequence = |index| match index {
        3 => Some(11),
        7 => None,
        _ => Some(12),
    };
    (0..40)
        .map(|index| viewer(4711 + index, sequence(index)))
        .collect()
}

fn of(list: Vec<Viewer>) -> ViewerList {
    let mut this = ViewerList::new(false);
    this.update(Viewers::Known(list));
    this
}

/// Draws the list between a card and the lower edge, as in the window.
fn ui(list: &ViewerList) -> Simulator<'_, Message> {
    let card = container(visible::line("card"))
        .height(Fill)
        .style(theme::card);
    let body = column![card.width(Fill), list.view()].spacing(theme::space::MEDIUM);
    let window = container(body)
        .padding(theme::space::LARGE)
        .style(|theme| container::background(Colors::of(theme).background));
    let settings = iced::Settings {
        default_font: theme::FONT,
        ..iced::Settings::default()
    };
    Simulator::with_size(settings, Size::new(640.0, 200.0), window)
}

fn shows(list: &ViewerList, words: &str) -> bool {
    ui(list).find(words).is_ok()
}

fn assert_looks(list: &ViewerList, name: &str) {
    for (theme, tone) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let path = format!("{SNAPSHOTS}/{name}-{tone}");
        let snapshot = ui(list).snapshot(&theme).unwrap();
        let is_same = snapshot.matches_image(&path).unwrap();
        assert!(is_same, "{path} is another picture");
    }
}

#[test]
fn one_viewer_is_shown_with_its_progress() {
    let list = of(vec![viewer(4711, None)]);
    assert!(shows(
        &list,
        "Watched by viewer-app (pid 4711) · nothing shown yet"
    ));
    let list = of(vec![viewer(4711, Some(12))]);
    assert!(shows(
        &list,
        "Watched by viewer-app (pid 4711) · sequence 12 after 3 ms"
    ));
    assert_looks(&list, "watchers-one");
}

#[test]
fn many_viewers_are_summarised_and_listed_on_request() {
    let mut list = of(crowd());
    assert!(shows(&list, "Watched by 40 · 38 show sequence 12"));
    assert!(!shows(&list, "viewer-app (pid 4714)"));
    assert_looks(&list, "watchers-many");

    let mut ui = ui(&list);
    ui.click("Show each").unwrap();
    let messages: Vec<Message> = ui.into_messages().collect();
    assert!(matches!(messages[..], [Message::ViewerListToggled]));
    list.toggle();
    for words in ["viewer-app (pid 4714)", "sequence 11 after 2 ms", "Hide"] {
        assert!(shows(&list, words), "{words}");
    }
    assert_looks(&list, "watchers-each");
}

#[test]
fn summaries_agree_with_their_verbs() {
    let sum = |sequences: &[Option<u64>]| {
        let list: Vec<_> = sequences.iter().map(|shown| viewer(1, *shown)).collect();
        summary(&list)
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
fn viewers_do_not_change_the_layout() {
    let card = |list: &ViewerList| -> Rectangle {
        let card = ui(list).find("card").unwrap();
        iced_test::selector::Bounded::bounds(&card)
    };
    let empty = card(&ViewerList::new(false));
    for list in [
        of(vec![viewer(4711, Some(12))]),
        of(vec![viewer(4711, None), viewer(4712, None)]),
        of(crowd()),
    ] {
        assert_eq!(card(&list), empty);
    }
}

#[test]
fn without_presence_the_line_says_so() {
    let mut list = ViewerList::new(false);
    list.update(Viewers::Unknown(Arc::new(PresenceError::new(
        PresenceErrorKind::NoDirectory {
            candidates: Vec::new(),
        },
    ))));
    assert!(shows(&list, "Viewers cannot be shown here."));
}

#[test]
fn the_window_receives_the_viewers_of_its_segment() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options::new().directory(directory.path());
    let key = Key::new("watched").unwrap();
    let mut session = SessionThread::start(options.clone());
    let mut watched = task::into_stream(session.viewers()).unwrap();
    let mut wait_for = |is_so: fn(&[Viewer]) -> bool| loop {
        let action = block_on(watched.next()).unwrap();
        if let Action::Output(Viewers::Known(list)) = action
            && is_so(&list)
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
    wait_for(|list| list.iter().any(|one| one.report.is_some()));

    // A released segment has no viewers.
    let mut releasing = task::into_stream(session.release()).unwrap();
    assert!(block_on(releasing.next()).is_some());
    wait_for(<[_]>::is_empty);
    drop(presence);
}
